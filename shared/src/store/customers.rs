//! Reads and writes customers, and the claims of client ids.

use aws_sdk_dynamodb::types::AttributeValue;

use super::change::Change;
use super::expression::Expression;
use super::item::{self, IS_NEW, Item, ItemKind};
use super::transaction::{Rule, Write};
use super::{TenantTable, keys};
use crate::error::Error;
use crate::model::customer::{MonitoringStatus, StoredCustomer};
use crate::model::id::CustomerId;
use crate::model::value::ClientId;

impl TenantTable<'_> {
    /// Reads a customer with strong consistency.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn customer(&self, id: &CustomerId) -> Result<Option<StoredCustomer>, Error> {
        let item = self.table.get(self.keys.customer(id)).await?;
        item.map(|item| self.read_customer(item)).transpose()
    }

    /// Finds the customer that has claimed a client id, with strong consistency.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn customer_of_client(
        &self,
        client_id: &ClientId,
    ) -> Result<Option<CustomerId>, Error> {
        let claim = self.table.get(self.keys.client(client_id)).await?;
        claim.as_ref().map(item::owner).transpose()
    }

    /// Reads a customer from its item, as of now: expired sessions and expired monitoring count as
    /// not active.
    pub(super) fn read_customer(&self, item: Item) -> Result<StoredCustomer, Error> {
        Ok(item::model::<StoredCustomer>(item)?.settled(self.table.clock.now()))
    }

    pub(super) fn customer_put_write(&self, customer: &StoredCustomer) -> Result<Write, Error> {
        let key = self.keys.customer(&customer.customer_id);
        self.put(Rule::Customer, key, self.customer_item(customer)?, IS_NEW)
    }

    pub(super) fn customer_update_write(
        &self,
        before: &StoredCustomer,
        after: &StoredCustomer,
    ) -> Result<Write, Error> {
        let mut expression = Expression::default();
        let (mut old, new) = (self.customer_item(before)?, self.customer_item(after)?);
        // Expired monitoring reads as off but is stored as active. Without the old value, the
        // update always writes the new value, even if that value is also off.
        if before.monitored_until.is_some() && before.monitoring.status == MonitoringStatus::Off {
            old.remove("monitoring");
        }
        let update = item::update(&old, &new, &mut expression);
        let (name, version) = (expression.name("version"), expression.number(before.version));
        let condition = format!("{name} = {version}");
        let key = self.keys.customer(&before.customer_id);
        self.update(Rule::Customer, key, update, condition, expression)
    }

    /// Builds the claim of a client id that the customer gets, or the release of one that it loses.
    /// Returns `None` when the customer has a client id before and after the change, or at neither
    /// time.
    pub(super) fn claim_writes(&self, change: &Change) -> Result<Option<Write>, Error> {
        let id = &change.after.customer_id;
        let before = change.before.profile.client_id.as_ref().filter(|_| !change.is_new);
        match (before, &change.after.profile.client_id) {
            (None, Some(client_id)) => {
                let item = item::pointer(ItemKind::Client, id);
                self.put(Rule::Claim, self.keys.client(client_id), item, IS_NEW).map(Some)
            }
            (Some(client_id), None) => {
                self.delete(Rule::Claim, self.keys.client(client_id)).map(Some)
            }
            (Some(before), Some(after)) if before != after => {
                Err(Error::internal("a client id cannot change"))
            }
            _ => Ok(None),
        }
    }

    fn customer_item(&self, customer: &StoredCustomer) -> Result<Item, Error> {
        let mut item = item::typed(ItemKind::Customer, customer)?;
        let name = keys::name_sort_key(&customer.profile.name, &customer.customer_id);
        for (attribute, value) in [
            ("tenant_pk", self.keys.all()),
            ("risk_pk", self.keys.at_risk(customer.risk.level)),
            ("name_sk", name),
        ] {
            item.insert(attribute.to_owned(), AttributeValue::S(value));
        }
        Ok(item)
    }
}
