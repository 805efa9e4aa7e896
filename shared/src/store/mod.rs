//! The DynamoDB table. The store reads and writes models and makes no decisions: use cases plan a
//! [`Change`], and the store commits it.
//!
//! Naming of methods: a method named by a noun reads (`customer`, `newest_sessions`). `commit` writes a
//! planned change. Other verbs say what they write (`put_evidence`, `take_key`, `make_current`,
//! `scrub`). `…_write` and `…_writes` only build parts of a transaction.
#![warn(missing_docs)]

mod alerts;
mod attempts;
mod blob;
mod change;
mod cursor;
mod customer_list;
mod customers;
mod erasure;
mod export;
mod expression;
mod idempotency;
mod item;
mod keys;
mod limits;
mod monitored;
mod monitors;
mod organizations;
mod page;
mod passes;
mod rechecks;
mod risk_profiles;
mod sessions;
mod transaction;
mod watchlists;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::error::Error;
use crate::model::id::Ids;
use crate::model::scope::TenantScope;
use crate::model::time::Clock;
use item::Item;
use keys::{Key, TenantKeys};
use limits::Buckets;
use transaction::unavailable_or_internal;

pub use attempts::Attempts;
pub use change::{
    AlertChange, Change, MonitorChange, OrganizationChange, SessionChange, StoredAnswer,
};
pub use customer_list::{Filters, RetentionEnded};
pub use erasure::UnfinishedErasure;
pub use export::ExportPosition;
pub use idempotency::{ANSWER_RECORD, Replay};
pub use item::ItemKind;
pub use monitored::{Monitored, ShardPage};
pub use rechecks::Recheck;

/// Time limit for the call that opens the connection.
const WARM_TIMEOUT: Duration = Duration::from_secs(1);

/// A handle to the DynamoDB table.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
    ids: Ids,
    clock: Clock,
    buckets: Arc<Buckets>,
}

impl Table {
    /// Creates a handle to the table with this name. No request is sent.
    pub fn new(client: Client, name: String, ids: Ids, clock: Clock) -> Table {
        Table { client, name, ids, clock, buckets: Arc::default() }
    }

    /// Returns access to the rows of one tenant. Only the job `rescreen` reads rows of several
    /// tenants: monitors, requested checks and unfinished erasures.
    pub fn tenant<'a>(&'a self, scope: &'a TenantScope) -> TenantTable<'a> {
        TenantTable { table: self, scope, keys: TenantKeys::of(scope.tenant()) }
    }

    /// Opens the connection before the first request. Any answer is accepted, including a refusal
    /// for lack of permission.
    pub async fn warm(&self) {
        // The policies of the functions allow this key, but there is never an item with it.
        let key = || AttributeValue::S("T#WARM".to_owned());
        let get = self.client.get_item().table_name(&self.name).key("pk", key()).key("sk", key());
        let _ = tokio::time::timeout(WARM_TIMEOUT, get.send()).await;
    }

    /// Reads one item with strong consistency.
    async fn get(&self, key: Key) -> Result<Option<Item>, Error> {
        let key = Some(key.attributes());
        let get = self.client.get_item().table_name(&self.name).set_key(key);
        let output = get.consistent_read(true).send().await;
        Ok(output.map_err(|error| unavailable_or_internal("GetItem", &error))?.item)
    }
}

/// Access to the rows of one tenant.
pub struct TenantTable<'a> {
    table: &'a Table,
    scope: &'a TenantScope,
    keys: TenantKeys<'a>,
}

impl TenantTable<'_> {
    /// Returns the tenant, and the actor and request on whose behalf the rows are read and written.
    pub fn scope(&self) -> &TenantScope {
        self.scope
    }
}
