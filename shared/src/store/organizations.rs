//! Organizations. Each version is one item. Its structure is deflated, because the largest
//! structure would otherwise not fit into an item. A replaced version is kept.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::TenantTable;
use super::blob::{deflated, inflated};
use super::item::{self, IS_NEW, IS_THERE, Item, ItemKind};
use super::transaction::{Rule, Write};
use crate::error::Error;
use crate::model::id::CustomerId;
use crate::model::organization::Organization;
use crate::model::time::Timestamp;

#[derive(Serialize, Deserialize)]
struct Header {
    version: u64,
    updated_at: Timestamp,
}

impl TenantTable<'_> {
    /// Reads the organization of a customer with strong consistency.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn organization(&self, customer: &CustomerId) -> Result<Option<Organization>, Error> {
        let item = self.table.get(self.keys.organization(customer)).await?;
        item.map(organization).transpose()
    }

    /// Reads a replaced version of the organization with strong consistency.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn organization_before(
        &self,
        customer: &CustomerId,
        version: u64,
    ) -> Result<Option<Organization>, Error> {
        let item = self.table.get(self.keys.organization_before(customer, version)).await?;
        item.map(organization).transpose()
    }

    pub(super) fn organization_writes(
        &self,
        customer: &CustomerId,
        before: Option<&Organization>,
        after: &Organization,
    ) -> Result<Vec<Write>, Error> {
        let key = self.keys.organization(customer);
        let item = organization_item(after)?;
        let Some(before) = before else {
            return Ok(vec![self.put(Rule::Organization, key, item, IS_NEW)?]);
        };
        let replaced = self.keys.organization_before(customer, before.version);
        Ok(vec![
            self.put(Rule::Organization, key, item, IS_THERE)?,
            self.put(Rule::Organization, replaced, organization_item(before)?, IS_NEW)?,
        ])
    }
}

fn organization_item(organization: &Organization) -> Result<Item, Error> {
    let Organization { version, updated_at, structure } = organization;
    let header = Header { version: *version, updated_at: *updated_at };
    let mut item = item::typed(ItemKind::Organization, &header)?;
    item.insert("structure".to_owned(), AttributeValue::B(deflated("structure", structure)?));
    Ok(item)
}

pub(super) fn organization(item: Item) -> Result<Organization, Error> {
    let structure = inflated(&item, "structure")?;
    let Header { version, updated_at } = item::model(item)?;
    Ok(Organization { version, updated_at, structure })
}
