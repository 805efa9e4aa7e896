//! Reads and writes alerts. Each alert is an item in the partition of its customer.

use super::TenantTable;
use super::cursor::Scope;
use super::expression::Expression;
use super::item::{self, IS_NEW, IS_THERE, Item, ItemKind};
use super::page::position_after;
use super::transaction::{Rule, Write};
use crate::error::Error;
use crate::model::alert::{Alert, AlertStatus, StoredAlert};
use crate::model::id::{AlertId, CustomerId};
use crate::model::page::{Page, Paging};

impl TenantTable<'_> {
    /// Reads all alerts of a customer with strong consistency, in descending order of their ids.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn all_alerts(&self, id: &CustomerId) -> Result<Vec<StoredAlert>, Error> {
        let (partition, prefix) = self.keys.alerts(id);
        let items = self.newest(partition, prefix, usize::MAX).await?;
        items.into_iter().map(item::model).collect()
    }

    /// Reads an alert with strong consistency.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn alert(
        &self,
        customer: &CustomerId,
        id: &AlertId,
    ) -> Result<Option<StoredAlert>, Error> {
        self.table.get(self.keys.alert(customer, id)).await?.map(item::model).transpose()
    }

    /// Reads a page of a customer's alerts in the order of their ids, ascending or descending as
    /// `paging` says. With `status`, the page contains only alerts with this status.
    ///
    /// # Errors
    /// `InvalidCursor`, `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn alerts(
        &self,
        customer: &CustomerId,
        status: Option<AlertStatus>,
        paging: &Paging,
    ) -> Result<Page<Alert>, Error> {
        let scope = Scope::new(self.scope.tenant(), "alerts", &(customer, status, paging.order))?;
        let position = paging.cursor.as_ref().map(|cursor| scope.open(cursor)).transpose()?;
        let after = position.map(|id| AlertId::parse(&id).ok_or_else(Error::invalid_cursor));
        let start = after.transpose()?.map(|id| self.keys.alert(customer, &id));
        let (partition, prefix) = self.keys.alerts(customer);
        let filter = |e: &mut Expression| {
            status.map(|status| format!("{} = {}", e.name("status"), e.text(status.as_ref())))
        };
        let listing = self.listing((partition, prefix), start, filter, paging.order, scope);
        let position_of = |item: &Item| position_after(prefix, item);
        listing.page(paging.limit, item::model, position_of).await
    }

    pub(super) fn alert_write(&self, alert: &StoredAlert, is_new: bool) -> Result<Write, Error> {
        let condition = if is_new { IS_NEW } else { IS_THERE };
        let key = self.keys.alert(&alert.customer_id, &alert.alert_id);
        self.put(Rule::Alert, key, item::typed(ItemKind::Alert, alert)?, condition)
    }
}
