//! No personal data and no token reaches a log line: `api_tests::log` holds every line of the whole
//! suite to it. Here, that it would be noticed.

use api_tests::log::{Watch, watch};
use api_tests::{Api, Persona, json};

#[test]
fn a_planted_line_is_found() {
    let body = json!({
        "name": "Ada Lovelace", "country": "GB", "status": "active", "metadata": { "a": "b\"quoted" },
        "parties": [{ "party_id": "party-one", "name": "Zoë Müller", "date_of_birth": "1815-12-10" }],
    });
    let found = |line: &str| {
        let mut watch = Watch::default();
        watch.remember_body(&body);
        watch.remember("eyJhbGciOi.token");
        watch.line(line.as_bytes());
        watch.found().is_some()
    };
    assert!(found(r#"{"cause":"no Ada Lovelace here"}"#));
    assert!(found(r#"{"cause":"Zoë Müller"}"#));
    assert!(found(r#"{"cause":"born 1815-12-10"}"#));
    assert!(found(r#"{"cause":"b\"quoted"}"#));
    assert!(found("Bearer eyJhbGciOi.token"));
    assert!(!found(r#"{"cause":"party-one in GB is active, ada lovelace"}"#));
    assert!(!found(""));
}

#[tokio::test]
async fn the_lines_of_every_server_are_seen() {
    let api = Api::start().await;
    let before = watch().lines();
    api.get(&Persona::of("acme"), "/customers").await.expect(200);
    api.get(&Persona::anonymous(), "/customers").await;
    assert!(watch().lines() >= before + 2);
}
