//! Tests `DELETE /customers/{id}`.

use std::time::Duration;

use api_tests::{Api, Persona, Value, json, path_of};

/// Pause between two requests, long enough for their timestamps in milliseconds to differ.
const A_MOMENT: Duration = Duration::from_millis(2);

#[tokio::test]
async fn deactivating_a_customer_again_changes_nothing() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "A", "client_id": "a", "tags": ["t"], "metadata": { "k": "v" } });
    let mut expected = api.create(&acme, &body).await;
    let path = path_of(&expected);

    tokio::time::sleep(A_MOMENT).await;
    let answer = api.delete(&acme, &path).await;
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let inactive = answer.expect(200);
    let at = &inactive["deactivated_at"];
    assert!(at.as_str() > expected["created_at"].as_str(), "{inactive}");
    for (field, value) in [
        ("status", &json!("inactive")),
        ("version", &json!(2)),
        ("updated_at", at),
        ("deactivated_at", at),
    ] {
        expected[field] = value.clone();
    }
    assert_eq!(inactive, expected);

    tokio::time::sleep(A_MOMENT).await;
    let again = api.delete(&acme, &path).await;
    assert_eq!(again.header("etag"), Some("\"2\""));
    assert_eq!(again.expect(200), expected);

    // The customer can still be read and listed, and its client id stays taken.
    assert_eq!(api.get(&acme, &path).await.expect(200), expected);
    let page = api.get(&acme, "/customers?status=inactive").await.expect(200);
    assert_eq!(page["items"], json!([expected]));
    api.post(&acme, "/customers", &body).await.refused(409, "CUSTOMER_ALREADY_EXISTS");
}

#[tokio::test]
async fn an_inactive_customer_can_be_changed_and_reactivated() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    let first = api.delete(&acme, &path).await.expect(200)["deactivated_at"].clone();

    tokio::time::sleep(A_MOMENT).await;
    let changed = api.patch(&acme, &path, &json!({ "name": "B" })).await.expect(200);
    assert_eq!((&changed["name"], &changed["status"]), (&json!("B"), &json!("inactive")));
    assert_eq!(changed["deactivated_at"], first);

    let active = api.patch(&acme, &path, &json!({ "status": "active" })).await.expect(200);
    assert_eq!((&active["status"], &active["version"]), (&json!("active"), &json!(4)));
    assert_eq!(active["deactivated_at"], Value::Null);

    let inactive = api.delete(&acme, &path).await.expect(200);
    assert!(inactive["deactivated_at"].as_str() > first.as_str(), "{inactive}");
    assert_eq!(inactive["version"], 5);
}

#[tokio::test]
async fn a_blocked_customer_can_be_deactivated() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    api.patch(&acme, &path, &json!({ "status": "blocked" })).await.expect(200);

    let inactive = api.delete(&acme, &path).await.expect(200);

    assert_eq!((&inactive["status"], &inactive["version"]), (&json!("inactive"), &json!(3)));
    assert!(inactive["deactivated_at"].is_string());
}

#[tokio::test]
async fn a_deactivation_with_an_old_etag_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let path = path_of(&customer);
    let delete_if = |tag| api.call(&acme, "DELETE", &path).header("if-match", tag).send();

    for stale in ["\"2\"", "W/\"1\""] {
        let error = delete_if(stale).await.refused(412, "VERSION_MISMATCH");
        assert_eq!(error["details"][0]["version"], 1, "{stale}");
    }
    assert_eq!(delete_if("1").await.faults(), ["If-Match"]);
    assert_eq!(api.get(&acme, &path).await.expect(200), customer);

    assert_eq!(delete_if("\"1\"").await.expect(200)["version"], 2);
    // `If-Match` is also checked if the customer is already inactive.
    delete_if("\"1\"").await.refused(412, "VERSION_MISMATCH");
    assert_eq!(delete_if("\"2\"").await.expect(200)["version"], 2);
    assert_eq!(delete_if("*").await.expect(200)["version"], 2);
}

#[tokio::test]
async fn an_unknown_or_foreign_customer_cannot_be_deactivated() {
    let (api, acme, other) = (Api::start().await, Persona::of("acme"), Persona::of("other"));
    let foreign = api.create(&other, &json!({ "name": "A" })).await;

    let unknown = api.delete(&acme, "/customers/01a20000-0000-7000-8000-000000000000").await;
    unknown.clone().refused(404, "CUSTOMER_NOT_FOUND");
    for path in [&path_of(&foreign), "/customers/x", "/customers/*"] {
        let answer = api.delete(&acme, path).await;
        assert_eq!(answer.without_request_id(), unknown.without_request_id(), "{path}");
    }
    assert_eq!(api.get(&other, &path_of(&foreign)).await.expect(200), foreign);

    let path = path_of(&foreign);
    let mut faults = api.delete(&other, &format!("{path}?force=true&if_match=1")).await.faults();
    faults.sort();
    assert_eq!(faults, ["?force", "?if_match"]);
    assert_eq!(api.get(&other, &path).await.expect(200), foreign);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_deactivations_take_effect_once() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);

    let requests = (0..16).map(|_| api.delete(&acme, &path));
    let answers = futures_util::future::join_all(requests).await;

    let customer = api.get(&acme, &path).await.expect(200);
    assert_eq!(customer["version"], 2);
    for answer in answers {
        assert_eq!(answer.expect(200), customer);
    }
}
