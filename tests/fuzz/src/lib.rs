//! The functions of the API on a table that answers as a fuzz target says.

use std::sync::{Arc, Mutex};

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
use shared::http::edge::{FUNCTION_TIME, Function, answer};
use shared::model::time::Clock;
use shared::monitoring::lists::Lists;
use tokio::runtime::{Builder, Runtime};

/// What every call is answered, and what the last query asked.
#[derive(Clone, Debug, Default)]
pub struct Table(Arc<Mutex<(String, Value)>>);

impl Table {
    pub fn answer(&self, answer: Value) {
        self.0.lock().expect("no panic").0 = answer.to_string();
    }

    pub fn asked(&self) -> Value {
        self.0.lock().expect("no panic").1.take()
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, asked) = &mut *self.0.lock().expect("no panic");
        let body = request.body().bytes().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).expect("a request in JSON");
        if body.get("KeyConditionExpression").is_some() {
            *asked = body;
        }
        let status = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, answer.clone().into())))
    }
}

pub struct Place {
    runtime: Runtime,
    app: App,
    pub table: Table,
}

impl Place {
    pub fn open() -> Place {
        // What `lambda_http` panics about is caught, and answered with a 400. The hook of the fuzzer
        // ends the process before that; a panic that nobody catches ends it all the same.
        std::panic::set_hook(Box::new(|panic| {
            let file = panic.location().map_or("", |at| at.file());
            if !file.contains("lambda_http") {
                eprintln!("{panic}");
            }
        }));
        let get = |name: &str| (name == "TABLE_NAME").then(|| "fuzz".to_owned());
        let settings = Settings::read(get).expect("settings");
        let client = shared::aws::dynamodb_client(&Aws::elsewhere(), Some("http://localhost"));
        let table = Table::default();
        // It holds nothing.
        let nothing = json!({ "Items": [], "Count": 0, "ScannedCount": 0, "Responses": [{}, {}] });
        table.answer(nothing);
        let connector = SharedHttpConnector::new(table.clone());
        let config =
            client.config().to_builder().http_client(http_client_fn(move |_, _| connector.clone()));
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let app = App::new(settings, client, Clock::system(), Lists::of(None));
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        Place { runtime, app, table }
    }

    /// The status and the body of the answer, which is in the envelope.
    pub fn answer(&self, function: &Function, event: &RawValue) -> (u64, Value) {
        let answering = answer(&self.app, function, event, "fuzz", FUNCTION_TIME);
        let answered = serde_json::to_value(self.runtime.block_on(answering)).expect("an answer");
        let status = answered["statusCode"].as_u64().expect("a status");
        let body: Value =
            serde_json::from_str(answered["body"].as_str().expect("a body")).expect("JSON");
        assert!(body["meta"]["request_id"].is_string());
        (status, body)
    }
}

pub fn function(name: &str) -> &'static Function {
    FUNCTIONS.iter().find(|function| function.name == name).expect("a function")
}

/// What a request brings along.
#[derive(Default)]
pub struct Parts<'a> {
    pub query: &'a str,
    pub body: &'a str,
    pub id: &'a str,
    pub key: &'a str,
    pub if_match: &'a str,
    /// Those of tenant `acme`, who may everything, where this is not JSON.
    pub claims: &'a str,
}

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
    to_raw_value(&event).expect("an event")
}
