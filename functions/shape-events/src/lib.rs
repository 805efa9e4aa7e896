//! Turns records of the table's stream into events for the event bus. It is the enrichment step of
//! the pipe between the two.

use std::time::Instant;

use serde_json::Value;
use shared::events::of_record;
use shared::{App, Error};

shared::job!(run);

/// Takes and returns an array, as a Pipe's enrichment does. Records of other items are left out.
pub async fn run(_app: &App, payload: Value, _deadline: Instant) -> Result<Value, Error> {
    let records = payload.as_array();
    let records =
        records.ok_or_else(|| Error::internal("the payload is not an array of records"))?;
    Ok(records.iter().filter_map(of_record).collect())
}
