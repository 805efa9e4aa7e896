//! Screens all monitored customers again, in passes, and resumes interrupted erasures. Schedules start
//! this function.

use std::time::Instant;

use serde_json::{Value, json};
use shared::http::Response;
use shared::monitoring::rescreen::{Command, Request, rescreen};
use shared::{App, Error, customers};

shared::job!(run, watchlists);

/// Runs the command in the payload: starts a pass or, with `resume`, finishes interrupted erasures
/// and then continues unfinished passes. The payload contains the command and optionally the
/// shards, such as `{"pass":"daily","shards":[0]}`. Without `shards`, the command applies to all
/// shards.
pub async fn run(app: &App, payload: Value, deadline: Instant) -> Result<Value, Error> {
    let request: Request = serde_json::from_value(payload)
        .map_err(|error| Error::internal(format!("the payload names no pass: {error}")))?;
    if request.pass != Command::Resume {
        return rescreen(&app.monitoring, &request, deadline).await;
    }
    let id = app.ids.next(app.clock.now()).to_string();
    let refusal = Response::of_error(&Error::customer_erased())?.into_answer();
    let erasures =
        customers::resume_erasures(&app.table, &app.clock, &id, &refusal, deadline).await;
    // The passes run even if the erasures failed. The error is returned afterwards.
    let passes = rescreen(&app.monitoring, &request, deadline).await;
    let (mut result, erasures) = (passes?, erasures?);
    if let Some(result) = result.as_object_mut() {
        result.insert("erasures".to_owned(), json!(erasures));
    }
    Ok(result)
}
