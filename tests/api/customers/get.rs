//! Tests `GET /customers/{id}`.

use api_tests::{Answer, Api, Persona, json, path_of};

#[tokio::test]
async fn the_etag_of_a_customer_is_its_version() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "country": "DE" })).await;
    let path = path_of(&customer);

    let answer = api.get(&Persona::reader("acme"), &path).await;

    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.expect(200), customer);

    let changed = api.patch(&acme, &path, &json!({ "name": "B" })).await.expect(200);
    let answer = api.get(&acme, &path).await;
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!(answer.expect(200), changed);
}

/// Returns the text of the answer without its request id.
fn text_without_request_id(answer: &Answer) -> String {
    let id = answer.header("x-request-id").unwrap();
    assert!(id.len() >= 10 && answer.text.contains(id), "{}", answer.text);
    answer.text.replace(id, "")
}

#[tokio::test]
async fn an_unknown_customer_and_one_of_another_tenant_get_the_same_answer() {
    let (api, acme, other) = (Api::start().await, Persona::of("acme"), Persona::of("other"));
    let own_customer = api.create(&acme, &json!({ "name": "A" })).await;
    let own = own_customer["customer_id"].as_str().unwrap();
    let foreign_customer = api.create(&other, &json!({ "name": "A" })).await;
    let foreign = foreign_customer["customer_id"].as_str().unwrap();

    let unknown = api.get(&acme, "/customers/01a20000-0000-7000-8000-000000000000").await;
    let error = unknown.clone().refused(404, "CUSTOMER_NOT_FOUND");
    assert_eq!((&error["type"], &error["details"]), (&json!("NotFoundError"), &json!([])));

    for id in [
        foreign,
        "x",
        "%20",
        "*",
        "null",
        "00000000-0000-0000-0000-000000000000",
        // A customer is found only by the canonical form of its id.
        &own.to_uppercase(),
        &own.replace('-', ""),
        &own[..35],
        &format!("{own}%00"),
        &format!("{own}%23"),
        &format!("%7B{own}%7D"),
        &format!("urn:uuid:{own}"),
        &"a".repeat(3_000),
    ] {
        let answer = api.get(&acme, &format!("/customers/{id}")).await;
        assert_eq!(answer.without_request_id(), unknown.without_request_id(), "{id}");
        assert_eq!(text_without_request_id(&answer), text_without_request_id(&unknown), "{id}");
    }

    // The customer does exist for the other tenant.
    assert_eq!(api.get(&other, &path_of(&foreign_customer)).await.status, 200);
}

#[tokio::test]
async fn an_encoded_slash_does_not_end_the_id() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let own_customer = api.create(&acme, &json!({ "name": "A" })).await;
    let own = own_customer["customer_id"].as_str().unwrap();

    for id in [format!("..%2F{own}"), format!("{own}%2Fsessions")] {
        let answer = api.get(&acme, &format!("/customers/{id}")).await;
        answer.refused(404, "CUSTOMER_NOT_FOUND");
    }
}

#[tokio::test]
async fn unknown_query_parameters_are_reported() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);

    for (query, faults) in [
        ("expand=risk", &["?expand"][..]),
        ("a=1&b=2", &["?a", "?b"]),
        ("%C3%A4=1", &["?ä"]),
        ("a=%ff", &["?a"]),
        ("a", &["?a"]),
    ] {
        let mut reported = api.get(&acme, &format!("{path}?{query}")).await.faults();
        reported.sort();
        assert_eq!(reported, faults, "{query}");
    }
    assert_eq!(api.get(&acme, &format!("{path}?")).await.status, 200);
}
