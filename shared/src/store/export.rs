//! Export of a customer. It contains every row of the customer's partition, without the fields that
//! only the service uses.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::TenantTable;
use super::cursor::Scope;
use super::expression::Expression;
use super::idempotency::ANSWER_RECORD;
use super::item::{self, Item, ItemKind, required_text};
use super::organizations::organization;
use super::page::Listing;
use crate::error::Error;
use crate::model::alert::Alert;
use crate::model::export::Exported;
use crate::model::id::CustomerId;
use crate::model::monitor::Monitor;
use crate::model::organization::Organization;
use crate::model::page::Page;
use crate::model::risk::RiskProfile;

/// Largest number of rows of a page. In practice the page first reaches its limit in bytes or the
/// limit of rows that one request reads.
const MAX_ROWS: usize = 10_000;
/// Longest sort key, in bytes, that DynamoDB accepts
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html). A forged cursor may
/// contain a longer sort key.
const MAX_SORT_KEY_BYTES: usize = 1_024;
/// Fields of a monitor that only the service reads.
const INTERNAL: [&str; 2] = ["list_revision", "shard"];

impl TenantTable<'_> {
    /// Reads a page of all rows that are stored about a customer, in the order of their sort keys.
    ///
    /// # Errors
    /// `InvalidCursor`, `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn export(
        &self,
        id: &CustomerId,
        cursor: Option<&str>,
    ) -> Result<Page<Exported>, Error> {
        let scope = Scope::new(self.scope.tenant(), "export", id)?;
        let position = cursor.map(|cursor| scope.open(cursor)).transpose()?;
        if position.as_ref().is_some_and(|sk| !(1..=MAX_SORT_KEY_BYTES).contains(&sk.len())) {
            return Err(Error::invalid_cursor());
        }
        let mut e = Expression::default();
        let by_key = e.partition(self.keys.partition(id));
        let query = self.table.query(by_key, e);
        let start = position.map(|position| self.keys.row(id, &position).attributes());
        let listing = Listing { query, start, filtered: false, scope };
        listing.page(MAX_ROWS, |item| self.exported(item), |item| required_text(item, "sk")).await
    }

    fn exported(&self, item: Item) -> Result<Exported, Error> {
        let (kind, data) = match ItemKind::of(&item)? {
            ItemKind::Customer => ("customer", value(&self.read_customer(item)?.customer)?),
            ItemKind::Session => ("session", value(&self.read_session(item)?)?),
            ItemKind::Organization => {
                let Organization { version, updated_at, structure } = organization(item)?;
                let structure = value(&structure)?;
                let data = json!({
                    "version": version, "updated_at": updated_at, "structure": structure,
                });
                ("organization", data)
            }
            ItemKind::RiskProfile => ("risk_profile", value(&item::model::<RiskProfile>(item)?)?),
            ItemKind::Monitor => {
                let mut data = value(&item::model::<Monitor>(item)?)?;
                if let Some(fields) = data.as_object_mut() {
                    fields.retain(|field, _| !INTERNAL.contains(&field.as_str()));
                }
                ("monitor", data)
            }
            ItemKind::Alert => ("alert", value(&item::model::<Alert>(item)?)?),
            ItemKind::Event => ("event", value(&event(item)?)?),
            // Skipping the item would make the export incomplete.
            _ => return Err(Error::internal("an item of a customer has an unexpected type")),
        };
        Ok(Exported { kind, data })
    }
}

fn value(model: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(model).map_err(|error| Error::internal(format!("export: {error}")))
}

/// Returns an event as it was written, without its keys. An event is not read as a model, because
/// the kinds of events change over time.
fn event(item: Item) -> Result<Map<String, Value>, Error> {
    let keys = ["pk", "sk", "type", ANSWER_RECORD];
    let fields = item.into_iter().filter(|(name, _)| !keys.contains(&name.as_str()));
    item::model(fields.collect::<Item>())
}
