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
use aws_sdk_dynamodb::types::AttributeValue;

use crate::auth::Caller;
use crate::model::id::Ids;
use crate::model::time::Clock;
use crate::monitoring::lists::Lists;
use keys::TenantKeys;

pub(crate) use call::jittered;
pub use export::Exported;
pub use idempotency::{FREE_TIME, KEPT_ANSWER, Replay};
pub(crate) use keys::split_monitored as keys_of;
pub use list::Filters;
pub use monitors::Rechecked;
pub use page::Page;
pub(crate) use passes::{Again, Monitored};

/// Time limit for the call that opens the connection.
const WARM_TIMEOUT: Duration = Duration::from_secs(1);
/// Attempts of a transaction that the table cancels because it is throttled. The SDK repeats a
/// throttled call by itself, but not a cancelled transaction.
const ATTEMPTS: u32 = 3;

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
        let _ = tokio::time::timeout(WARM_TIMEOUT, get.send()).await;
    }
}

/// One tenant's rows.
pub struct TenantTable<'a> {
    table: &'a Table,
    caller: &'a Caller,
    keys: TenantKeys<'a>,
}
