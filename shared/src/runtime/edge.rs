//! Passes an API Gateway event to a handler and returns its response. Every event gets a response
//! in the API's envelope and a log line. An event that causes a panic does not end the process.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::http::uri::PathAndQuery;
use lambda_http::request::LambdaRequest;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{deadline, limits};
use crate::app::{App, OpenWatchlists};
use crate::auth::ClaimNames;
use crate::error::{Error, Faults};
use crate::http::{BODY, Request, Response};
use crate::model::id::CustomerId;
use crate::model::limit::Quota;
use crate::telemetry::{self, Outcome, RequestLog};

/// Time limit of a function for one request: the time-out in the template.
pub const FUNCTION_TIME: Duration = Duration::from_secs(29);
/// Time between the deadline of a request and the time-out of its function. A function answers at
/// the deadline, finished or not.
pub const MARGIN: Duration = Duration::from_secs(3);

/// A function of the API: the name of its binary and its handler.
#[derive(Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    pub handle: Handler,
    /// `None` for a function that does not screen.
    pub open_watchlists: Option<OpenWatchlists>,
    /// Whether the function makes calls to the table.
    pub uses_table: bool,
    #[cfg(feature = "openapi")]
    pub describe: fn() -> crate::openapi::Endpoint,
}

pub type Handler = for<'a> fn(&'a App, &'a Request) -> Answer<'a>;
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

/// Declares a crate's handler as its `FUNCTION`. The function has the name of the crate, and the
/// crate's `openapi::describe` describes it. A function that screens adds `watchlists`, and a function
/// that makes no call to the table adds `no_table`.
#[macro_export]
macro_rules! function {
    ($handle:ident) => {
        $crate::function!(@ $handle, None, true);
    };
    ($handle:ident, watchlists) => {
        $crate::function!(@ $handle, Some($crate::app::open_bucket), true);
    };
    ($handle:ident, no_table) => {
        $crate::function!(@ $handle, None, false);
    };
    (@ $handle:ident, $open_watchlists:expr, $uses_table:expr) => {
        pub const FUNCTION: $crate::runtime::edge::Function = $crate::runtime::edge::Function {
            name: env!("CARGO_PKG_NAME"),
            handle: |app, request| Box::pin($handle(app, request)),
            open_watchlists: $open_watchlists,
            uses_table: $uses_table,
            #[cfg(feature = "openapi")]
            describe: openapi::describe,
        };
    };
}

/// An invocation of the function, without its event.
#[derive(Clone, Copy)]
pub struct Invocation<'a> {
    /// Replaces API Gateway's request id in an event that has none.
    pub id: &'a str,
    /// The tracing header of X-Ray.
    pub trace: Option<&'a str>,
}

/// Answers one event of an HTTP API, payload format 2.0. After `time`, the answer is a 503.
pub async fn answer(
    app: &App,
    function: &Function,
    event: &RawValue,
    invocation: Invocation<'_>,
    time: Duration,
) -> ApiGatewayV2httpResponse {
    let version = app.settings.function_version.clone();
    let log = RequestLog::start(function.name, version, invocation.trace);
    let request = match read(event, &app.settings.claims) {
        Ok(request) => request,
        Err((request_id, error)) => {
            let request_id = request_id.as_deref().unwrap_or(invocation.id);
            let response = respond(Err(error), log, request_id, None);
            return response.write(request_id, None);
        }
    };
    let request_id = if request.id().is_empty() { invocation.id } else { request.id() };
    let handled = AssertUnwindSafe(handle(app, function, &request)).catch_unwind();
    let (handled, calls) = telemetry::count_calls(deadline::within(time, handled)).await;
    let (quota, result) = match handled {
        Ok(Ok(handled)) => handled,
        Ok(Err(_)) => (None, Err(Error::internal("a handler panicked"))),
        Err(error) => (None, Err(error)),
    };
    let response = respond(result, log.calls(calls), request_id, Some(&request));
    response.quota(quota).write(request_id, Some(&request))
}

/// Handles a request, unless its tenant has sent too many. Also returns the state of the tenant's
/// token bucket.
async fn handle(
    app: &App,
    function: &Function,
    request: &Request,
) -> (Option<Quota>, Result<Response, Error>) {
    // Boxed, because the future of a call to the table is large and this future would contain it.
    let quota = Box::pin(limits::take_token(app, request)).await;
    let result = match quota.and_then(|quota| quota.retry_after) {
        Some(seconds) => Err(Error::too_many_requests(seconds)),
        None => (function.handle)(app, request).await,
    };
    (quota, result)
}

/// Turns the result into a response and writes its log line.
fn respond(
    result: Result<Response, Error>,
    log: RequestLog,
    request_id: &str,
    request: Option<&Request>,
) -> Response {
    let (response, error) = match result {
        Ok(response) => (response, None),
        Err(error) => {
            let response = Response::of_error(&error).unwrap_or_else(|_| Response::last_resort());
            (response, Some(error))
        }
    };
    let claims = request.and_then(Request::claims);
    let is_reduced =
        request.is_some_and(Request::is_write) && claims.is_some_and(|claims| !claims.may_read());
    let response = if is_reduced { response.into_receipt() } else { response };
    let tenant = claims.and_then(|claims| claims.tenant.as_ref()).map(ToString::to_string);
    let customer_id = request.and_then(|request| customer_of(request, &response));
    log.end(&Outcome {
        request_id,
        tenant: tenant.as_deref(),
        actor: claims.map(|claims| claims.actor_in_logs.as_str()),
        customer_id: customer_id.map(|id| id.to_string()).as_deref(),
        route: request.map(Request::route),
        status: response.status(),
        error: error.as_ref(),
    });
    response
}

/// Returns the customer that a request is about: the one in its path, or else the one in its answer.
fn customer_of(request: &Request, response: &Response) -> Option<CustomerId> {
    #[derive(Deserialize)]
    struct About {
        customer_id: CustomerId,
    }
    let in_answer = || {
        let about: About = serde_json::from_str(response.answer().content.get()).ok()?;
        Some(about.customer_id)
    };
    request.customer_id().ok().or_else(in_answer)
}

/// Reads the request of an event. On failure, returns the request id of the event with the error.
fn read(event: &RawValue, names: &ClaimNames) -> Result<Request, (Option<String>, Error)> {
    let Ok(LambdaRequest::ApiGatewayV2(mut parsed)) = serde_json::from_str(event.get()) else {
        return Err(refuse(event));
    };
    let request_id = parsed.request_context.request_id.clone();
    let faults = remove_what_panics(&mut parsed);
    // `lambda_http` still panics on a host, scheme or path that does not form a URL.
    let convert = || lambda_http::Request::from(LambdaRequest::ApiGatewayV2(parsed));
    match catch_unwind(AssertUnwindSafe(convert)) {
        Ok(request) => Ok(Request::new(request, names, faults)),
        Err(_) => {
            let mut faults = faults;
            faults.add("Host", "and the path must form a URL");
            Err((request_id, faults.into()))
        }
    }
}

/// Removes a query string that is not valid in a URI and a body that is not base64, because
/// `lambda_http` panics on both. Returns a fault for each, which becomes a 400.
fn remove_what_panics(event: &mut ApiGatewayV2httpRequest) -> Faults {
    let mut faults = Faults::default();
    // A `#` causes no panic, but cuts off the rest of the query without an error.
    let is_uri = |query: &String| {
        !query.contains('#') && PathAndQuery::try_from(format!("/?{query}")).is_ok()
    };
    if event.raw_query_string.as_ref().is_some_and(|query| !is_uri(query)) {
        event.raw_query_string = None;
        faults.add("?", "has characters that must be percent-encoded");
    }
    if event.is_base64_encoded
        && STANDARD.decode(event.body.as_deref().unwrap_or_default()).is_err()
    {
        event.body = None;
        faults.add(BODY, "is not valid base64");
    }
    faults
}

/// Returns the request id and the error of an event that `lambda_http` does not read as an event of
/// an HTTP API. API Gateway passes every claim as a string. A claim of another type is therefore
/// not from its authorizer, and the error is `Unauthenticated`.
fn refuse(event: &RawValue) -> (Option<String>, Error) {
    let event: Value = serde_json::from_str(event.get()).unwrap_or_default();
    let context = event.get("requestContext");
    let request_id = context.and_then(|context| context.get("requestId")).and_then(Value::as_str);
    let claims = context.and_then(|context| context.pointer("/authorizer/jwt/claims"));
    let claims = claims.and_then(Value::as_object);
    let error = if claims.is_some_and(|claims| claims.values().any(|claim| !claim.is_string())) {
        Error::unauthenticated()
    } else {
        let mut faults = Faults::default();
        faults.add("", "is not an event of an HTTP API in payload format 2.0");
        faults.into()
    };
    (request_id.map(str::to_owned), error)
}
