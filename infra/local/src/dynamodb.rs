//! Serves the embedded store with the HTTP protocol of DynamoDB, to programs on this machine that
//! have its access key.
//!
//! The HTTP server of `dynoxide` is not used, because it answers every web page and every user of
//! the machine.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use uuid::Uuid;

use crate::access::AccessKey;
use crate::callers::{is_from_a_page, names_this_machine};
use crate::connections::read_body;

/// Limit of DynamoDB for the body of a request, in bytes.
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// Prefixes of the header `X-Amz-Target`, which names the operation.
const TARGET_PREFIXES: [&str; 2] = ["DynamoDB_20120810.", "DynamoDBStreams_20120810."];

struct Port {
    database: Database,
    access_key: AccessKey,
}

/// Returns the port's router. Its handler calls the database synchronously, and blocks the thread
/// that polls it.
pub(crate) fn router(database: Database, access_key: AccessKey) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Port { database, access_key }))
}

async fn handle(State(port): State<Arc<Port>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    port.answer(&parts, body).await.unwrap_or_else(|refusal| refusal.response())
}

/// An error that is answered without a call to the database.
struct Refusal {
    status: StatusCode,
    /// Name of the error type, which the AWS SDKs read.
    kind: &'static str,
    message: &'static str,
}

impl Refusal {
    fn response(&self) -> Response<Body> {
        let kind = format!("com.amazon.coral.service#{}", self.kind);
        let body = json!({ "__type": kind, "message": self.message });
        response(self.status, body.to_string())
    }
}

const NOT_A_PROGRAM: Refusal = Refusal {
    status: StatusCode::FORBIDDEN,
    kind: "AccessDeniedException",
    message: "Only programs may use this port, with 127.0.0.1 or localhost as the host.",
};
const UNKNOWN_KEY: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    kind: "UnrecognizedClientException",
    message: "The access key is not the one of this store: set AWS_ACCESS_KEY_ID to the key that the server printed \
              at its start.",
};
const UNKNOWN_OPERATION: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    kind: "UnknownOperationException",
    message: "The operation is not known: check the header X-Amz-Target.",
};
const TOO_LARGE: Refusal = Refusal {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    kind: "RequestEntityTooLargeException",
    message: "The request is larger than 16 MB: send less in one request.",
};
const TOO_SLOW: Refusal = Refusal {
    status: StatusCode::REQUEST_TIMEOUT,
    kind: "RequestTimeoutException",
    message: "The request did not arrive in time: send it again.",
};

impl Port {
    /// Answers a request. The caller is checked before the body is read.
    async fn answer(&self, parts: &Parts, body: Body) -> Result<Response<Body>, Refusal> {
        if !names_this_machine(parts) || is_from_a_page(parts) {
            return Err(NOT_A_PROGRAM);
        }
        if !self.access_key.signs(parts) {
            return Err(UNKNOWN_KEY);
        }
        let operation = operation(parts).ok_or(UNKNOWN_OPERATION)?;
        let body = read_body(body, MAX_REQUEST_BYTES).await.map_err(|status| {
            if status == StatusCode::PAYLOAD_TOO_LARGE { TOO_LARGE } else { TOO_SLOW }
        })?;
        match run(&self.database, operation, &body).ok_or(UNKNOWN_OPERATION)? {
            Ok(answer) => Ok(response(StatusCode::OK, answer)),
            Err(error) => {
                let status = StatusCode::from_u16(error.status_code());
                Ok(response(status.unwrap_or(StatusCode::BAD_REQUEST), error.to_json()))
            }
        }
    }
}

/// Returns the name of the operation that a request calls. Returns `None` unless the request is a
/// POST with a header `X-Amz-Target` of DynamoDB.
fn operation(parts: &Parts) -> Option<&str> {
    let target =
        parts.headers.get(TARGET).filter(|_| parts.method == Method::POST)?.to_str().ok()?;
    TARGET_PREFIXES.iter().find_map(|prefix| target.strip_prefix(prefix))
}

/// Runs an operation. Returns `None` if the store does not support it.
fn run(database: &Database, operation: &str, body: &[u8]) -> Option<dynoxide::Result<String>> {
    let db = database;
    Some(match operation {
        "BatchExecuteStatement" => call(body, |request| db.batch_execute_statement(request)),
        "BatchGetItem" => call(body, |request| db.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| db.batch_write_item(request)),
        "CreateTable" => call(body, |request| db.create_table(request)),
        "DeleteItem" => call(body, |request| db.delete_item(request)),
        "DeleteTable" => call(body, |request| db.delete_table(request)),
        "DescribeStream" => call(body, |request| db.describe_stream(request)),
        "DescribeTable" => call(body, |request| db.describe_table(request)),
        "DescribeTimeToLive" => call(body, |request| db.describe_time_to_live(request)),
        "ExecuteStatement" => call(body, |request| db.execute_statement(request)),
        "ExecuteTransaction" => call(body, |request| db.execute_transaction(request)),
        "GetItem" => call(body, |request| db.get_item(request)),
        "GetRecords" => call(body, |request| db.get_records(request)),
        "GetShardIterator" => call(body, |request| db.get_shard_iterator(request)),
        "ListStreams" => call(body, |request| db.list_streams(request)),
        "ListTables" => call(body, |request| db.list_tables(request)),
        "ListTagsOfResource" => call(body, |request| db.list_tags_of_resource(request)),
        "PutItem" => call(body, |request| db.put_item(request)),
        "Query" => call(body, |request| db.query(request)),
        "Scan" => call(body, |request| db.scan(request)),
        "TagResource" => call(body, |request| db.tag_resource(request)),
        "TransactGetItems" => call(body, |request| db.transact_get_items(request)),
        "TransactWriteItems" => call(body, |request| db.transact_write_items(request)),
        "UntagResource" => call(body, |request| db.untag_resource(request)),
        "UpdateItem" => call(body, |request| db.update_item(request)),
        "UpdateTable" => call(body, |request| db.update_table(request)),
        "UpdateTimeToLive" => call(body, |request| db.update_time_to_live(request)),
        _ => return None,
    })
}

/// Passes a request to an operation of the database. Request and answer are JSON.
fn call<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl FnOnce(I) -> dynoxide::Result<O>,
) -> dynoxide::Result<String> {
    let request = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let answer = operation(request)?;
    serde_json::to_string(&answer).map_err(|e| DynoxideError::InternalServerError(e.to_string()))
}

/// Returns the error for a request that cannot be parsed. The store adds a prefix to some reasons,
/// such as a number with too many digits, to show which error DynamoDB would return.
fn unreadable(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    match text.split_once(':') {
        Some(("VALIDATION" | "VALIDATION_REQUEST" | "VALIDATION_AS_READ", reason)) => {
            DynoxideError::ValidationException(reason.to_owned())
        }
        Some(("SERIALIZATION" | "SERIALIZATION_AS_READ", reason)) => {
            DynoxideError::SerializationException(reason.to_owned())
        }
        _ => DynoxideError::SerializationException(text),
    }
}

fn response(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    if let Ok(id) = HeaderValue::from_str(&Uuid::now_v7().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
