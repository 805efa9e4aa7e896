//! Monitors. The item of a monitor contains its subjects and known matches, deflated. An active
//! monitor is also in the index `monitored`, which rescreen passes read.

use aws_sdk_dynamodb::types::AttributeValue;

use super::TenantTable;
use super::blob::{deflated, inflated};
use super::change::MonitorChange;
use super::item::{self, IS_NEW, IS_THERE, Item, ItemKind};
use super::keys;
use super::rechecks::recheck_item;
use super::transaction::{Rule, Write};
use crate::error::Error;
use crate::model::customer::MonitoringStatus;
use crate::model::id::CustomerId;
use crate::model::monitor::Monitor;
use crate::model::screened::Screened;
use crate::model::time::Timestamp;

/// A condition that always holds. `TenantTable::put` requires a condition, but a request to check a
/// customer again needs none.
const ALWAYS: &str = "attribute_exists(pk) OR attribute_not_exists(pk)";

impl TenantTable<'_> {
    /// Reads the monitor of a customer with its subjects and known matches. The read is strongly
    /// consistent.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn monitor(&self, id: &CustomerId) -> Result<Option<(Monitor, Screened)>, Error> {
        let Some(item) = self.table.get(self.keys.monitor(id)).await? else { return Ok(None) };
        let screened = screened(&item)?;
        Ok(Some((item::model(item)?, screened)))
    }

    /// Returns whether the customer has a monitor, active or not.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn has_monitor(&self, id: &CustomerId) -> Result<bool, Error> {
        Ok(self.table.get(self.keys.monitor(id)).await?.is_some())
    }

    pub(super) fn monitor_writes(
        &self,
        id: &CustomerId,
        change: &MonitorChange,
        now: Timestamp,
    ) -> Result<Vec<Write>, Error> {
        let key = self.keys.monitor(id);
        let (is_new, monitor, screened) = match change {
            MonitorChange::Delete => return Ok(vec![self.delete(Rule::Monitor, key)?]),
            MonitorChange::Put { is_new, monitor, screened } => (*is_new, monitor, screened),
        };
        let item = self.monitor_item(monitor, screened)?;
        let condition = if is_new { IS_NEW } else { IS_THERE };
        let mut writes = vec![self.put(Rule::Monitor, key, item, condition)?];
        if monitor.status == MonitoringStatus::Active && monitor.list_revision == 0 {
            // The remaining changes of the check need another transaction. The requested check
            // makes sure that they are written even if this function dies first.
            let position = self.keys.position(id);
            let item = recheck_item(monitor.shard, &position, now);
            let key = keys::recheck(monitor.shard, &position);
            writes.push(self.put(Rule::Monitor, key, item, ALWAYS)?);
        }
        Ok(writes)
    }

    fn monitor_item(&self, monitor: &Monitor, screened: &Screened) -> Result<Item, Error> {
        let mut item = item::typed(ItemKind::Monitor, monitor)?;
        item.insert("watched".to_owned(), AttributeValue::B(deflated("watched", screened)?));
        if monitor.status == MonitoringStatus::Active {
            let partition = keys::monitored(monitor.settings.check_frequency, monitor.shard);
            let position = self.keys.position(&monitor.customer_id);
            item.insert("monitored_pk".to_owned(), AttributeValue::S(partition));
            item.insert("monitored_sk".to_owned(), AttributeValue::S(position));
        }
        Ok(item)
    }
}

/// Reads the subjects and known matches from the item of a monitor.
pub(super) fn screened(item: &Item) -> Result<Screened, Error> {
    inflated(item, "watched")
}
