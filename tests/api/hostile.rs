//! Tests hostile events: a function answers each event with a status below 500, and its process
//! keeps running.

use std::path::Path;

use api_tests::{Answer, Api, Persona, Value, json};

/// Returns a valid event, as API Gateway sends it.
pub(crate) fn event() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events/get-customers.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns invalid query strings, each with the name of the field in the error.
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

/// Returns bodies that are missing or are not valid JSON.
fn malformed_bodies() -> Vec<Value> {
    vec![
        Value::Null,
        json!("["),
        json!("[".repeat(100_000)),
        json!(format!("{{\"name\":{}", "{\"a\":".repeat(10_000))),
        json!("1e999999"),
    ]
}

const CLAIMS: &str = "/requestContext/authorizer/jwt/claims";

/// Returns invalid claims. Each entry contains the JSON pointer to set, its value, and the expected
/// status and code of the answer.
fn invalid_claims() -> Vec<(&'static str, Value, u16, &'static str)> {
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

/// Returns events that are not valid events of an HTTP API.
fn foreign_events() -> Vec<Value> {
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

/// Returns events with invalid values that a lenient gateway might pass on.
fn lenient_events() -> Vec<Value> {
    vec![
        with("/headers/host", json!("a b")),
        with("/headers/host", json!("[")),
        with("/headers/x-forwarded-proto", json!("ht tp")),
        with("/rawPath", json!("no-slash:x")),
    ]
}

fn malformed_ids() -> Vec<String> {
    let short = ["", "x", "..", "%2e%2e", "a#b", "\u{0}", "T#acme#C#1"];
    let mut ids: Vec<String> = short.map(str::to_owned).into();
    ids.extend(["01920000-0000-7000-8000-00000000000G".to_owned(), "a".repeat(10_000)]);
    ids
}

/// Returns an event whose content type is JSON, with the given body.
pub(crate) fn posting(body: Value, is_base64: bool) -> Value {
    let mut event = with("/body", body);
    event["isBase64Encoded"] = json!(is_base64);
    event["headers"]["content-type"] = json!("application/json");
    event
}

/// Returns all hostile events of this module, which can be sent to any function.
pub(crate) fn events() -> Vec<Value> {
    let mut events: Vec<Value> =
        queries().into_iter().map(|(query, _)| with("/rawQueryString", json!(query))).collect();
    events.extend(BAD_BASE64.map(|body| posting(json!(body), true)));
    events.extend(malformed_bodies().into_iter().map(|body| posting(body, false)));
    events.extend(invalid_claims().into_iter().map(|(pointer, value, ..)| with(pointer, value)));
    events.extend(foreign_events());
    events.extend(lenient_events());
    events
        .extend(malformed_ids().into_iter().map(|id| with("/pathParameters", json!({ "id": id }))));
    for header in ["if-match", "idempotency-key", "content-type", "accept"] {
        for value in ["", "\u{e9}", "a\tb", &"a".repeat(10_000)] {
            events.push(with(&format!("/headers/{header}"), json!(value)));
        }
    }
    events
}

/// Returns the valid event with the value at a JSON pointer replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = event();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[name] = value;
    event
}

/// Invokes a function with an event. Replaces the tenant `hostile` in the claims with this test's
/// own tenant.
async fn invoke(api: &Api, function: &str, event: &Value) -> Answer {
    let mut event = event.clone();
    if let Some(tenant) = event.pointer_mut("/requestContext/authorizer/jwt/claims/tenant_id")
        && *tenant == "hostile"
    {
        *tenant = json!(api.tenant("hostile"));
    }
    api.invoke(function, &event).await
}

/// Checks that a function and the server still answer.
async fn assert_alive(api: &Api) {
    invoke(api, "list-customers", &event()).await.expect(200);
    assert_eq!(api.get(&Persona::of("acme"), "/customers").await.status, 200);
}

#[tokio::test]
async fn a_valid_event_is_answered() {
    let api = Api::start().await;
    let data = invoke(&api, "list-customers", &event()).await.expect(200);
    assert_eq!(data, json!({ "items": [], "count": 0, "cursor": null, "has_more": false }));
}

#[tokio::test]
async fn invalid_query_strings_are_rejected() {
    let api = Api::start().await;
    for (query, fault) in queries() {
        let answer = invoke(&api, "list-customers", &with("/rawQueryString", json!(query))).await;
        let excerpt: String = query.chars().take(60).collect();
        assert_eq!(answer.faults(), [fault], "{excerpt}");
    }
    assert_alive(&api).await;
}

#[tokio::test]
async fn invalid_bodies_are_rejected() {
    let api = Api::start().await;
    let create = async |event: Value| invoke(&api, "create-customer", &event).await;
    for bad in BAD_BASE64 {
        assert_eq!(create(posting(json!(bad), true)).await.faults(), [""], "{bad}");
    }
    create(posting(json!("eyJuYW1lIjoiQSJ9"), true)).await.expect(201);
    for body in malformed_bodies() {
        create(posting(body, false)).await.refused(400, "MALFORMED_JSON");
    }
    for (field, value) in [
        ("name", "a".repeat(10_000)),
        ("client_id", "a".repeat(10_000)),
        ("website", format!("https://{}", "a".repeat(10_000))),
    ] {
        let mut body = json!({ "name": "A" });
        body[field] = json!(value);
        let answer = create(posting(json!(body.to_string()), false)).await;
        assert_eq!(answer.faults(), [format!("/{field}")]);
    }
    // A body is rejected if the route does not take one.
    let unexpected = posting(json!("{}"), false);
    assert_eq!(invoke(&api, "list-customers", &unexpected).await.faults(), [""]);
    // An answer contains at most 100 faults.
    let many: serde_json::Map<String, Value> =
        (0..20_000).map(|i| (format!("f{i}"), json!(1))).collect();
    let answer = create(posting(json!(Value::from(many).to_string()), false)).await;
    assert!(answer.text.len() < 20_000, "{}", answer.text.len());
    assert_eq!(answer.faults().len(), 100);
    assert_alive(&api).await;
}

#[tokio::test]
async fn invalid_claims_are_rejected() {
    let api = Api::start().await;
    for (pointer, value, status, code) in invalid_claims() {
        invoke(&api, "list-customers", &with(pointer, value)).await.refused(status, code);
    }
    assert_alive(&api).await;
}

#[tokio::test]
async fn events_of_an_unexpected_shape_do_not_fail_the_function() {
    let api = Api::start().await;
    for event in foreign_events() {
        let answer = invoke(&api, "list-customers", &event).await;
        assert!((400..500).contains(&answer.status), "{event}: {}", answer.text);
        assert_eq!(answer.body["status"], "error", "{event}");
    }
    for event in lenient_events() {
        let answer = invoke(&api, "list-customers", &event).await;
        assert!(answer.status < 500, "{event}: {}", answer.text);
    }
    assert_alive(&api).await;
}

/// Direct invocations bypass the authorizer, so the local server must refuse them if they come from
/// a web page, name another host, or lack the access key, which other users of the machine do not
/// have.
#[tokio::test]
async fn invocations_from_other_origins_hosts_and_users_are_forbidden() {
    let api = Api::start().await;
    let key = api.server().access_key.authorization();
    let own = format!("http://{}", api.server().address);
    let other = key.replace(api.server().access_key.id(), "local");
    for function in ["list-customers", "refresh-watchlists", "unknown"] {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        for headers in [
            vec![("origin", "https://evil.example"), ("authorization", &key)],
            vec![("origin", &own), ("authorization", &key)],
            vec![("host", "evil.example:8080"), ("authorization", &key)],
            vec![("authorization", &other)],
            vec![("authorization", "Bearer x")],
            vec![],
        ] {
            let mut call = api.call(&Persona::anonymous(), "POST", &path);
            for (header, value) in &headers {
                call = call.header(header, value);
            }
            let answer = call.json(&event()).send().await;
            assert_eq!(answer.status, 403, "{function}: {headers:?}");
        }
    }
    invoke(&api, "list-customers", &event()).await.expect(200);
}

/// The local server must not answer a web page from another server, even with a valid token. This
/// includes a page whose host name has been made to resolve to this machine (DNS rebinding).
#[tokio::test]
async fn requests_from_other_origins_and_hosts_are_forbidden() {
    let api = Api::start().await;
    let acme = Persona::of("acme");
    let host = api.server().address.to_string();
    let own = format!("http://{host}");
    for path in ["/customers", "/openapi.json", "/nowhere"] {
        for (header, value) in [
            ("host", "evil.example"),
            ("host", "evil.example:8080"),
            ("origin", "https://evil.example"),
            ("origin", "http://localhost:3000"),
            ("origin", "null"),
        ] {
            let answer = api.call(&acme, "GET", path).header(header, value).send().await;
            assert_eq!(answer.status, 403, "{path}: {header}: {value}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    // A page of the server itself may use the API.
    api.call(&acme, "GET", "/customers").header("origin", &own).send().await.expect(200);
    let localhost = host.replace("127.0.0.1", "localhost");
    api.call(&acme, "GET", "/customers").header("host", &localhost).send().await.expect(200);
}

#[tokio::test]
async fn malformed_ids_are_not_found_and_malformed_headers_are_rejected() {
    let api = Api::start().await;
    let long = "a".repeat(10_000);
    for id in malformed_ids() {
        let mut event = with("/pathParameters", json!({ "id": id }));
        event["routeKey"] = json!("GET /customers/{id}");
        invoke(&api, "get-customer", &event).await.refused(404, "CUSTOMER_NOT_FOUND");
        event["body"] = json!("{}");
        event["headers"]["content-type"] = json!("application/json");
        invoke(&api, "update-customer", &event).await.refused(404, "CUSTOMER_NOT_FOUND");
        assert_eq!(invoke(&api, "deactivate-customer", &event).await.faults(), [""]);
        event["body"] = Value::Null;
        invoke(&api, "deactivate-customer", &event).await.refused(404, "CUSTOMER_NOT_FOUND");
        for bad in ["3", "\"", "\u{e9}", long.as_str()] {
            event["headers"]["if-match"] = json!(bad);
            assert_eq!(invoke(&api, "deactivate-customer", &event).await.faults(), ["If-Match"]);
        }
    }
    for key in ["", "\u{e9}", "a\tb", long.as_str()] {
        let mut event = with("/headers/idempotency-key", json!(key));
        event["headers"]["content-type"] = json!("application/json");
        event["body"] = json!("{\"name\":\"A\"}");
        let answer = invoke(&api, "create-customer", &event).await;
        assert_eq!(answer.faults(), ["Idempotency-Key"], "{key:?}");
    }
    assert_alive(&api).await;
}
