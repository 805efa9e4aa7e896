//! Export of a customer. An export is returned in pages and recorded as one event, which is written
//! before the first page is returned. Every cursor names this event, so a forged cursor cannot give
//! access to data without an event.

use futures_util::future::try_join;

use crate::error::Error;
use crate::model::event::{Event, EventKind, EventSummary};
use crate::model::export::Exported;
use crate::model::id::CustomerId;
use crate::model::page::Page;
use crate::model::time::Timestamp;
use crate::store::{ExportPosition, TenantTable};

/// Time after the first page for which the cursors of an export are valid: 24 hours, in
/// milliseconds.
const EXPORT_MILLIS: i64 = 24 * 3_600 * 1_000;

/// Reads a page of all rows that are stored about a customer. The first page also writes the event
/// of the export.
///
/// # Errors
/// `CustomerNotFound`, `StoreUnavailable`, and `InvalidCursor`, also for a cursor of another caller
/// or of an export that began more than 24 hours ago.
pub async fn export(
    table: &TenantTable<'_>,
    id: &CustomerId,
    cursor: Option<&str>,
    now: Timestamp,
) -> Result<Page<Exported>, Error> {
    let Some(cursor) = cursor else {
        let (event, page) = first_page(table, id, now).await?;
        table.put_event(&event).await?;
        return Ok(page);
    };
    let position = table.export_position(id, cursor)?;
    let event = table.event_summary(id, position.event_id);
    let (event, page) = try_join(event, table.export(id, &position)).await?;
    match event {
        Some(event) if continues(&event, &table.scope().origin().actor, now) => Ok(page),
        _ => Err(Error::invalid_cursor()),
    }
}

/// Checks that an export can begin, for a request whose answer contains no data. It writes no event.
///
/// # Errors
/// `CustomerNotFound`, `StoreUnavailable`.
pub async fn check_export(
    table: &TenantTable<'_>,
    id: &CustomerId,
    now: Timestamp,
) -> Result<(), Error> {
    first_page(table, id, now).await.map(drop)
}

/// Reads the first page of an export. Returns it with the event of the export, which is not written
/// yet.
async fn first_page(
    table: &TenantTable<'_>,
    id: &CustomerId,
    now: Timestamp,
) -> Result<(Event, Page<Exported>), Error> {
    // The event must sort after the event of the customer's creation, even if the clock of this
    // function is behind.
    let after_creation = Timestamp::from_millis(id.created_at().millis() + 1);
    let event = table.export_event(id, now.max(after_creation));
    let page = table.export(id, &ExportPosition::first(&event)).await?;
    // The first page of an existing customer contains at least the customer's own row.
    if page.count == 0 {
        return Err(Error::customer_not_found());
    }
    Ok((event, page))
}

/// Returns whether this actor may continue the export with this event.
fn continues(event: &EventSummary, actor: &str, now: Timestamp) -> bool {
    // The age is negative if the clock of the function that wrote the event is ahead.
    let age = now.millis().saturating_sub(event.at.millis());
    event.kind == EventKind::CustomerExported && event.actor == actor && age <= EXPORT_MILLIS
}
