//! Screens all monitored customers again, in passes. Started by schedules.

use std::time::Instant;

use serde_json::Value;
use shared::monitoring::rescreen::{Request, rescreen};
use shared::{App, Error};

shared::job!(run, watchlists);

/// The payload names the pass and, if not all of them, the shards: `{"pass":"daily","shards":[0]}`.
pub async fn run(app: &App, payload: Value, deadline: Instant) -> Result<Value, Error> {
    let request: Request = serde_json::from_value(payload)
        .map_err(|error| Error::internal(format!("the payload names no pass: {error}")))?;
    rescreen(&app.monitoring, &request, deadline).await
}
