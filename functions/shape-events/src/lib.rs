//! Converts records of the table's stream into events for the event bus. This function is the
//! enrichment step of the pipe from the stream to the bus.

use std::time::Instant;

use serde_json::Value;
use shared::events::enrichment_of;
use shared::{App, Error};

shared::job!(run);

/// Converts an array of stream records. Returns one element, an event with its kind, for each
/// record of a new audit event, and leaves out all other records. The enrichment step of a pipe may
/// return fewer elements than it receives.
///
/// # Errors
/// `InternalError` if the payload is not an array.
pub async fn run(_app: &App, payload: Value, _deadline: Instant) -> Result<Value, Error> {
    let records = payload.as_array();
    let records =
        records.ok_or_else(|| Error::internal("the payload is not an array of records"))?;
    Ok(records.iter().filter_map(enrichment_of).collect())
}
