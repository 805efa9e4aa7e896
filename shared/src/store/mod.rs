//! The one door to DynamoDB: one table, and rows that only a verified caller reaches.

mod call;
mod change;
mod cursor;
mod customers;
mod erasure;
mod export;
mod expression;
mod idempotency;
mod item;
mod keys;
mod list;
mod lists;
mod monitors;
mod organizations;
mod page;
mod passes;
mod risk;
mod sessions;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::auth::Caller;
use crate::aws::Aws;
use crate::https;
use crate::model::id::Ids;
use crate::model::time::Clock;
use crate::monitoring::lists::Lists;
use crate::telemetry::CallCounter;
use keys::TenantKeys;

pub(crate) use call::jittered;
pub use export::Exported;
pub use idempotency::{FREE_TIME, KEPT_ANSWER, Replay};
pub(crate) use keys::split_monitored as keys_of;
pub use list::Filters;
pub use monitors::Rechecked;
pub use page::Page;
pub(crate) use passes::{Again, Monitored};

/// Of one call. Those of a request together end with its time, so that a slow table is a 503 and not
/// a dead function; all calls of a process share the SDK's budget of retries, so that a table that
/// has no room is not asked three times as often.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 3;

/// A client for AWS's DynamoDB or, with an endpoint, for a server compatible with it.
pub fn client(aws: &Aws, endpoint: Option<&str>) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(aws.region.clone())
        .credentials_provider(aws.credentials.clone())
        .http_client(https::client(aws.connector.clone()))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .interceptor(CallCounter);
    let config = match endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    };
    Client::from_conf(config.build())
}

#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
    ids: Ids,
    clock: Clock,
    pub(crate) watching: Watching,
}

/// What monitoring needs besides the table.
#[derive(Clone)]
pub struct Watching {
    pub lists: Lists,
    /// How many parts the monitored customers are divided into.
    pub shards: u32,
    /// After how long a list that was not refreshed is called stale.
    pub max_list_age: Duration,
}

impl Table {
    pub fn new(client: Client, name: String, ids: Ids, clock: Clock, watching: Watching) -> Table {
        Table { client, name, ids, clock, watching }
    }

    /// The only way to a tenant's rows.
    pub fn tenant<'a>(&'a self, caller: &'a Caller) -> TenantTable<'a> {
        TenantTable { table: self, caller, keys: TenantKeys::of(caller) }
    }

    /// Opens the connection, so that the first request finds it open. Whatever the table answers
    /// serves the purpose, also that it denies access to a function that reads nothing.
    pub async fn warm(&self) {
        let key = || AttributeValue::S("T#WARM".to_owned()); // where a function may read, and nothing is
        let get = self.client.get_item().table_name(&self.name).key("pk", key()).key("sk", key());
        let _ = tokio::time::timeout(ATTEMPT_TIMEOUT, get.send()).await;
    }
}

/// One tenant's rows.
pub struct TenantTable<'a> {
    table: &'a Table,
    caller: &'a Caller,
    keys: TenantKeys<'a>,
}
