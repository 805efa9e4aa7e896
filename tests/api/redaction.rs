//! Tests the search of `api_tests::log`, which looks for personal data and tokens in every log line
//! of the whole suite.

use api_tests::log::{Watch, watch};
use api_tests::{Answer, Api, KEY, Persona, TEMPLATE, Value, json, path_of};
use shared::model::time::Clock;

#[test]
fn a_line_with_personal_data_or_a_token_is_found() {
    let body = json!({
        "name": "Ada Lovelace", "country": "GB", "status": "active", "metadata": { "a": "b\"quoted" },
        "parties": [{ "party_id": "party-one", "name": "Zoë Müller", "date_of_birth": "1815-12-10" }],
    });
    let is_violation = |line: &str| {
        let mut watch = Watch::default();
        watch.remember_body(&body);
        watch.remember("eyJhbGciOi.token");
        watch.line(line.as_bytes());
        watch.violation().is_some()
    };
    assert!(is_violation(r#"{"cause":"no Ada Lovelace here"}"#));
    assert!(is_violation(r#"{"cause":"Zoë Müller"}"#));
    assert!(is_violation(r#"{"cause":"born 1815-12-10"}"#));
    assert!(is_violation(r#"{"cause":"b\"quoted"}"#));
    assert!(is_violation("Bearer eyJhbGciOi.token"));
    assert!(!is_violation(r#"{"cause":"party-one in GB is active, ada lovelace"}"#));
    assert!(!is_violation(""));
}

#[tokio::test]
async fn the_log_lines_of_a_server_are_searched() {
    let api = Api::start().await;
    let before = watch().lines();
    api.get(&Persona::of("acme"), "/customers").await.expect(200);
    api.get(&Persona::anonymous(), "/customers").await;
    assert!(watch().lines() >= before + 2);
}

/// Returns the log line of the request that got this answer.
fn line_of(answer: &Answer) -> Value {
    watch().line_of(answer.header("x-request-id").unwrap())
}

/// Returns a caller in the tenant `acme` with these claims about its identity.
fn identified_by(api: &Api, identity: Value) -> Persona {
    let mut claims = json!({
        "iss": TEMPLATE.authorizer.issuer, "aud": "kyc-customers", "iat": 1, "exp": 4_102_444_800_i64,
        "tenant_id": api.tenant("acme"), "permissions": ["kyc:*"],
    });
    for (claim, value) in identity.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    Persona::bearing(KEY.sign(&claims).unwrap())
}

#[tokio::test]
async fn the_line_of_a_request_says_who_read_what() {
    let environment = [("AWS_LAMBDA_FUNCTION_VERSION".to_owned(), "7".to_owned())].into();
    let api = Api::set(Clock::system(), None, None, environment).await;
    let sub = "3f2b8c1e-0a5d-4c55-9a53-6d1f1f2a9b10";
    let who = identified_by(&api, json!({ "sub": sub }));
    let created = api.post(&who, "/customers", &json!({ "name": "A" })).await;
    let customer = created.body["data"].clone();
    let id = &customer["customer_id"];
    let session = api.post(&who, "/kyc/sessions", &json!({ "customer_id": id })).await;
    let session_path = crate::sessions::path_of(&session.body["data"]);
    let path = path_of(&customer);
    for answer in [
        created,
        session,
        api.get(&who, &path).await,
        api.get(&who, &format!("{path}/export")).await,
        api.get(&who, &session_path).await,
        api.patch(&who, &session_path, &json!({ "status": "completed" })).await,
        api.patch(&who, &path, &json!({ "nmae": "B" })).await,
        api.get(&Persona::with("acme", &[]), &path).await,
    ] {
        let line = line_of(&answer);
        assert_eq!(line["customer_id"], *id, "{line}");
        assert_eq!(
            (&line["tenant"], &line["function_version"]),
            (&json!("acme"), &json!("7")),
            "{line}"
        );
        let is_who = answer.status != 403;
        assert_eq!(line["actor"] == sub, is_who, "{line}");
    }
    for answer in [
        api.get(&who, "/customers").await,
        api.get(&who, "/customers/Ada%20Lovelace").await,
        api.get(&who, "/kyc/sessions/01920000-0000-7000-8000-000000000000").await,
    ] {
        let line = line_of(&answer);
        assert_eq!((&line["actor"], &line["customer_id"]), (&json!(sub), &Value::Null), "{line}");
    }
    // If the customer belongs to another tenant, the line contains the requested id and the
    // caller's tenant, as if the customer did not exist.
    let line = line_of(&api.get(&Persona::of("other"), &path).await);
    assert_eq!(
        (&line["status"], &line["customer_id"], &line["tenant"]),
        (&json!(404), id, &json!("other"))
    );
}

/// The alarm on a stopped Pipe compares changes with events, so only a request that writes an event
/// counts as a change.
#[tokio::test]
async fn the_line_of_a_request_says_whether_it_changed_data() {
    let api = Api::start().await;
    let acme = Persona::of("acme");
    let created = api.post(&acme, "/customers", &json!({ "name": "A" })).await;
    let path = path_of(&created.body["data"]);
    let rename = |key: &'static str| {
        api.call(&acme, "PATCH", &path).json(&json!({ "name": "B" })).header("idempotency-key", key)
    };
    for (answer, transactions) in [
        (created, 1),
        (rename("first").send().await, 1),
        (rename("second").send().await, 0),
        (rename("first").send().await, 0),
        (api.get(&acme, &path).await, 0),
        (api.call(&acme, "DELETE", &path).send().await, 1),
        (api.call(&acme, "DELETE", &path).send().await, 0),
    ] {
        let line = line_of(&answer);
        assert!(answer.status < 300, "{line}");
        assert_eq!(line["transactions"], transactions, "{line}");
    }
}

#[tokio::test]
async fn an_actor_that_can_be_a_name_is_logged_as_a_pseudonym() {
    let api = Api::start().await;
    for (identity, name) in [
        (json!({ "sub": "ada.byron@bank.example" }), "ada.byron@bank.example"),
        (json!({ "sub": "Ada Byron-King" }), "Ada Byron-King"),
        (json!({ "username": "ada.byron" }), "ada.byron"),
        (json!({ "sub": "okta|ada.byron", "client_id": "kyc-customers" }), "okta|ada.byron"),
    ] {
        watch().remember(name);
        let who = identified_by(&api, identity);
        // Sending this request panics if the log line contains the name.
        let answer = api.post(&who, "/customers", &json!({ "name": "A" })).await;
        let line = line_of(&answer);
        let actor = line["actor"].as_str().unwrap();
        let digits = actor.strip_prefix("sha256:").unwrap();
        assert!(digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{actor}");
        assert_eq!(line_of(&api.get(&who, "/customers").await)["actor"], actor);
    }
    let program = identified_by(&api, json!({ "client_id": "kyc-customers" }));
    let line = line_of(&api.get(&program, "/customers").await);
    assert_eq!(line["actor"], "kyc-customers");
    assert!(
        line_of(&api.get(&Persona::of("acme"), "/customers").await)["function_version"].is_null()
    );
}
