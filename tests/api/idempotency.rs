//! Tests `Idempotency-Key`: for 24 hours, requests with the same key take effect once and get
//! the same answer.

use std::sync::atomic::Ordering;

use api_tests::{Answer, Api, Persona, Value, json, path_of};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use sha2::{Digest, Sha256};

const NOON: i64 = 1_795_348_800_000; // 2026-11-22T12:00:00Z
const DAY: i64 = 24 * 3_600 * 1_000;

async fn post(api: &Api, who: &Persona, key: &str, body: &Value) -> Answer {
    api.call(who, "POST", "/customers").header("idempotency-key", key).json(body).send().await
}

fn is_replayed(answer: &Answer) -> bool {
    match answer.header("idempotent-replayed") {
        None => false,
        Some("true") => true,
        Some(other) => panic!("Idempotent-Replayed: {other}"),
    }
}

async fn count(api: &Api, who: &Persona) -> u64 {
    api.get(who, "/customers?limit=100").await.expect(200)["count"].as_u64().unwrap()
}

/// Checks that `replay` repeats the first answer, except for the request id.
#[track_caller]
fn assert_replay(replay: &Answer, first: &Answer) {
    assert!(is_replayed(replay), "{}", replay.text);
    let (status, mut headers, body) = replay.without_request_id();
    headers.retain(|(name, _)| name != "idempotent-replayed");
    assert_eq!((status, headers, body), first.without_request_id());
    assert_ne!(replay.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(replay.body["meta"]["request_id"].as_str(), replay.header("x-request-id"));
}

#[tokio::test]
async fn a_key_replays_its_first_answer() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "A", "client_id": "a", "metadata": { "x": "1", "y": "2" } });
    let first = post(&api, &acme, "k", &body).await;
    assert!(!is_replayed(&first));
    let customer = first.clone().expect(201);
    assert_eq!(first.header("etag"), Some("\"1\""));
    let path = path_of(&customer);
    assert_eq!(first.header("location"), Some(path.as_str()));

    assert_replay(&post(&api, &acme, "k", &body).await, &first);
    // Later changes of the customer do not affect the replayed answer.
    api.patch(&acme, &path, &json!({ "name": "B" })).await.expect(200);
    assert_replay(&post(&api, &acme, "k", &body).await, &first);
    assert_eq!(count(&api, &acme).await, 1);
}

#[tokio::test]
async fn requests_are_compared_by_content_not_by_formatting() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let send = |body: &'static str| {
        let call = api.call(&acme, "POST", "/customers").header("idempotency-key", "k");
        call.header("content-type", "application/json").text(body).send()
    };
    let original = r#"{"name":"Ä","country":"DE","metadata":{"x":"1","y":"2"}}"#;
    let first = send(original).await;
    for same in [
        r#"{"metadata":{"y":"2","x":"1"},"country":"DE","name":"Ä"}"#,
        "{ \"country\": \"DE\",\n \"name\": \"\\u00c4\", \"metadata\": {\"x\":\"1\",\"y\":\"2\"} }",
    ] {
        assert_replay(&send(same).await, &first);
    }
    for other in [
        r#"{"name":"Ä","country":"DE","metadata":{"x":"2","y":"1"}}"#,
        r#"{"name":"Ä","country":"DE"}"#,
        r#"{"name":"A","country":"DE","metadata":{"x":"1","y":"2"}}"#,
    ] {
        let answer = send(other).await;
        assert!(!is_replayed(&answer));
        let error = answer.refused(409, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(error["type"], "ConflictError");
    }
    // The key still belongs to its first request.
    assert_replay(&send(original).await, &first);
    assert_eq!(count(&api, &acme).await, 1);
}

#[tokio::test]
async fn tenants_have_separate_keys() {
    let (api, acme, other) = (Api::start().await, Persona::of("acme"), Persona::of("other"));
    let first = post(&api, &acme, "k", &json!({ "name": "A" })).await;
    let theirs = post(&api, &other, "k", &json!({ "name": "B" })).await;
    assert!(!is_replayed(&theirs));
    assert_eq!(theirs.expect(201)["tenant_id"], api.tenant("other"));
    // Another caller of the same tenant gets the replay, but only with the permission to create.
    let colleague = Persona::with("acme", &["kyc:create", "kyc:read"]);
    assert_replay(&post(&api, &colleague, "k", &json!({ "name": "A" })).await, &first);
    let reader = Persona::reader("acme");
    let refused = post(&api, &reader, "k", &json!({ "name": "A" })).await;
    refused.refused(403, "INSUFFICIENT_PERMISSIONS");
}

#[tokio::test]
async fn a_conflict_is_replayed_too() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "A", "client_id": "a" });
    api.create(&acme, &body).await;
    let first = post(&api, &acme, "k", &body).await;
    first.clone().refused(409, "CUSTOMER_ALREADY_EXISTS");
    assert!(!is_replayed(&first));
    let replay = post(&api, &acme, "k", &body).await;
    assert_replay(&replay, &first);
    replay.refused(409, "CUSTOMER_ALREADY_EXISTS");
}

#[tokio::test]
async fn an_invalid_request_does_not_use_its_key() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    assert_eq!(post(&api, &acme, "k", &json!({ "nmae": "A" })).await.faults(), ["/name", "/nmae"]);
    let answer = post(&api, &acme, "k", &json!({ "name": "A" })).await;
    assert!(!is_replayed(&answer));
    answer.expect(201);
}

#[tokio::test]
async fn keys_have_1_to_255_printable_ascii_characters() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "A" });
    for bad in ["", &"k".repeat(256), "schlüssel", "a\tb", "\u{a0}"] {
        let answer = post(&api, &acme, bad, &body).await;
        assert_eq!(answer.faults(), ["Idempotency-Key"], "{bad:?}");
    }
    // Keys are neither shortened nor split: each of these is a different key.
    let good =
        ["k".repeat(255), "k".repeat(254), "a#b".into(), "a".into(), "#".into(), "a b/\"~".into()];
    for key in &good {
        let first = post(&api, &acme, key, &body).await;
        assert!(!is_replayed(&first), "{key}");
        assert_eq!(first.status, 201, "{key}");
        assert_replay(&post(&api, &acme, key, &body).await, &first);
    }
    assert_eq!(count(&api, &acme).await, good.len() as u64);
}

/// Checks that exactly one of several parallel requests took effect, and returns its answer. Each
/// other answer must be a replay of that answer, or a 409 because the first request was still in
/// progress.
fn only_effect(answers: Vec<Answer>, round: u64) -> Answer {
    let (mut effects, others): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201 && !is_replayed(answer));
    assert_eq!(effects.len(), 1, "round {round}");
    let first = effects.remove(0);
    for answer in others {
        if answer.status == 201 {
            assert_replay(&answer, &first);
        } else {
            answer.refused(409, "REQUEST_IN_PROGRESS");
        }
    }
    first
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_with_one_key_make_one_customer() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for round in 1..=20 {
        let (key, body) = (format!("round-{round}"), json!({ "name": "A" }));
        let answers = join_all((0..32).map(|_| post(&api, &acme, &key, &body))).await;
        let first = only_effect(answers, round);
        assert_replay(&post(&api, &acme, &key, &body).await, &first);
        assert_eq!(count(&api, &acme).await, round, "round {round}");
    }
}

/// A retry that arrives while the first request is in progress must not get a conflict with the
/// customer that the first request creates. From such a conflict, the caller would conclude that
/// another request had created the customer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_with_one_key_do_not_conflict_with_their_own_client_id() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for round in 0..10 {
        let id = format!("round-{round}");
        let body = json!({ "name": "A", "client_id": id });
        let answers = join_all((0..32).map(|_| post(&api, &acme, &id, &body))).await;
        only_effect(answers, round);
    }
}

#[tokio::test]
async fn a_key_is_kept_for_24_hours() {
    let (api, now) = Api::with_clock_at(NOON).await;
    let (acme, body) = (Persona::of("acme"), json!({ "name": "A" }));
    let first = post(&api, &acme, "k", &body).await;
    now.store(NOON + DAY - 1, Ordering::SeqCst);
    assert_replay(&post(&api, &acme, "k", &body).await, &first);

    now.store(NOON + DAY, Ordering::SeqCst);
    let fresh = post(&api, &acme, "k", &json!({ "name": "B" })).await;
    assert!(!is_replayed(&fresh));
    assert_eq!(fresh.clone().expect(201)["name"], "B");
    // The new use of the key starts its own 24 hours.
    now.store(NOON + 2 * DAY - 1, Ordering::SeqCst);
    assert_replay(&post(&api, &acme, "k", &json!({ "name": "B" })).await, &fresh);
    assert_eq!(count(&api, &acme).await, 2);
}

#[tokio::test]
async fn a_key_is_kept_for_24_hours_to_the_millisecond() {
    let (api, now) = Api::with_clock_at(NOON + 999).await;
    let (acme, body) = (Persona::of("acme"), json!({ "name": "A" }));
    let first = post(&api, &acme, "k", &body).await;
    now.fetch_add(DAY - 1, Ordering::SeqCst);
    assert_replay(&post(&api, &acme, "k", &body).await, &first);
}

/// Changes the item of a key to the state that a function leaves behind if it dies after reserving
/// the key and before doing the work.
async fn abandon(api: &Api, tenant: &str, key: &str, lease_until: i64) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(key.as_bytes())[..16]);
    api.dynamodb
        .update_item()
        .table_name(&api.table)
        .key("pk", text(&format!("T#{}#IDEMPOTENCY#create-customer#{hash}", api.tenant(tenant))))
        .key("sk", text("IDEMPOTENCY"))
        .condition_expression("attribute_exists(answer)")
        .update_expression("SET lease_until = :lease, #owner = :owner REMOVE answer")
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_values(":owner", text("a dead function"))
        .expression_attribute_values(":lease", AttributeValue::N(lease_until.to_string()))
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_retry_takes_over_an_abandoned_key_when_its_lease_ends() {
    let (api, now) = Api::with_clock_at(NOON).await;
    let (acme, body) = (Persona::of("acme"), json!({ "name": "A" }));
    post(&api, &acme, "k", &body).await.expect(201);
    let lease_until = NOON + 60_000;
    abandon(&api, "acme", "k", lease_until).await;

    for millis in [NOON, lease_until - 1] {
        now.store(millis, Ordering::SeqCst);
        let answer = post(&api, &acme, "k", &body).await;
        assert!(!is_replayed(&answer));
        answer.refused(409, "REQUEST_IN_PROGRESS");
    }
    now.store(lease_until + 1, Ordering::SeqCst);
    let another = post(&api, &acme, "k", &json!({ "name": "B" })).await;
    another.refused(409, "IDEMPOTENCY_KEY_REUSED");
    let taken_over = post(&api, &acme, "k", &body).await;
    assert!(!is_replayed(&taken_over));
    assert_eq!(taken_over.status, 201, "{}", taken_over.text);
    assert_replay(&post(&api, &acme, "k", &body).await, &taken_over);
    assert_eq!(count(&api, &acme).await, 2);
}

#[tokio::test]
async fn an_abandoned_key_is_released_after_24_hours() {
    let (api, now) = Api::with_clock_at(NOON).await;
    let acme = Persona::of("acme");
    post(&api, &acme, "k", &json!({ "name": "A" })).await.expect(201);
    abandon(&api, "acme", "k", NOON + 60_000).await;

    let other = json!({ "name": "B" });
    now.store(NOON + DAY - 1, Ordering::SeqCst);
    post(&api, &acme, "k", &other).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    now.store(NOON + DAY, Ordering::SeqCst);
    let fresh = post(&api, &acme, "k", &other).await;
    assert!(!is_replayed(&fresh));
    assert_eq!(fresh.clone().expect(201)["name"], "B");
    assert_replay(&post(&api, &acme, "k", &other).await, &fresh);
}
