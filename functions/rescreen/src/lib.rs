//! Screens all monitored customers again, in passes. Schedules start this function.

use std::time::Instant;

use serde_json::Value;
use shared::monitoring::rescreen::{Request, rescreen};
use shared::{App, Error};

shared::job!(run, watchlists);

/// Starts or resumes a pass. The payload contains the pass and optionally the shards, such as
/// `{"pass":"daily","shards":[0]}`. Without shards, the pass covers all of them.
pub async fn run(app: &App, payload: Value, deadline: Instant) -> Result<Value, Error> {
    let request: Request = serde_json::from_value(payload)
        .map_err(|error| Error::internal(format!("the payload names no pass: {error}")))?;
    rescreen(&app.monitoring, &request, deadline).await
}
