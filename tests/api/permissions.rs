//! Tests permissions that depend on the content of a request, and the answers to callers that
//! may change something but not read it. The matrix tests the permissions of the routes.

use api_tests::{Answer, Api, Persona, Value, json, path_of};

use crate::matrix::{Ids, ROWS, Row, everything, with_customer};

/// The members that a caller without `kyc:read` gets in an answer to a change.
const RECEIPT: [&str; 5] = ["alert_id", "customer_id", "session_id", "status", "version"];

/// Returns a caller in the tenant `acme` with these permissions, separated by spaces.
fn with(permissions: &str) -> Persona {
    Persona::with("acme", &permissions.split(' ').collect::<Vec<_>>())
}

/// Checks that the answer is a 403, and returns the permissions that it lists, any one of which
/// would be enough.
#[track_caller]
fn missing(answer: Answer) -> Value {
    answer.refused(403, "INSUFFICIENT_PERMISSIONS")["details"][0]["permissions"].clone()
}

/// Checks that the answer is a receipt, and returns it.
#[track_caller]
fn receipt(answer: Answer) -> Value {
    let data = match answer.status {
        200 => answer.expect(200),
        _ => answer.expect(201),
    };
    for (name, value) in data.as_object().unwrap() {
        assert!(RECEIPT.contains(&name.as_str()), "{name}");
        assert!(value.is_string() || value.is_u64(), "{name}: {value}");
    }
    assert!(!data["customer_id"].is_null(), "{data}");
    data
}

#[tokio::test]
async fn only_a_reviewer_blocks_a_customer_and_ends_a_block() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let path = path_of(&customer);
    let (block, unblock) = (json!({ "status": "blocked" }), json!({ "status": "active" }));

    let all_others = with("kyc:create kyc:read kyc:update kyc:delete kyc:monitor kyc:erase");
    assert_eq!(missing(api.patch(&all_others, &path, &block).await), json!(["kyc:review"]));
    api.patch(&with("kyc:review"), &path, &block).await.expect(200);
    assert_eq!(missing(api.patch(&all_others, &path, &unblock).await), json!(["kyc:review"]));
    // A deactivation would end the block too, because an inactive customer can become active.
    assert_eq!(missing(api.delete(&all_others, &path).await), json!(["kyc:review"]));
    assert_eq!(api.get(&acme, &path).await.expect(200)["status"], "blocked");
    // The block does not stop other changes.
    api.patch(&all_others, &path, &json!({ "industry": "Banking" })).await.expect(200);
    api.patch(&all_others, &path, &block).await.expect(200);
    api.patch(&with("kyc:review"), &path, &unblock).await.expect(200);
    api.patch(&with("kyc:review"), &path, &block).await.expect(200);
    let mixed = json!({ "status": "active", "industry": "Retail" });
    let listed = missing(api.patch(&with("kyc:review"), &path, &mixed).await);
    assert_eq!(listed, json!(["kyc:create", "kyc:update"]));
    api.delete(&with("kyc:delete kyc:review"), &path).await.expect(200);

    // A customer that is inactive without a block becomes active as before.
    api.patch(&with("kyc:update"), &path, &unblock).await.expect(200);
    api.delete(&with("kyc:delete"), &path).await.expect(200);
    let listed = missing(api.patch(&with("kyc:review"), &path, &unblock).await);
    assert_eq!(listed, json!(["kyc:create", "kyc:update"]));
}

#[tokio::test]
async fn only_an_eraser_shortens_or_removes_a_hold() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let held = json!({ "name": "A", "retain_until": "2999-06-30", "retain_reason": "court" });
    let path = path_of(&api.create(&acme, &held).await);
    let (update, erase) = (with("kyc:update kyc:read"), with("kyc:erase kyc:read"));
    let removed = json!({ "retain_until": null, "retain_reason": null });
    for lowered in [json!({ "retain_until": "2999-06-29" }), removed.clone()] {
        assert_eq!(missing(api.patch(&update, &path, &lowered).await), json!(["kyc:erase"]));
    }
    let longer = json!({ "retain_until": "2999-12-31" });
    let listed = missing(api.patch(&erase, &path, &longer).await);
    assert_eq!(listed, json!(["kyc:create", "kyc:update"]));
    api.patch(&update, &path, &longer).await.expect(200);
    api.patch(&erase, &path, &json!({ "retain_until": "2999-06-29" })).await.expect(200);
    // A caller that may not read cannot know whether a date shortens the hold.
    let later = json!({ "retain_until": "2999-06-30" });
    api.patch(&with("kyc:update kyc:erase"), &path, &later).await.expect(200);
    api.patch(&with("kyc:erase"), &path, &removed).await.expect(200);
    let customer = api.get(&acme, &path).await.expect(200);
    assert_eq!((&customer["retain_until"], &customer["version"]), (&Value::Null, &json!(5)));
}

/// Checks that each of these patches gets the same refusal, so that the caller cannot tell which of
/// them contains the current value.
async fn assert_no_hint(api: &Api, permissions: &str, path: &str, patches: &[Value], code: &str) {
    let status = if code == "VALIDATION_ERROR" { 400 } else { 403 };
    let key = if patches[0]["date_of_birth"].is_null() { "fresh" } else { "known" };
    let mut answers = Vec::new();
    for patch in patches {
        for header in [("idempotency-key", key), ("if-match", "*")] {
            let call = api.call(&with(permissions), "PATCH", path).header(header.0, header.1);
            let answer = call.json(patch).send().await;
            answers.push(answer.without_request_id());
            answer.refused(status, code);
        }
    }
    for answer in &answers {
        assert_eq!(*answer, answers[0], "{permissions}: {patches:?}");
    }
}

#[tokio::test]
async fn a_caller_that_may_not_read_cannot_guess_values() {
    let api = Api::start().await;
    api.refresh().await;
    let acme = Persona::of("acme");
    let body = json!({
        "name": "A", "client_id": "crm-1", "entity_type": "individual", "date_of_birth": "1980-03-04",
        "retain_until": "2999-06-30", "retain_reason": "court",
    });
    let customer = api.create(&acme, &body).await;
    let path = path_of(&customer);
    // Another caller's key must not confirm the value of that caller's request either.
    let same = json!({ "date_of_birth": "1980-03-04" });
    let call = api.call(&acme, "PATCH", &path).header("idempotency-key", "known");
    call.json(&same).send().await.expect(200);

    let patches = |name: &str, values: &[Value]| -> Vec<Value> {
        values.iter().map(|value| json!({ name: value })).collect()
    };
    let (refused, invalid) = ("INSUFFICIENT_PERMISSIONS", "VALIDATION_ERROR");
    let days = ["2999-06-30", "2999-06-29", "2999-07-01"].map(Value::from);
    for (permissions, name, values, code) in [
        ("kyc:erase", "date_of_birth", &["1980-03-04".into(), "1980-03-05".into()][..], refused),
        ("kyc:review", "date_of_birth", &["1980-03-04".into(), "1980-03-05".into()], refused),
        ("kyc:review", "email", &[Value::Null, "a@example.org".into()], refused),
        ("kyc:erase", "client_id", &["crm-1".into(), "crm-2".into()], refused),
        ("kyc:erase", "retain_reason", &["court".into(), "other".into()], refused),
        ("kyc:review", "retain_until", &days, refused),
        ("kyc:erase", "retain_until", &days, refused),
        ("kyc:update", "retain_until", &days, refused),
        ("kyc:update", "client_id", &["crm-1".into(), "crm-2".into()], invalid),
        (
            "kyc:update",
            "deactivated_at",
            &[Value::Null, "2026-01-01T00:00:00.000Z".into()],
            invalid,
        ),
        ("kyc:review", "risk", &[customer["risk"].clone(), Value::Null], invalid),
    ] {
        assert_no_hint(&api, permissions, &path, &patches(name, values), code).await;
    }
    assert_eq!(api.get(&acme, &path).await.expect(200), customer);

    // A caller that may read can send back what it has read.
    let mut edited = customer.clone();
    edited["status"] = json!("blocked");
    api.patch(&with("kyc:read kyc:review"), &path, &edited).await.expect(200);

    let ids = everything(&api, &acme).await;
    let path = format!("/kyc/sessions/{}", ids.session);
    let session = api.get(&acme, &path).await.expect(200);
    let check = json!({ "kind": "document", "result": "passed", "at": "2026-01-01T00:00:00Z" });
    api.patch(&acme, &path, &json!({ "validations": [check] })).await.expect(200);
    let other = json!({ "kind": "document", "result": "failed", "at": "2026-01-01T00:00:00Z" });
    let checks = patches("validations", &[json!([check]), json!([other])]);
    assert_no_hint(&api, "kyc:review", &path, &checks, refused).await;
    let guesses = [session["metadata"].clone(), json!({ "guess": "1" })];
    assert_no_hint(&api, "kyc:update", &path, &patches("metadata", &guesses), invalid).await;

    let path = format!("/customers/{}/alerts", ids.customer);
    let alert = api.get(&acme, &path).await.expect(200)["items"][0].clone();
    let path = format!("{path}/{}", alert["alert_id"].as_str().unwrap());
    let status = &alert["status"];
    let guesses =
        [&alert["score"], &json!(1)].map(|score| json!({ "status": status, "score": score }));
    assert_no_hint(&api, "kyc:review", &path, &guesses, invalid).await;
    api.patch(&with("kyc:review kyc:read"), &path, &guesses[0]).await.expect(200);
}

#[tokio::test]
async fn only_a_reviewer_decides_a_session() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (update, review) = (with("kyc:create kyc:update"), with("kyc:review"));
    let session = api.post(&acme, "/kyc/sessions", &json!({ "client_id": "c" })).await.expect(201);
    let path = crate::sessions::path_of(&session);
    let set = |status: &str| json!({ "status": status });
    let check = json!({ "kind": "document", "result": "passed", "at": "2026-01-01T00:00:00Z" });
    let add_check = json!({ "validations": [check] });

    for progress in [&set("completed"), &add_check] {
        let listed = missing(api.patch(&review, &path, progress).await);
        assert_eq!(listed, json!(["kyc:create", "kyc:update"]));
        api.patch(&update, &path, progress).await.expect(200);
    }
    for outcome in ["approved", "rejected", "manual_review"] {
        let refused = missing(api.patch(&update, &path, &set(outcome)).await);
        assert_eq!(refused, json!(["kyc:review"]), "{outcome}");
    }
    // Each part of a change needs its own permission, unless the part has no effect.
    let other = json!({ "kind": "liveness", "result": "passed" });
    let both = json!({ "status": "manual_review", "validations": [other] });
    api.patch(&review, &path, &both).await.refused(403, "INSUFFICIENT_PERMISSIONS");
    api.patch(&update, &path, &both).await.refused(403, "INSUFFICIENT_PERMISSIONS");
    let decided = json!({ "status": "manual_review", "validations": [check] });
    api.patch(&with("kyc:review kyc:read"), &path, &decided).await.expect(200);
    api.patch(&update, &path, &decided).await.expect(200);
    let approved = json!({ "status": "approved", "validations": [other] });
    api.patch(&with("kyc:update kyc:review"), &path, &approved).await.expect(200);
    let session = api.get(&acme, &path).await.expect(200);
    assert_eq!(session["validations"].as_array().unwrap().len(), 2);
    assert_eq!(session["status"], "approved");
}

#[tokio::test]
async fn a_recalculation_needs_a_permission_to_write() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let path = format!("{}/risk-profile", path_of(&customer));
    let recalculate = format!("{path}?recalculate=true");
    let reader = Persona::reader("acme");
    let listed = missing(api.get(&reader, &recalculate).await);
    assert_eq!(listed, json!(["kyc:create", "kyc:update"]));
    api.get(&reader, &format!("{path}?recalculate=false")).await.expect(200);
    assert_eq!(missing(api.get(&with("kyc:update"), &recalculate).await), json!(["kyc:read"]));
    for writer in ["kyc:read kyc:update", "kyc:read kyc:create"] {
        api.get(&with(writer), &recalculate).await.expect(200);
    }
}

/// Returns the rows of the matrix that change something.
fn writes() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| !row.route.starts_with("GET "))
}

#[tokio::test]
async fn a_caller_that_may_not_read_gets_only_ids_the_version_and_the_status() {
    let (api, ids) = with_customer().await;
    let mut receipts = 0;
    for row in writes() {
        let blind = Persona::with("acme", &row.permissions[..1]);
        let answer = row.call(&api, &blind, &ids).await;
        let (etag, location) =
            (answer.header("etag").map(str::to_owned), answer.header("location"));
        let location = location.map(str::to_owned);
        let data = receipt(answer);
        if let Some(etag) = etag {
            assert_eq!(etag, format!("\"{}\"", data["version"]), "{}", row.route);
        }
        // `Location` still contains the id of the created object, so that the caller can continue.
        if let Some(location) = location {
            let id = data["session_id"].as_str().or(data["customer_id"].as_str()).unwrap();
            assert!(location.contains(id), "{}: {location}", row.route);
        }
        receipts += 1;

        let seeing = Persona::with("acme", &[row.permissions[0], "kyc:read"]);
        let full = row.call(&api, &seeing, &ids).await.body["data"].clone();
        for name in data.as_object().unwrap().keys() {
            assert!(!full[name].is_null(), "{}: {name}", row.route);
        }
        assert!(full.as_object().unwrap().len() > RECEIPT.len(), "{}: {full}", row.route);
    }
    assert_eq!(receipts, 10);
}

/// The stored answer is complete. Each caller gets the part of it that its permissions allow.
#[tokio::test]
async fn a_replay_contains_what_the_caller_may_read() {
    let api = Api::start().await;
    api.refresh().await;
    let (blind, seeing) = (with("kyc:create kyc:erase"), with("kyc:create kyc:erase kyc:read"));
    let ids = everything(&api, &Persona::of("acme")).await;
    let send = async |row: &Row, who: &Persona, key: &str, ids: &Ids| {
        row.request(&api, who, ids).header("idempotency-key", key).send().await
    };
    for row in writes().filter(|row| row.route.starts_with("POST ")) {
        let full = send(row, &seeing, "seen-first", &ids).await;
        let replay = send(row, &blind, "seen-first", &ids).await;
        assert_eq!(replay.header("idempotent-replayed"), Some("true"), "{}", row.route);
        assert_eq!(replay.header("etag"), full.header("etag"));
        receipt(replay);

        let first = receipt(send(row, &blind, "blind-first", &ids).await);
        let replay = send(row, &seeing, "blind-first", &ids).await;
        assert_eq!(replay.header("idempotent-replayed"), Some("true"), "{}", row.route);
        let replay = replay.body["data"].clone();
        assert_eq!(replay["customer_id"], first["customer_id"]);
        assert!(replay.as_object().unwrap().len() > RECEIPT.len(), "{}: {replay}", row.route);
    }
}

#[tokio::test]
async fn a_refusal_tells_a_caller_that_may_not_read_no_data() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let held = json!({
        "name": "A", "client_id": "crm-1", "retain_until": "2999-12-31", "retain_reason": "court case 7",
    });
    let customer = api.create(&acme, &held).await;
    let path = path_of(&customer);
    let erase = format!("{path}/erase");
    let send = async |who: &Persona| api.call(who, "POST", &erase).send().await;

    let full = send(&with("kyc:erase kyc:read")).await.refused(409, "RETENTION_HOLD");
    assert_eq!(full["details"][0]["retain_reason"], "court case 7");
    let blind = send(&with("kyc:erase")).await;
    assert!(!blind.text.contains("court case 7") && !blind.text.contains("2999"), "{}", blind.text);
    let detail = &blind.refused(409, "RETENTION_HOLD")["details"][0];
    assert_eq!(*detail, json!({ "field": "/retain_until", "issue": "must be in the past" }));

    // The end of the retention period would reveal when the customer was deactivated.
    let left = api.create(&acme, &json!({ "name": "C" })).await;
    api.delete(&acme, &path_of(&left)).await.expect(200);
    let erase = format!("{}/erase", path_of(&left));
    let send = async |who: &Persona| api.call(who, "POST", &erase).send().await;
    let full = send(&with("kyc:erase kyc:read")).await.refused(409, "RETENTION_PERIOD");
    let until = full["details"][0]["retain_until"].as_str().unwrap();
    let blind = send(&with("kyc:erase")).await;
    assert!(!blind.text.contains(until), "{}", blind.text);
    blind.refused(409, "RETENTION_PERIOD");

    // Ids, versions, statuses and permissions are still returned.
    let creator = with("kyc:create");
    let taken = json!({ "name": "B", "client_id": "crm-1" });
    for key in ["", "k", "k"] {
        let call = api.call(&creator, "POST", "/customers").json(&taken);
        let call = if key.is_empty() { call } else { call.header("idempotency-key", key) };
        let conflict = call.send().await.refused(409, "CUSTOMER_ALREADY_EXISTS");
        assert_eq!(conflict["details"][0]["customer_id"], customer["customer_id"]);
    }
    let stale = api.call(&creator, "DELETE", &path).header("if-match", "\"7\"").send().await;
    assert_eq!(stale.refused(412, "VERSION_MISMATCH")["details"][0]["version"], 1);
    let move_to = json!({ "status": "inactive" });
    let refused = api.patch(&creator, &path, &move_to).await.refused(409, "INVALID_TRANSITION");
    assert_eq!(refused["details"][0]["status"], "active");
    assert_eq!(missing(api.get(&creator, &path).await), json!(["kyc:read"]));
}
