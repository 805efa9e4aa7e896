//! Export of a customer. It contains every row of the customer's partition, without the fields that
//! only the service uses. Each export has an audit event, and its cursors name that event.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::TenantTable;
use super::cursor::Scope;
use super::expression::Expression;
use super::idempotency::ANSWER_RECORD;
use super::item::{self, Item, ItemKind, required_text};
use super::organizations::organization;
use super::page::Listing;
use super::transaction::unavailable_or_internal;
use crate::error::Error;
use crate::model::alert::Alert;
use crate::model::event::{Event, EventKind, EventSummary};
use crate::model::export::Exported;
use crate::model::id::CustomerId;
use crate::model::monitor::Monitor;
use crate::model::organization::Organization;
use crate::model::page::Page;
use crate::model::risk::RiskProfile;
use crate::model::time::Timestamp;

/// Largest number of rows of a page. In practice the page first reaches its limit in bytes or the
/// limit of rows that one request reads.
const MAX_ROWS: usize = 10_000;
/// Longest sort key, in bytes, that DynamoDB accepts
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html). A forged cursor may
/// contain a longer sort key.
const MAX_SORT_KEY_BYTES: usize = 1_024;
/// Fields of a monitor that only the service reads.
const INTERNAL: [&str; 2] = ["list_revision", "shard"];

/// Separator between the id of the event and the sort key in a cursor.
const EVENT_END: char = '#';

/// The place in an export at which a page begins.
pub struct ExportPosition {
    /// Id of the event of the export.
    pub event_id: Uuid,
    /// Sort key of the last row of the previous page; `None` for the first page.
    sort_key: Option<String>,
}

impl ExportPosition {
    /// Returns the place of the first page of the export with this event.
    pub fn first(event: &Event) -> ExportPosition {
        ExportPosition { event_id: event.event_id, sort_key: None }
    }
}

impl TenantTable<'_> {
    /// Returns the place that a cursor names.
    ///
    /// # Errors
    /// `InvalidCursor`.
    pub fn export_position(&self, id: &CustomerId, cursor: &str) -> Result<ExportPosition, Error> {
        let position = self.export_scope(id)?.open(cursor)?;
        let parts = position.split_once(EVENT_END);
        let (event_id, sort_key) = parts.ok_or_else(Error::invalid_cursor)?;
        let event_id = Uuid::try_parse(event_id).map_err(|_| Error::invalid_cursor())?;
        if !(1..=MAX_SORT_KEY_BYTES).contains(&sort_key.len()) {
            return Err(Error::invalid_cursor());
        }
        Ok(ExportPosition { event_id, sort_key: Some(sort_key.to_owned()) })
    }

    /// Reads a page of all rows that are stored about a customer, in the order of their sort keys.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn export(
        &self,
        id: &CustomerId,
        position: &ExportPosition,
    ) -> Result<Page<Exported>, Error> {
        let ExportPosition { event_id, sort_key } = position;
        let mut e = Expression::default();
        let by_key = e.partition(self.keys.partition(id));
        let query = self.table.query(by_key, e);
        let start = sort_key.as_ref().map(|sort_key| self.keys.row(id, sort_key).attributes());
        let listing = Listing { query, start, filtered: false, scope: self.export_scope(id)? };
        let position_of =
            |item: &Item| Ok(format!("{event_id}{EVENT_END}{}", required_text(item, "sk")?));
        listing.page(MAX_ROWS, |item| self.exported(item), position_of).await
    }

    fn export_scope(&self, id: &CustomerId) -> Result<Scope, Error> {
        Scope::new(self.scope.tenant(), "export", id)
    }

    /// Creates the event of a new export, which is not written yet.
    pub fn export_event(&self, id: &CustomerId, at: Timestamp) -> Event {
        Event {
            event_id: self.table.ids.at(at),
            kind: EventKind::CustomerExported,
            customer_id: *id,
            at,
            origin: self.scope.origin().clone(),
            changes: Map::new(),
        }
    }

    /// Writes an event that is not part of a change. Writing it again has no effect.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn put_event(&self, event: &Event) -> Result<(), Error> {
        let mut item = item::typed(ItemKind::Event, event)?;
        item.extend(self.keys.event(&event.customer_id, event.event_id).attributes());
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| unavailable_or_internal("PutItem", &error))
    }

    /// Reads the summary of an event: who did what, and when. Returns `None` when the customer has
    /// no such event.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn event_summary(
        &self,
        id: &CustomerId,
        event_id: Uuid,
    ) -> Result<Option<EventSummary>, Error> {
        let item = self.table.get(self.keys.event(id, event_id)).await?;
        item.map(item::model).transpose()
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

/// Returns an event as it was written, without the attributes that only the service uses. An event
/// is not read as a model, because the kinds of events change over time.
fn event(item: Item) -> Result<Map<String, Value>, Error> {
    let keys = ["pk", "sk", "type", ANSWER_RECORD];
    let fields = item.into_iter().filter(|(name, _)| !keys.contains(&name.as_str()));
    item::model(fields.collect::<Item>())
}
