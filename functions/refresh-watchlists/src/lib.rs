//! Fetches the configured watchlists and makes them current. Started by a schedule.

use std::time::Instant;

use serde_json::Value;
use shared::monitoring::refresh::{Refreshed, refresh};
use shared::{App, Error};

shared::job!(run);

/// Takes no payload. Fails when any list was refused, after all of them were tried.
pub async fn run(app: &App, _payload: Value, deadline: Instant) -> Result<Value, Error> {
    let report = refresh(app, deadline).await?;
    let refused = report.lists.iter().filter_map(|list| match list {
        Refreshed::Refused { list, why } => Some(format!("{list} ({why})")),
        _ => None,
    });
    let refused: Vec<String> = refused.collect();
    if !refused.is_empty() {
        return Err(Error::internal(format!("refused: {}", refused.join(", "))));
    }
    serde_json::to_value(&report).map_err(|error| Error::internal(error.to_string()))
}
