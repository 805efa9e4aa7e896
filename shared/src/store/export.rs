//! Everything that is held on a customer: the rows of its partition, each as the API shows it.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::TenantTable;
use super::cursor::Scope;
use super::expression::Expression;
use super::idempotency::KEPT_ANSWER;
use super::item::{self, Item};
use super::organizations::organization;
use super::page::{Listing, Page, text, written};
use crate::error::Error;
use crate::model::alert::Alert;
use crate::model::id::CustomerId;
use crate::model::monitor::Monitor;
use crate::model::risk::RiskProfile;

/// A page ends where it is as large as an answer can be, not after a number of rows.
const MOST_ROWS: usize = 10_000;
/// No longer one is asked for: the table would call it a fault of ours
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const MAX_SORT_KEY_BYTES: usize = 1_024;
/// What only the service has a use for.
const INTERNAL: [&str; 2] = ["list_revision", "shard"];

/// One thing that is held on a customer.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exported {
    /// `customer`, `session`, `organization` (also those that were replaced), `risk_profile`,
    /// `monitor`, `alert` or `event`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// As the API answers it elsewhere; a monitor without what is computed when it is read, an event
    /// as consumers of the event bus get it.
    pub data: Value,
}

impl TenantTable<'_> {
    pub async fn export(
        &self,
        id: &CustomerId,
        cursor: Option<&str>,
    ) -> Result<Page<Box<RawValue>>, Error> {
        let scope = Scope::new(self.caller, "export", id)?;
        let position = cursor.map(|cursor| scope.open(cursor)).transpose()?;
        if position.as_ref().is_some_and(|sk| !(1..=MAX_SORT_KEY_BYTES).contains(&sk.len())) {
            return Err(Error::invalid_cursor());
        }
        let mut e = Expression::default();
        let by_key = e.partition(self.keys.partition(id));
        let query = self.table.query(by_key, e);
        let start = position.map(|position| self.keys.row(id, &position).attributes());
        let listing = Listing { query, start, filtered: false, scope };
        let row = |item| written(&self.exported(item)?);
        let page = listing.page(MOST_ROWS, row, |item| text(item, "sk")).await?;
        // A customer has at least itself.
        if page.count == 0 && cursor.is_none() {
            return Err(Error::customer_not_found());
        }
        Ok(page)
    }

    fn exported(&self, item: Item) -> Result<Exported, Error> {
        let kind = item::text(&item, "type").unwrap_or_default().to_owned();
        let (kind, data) = match kind.as_str() {
            "customer" => ("customer", value(&self.read(item)?)?),
            "session" => ("session", value(&self.settled(item)?)?),
            "organization" => {
                let held = organization(item)?;
                let at = held.updated_at;
                let structure = value(&held.structure)?;
                let data =
                    json!({ "version": held.version, "updated_at": at, "structure": structure });
                ("organization", data)
            }
            "risk profile" => ("risk_profile", value(&item::model::<RiskProfile>(item)?)?),
            "monitor" => {
                let mut data = value(&item::model::<Monitor>(item)?)?;
                if let Some(fields) = data.as_object_mut() {
                    fields.retain(|field, _| !INTERNAL.contains(&field.as_str()));
                }
                ("monitor", data)
            }
            "alert" => ("alert", value(&item::model::<Alert>(item)?)?),
            "event" => ("event", value(&event(item)?)?),
            // To leave it out would be to say that it is not held.
            _ => return Err(Error::internal("an item of a customer is of no known type")),
        };
        Ok(Exported { kind, data })
    }
}

fn value(model: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_value(model).map_err(|error| Error::internal(format!("export: {error}")))
}

/// An event as it was written: what kinds there were changes with time.
fn event(item: Item) -> Result<Map<String, Value>, Error> {
    let keys = ["pk", "sk", "type", KEPT_ANSWER];
    let fields = item.into_iter().filter(|(name, _)| !keys.contains(&name.as_str()));
    item::model(fields.collect::<Item>())
}
