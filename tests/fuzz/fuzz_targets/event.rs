//! Any request, and any event, for any function of the API: an answer in the envelope, never a panic
//! and never a 500. The table answers every call alike: it holds nothing.
#![no_main]

use std::sync::LazyLock;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use libfuzzer_sys::fuzz_target;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use shared::App;
use shared::app::Settings;
use shared::aws::Aws;
use shared::http::edge::{FUNCTION_TIME, Function, answer};
use shared::model::time::Clock;
use shared::monitoring::lists::Lists;
use tokio::runtime::{Builder, Runtime};

const FUNCTIONS: &[Function] = &[
    create_customer::FUNCTION,
    create_session::FUNCTION,
    deactivate_customer::FUNCTION,
    erase_customer::FUNCTION,
    export_customer::FUNCTION,
    get_customer::FUNCTION,
    get_monitor::FUNCTION,
    get_organization::FUNCTION,
    get_risk_profile::FUNCTION,
    get_session::FUNCTION,
    list_alerts::FUNCTION,
    list_customer_sessions::FUNCTION,
    list_customers::FUNCTION,
    monitor_customer::FUNCTION,
    put_organization::FUNCTION,
    resolve_alert::FUNCTION,
    stop_monitor::FUNCTION,
    update_customer::FUNCTION,
    update_session::FUNCTION,
];

/// An empty table.
#[derive(Debug)]
struct Empty;

impl HttpConnector for Empty {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let nothing = r#"{"Items":[],"Count":0,"ScannedCount":0,"Responses":[{},{}]}"#;
        let status = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, nothing.into())))
    }
}

static PLACE: LazyLock<(Runtime, App)> = LazyLock::new(|| {
    let get = |name: &str| (name == "TABLE_NAME").then(|| "fuzz".to_owned());
    let settings = Settings::read(get).expect("settings");
    let client = shared::store::client(&Aws::elsewhere(), Some("http://localhost"));
    let empty = SharedHttpConnector::new(Empty);
    let config =
        client.config().to_builder().http_client(http_client_fn(move |_, _| empty.clone()));
    let client = aws_sdk_dynamodb::Client::from_conf(config.build());
    let app = App::new(settings, client, Clock::system(), Lists::of(None));
    (Builder::new_current_thread().enable_time().build().expect("a runtime"), app)
});

/// The parts of a request, with a record separator between two of them.
fn request(route: &str, data: &[u8]) -> Box<RawValue> {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\u{1e}');
    let mut part = || parts.next().unwrap_or_default();
    let (query, body, id, key, if_match, claims) = (part(), part(), part(), part(), part(), part());
    let claims: Value = serde_json::from_str(claims).unwrap_or_else(
        |_| json!({ "tenant_id": "acme", "permissions": "[kyc:*]", "sub": "fuzz" }),
    );
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

fuzz_target!(|data: &[u8]| {
    let [choice, rest @ ..] = data else { return };
    let function = &FUNCTIONS[usize::from(*choice) % FUNCTIONS.len()];
    let event = match *choice < 224 {
        true => request(function.name, rest),
        false => match serde_json::from_slice(rest) {
            Ok(event) => event,
            Err(_) => return,
        },
    };
    let (runtime, app) = &*PLACE;
    let answered = runtime.block_on(answer(app, function, &event, "fuzz", FUNCTION_TIME));
    let answered = serde_json::to_value(&answered).expect("an answer");
    let status = answered["statusCode"].as_u64().expect("a status");
    assert!((200..500).contains(&status) || status == 503, "{status} of {}", function.name);
    let body = answered["body"].as_str().expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert!(body["meta"]["request_id"].is_string());
});
