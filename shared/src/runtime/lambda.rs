//! The Lambda runtime: everything that the `main` of a function does.

use std::time::{Duration, Instant, SystemTime};

use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
pub use lambda_runtime::Error;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use serde_json::value::RawValue;

use super::edge::{FUNCTION_TIME, Function, Invocation, MARGIN, answer};
use super::job::{self, Job};
use crate::app::App;
use crate::telemetry;

/// Starts a function of the API and answers events until the sandbox ends.
///
/// # Errors
/// Returns a text that names every setting that is missing or malformed.
pub async fn run(function: Function) -> Result<(), Error> {
    telemetry::init(std::env::var("METRICS_NAMESPACE").ok());
    let app = App::from_env(function.open_watchlists).await?;
    // Open the connection now: during INIT a function has two full processors, whatever its memory,
    // and during a request usually less.
    if function.uses_table {
        app.table.warm().await;
    }
    let app = &app;
    let function = &function;
    let service = service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let payload = event.payload;
        #[cfg(feature = "watch")]
        let payload = watch::with_local_claims(payload);
        // Without a deadline, the time-out of the template applies.
        let left = Some(left(event.context.deadline)).filter(|left| !left.is_zero());
        let left = left.unwrap_or(FUNCTION_TIME).min(FUNCTION_TIME);
        // If less than twice the margin is left, the request gets half of the time, so that a 503
        // can still be sent.
        let time = left.saturating_sub(MARGIN).max(left / 2);
        let context = &event.context;
        let invocation =
            Invocation { id: &context.request_id, trace: context.xray_trace_id.as_deref() };
        let response = answer(app, function, &payload, invocation, time).await;
        Ok::<ApiGatewayV2httpResponse, Diagnostic>(response)
    });
    // `lambda_runtime::run` is not used, because it adds a span to each request. A request already
    // has its own log line.
    Runtime::new(service).run().await
}

/// Starts a function that a schedule invokes.
///
/// # Errors
/// Returns a text that names every setting that is missing or malformed.
pub async fn run_job(job: Job) -> Result<(), Error> {
    telemetry::init(std::env::var("METRICS_NAMESPACE").ok());
    let app = App::from_env(job.open_watchlists).await?;
    let (app, job) = (&app, &job);
    let service = service_fn(move |event: LambdaEvent<Value>| async move {
        let deadline = left(event.context.deadline);
        let result = job::run(app, job, event.payload, Instant::now() + deadline).await;
        // Only an operator can invoke a job, so the cause may be returned.
        result.map_err(|error| Diagnostic {
            error_type: error.code.to_string(),
            error_message: error.reason().to_owned(),
        })
    });
    Runtime::new(service).run().await
}

/// Returns the time left until `deadline`, or zero if the deadline has passed. `deadline` is in
/// milliseconds since 1970.
fn left(deadline: u64) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline).saturating_sub(now)
}

#[cfg(all(feature = "watch", not(debug_assertions)))]
compile_error!(
    "the feature `watch` of `shared` accepts claims from an environment variable: it is for \
     `cargo lambda watch` and must not be part of a release build"
);

/// Claims for `cargo lambda watch`, which has no authorizer. See `docs/watch.md`.
#[cfg(feature = "watch")]
mod watch {
    use serde_json::value::{RawValue, to_raw_value};
    use serde_json::{Value, json};

    /// Adds the claims in `LOCAL_CLAIMS`, a JSON object of strings, to an event that has no
    /// authorizer. On Lambda it returns the event unchanged.
    pub(super) fn with_local_claims(payload: Box<RawValue>) -> Box<RawValue> {
        // Lambda sets this variable for every function.
        if std::env::var_os("AWS_LAMBDA_INITIALIZATION_TYPE").is_some() {
            return payload;
        }
        let claims = std::env::var("LOCAL_CLAIMS").ok();
        let claims = claims.and_then(|claims| serde_json::from_str::<Value>(&claims).ok());
        let event = serde_json::from_str::<Value>(payload.get()).ok();
        let (Some(claims), Some(mut event)) = (claims, event) else { return payload };
        let Some(context) = event.get_mut("requestContext").and_then(Value::as_object_mut) else {
            return payload;
        };
        if context.get("authorizer").is_none_or(Value::is_null) {
            context.insert("authorizer".to_owned(), json!({ "jwt": { "claims": claims } }));
        }
        to_raw_value(&event).unwrap_or(payload)
    }
}
