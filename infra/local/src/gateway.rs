//! Implements the HTTP API: the steps of API Gateway between a caller and a function.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use shared::App;
use shared::runtime::edge::{FUNCTION_TIME, Function, Invocation, MARGIN, answer};
use shared::runtime::job::{self, Job};
use uuid::Uuid;

use crate::Failure;
use crate::access::AccessKey;
use crate::authorizer::Authorizer;
use crate::callers::{is_from_a_page, is_from_another_page, names_this_machine};
use crate::connections::read_body;
use crate::file::StoreFile;
use crate::payload;
use crate::routes::Routes;

/// Limit of an HTTP API for the body of a request, in bytes.
const MAX_REQUEST_BYTES: usize = 10 * 1024 * 1024;
/// Limit of Lambda for the answer of a function, in bytes.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;
/// Timeout of a function without a route: the longest timeout that Lambda supports.
pub(crate) const JOB_TIMEOUT: Duration = Duration::from_secs(900);
const APIGW_REQUESTID: HeaderName = HeaderName::from_static("apigw-requestid");
/// The tracing header of X-Ray. A trace of the caller continues in the function.
const TRACE: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// The function that erases a customer.
const ERASURE: &str = "erase-customer";
/// Start and end of the path of Lambda's Invoke API, with the name of the function in between.
const INVOKE_PATH: (&str, &str) = ("/2015-03-31/functions/", "/invocations");

pub(crate) struct Gateway {
    pub(crate) routes: Routes,
    pub(crate) authorizer: Authorizer,
    /// Access key that the Invoke API requires.
    pub(crate) access_key: AccessKey,
    /// Functions with a route, by name.
    pub(crate) functions: HashMap<&'static str, (Function, App)>,
    /// Functions without a route, by name.
    pub(crate) jobs: HashMap<&'static str, Arc<(Job, App)>>,
    pub(crate) openapi: String,
    /// The file of the table, if the embedded store has one.
    pub(crate) file: Option<StoreFile>,
}

impl Gateway {
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(handle).with_state(Arc::new(self))
    }

    async fn answer(&self, parts: &Parts, body: Body) -> Response<Body> {
        let request_id = Uuid::now_v7().to_string();
        let trace = parts.headers.get(TRACE).and_then(|trace| trace.to_str().ok());
        let invocation = Invocation { id: &request_id, trace };
        // A page of another server must not use the API, even if the user's token is in the page. A
        // page of this server may.
        if !names_this_machine(parts) || is_from_another_page(parts) {
            log_rejection(&request_id, StatusCode::FORBIDDEN, "another host or origin");
            return message(StatusCode::FORBIDDEN, "Forbidden");
        }
        let body = match read_body(body, MAX_REQUEST_BYTES).await {
            Ok(body) => body,
            Err(StatusCode::PAYLOAD_TOO_LARGE) => {
                return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
            }
            Err(status) => return message(status, "Request Timeout"),
        };
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        if matches!(method, "GET" | "HEAD") && path == "/openapi.json" {
            return json_response(StatusCode::OK, self.openapi.clone());
        }
        if let Some(name) = invoked_function(&parts.method, path) {
            // The Invoke API bypasses the authorizer, so it is only for programs with the access
            // key, and not for any web page.
            if is_from_a_page(parts) || !self.access_key.signs(parts) {
                log_rejection(&request_id, StatusCode::FORBIDDEN, "no access key");
                return invoke_error(
                    StatusCode::FORBIDDEN,
                    "UnrecognizedClientException",
                    "The request is not signed with the access key that the server printed at its start.",
                );
            }
            return self.invoke(name, &body, invocation).await;
        }
        let Some(route_match) = self.routes.find(method, path) else {
            log_rejection(&request_id, StatusCode::NOT_FOUND, "no route matches");
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let claims = match self.authorize(parts) {
            _ if route_match.route.is_public => None,
            Ok(claims) => Some(claims),
            Err(why) => return unauthorized(&request_id, &why),
        };
        let event = payload::event(parts, &body, &route_match, claims, &request_id);
        let answer = match to_raw_value(&event) {
            Ok(event) => self.run(route_match.function, &event, invocation).await,
            Err(_) => None,
        };
        let mut response = answer
            .and_then(|answer| payload::response(&answer))
            .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"));
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(APIGW_REQUESTID, id);
        }
        response
    }

    /// Returns the claims of a request's token, or the reason why the token is rejected.
    fn authorize(&self, parts: &Parts) -> Result<Map<String, Value>, Failure> {
        let values = parts.headers.get_all(self.authorizer.header()).iter();
        let values: Vec<_> = values.map(HeaderValue::to_str).collect();
        match values.as_slice() {
            [Ok(value)] => self.authorizer.claims(value),
            [] | [Err(_)] => Err("the request has no token".to_owned()),
            _ => Err("the request has more than one token".to_owned()),
        }
    }

    /// Answers a request to Lambda's Invoke API. The event goes to the function unchanged, without
    /// routing and authorizer.
    async fn invoke(&self, name: &str, body: &Bytes, invocation: Invocation<'_>) -> Response<Body> {
        if let Some(job) = self.jobs.get(name) {
            let response = invoke_job(job, body).await;
            self.remove_deleted_data().await;
            return response;
        }
        if !self.functions.contains_key(name) {
            return invoke_error(
                StatusCode::NOT_FOUND,
                "ResourceNotFoundException",
                "The function does not exist.",
            );
        }
        let Ok(event) = serde_json::from_slice::<Box<RawValue>>(body) else {
            return invalid_payload();
        };
        match self.run(name, &event, invocation).await {
            Some(answer) => json_response(StatusCode::OK, answer),
            None => invoke_error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ServiceException",
                "The function did not answer.",
            ),
        }
    }

    /// Runs a function on an event and returns its answer. Returns `None` if the function does not
    /// exist, or if its answer is too large or cannot be serialized.
    async fn run(
        &self,
        name: &str,
        event: &RawValue,
        invocation: Invocation<'_>,
    ) -> Option<String> {
        let (function, app) = self.functions.get(name)?;
        let response = answer(app, function, event, invocation, FUNCTION_TIME - MARGIN).await;
        if name == ERASURE {
            self.remove_deleted_data().await;
        }
        serde_json::to_string(&response).ok().filter(|answer| answer.len() <= MAX_ANSWER_BYTES)
    }

    async fn remove_deleted_data(&self) {
        if let Some(file) = &self.file {
            file.remove_deleted_data().await;
        }
    }
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    gateway.answer(&parts, body).await
}

/// Runs a function without a route and answers as Lambda does: an error has the status 200 and a
/// header.
async fn invoke_job(job: &(Job, App), body: &Bytes) -> Response<Body> {
    let Ok(payload) = job_payload(body) else {
        return invalid_payload();
    };
    let (job, app) = job;
    match job::run(app, job, payload, Instant::now() + JOB_TIMEOUT).await {
        Ok(answer) => json_response(StatusCode::OK, answer.to_string()),
        Err(error) => {
            let code = error.code.to_string();
            let why = error.cause().unwrap_or(&error.message);
            let body = json!({ "errorType": code, "errorMessage": why });
            let mut response = json_response(StatusCode::OK, body.to_string());
            let unhandled = HeaderValue::from_static("Unhandled");
            response.headers_mut().insert("x-amz-function-error", unhandled);
            response
        }
    }
}

/// Parses a payload as JSON. An empty payload is `null`.
fn job_payload(body: &Bytes) -> serde_json::Result<Value> {
    if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) }
}

/// Returns the name of the function if a request goes to Lambda's Invoke API, and `None` for other
/// requests.
fn invoked_function<'a>(method: &Method, path: &'a str) -> Option<&'a str> {
    let (start, end) = INVOKE_PATH;
    let name = path.strip_prefix(start)?.strip_suffix(end)?;
    (method == Method::POST).then_some(name)
}

fn message(status: StatusCode, message: &str) -> Response<Body> {
    json_response(status, json!({ "message": message }).to_string())
}

fn unauthorized(request_id: &str, why: &str) -> Response<Body> {
    log_rejection(request_id, StatusCode::UNAUTHORIZED, why);
    let mut response = message(StatusCode::UNAUTHORIZED, "Unauthorized");
    let challenge = format!("Bearer error=\"invalid_token\" error_description=\"{why}\"");
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Logs a request that does not reach a function. The line omits the path, because a path can
/// contain personal data.
fn log_rejection(request_id: &str, status: StatusCode, why: &str) {
    tracing::info!(target: "kyc", request_id, status = status.as_u16(), why, "refused");
}

fn invalid_payload() -> Response<Body> {
    invoke_error(
        StatusCode::BAD_REQUEST,
        "InvalidRequestContentException",
        "The payload is not valid JSON.",
    )
}

fn invoke_error(status: StatusCode, kind: &'static str, message: &str) -> Response<Body> {
    let body = json!({ "Type": "User", "Message": message }).to_string();
    let mut response = json_response(status, body);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}

fn json_response(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
