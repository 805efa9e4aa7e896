//! Tests the search of `api_tests::log`, which looks for personal data and tokens in every log line
//! of the whole suite.

use api_tests::log::{Watch, watch};
use api_tests::{Api, Persona, json};

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
