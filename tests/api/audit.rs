//! Tests the audit trail: every change writes exactly one event in the same transaction. The API
//! does not have a route for events alone, so these tests read them from the table.

use api_tests::{Answer, Api, KEY, Persona, TEMPLATE, Value, json, path_of};
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;

/// Converts an attribute to plain JSON. A binary value becomes its length in bytes.
pub(crate) fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!(text),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap(),
        AttributeValue::Bool(flag) => json!(flag),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::L(values) => values.iter().map(plain).collect(),
        AttributeValue::M(entries) => {
            entries.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        AttributeValue::B(bytes) => json!(bytes.as_ref().len()),
        other => panic!("{other:?}"),
    }
}

/// Returns the customer's events, oldest first.
pub(crate) async fn events(api: &Api, customer: &Value) -> Vec<Value> {
    items(api, customer, "EVENT#").await
}

/// Returns the items of the customer's partition whose sort keys start with `prefix`, in order of
/// their keys.
pub(crate) async fn items(api: &Api, customer: &Value, prefix: &str) -> Vec<Value> {
    let text = |field: &str| customer[field].as_str().unwrap();
    let pk = format!("T#{}#C#{}", text("tenant_id"), text("customer_id"));
    let page = api
        .dynamodb
        .query()
        .table_name(&api.table)
        .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
        .expression_attribute_values(":pk", AttributeValue::S(pk))
        .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    page.items.unwrap().into_iter().map(|item| plain(&AttributeValue::M(item))).collect()
}

/// Returns the kind of each event.
pub(crate) fn kinds(events: &[Value]) -> Vec<&Value> {
    events.iter().map(|event| &event["kind"]).collect()
}

/// Returns the customer's `updated_at` from an answer that contains the customer.
fn updated_at(answer: &Answer) -> &Value {
    &answer.body["data"]["updated_at"]
}

/// Checks the event of the change that `answer` reports. The actor must be `tester`, the `sub` of
/// the suite's usual caller.
fn assert_event(event: &Value, kind: &str, answer: &Answer, changes: &Value) {
    assert_eq!(event["kind"], kind);
    assert_eq!(event["actor"], "tester", "{event}");
    assert_eq!(event["at"], *updated_at(answer), "{event}");
    assert_eq!(event["request_id"].as_str(), answer.header("x-request-id"), "{event}");
    assert_eq!(event["customer_id"], answer.body["data"]["customer_id"]);
    assert_eq!(event["sk"], format!("EVENT#{}", event["event_id"].as_str().unwrap()));
    assert_eq!(event["changes"], *changes);
}

#[tokio::test]
async fn every_change_has_one_event() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "A", "country": "DE", "tags": ["t"], "metadata": { "a": "1" } });
    let created = api.post(&acme, "/customers", &body).await;
    let customer = created.body["data"].clone();
    let path = path_of(&customer);
    let id = customer["customer_id"].clone();

    let mut answers = Vec::new();
    for patch in [
        json!({ "name": "B", "country": null, "metadata": { "a": null, "b": "2" } }),
        json!({ "status": "blocked", "client_id": "a" }),
    ] {
        answers.push(api.patch(&acme, &path, &patch).await);
    }
    answers.push(api.delete(&acme, &path).await);
    answers.push(api.patch(&acme, &path, &json!({ "status": "active" })).await);

    let events = events(&api, &customer).await;
    assert_eq!(events.len(), 5);
    let added = |value: &Value| json!({ "from": null, "to": value });
    let fields = [
        "customer_id",
        "tenant_id",
        "name",
        "entity_type",
        "country",
        "tags",
        "metadata",
        "status",
    ];
    let mut changes = json!({
        "risk": added(&customer["risk"]),
        "monitoring": added(&customer["monitoring"]),
        "sessions": added(&customer["sessions"]),
        "created_at": added(updated_at(&created)),
    });
    for field in fields {
        changes[field] = added(&customer[field]);
    }
    assert_eq!(changes["customer_id"]["to"], id);
    assert_event(&events[0], "customer.created", &created, &changes);

    let changes = json!({
        "name": { "from": "A", "to": "B" },
        "country": { "from": "DE", "to": null },
        "metadata": { "from": { "a": "1" }, "to": { "b": "2" } },
        "risk": {
            "from": { "level": "not_set", "score": null, "calculated_at": null },
            "to": { "level": "not_set", "score": null, "calculated_at": updated_at(&answers[0]) },
        },
    });
    assert_event(&events[1], "customer.updated", &answers[0], &changes);

    let changes = json!({
        "status": { "from": "active", "to": "blocked" },
        "client_id": { "from": null, "to": "a" },
    });
    assert_event(&events[2], "customer.updated", &answers[1], &changes);

    let at = updated_at(&answers[2]);
    let changes = json!({
        "status": { "from": "blocked", "to": "inactive" },
        "deactivated_at": { "from": null, "to": at },
    });
    assert_event(&events[3], "customer.deactivated", &answers[2], &changes);

    let changes = json!({
        "status": { "from": "inactive", "to": "active" },
        "deactivated_at": { "from": at, "to": null },
    });
    assert_event(&events[4], "customer.updated", &answers[3], &changes);
    assert!(events.is_sorted_by_key(|event| event["at"].as_str()));
}

#[tokio::test]
async fn a_request_without_effect_has_no_event() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let taken = api.create(&acme, &json!({ "name": "T", "client_id": "taken" })).await;
    let body = json!({ "name": "A", "tags": ["t"] });
    let send = || {
        let call = api.call(&acme, "POST", "/customers").header("idempotency-key", "k");
        call.json(&body).send()
    };
    let customer = send().await.expect(201);
    let path = path_of(&customer);

    assert_eq!(send().await.expect(201), customer);
    for (patch, status) in [
        (json!({}), 200),
        (json!({ "name": "A ", "tags": ["t"], "status": "active", "website": null }), 200),
        (json!({ "name": null }), 400),
        (json!({ "nmae": "B" }), 400),
        (json!({ "name": "B", "client_id": "taken" }), 409),
        (json!({ "name": "B", "status": "inactive" }), 409),
    ] {
        assert_eq!(api.patch(&acme, &path, &patch).await.status, status, "{patch}");
    }
    let stale_patch = api.call(&acme, "PATCH", &path).header("if-match", "\"7\"");
    stale_patch.json(&json!({ "name": "B" })).send().await.refused(412, "VERSION_MISMATCH");
    let stale_delete = api.call(&acme, "DELETE", &path).header("if-match", "\"7\"");
    stale_delete.send().await.refused(412, "VERSION_MISMATCH");
    let reader = Persona::reader("acme");
    assert_eq!(api.patch(&reader, &path, &json!({ "name": "B" })).await.status, 403);
    assert_eq!(api.delete(&Persona::of("other"), &path).await.status, 404);
    api.get(&acme, &path).await.expect(200);
    assert_eq!(kinds(&events(&api, &customer).await), ["customer.created"]);
    assert_eq!(events(&api, &taken).await.len(), 1);

    api.delete(&acme, &path).await.expect(200);
    api.delete(&acme, &path).await.expect(200);
    let events = events(&api, &customer).await;
    assert_eq!(kinds(&events), ["customer.created", "customer.deactivated"]);
}

#[tokio::test]
async fn the_actor_comes_from_the_token() {
    let api = Api::start().await;
    let bearing = |identity: Value| {
        let mut claims = json!({
            "iss": TEMPLATE.authorizer.issuer, "iat": 1, "exp": 4_102_444_800_i64,
            "tenant_id": api.tenant("acme"), "permissions": ["kyc:*"],
        });
        for (claim, value) in identity.as_object().unwrap() {
            claims[claim] = value.clone();
        }
        Persona::bearing(KEY.sign(&claims).unwrap())
    };
    // A person's token has `sub` and `aud`. A program's access token has `client_id` instead.
    let person = bearing(json!({ "aud": "kyc-customers", "sub": "auth0|7" }));
    let program = bearing(json!({ "client_id": "kyc-customers" }));
    let customer = api.create(&person, &json!({ "name": "A" })).await;
    let patch = json!({ "name": "B" });
    let changed = api.patch(&program, &path_of(&customer), &patch).await.expect(200);
    api.delete(&person, &path_of(&customer)).await.expect(200);

    let events = events(&api, &changed).await;
    let actors: Vec<&Value> = events.iter().map(|event| &event["actor"]).collect();
    assert_eq!(actors, ["auth0|7", "kyc-customers", "auth0|7"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_with_one_key_have_one_event() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "A" });
    let send = || {
        let call = api.call(&acme, "POST", "/customers").header("idempotency-key", "k");
        call.json(&body).send()
    };
    let answers = join_all((0..16).map(|_| send())).await;
    let is_first =
        |answer: &&Answer| answer.status == 201 && answer.header("idempotent-replayed").is_none();
    let first: Vec<&Answer> = answers.iter().filter(is_first).collect();
    assert_eq!(first.len(), 1);
    let events = events(&api, &first[0].body["data"]).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["request_id"].as_str(), first[0].header("x-request-id"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_parallel_change_has_an_event_with_its_request_and_the_previous_value() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A-0" })).await;
    let path = path_of(&customer);
    let patches = (1..=8).map(async |i| {
        let patch = json!({ "name": format!("A-{i}") });
        let answer = api.patch(&acme, &path, &patch).await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        (answer.expect(200)["version"].as_u64().unwrap(), format!("A-{i}"), id)
    });
    let mut changes = join_all(patches).await;
    changes.sort();

    let events = events(&api, &customer).await;
    assert_eq!(events.len(), 9);
    let mut before = "A-0".to_owned();
    for (_, name, request_id) in changes {
        let of_request: Vec<&Value> =
            events.iter().filter(|event| event["request_id"] == request_id.as_str()).collect();
        assert_eq!(of_request.len(), 1, "{name}");
        assert_eq!(of_request[0]["changes"], json!({ "name": { "from": before, "to": name } }));
        before = name;
    }
    assert_eq!(api.get(&acme, &path).await.expect(200)["name"], before.as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_parallel_changes_are_in_the_order_of_the_changes() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A-0" })).await;
    let path = path_of(&customer);
    let patches = (1..=8).map(async |i| {
        let patch = json!({ "name": format!("A-{i}") });
        api.patch(&acme, &path, &patch).await.expect(200);
    });
    join_all(patches).await;
    let mut name = json!("A-0");
    for event in &events(&api, &customer).await[1..] {
        let change = &event["changes"]["name"];
        assert_eq!(change["from"], name, "{event}");
        name = change["to"].clone();
    }
    assert_eq!(api.get(&acme, &path).await.expect(200)["name"], name);
}

#[tokio::test]
async fn every_change_of_a_session_has_one_event() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let created = api.post(&acme, "/kyc/sessions", &json!({ "client_id": "a" })).await;
    let session = created.body["data"].clone();
    let path = format!("/kyc/sessions/{}", session["session_id"].as_str().unwrap());
    let completion = json!({ "status": "completed" });
    let completed = api.patch(&acme, &path, &completion).await;
    api.patch(&acme, &path, &completion).await.expect(200);
    api.patch(&acme, &path, &json!({ "status": "expired" }))
        .await
        .refused(409, "INVALID_TRANSITION");

    let events = events(&api, &session).await;
    assert_eq!(kinds(&events), ["customer.created", "session.created", "session.updated"]);
    for (event, answer) in events.iter().zip([&created, &created, &completed]) {
        assert_eq!(event["request_id"].as_str(), answer.header("x-request-id"));
        assert_eq!(
            (&event["actor"], &event["customer_id"]),
            (&json!("tester"), &session["customer_id"])
        );
    }
    assert_eq!(events[0]["changes"]["sessions"]["to"]["total"], 0);
    assert_eq!(events[1]["changes"]["sessions"]["to"]["total"], 1);
    assert_eq!(events[1]["changes"]["session"]["status"]["to"], "active");
    let at = updated_at(&completed);
    assert_eq!(events[2]["at"], *at);
    let counters = &events[2]["changes"]["sessions"];
    assert_eq!((&counters["from"]["active"], &counters["to"]["active"]), (&json!(1), &json!(0)));
    let change = json!({
        "session_id": session["session_id"],
        "status": { "from": "active", "to": "completed" },
        "completed_at": { "from": null, "to": at },
        "version": { "from": 1, "to": 2 },
    });
    assert_eq!(events[2]["changes"]["session"], change);
}
