//! Events no friendly caller sends: each gets a 4xx in the envelope, and the process lives.

use std::path::Path;

use api_tests::{Answer, Api, Persona, Value, json};

/// A good event, as API Gateway sends it.
pub(crate) fn event() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/get-customers.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Query strings, and the field that each is a fault of.
fn queries() -> Vec<(String, String)> {
    let cases = [
        ("search=<script>", "?"),
        ("search=\"a\"", "?"),
        ("search=a b", "?"),
        ("search=a#b", "?"),
        ("search=a\u{1}b", "?"),
        ("search=a\nb", "?"),
        ("search=a\u{0}b", "?"),
        ("search=%zz", "?search"),
        ("search=%", "?search"),
        ("%ff=1", "?\u{fffd}"),
        ("search=%00", "?search"),
        ("search=%0a", "?search"),
        ("search=", "?search"),
        ("=", "?"),
        ("limit=1&limit=2", "?limit"),
        ("limit=99999999999999999999", "?limit"),
    ];
    let mut cases: Vec<(String, String)> =
        cases.map(|(query, fault)| (query.to_owned(), fault.to_owned())).into();
    cases.push((format!("search={}", "a".repeat(10_000)), "?search".to_owned()));
    cases.push(("x".repeat(10_000), format!("?{}", "x".repeat(100))));
    cases
}

const BAD_BASE64: [&str; 5] = ["%%%", "e30", "e30=\n", "\u{0}", "a"];

/// What no JSON parser takes.
fn malformed() -> Vec<Value> {
    vec![
        Value::Null,
        json!("["),
        json!("[".repeat(100_000)),
        json!(format!("{{\"name\":{}", "{\"a\":".repeat(10_000))),
        json!("1e999999"),
    ]
}

const CLAIMS: &str = "/requestContext/authorizer/jwt/claims";

/// Claims, where they stand, and how they are refused.
fn claimed() -> Vec<(&'static str, Value, u16, &'static str)> {
    let long = "a".repeat(10_000);
    let permitted = |tenant: &str| json!({ "tenant_id": tenant, "permissions": "[kyc:*]" });
    vec![
        ("/requestContext/authorizer", Value::Null, 401, "UNAUTHENTICATED"),
        ("/requestContext/authorizer", json!({}), 401, "UNAUTHENTICATED"),
        ("/requestContext/authorizer/jwt", Value::Null, 401, "UNAUTHENTICATED"),
        (CLAIMS, json!({}), 401, "UNAUTHENTICATED"),
        (CLAIMS, Value::Null, 401, "UNAUTHENTICATED"),
        (CLAIMS, json!({ "tenant_id": 7, "permissions": "[kyc:*]" }), 401, "UNAUTHENTICATED"),
        (CLAIMS, json!({ "tenant_id": "acme", "permissions": ["kyc:*"] }), 401, "UNAUTHENTICATED"),
        (CLAIMS, json!({ "tenant_id": "acme", "exp": null }), 401, "UNAUTHENTICATED"),
        (CLAIMS, json!({ "tenant_id": { "a": 1 } }), 401, "UNAUTHENTICATED"),
        (CLAIMS, json!({ "permissions": "[kyc:*]" }), 403, "NO_TENANT"),
        (CLAIMS, permitted("a#b"), 403, "NO_TENANT"),
        (CLAIMS, permitted(&long), 403, "NO_TENANT"),
        (
            CLAIMS,
            json!({ "tenant_id": "acme", "permissions": long }),
            403,
            "INSUFFICIENT_PERMISSIONS",
        ),
    ]
}

/// What is no event of an HTTP API.
fn strange() -> Vec<Value> {
    vec![
        json!({}),
        json!([]),
        json!(null),
        json!("x"),
        json!({ "version": "1.0", "httpMethod": "GET", "path": "/customers", "requestContext": {} }),
        with("/requestContext/http", json!({ "method": "G T" })),
        with("/headers", json!("none")),
        with("/rawPath", json!(7)),
    ]
}

/// What a lenient gateway may let through.
fn odd() -> Vec<Value> {
    vec![
        with("/headers/host", json!("a b")),
        with("/headers/host", json!("[")),
        with("/headers/x-forwarded-proto", json!("ht tp")),
        with("/rawPath", json!("no-slash:x")),
    ]
}

fn ids() -> Vec<String> {
    let long = "a".repeat(10_000);
    let ids = ["", "x", "..", "%2e%2e", "a#b", "\u{0}", "T#acme#C#1"];
    let mut ids: Vec<String> = ids.map(str::to_owned).into();
    ids.extend(["01920000-0000-7000-8000-00000000000G".to_owned(), long]);
    ids
}

pub(crate) fn posting(body: Value, base64: bool) -> Value {
    let mut event = with("/body", body);
    event["isBase64Encoded"] = json!(base64);
    event["headers"]["content-type"] = json!("application/json");
    event
}

/// All of these, for any function.
pub(crate) fn events() -> Vec<Value> {
    let mut events: Vec<Value> =
        queries().into_iter().map(|(query, _)| with("/rawQueryString", json!(query))).collect();
    events.extend(BAD_BASE64.map(|body| posting(json!(body), true)));
    events.extend(malformed().into_iter().map(|body| posting(body, false)));
    events.extend(claimed().into_iter().map(|(pointer, value, ..)| with(pointer, value)));
    events.extend(strange());
    events.extend(odd());
    events.extend(ids().into_iter().map(|id| with("/pathParameters", json!({ "id": id }))));
    for header in ["if-match", "idempotency-key", "content-type", "accept"] {
        for value in ["", "\u{e9}", "a\tb", &"a".repeat(10_000)] {
            events.push(with(&format!("/headers/{header}"), json!(value)));
        }
    }
    events
}

fn with(pointer: &str, value: Value) -> Value {
    let mut event = event();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[name] = value;
    event
}

/// Gives it to the function; its tenant is the test's own.
async fn give(api: &Api, function: &str, event: &Value) -> Answer {
    let mut event = event.clone();
    if let Some(tenant) = event.pointer_mut("/requestContext/authorizer/jwt/claims/tenant_id")
        && *tenant == "hostile"
    {
        *tenant = json!(api.tenant("hostile"));
    }
    api.invoke(function, &event).await
}

async fn lives(api: &Api) {
    give(api, "list-customers", &event()).await.expect(200);
    assert_eq!(api.get(&Persona::of("acme"), "/customers").await.status, 200);
}

#[tokio::test]
async fn a_captured_event_is_answered() {
    let api = Api::start().await;
    let data = give(&api, "list-customers", &event()).await.expect(200);
    assert_eq!(data, json!({ "items": [], "count": 0, "cursor": null, "has_more": false }));
}

#[tokio::test]
async fn query_strings() {
    let api = Api::start().await;
    for (query, fault) in queries() {
        let answer = give(&api, "list-customers", &with("/rawQueryString", json!(query))).await;
        let shown: String = query.chars().take(60).collect();
        assert_eq!(answer.faults(), [fault], "{shown}");
    }
    lives(&api).await;
}

#[tokio::test]
async fn bodies() {
    let api = Api::start().await;
    let post = posting;
    let create = async |event: Value| give(&api, "create-customer", &event).await;
    for bad in BAD_BASE64 {
        assert_eq!(create(post(json!(bad), true)).await.faults(), [""], "{bad}");
    }
    create(post(json!("eyJuYW1lIjoiQSJ9"), true)).await.expect(201);
    for body in malformed() {
        create(post(body, false)).await.refused(400, "MALFORMED_JSON");
    }
    for (field, value) in [
        ("name", "a".repeat(10_000)),
        ("client_id", "a".repeat(10_000)),
        ("website", format!("https://{}", "a".repeat(10_000))),
    ] {
        let mut body = json!({ "name": "A" });
        body[field] = json!(value);
        assert_eq!(
            create(post(json!(body.to_string()), false)).await.faults(),
            [format!("/{field}")]
        );
    }
    // What nobody reads is not dropped in silence.
    assert_eq!(give(&api, "list-customers", &post(json!("{}"), false)).await.faults(), [""]);
    // An answer does not grow with the number of faults.
    let many: serde_json::Map<String, Value> =
        (0..20_000).map(|i| (format!("f{i}"), json!(1))).collect();
    let answer = create(post(json!(Value::from(many).to_string()), false)).await;
    assert!(answer.text.len() < 20_000, "{}", answer.text.len());
    assert_eq!(answer.faults().len(), 100);
    lives(&api).await;
}

#[tokio::test]
async fn claims() {
    let api = Api::start().await;
    for (pointer, value, status, code) in claimed() {
        give(&api, "list-customers", &with(pointer, value)).await.refused(status, code);
    }
    lives(&api).await;
}

#[tokio::test]
async fn shapes() {
    let api = Api::start().await;
    for strange in strange() {
        let answer = give(&api, "list-customers", &strange).await;
        assert!((400..500).contains(&answer.status), "{strange}: {}", answer.text);
        assert_eq!(answer.body["status"], "error", "{strange}");
    }
    for odd in odd() {
        let answer = give(&api, "list-customers", &odd).await;
        assert!(answer.status < 500, "{odd}: {}", answer.text);
    }
    lives(&api).await;
}

/// A page in a browser must not reach past the authorizer.
#[tokio::test]
async fn invocations_from_elsewhere() {
    let api = Api::start().await;
    let path = "/2015-03-31/functions/list-customers/invocations";
    for (header, value) in [("origin", "https://evil.example"), ("host", "evil.example:8080")] {
        let call = api.call(&Persona::anonymous(), "POST", path).header(header, value);
        assert_eq!(call.json(&event()).send().await.status, 403, "{header}");
    }
}

#[tokio::test]
async fn ids_and_headers() {
    let api = Api::start().await;
    let long = "a".repeat(10_000);
    for id in ids() {
        let mut event = with("/pathParameters", json!({ "id": id }));
        event["routeKey"] = json!("GET /customers/{id}");
        give(&api, "get-customer", &event).await.refused(404, "CUSTOMER_NOT_FOUND");
        event["body"] = json!("{}");
        event["headers"]["content-type"] = json!("application/json");
        give(&api, "update-customer", &event).await.refused(404, "CUSTOMER_NOT_FOUND");
        assert_eq!(give(&api, "deactivate-customer", &event).await.faults(), [""]);
        event["body"] = Value::Null;
        give(&api, "deactivate-customer", &event).await.refused(404, "CUSTOMER_NOT_FOUND");
        for bad in ["3", "\"", "\u{e9}", long.as_str()] {
            event["headers"]["if-match"] = json!(bad);
            assert_eq!(give(&api, "deactivate-customer", &event).await.faults(), ["If-Match"]);
        }
    }
    for key in ["", "\u{e9}", "a\tb", long.as_str()] {
        let mut event = with("/headers/idempotency-key", json!(key));
        event["headers"]["content-type"] = json!("application/json");
        event["body"] = json!("{\"name\":\"A\"}");
        assert_eq!(
            give(&api, "create-customer", &event).await.faults(),
            ["Idempotency-Key"],
            "{key:?}"
        );
    }
    lives(&api).await;
}
