//! Runs functions of the API on a fake table. The fuzz target chooses the answers of the table.

use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use local::FUNCTIONS;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use shared::App;
use shared::app::Settings;
use shared::aws::Aws;
use shared::model::time::Clock;
use shared::monitoring::watchlists::Watchlists;
use shared::runtime::edge::{FUNCTION_TIME, Function, Invocation, answer};
use tokio::runtime::{Builder, Runtime};

/// A fake DynamoDB table that gives the same answer to every call and records the last query.
#[derive(Clone, Debug, Default)]
pub struct Table(Arc<Mutex<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    /// Body of the answer to every call.
    answer: String,
    /// Body of the last query, or null.
    last_query: Value,
}

impl Table {
    /// Sets the body of the answer to all further calls.
    pub fn set_answer(&self, answer: &Value) {
        self.calls().answer = answer.to_string();
    }

    /// Returns the body of the last query and forgets it. Returns null if there was no query.
    pub fn take_last_query(&self) -> Value {
        self.calls().last_query.take()
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().expect("a thread that held the lock has panicked")
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut calls = self.calls();
        let bytes = request.body().bytes().expect("the SDK sends bodies from memory");
        let body: Value = serde_json::from_slice(bytes).expect("the SDK sends JSON");
        if body.get("KeyConditionExpression").is_some() {
            calls.last_query = body;
        }
        let status = StatusCode::try_from(200).expect("200 is a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, calls.answer.clone().into())))
    }
}

/// The API with a fake table.
pub struct Api {
    runtime: Runtime,
    app: App,
    pub table: Table,
}

impl Api {
    /// Starts the API with an empty table.
    pub fn start() -> Api {
        // The API catches panics in `lambda_http` and answers with a 400, but the panic hook of the
        // fuzzer would end the process first. This hook ignores such panics. All other panics still
        // end the process.
        std::panic::set_hook(Box::new(|panic| {
            let file = panic.location().map_or("", |at| at.file());
            if !file.contains("lambda_http") {
                eprintln!("{panic}");
            }
        }));
        let get = |name: &str| (name == "TABLE_NAME").then(|| "fuzz".to_owned());
        let settings = Settings::read(get).expect("the settings are valid");
        let client = shared::aws::dynamodb_client(&Aws::elsewhere(), Some("http://localhost"));
        let table = Table::default();
        let empty = json!({ "Items": [], "Count": 0, "ScannedCount": 0, "Responses": [{}, {}] });
        table.set_answer(&empty);
        let connector = SharedHttpConnector::new(table.clone());
        let config =
            client.config().to_builder().http_client(http_client_fn(move |_, _| connector.clone()));
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let app = App::new(settings, client, Clock::system(), Watchlists::of(None));
        let runtime =
            Builder::new_current_thread().enable_time().build().expect("the runtime starts");
        Api { runtime, app, table }
    }

    /// Calls a function with an event. Returns the status and the body. Panics if the body does not
    /// have the envelope of the API.
    pub fn answer(&self, function: &Function, event: &RawValue) -> (u64, Value) {
        let invocation = Invocation { id: "fuzz", trace: None };
        let call = answer(&self.app, function, event, invocation, FUNCTION_TIME);
        let response =
            serde_json::to_value(self.runtime.block_on(call)).expect("the response encodes");
        let status = response["statusCode"].as_u64().expect("the response has a status");
        let text = response["body"].as_str().expect("the response has a body");
        let body: Value = serde_json::from_str(text).expect("the body is JSON");
        assert!(body["meta"]["request_id"].is_string());
        (status, body)
    }
}

/// Returns the function with this name. Panics if it does not exist.
pub fn function(name: &str) -> &'static Function {
    FUNCTIONS.iter().find(|function| function.name == name).expect("the function exists")
}

/// The parts of a request that a fuzz target chooses.
#[derive(Default)]
pub struct Parts<'a> {
    /// Query string, without the question mark.
    pub query: &'a str,
    /// Body of the request.
    pub body: &'a str,
    /// Value of every id in the path.
    pub id: &'a str,
    /// Header `Idempotency-Key`.
    pub key: &'a str,
    /// Header `If-Match`.
    pub if_match: &'a str,
    /// Claims of the access token as JSON. If the text is not JSON, the claims grant all
    /// permissions in the tenant `acme`.
    pub claims: &'a str,
}

/// Returns the event that API Gateway would send to the function for a request with these parts.
pub fn request(function: &Function, parts: &Parts) -> Box<RawValue> {
    let Parts { query, body, id, key, if_match, claims } = parts;
    let claims: Value = serde_json::from_str(claims).unwrap_or_else(
        |_| json!({ "tenant_id": "acme", "permissions": "[kyc:*]", "sub": "fuzz" }),
    );
    let route = function.name;
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": "/customers", "rawQueryString": query,
        "headers": { "host": "localhost", "content-type": "application/json", "idempotency-key": key,
            "if-match": if_match, "x-forwarded-proto": "https" },
        "pathParameters": { "id": id, "session_id": id, "alert_id": id },
        "requestContext": { "authorizer": { "jwt": { "claims": claims, "scopes": null } },
            "http": { "method": "GET", "path": "/customers", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
            "requestId": "fuzz", "routeKey": route, "stage": "$default", "timeEpoch": 0 },
        "body": body, "isBase64Encoded": false,
    });
    to_raw_value(&event).expect("the event encodes")
}
