//! From an API Gateway event to a handler and back. Whatever the event holds, there is an answer
//! in the envelope and a log line; nothing a caller sends ends the process.

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
use serde_json::Value;
use serde_json::value::RawValue;

use super::input::BODY;
use super::request::Request;
use super::response::Response;
use crate::app::App;
use crate::deadline;
use crate::error::{Error, Faults};
use crate::telemetry;

/// What a function has for one request: the template's time-out.
pub const FUNCTION_TIME: Duration = Duration::from_secs(29);
/// How long before its end a function answers whatever it is at.
pub const MARGIN: Duration = Duration::from_secs(3);

/// A function of the API: the name of its binary, and what it does with a request.
#[derive(Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    pub handle: Handler,
    #[cfg(feature = "openapi")]
    pub describe: fn() -> crate::openapi::Endpoint,
}

pub type Handler = for<'a> fn(&'a App, &'a Request) -> Answer<'a>;
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

/// Names a crate's handler as its `FUNCTION`: the binary has the name of the crate, and
/// `openapi::describe` is what the document says of it.
#[macro_export]
macro_rules! function {
    ($handle:ident) => {
        pub const FUNCTION: $crate::http::edge::Function = $crate::http::edge::Function {
            name: env!("CARGO_PKG_NAME"),
            handle: |app, request| Box::pin($handle(app, request)),
            #[cfg(feature = "openapi")]
            describe: openapi::describe,
        };
    };
}

/// Answers one event of an HTTP API, payload format 2.0. `invocation_id` stands in for API
/// Gateway's request id where the event carries none. After `time` it is a 503.
pub async fn answer(
    app: &App,
    function: &Function,
    event: &RawValue,
    invocation_id: &str,
    time: Duration,
) -> ApiGatewayV2httpResponse {
    let log = telemetry::RequestLog::start(function.name);
    let request = match read(event, app.settings.tenant_claim.as_deref()) {
        Ok(request) => request,
        Err((request_id, error)) => {
            let request_id = request_id.as_deref().unwrap_or(invocation_id);
            let response =
                written(Err(error), |status, error| log.end(request_id, None, status, error));
            return response.write(request_id);
        }
    };
    let request_id = if request.id().is_empty() { invocation_id } else { request.id() };
    let handled = AssertUnwindSafe((function.handle)(app, &request)).catch_unwind();
    let (handled, calls) = telemetry::count_calls(deadline::within(time, handled)).await;
    let result = handled
        .and_then(|handled| handled.unwrap_or_else(|_| Err(Error::internal("a handler panicked"))));
    let log = log.calls(calls);
    written(result, |status, error| log.end(request_id, Some(&request), status, error))
        .write(request_id)
}

/// Turns the result into a response and logs it, once.
fn written(result: Result<Response, Error>, log: impl FnOnce(u16, Option<&Error>)) -> Response {
    match result {
        Ok(response) => {
            log(response.status(), None);
            response
        }
        Err(error) => {
            let response = Response::of_error(&error).unwrap_or_else(|_| Response::last_resort());
            log(response.status(), Some(&error));
            response
        }
    }
}

/// The request of an event, or the error and the request id of an event that holds none.
fn read(event: &RawValue, tenant_claim: Option<&str>) -> Result<Request, (Option<String>, Error)> {
    let Ok(LambdaRequest::ApiGatewayV2(mut parsed)) = serde_json::from_str(event.get()) else {
        return Err(refused(event));
    };
    let request_id = parsed.request_context.request_id.clone();
    let faults = take_out_what_panics(&mut parsed);
    // What is left to panic is a host, scheme or path that does not parse as a URL.
    let convert = || lambda_http::Request::from(LambdaRequest::ApiGatewayV2(parsed));
    match catch_unwind(AssertUnwindSafe(convert)) {
        Ok(request) => Ok(Request::new(request, tenant_claim, faults)),
        Err(_) => {
            let mut faults = faults;
            faults.add("Host", "or the path does not form a URL");
            Err((request_id, faults.into()))
        }
    }
}

/// `lambda_http` panics on a query string that is no URI and on a body that is not base64.
/// Both are a caller's fault and become a 400.
fn take_out_what_panics(event: &mut ApiGatewayV2httpRequest) -> Faults {
    let mut faults = Faults::default();
    // A `#` would not panic but cut the query short, in silence.
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

/// An event that `lambda_http` does not take for one of an HTTP API. API Gateway passes every
/// claim on as a string; other claims are of another authorizer, and not to be trusted.
fn refused(event: &RawValue) -> (Option<String>, Error) {
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
