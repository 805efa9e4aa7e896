//! The HTTP front: what API Gateway's HTTP API does between a caller and a function.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use shared::App;
use shared::runtime::edge::{FUNCTION_TIME, Function, MARGIN, answer};
use shared::runtime::job::{self, Job};
use uuid::Uuid;

use crate::authorizer::Authorizer;
use crate::event;
use crate::routes::Routes;

/// What an HTTP API takes at the most.
const MAX_PAYLOAD_BYTES: usize = 10 * 1024 * 1024;
/// What a function may answer at the most.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;
/// What Lambda gives a function at the most.
pub(crate) const JOB_TIME: Duration = Duration::from_secs(900);
const APIGW_REQUESTID: HeaderName = HeaderName::from_static("apigw-requestid");
/// The path of the Lambda Invoke API; the function's name stands in the middle.
const INVOKE: (&str, &str) = ("/2015-03-31/functions/", "/invocations");

pub(crate) struct Gateway {
    pub(crate) routes: Routes,
    pub(crate) authorizer: Authorizer,
    /// By name; each with the settings the template gives it.
    pub(crate) functions: HashMap<&'static str, (Function, App)>,
    /// Those without a route, which a schedule starts.
    pub(crate) jobs: HashMap<&'static str, Arc<(Job, App)>>,
    pub(crate) openapi: String,
}

impl Gateway {
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(handle).with_state(Arc::new(self))
    }

    async fn answer(&self, parts: &Parts, body: Body) -> Response<Body> {
        let request_id = Uuid::now_v7().to_string();
        let Ok(body) = to_bytes(body, MAX_PAYLOAD_BYTES).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        if method == "GET" && path == "/openapi.json" {
            return json_response(StatusCode::OK, self.openapi.clone());
        }
        if let Some(name) = invoked(&parts.method, path) {
            // Past the authorizer, so for this machine's own tools only: not for a page in a
            // browser, nor for a name that someone else points here.
            if parts.headers.contains_key(ORIGIN) || !is_loopback(parts) {
                return message(StatusCode::FORBIDDEN, "Forbidden");
            }
            return self.invoke(name, &body, &request_id).await;
        }
        let Some(found) = self.routes.find(method, path) else {
            return refused(
                &request_id,
                StatusCode::NOT_FOUND,
                "Not Found",
                "there is no such route",
            );
        };
        let headers = parts.headers.get_all(self.authorizer.header()).iter();
        let headers: Vec<_> = headers.map(HeaderValue::to_str).collect();
        let claims = match headers.as_slice() {
            [Ok(header)] => self.authorizer.claims(header),
            [] | [Err(_)] => Err("there is no token".to_owned()),
            _ => Err("there is more than one token".to_owned()),
        };
        let claims = match claims {
            Ok(claims) => claims,
            Err(why) => {
                let status = StatusCode::UNAUTHORIZED;
                let mut response = refused(&request_id, status, "Unauthorized", &why);
                let why = format!("Bearer error=\"invalid_token\" error_description=\"{why}\"");
                if let Ok(why) = HeaderValue::from_str(&why) {
                    response.headers_mut().insert(WWW_AUTHENTICATE, why);
                }
                return response;
            }
        };
        let event = event::request(parts, &body, &found, &claims, &request_id);
        let answer = match to_raw_value(&event) {
            Ok(event) => self.run(found.function, &event, &request_id).await,
            Err(_) => None,
        };
        let response = answer.and_then(|answer| event::response(&answer));
        let mut response = response
            .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"));
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(APIGW_REQUESTID, id);
        }
        response
    }

    /// The way of `aws lambda invoke`: an event goes in as it is, past routes and authorizer.
    async fn invoke(&self, name: &str, body: &Bytes, request_id: &str) -> Response<Body> {
        if let Some(job) = self.jobs.get(name) {
            return self.start(job, body).await;
        }
        if !self.functions.contains_key(name) {
            return invoke_error(
                StatusCode::NOT_FOUND,
                "ResourceNotFoundException",
                "There is no such function.",
            );
        }
        let Ok(event) = serde_json::from_slice::<Box<RawValue>>(body) else {
            let why = "The payload is not valid JSON.";
            return invoke_error(StatusCode::BAD_REQUEST, "InvalidRequestContentException", why);
        };
        match self.run(name, &event, request_id).await {
            Some(answer) => json_response(StatusCode::OK, answer),
            None => invoke_error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ServiceException",
                "There is no answer.",
            ),
        }
    }

    /// A function without a route, as Lambda answers for one: what failed is a 200 with a header.
    async fn start(&self, job: &(Job, App), body: &Bytes) -> Response<Body> {
        let Ok(payload) = payload(body) else {
            let why = "The payload is not valid JSON.";
            return invoke_error(StatusCode::BAD_REQUEST, "InvalidRequestContentException", why);
        };
        let (job, app) = job;
        match job::run(app, job, payload, Instant::now() + JOB_TIME).await {
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

    async fn run(&self, name: &str, event: &RawValue, request_id: &str) -> Option<String> {
        let (function, app) = self.functions.get(name)?;
        let answered = answer(app, function, event, request_id, FUNCTION_TIME - MARGIN).await;
        serde_json::to_string(&answered).ok().filter(|answer| answer.len() <= MAX_ANSWER_BYTES)
    }
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    gateway.answer(&parts, body).await
}

/// An invocation may come without a payload.
fn payload(body: &Bytes) -> serde_json::Result<Value> {
    if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) }
}

fn invoked<'a>(method: &Method, path: &'a str) -> Option<&'a str> {
    let name = path.strip_prefix(INVOKE.0)?.strip_suffix(INVOKE.1)?;
    (method == Method::POST).then_some(name)
}

fn is_loopback(parts: &Parts) -> bool {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

fn message(status: StatusCode, message: &str) -> Response<Body> {
    json_response(status, json!({ "message": message }).to_string())
}

/// What never reaches a function has its log line here. A path may hold anything: it stays out.
fn refused(request_id: &str, status: StatusCode, text: &str, why: &str) -> Response<Body> {
    tracing::info!(target: "kyc", request_id, status = status.as_u16(), why, "refused");
    message(status, text)
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
