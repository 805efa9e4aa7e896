//! Tests `POST /kyc/sessions`.

use std::collections::HashSet;
use std::time::Duration;

use api_tests::{Answer, Api, Persona, Value, json, path_of, rounds};
use futures_util::future::join_all;

use super::{NOON, counters, create_session};

const ROUTE: &str = "/kyc/sessions";

#[tokio::test]
async fn a_created_session_has_all_its_fields() {
    let (api, _) = Api::with_clock_at(NOON).await;
    let acme = Persona::of("acme");
    let customer = api.create(&acme, &json!({ "name": "Acme", "client_id": "crm-1" })).await;
    let body = json!({
        "customer_id": customer["customer_id"], "client_id": "crm-1", "ttl_days": 30,
        "workflow_id": "0193B3A0-0000-7000-8000-00000000ABCD", "metadata": { "channel": "app" },
    });

    let answer = api.post(&acme, ROUTE, &body).await;
    let location = answer.header("location").unwrap().to_owned();
    let session = answer.expect(201);

    let expected = json!({
        "session_id": session["session_id"],
        "customer_id": customer["customer_id"],
        "client_id": "crm-1",
        "tenant_id": api.tenant("acme"),
        "workflow_id": "0193b3a0-0000-7000-8000-00000000abcd",
        "status": "active",
        "final_decision": null,
        "validations": [],
        "metadata": { "channel": "app" },
        "expires_at": "2026-12-22T12:00:00.000Z",
        "created_at": "2026-11-22T12:00:00.000Z",
        "updated_at": "2026-11-22T12:00:00.000Z",
        "completed_at": null,
        "version": 1,
        "customer_created": false,
    });
    assert_eq!(session, expected);
    assert_eq!(location, super::path_of(&session));

    let mut read = api.get(&acme, &location).await.expect(200);
    read["customer_created"] = json!(false);
    assert_eq!(read, expected);

    let after = api.get(&acme, &path_of(&customer)).await.expect(200);
    let expected = json!({
        "total": 1, "active": 1, "approved": 0, "rejected": 0, "manual_review": 0,
        "last_session_id": session["session_id"], "last_status": "active",
        "last_at": "2026-11-22T12:00:00.000Z",
    });
    assert_eq!(after["sessions"], expected);
    assert_eq!(after["version"], 2);
}

#[tokio::test]
async fn a_session_with_an_unknown_client_id_creates_the_customer() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let first = create_session(&api, &acme, "crm/7").await;
    assert_eq!(first["customer_created"], true);
    let customer = api.get(&acme, &path_of(&first)).await.expect(200);
    assert_eq!((&customer["name"], &customer["client_id"]), (&json!("crm/7"), &json!("crm/7")));
    assert_eq!(
        (&customer["entity_type"], &customer["status"]),
        (&json!("company"), &json!("active"))
    );

    let second = create_session(&api, &acme, "crm/7").await;
    assert_eq!(
        (&second["customer_created"], &second["customer_id"]),
        (&json!(false), &first["customer_id"])
    );
    assert_eq!(counters(&api, &acme, &first).await["total"], 2);
    let answer = api.post(&acme, "/customers", &json!({ "name": "A", "client_id": "crm/7" })).await;
    let error = answer.refused(409, "CUSTOMER_ALREADY_EXISTS");
    assert_eq!(error["details"][0]["customer_id"], first["customer_id"]);

    let body =
        json!({ "client_id": "p-1", "name": "Ann", "entity_type": "individual", "ttl_days": 1 });
    let session = api.post(&acme, ROUTE, &body).await.expect(201);
    let person = api.get(&acme, &path_of(&session)).await.expect(200);
    assert_eq!((&person["name"], &person["entity_type"]), (&json!("Ann"), &json!("individual")));

    // In another tenant, the same client id belongs to another customer.
    let other = create_session(&api, &Persona::of("other"), "crm/7").await;
    assert_eq!(other["customer_created"], true);
    assert_ne!(other["customer_id"], first["customer_id"]);
}

#[tokio::test]
async fn a_session_must_refer_to_exactly_one_customer() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "client_id": "a" })).await;
    let nameless = api.create(&acme, &json!({ "name": "B" })).await;
    let id = &customer["customer_id"];

    for (body, field) in [
        (json!({}), "/customer_id"),
        (json!({ "customer_id": null, "client_id": null }), "/customer_id"),
        (json!({ "customer_id": id, "client_id": "b" }), "/client_id"),
        (json!({ "customer_id": nameless["customer_id"], "client_id": "b" }), "/client_id"),
        (json!({ "customer_id": "a" }), "/customer_id"),
    ] {
        assert_eq!(api.post(&acme, ROUTE, &body).await.faults(), [field], "{body}");
    }

    let unknown_id = json!({ "customer_id": "01920000-0000-7000-8000-000000000000" });
    let unknown = api.post(&acme, ROUTE, &unknown_id).await;
    let foreign = api.post(&Persona::of("other"), ROUTE, &json!({ "customer_id": id })).await;
    assert_eq!(unknown.without_request_id(), foreign.without_request_id());
    unknown.refused(404, "CUSTOMER_NOT_FOUND");
    assert_eq!(api.get(&acme, &path_of(&customer)).await.expect(200), customer);
}

#[tokio::test]
async fn every_fault_is_reported_at_once() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({
        "client_id": "a ", "workflow_id": "w", "ttl_days": 91, "metadata": { "k": 1 }, "name": " ",
        "entity_type": "x", "statsu": "y", "status": "active", "expires_at": "2026-01-01T00:00:00Z",
    });

    let mut faults = api.post(&acme, ROUTE, &body).await.faults();
    faults.sort();
    let expected = [
        "/client_id",
        "/entity_type",
        "/expires_at",
        "/metadata/k",
        "/name",
        "/statsu",
        "/status",
        "/ttl_days",
        "/workflow_id",
    ];
    assert_eq!(faults, expected);

    for days in [json!(0), json!(-1), json!(1.5), json!("7"), json!(1e300)] {
        let body = json!({ "client_id": "a", "ttl_days": days });
        assert_eq!(api.post(&acme, ROUTE, &body).await.faults(), ["/ttl_days"], "{body}");
    }

    let page = api.get(&acme, "/customers").await.expect(200);
    assert_eq!(page["count"], 0);
}

#[tokio::test]
async fn a_blocked_or_inactive_customer_cannot_start_a_session() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let first = create_session(&api, &acme, "a").await;
    let customer = path_of(&first);
    let by_id = json!({ "customer_id": first["customer_id"] });

    api.patch(&acme, &customer, &json!({ "status": "blocked" })).await.expect(200);
    for body in [&by_id, &json!({ "client_id": "a" })] {
        api.post(&acme, ROUTE, body).await.refused(409, "CUSTOMER_BLOCKED");
    }

    // A session that started before the customer was blocked can still be completed.
    let completed = json!({ "status": "completed" });
    api.patch(&acme, &super::path_of(&first), &completed).await.expect(200);

    api.delete(&acme, &customer).await.expect(200);
    api.post(&acme, ROUTE, &by_id).await.refused(409, "CUSTOMER_INACTIVE");
    api.patch(&acme, &customer, &json!({ "status": "active" })).await.expect(200);
    api.post(&acme, ROUTE, &by_id).await.expect(201);
    assert_eq!(counters(&api, &acme, &first).await["total"], 2);
}

#[tokio::test]
async fn an_idempotency_key_creates_one_session() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let send = |body| {
        let call = api.call(&acme, "POST", ROUTE).header("idempotency-key", "k");
        call.json(&body).send()
    };

    let first = send(json!({ "client_id": "a" })).await;
    let again = send(json!({ "client_id": "a" })).await;

    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(first.body["data"], again.body["data"]);
    send(json!({ "client_id": "b" })).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(counters(&api, &acme, &first.body["data"]).await["total"], 1);

    let requests = (0..8).map(|_| {
        let call = api.call(&acme, "POST", ROUTE).header("idempotency-key", "l");
        call.json(&json!({ "client_id": "a" })).send()
    });
    for answer in join_all(requests).await {
        assert!(answer.status == 201 || answer.status == 409, "{}", answer.text);
    }
    assert_eq!(counters(&api, &acme, &first.body["data"]).await["total"], 2);
}

/// Sends a request, and repeats it with the same idempotency key while the service answers with a
/// 503 or reports that the first request is in progress.
async fn post_until_answered(api: &Api, who: &Persona, key: &str, body: &Value) -> Answer {
    loop {
        let post = api.call(who, "POST", ROUTE).header("idempotency-key", key);
        let answer = post.json(body).send().await;
        if answer.status != 503 && answer.body["error"]["code"] != "REQUEST_IN_PROGRESS" {
            return answer;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_first_sessions_of_a_client_id_create_one_customer() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let rounds = rounds(50);
    for round in 0..rounds {
        let body = json!({ "client_id": format!("c-{round}") });
        let post = async |number| {
            post_until_answered(&api, &acme, &format!("{round}-{number}"), &body).await
        };
        let answers = join_all((0..64).map(post)).await;

        let sessions: Vec<_> =
            answers.into_iter().map(|answer: Answer| answer.expect(201)).collect();
        let texts = |field: &str| -> HashSet<String> {
            sessions.iter().map(|session| session[field].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!((texts("customer_id").len(), texts("session_id").len()), (1, 64));
        assert_eq!(
            sessions.iter().filter(|session| session["customer_created"] == true).count(),
            1
        );
        let counts = counters(&api, &acme, &sessions[0]).await;
        assert_eq!((&counts["total"], &counts["active"]), (&json!(64), &json!(64)));
        let newest = texts("session_id").into_iter().max().unwrap();
        assert_eq!(counts["last_session_id"], newest);
    }
    let page = api.get(&acme, "/customers?limit=100").await.expect(200);
    assert_eq!(page["count"], rounds);
}
