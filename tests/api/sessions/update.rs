//! Tests `PATCH /kyc/sessions/{session_id}`.

use api_tests::proptest::prelude::*;
use api_tests::{Api, Persona, Value, json, property};
use futures_util::future::join_all;

use super::{counters, create_session, path_of};

const STATUSES: [&str; 6] =
    ["active", "completed", "approved", "rejected", "manual_review", "expired"];

/// Returns whether the contract allows this change of the status.
fn is_allowed(from: &str, to: &str) -> bool {
    let outcomes = ["approved", "rejected", "manual_review"];
    from == to
        || (from == "active" && to == "completed")
        || (from == "completed" && outcomes.contains(&to))
        || (from == "manual_review" && outcomes[..2].contains(&to))
}

fn decision(status: &str) -> Value {
    match status {
        "approved" | "rejected" => json!(status),
        "manual_review" => json!("flagged"),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn a_session_passes_through_review_to_its_decision() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&create_session(&api, &acme, "a").await);

    let validations = json!([
        { "kind": "document", "result": "passed", "score": 97.5, "at": "2024-11-22T11:59:00+01:00" },
        { "kind": "watchlists", "result": "review" },
    ]);
    let body = json!({ "status": "completed", "validations": validations });
    let completed = api.patch(&acme, &path, &body).await.expect(200);
    let expected = json!([
        { "kind": "document", "result": "passed", "score": 97.5, "at": "2024-11-22T10:59:00.000Z" },
        { "kind": "watchlists", "result": "review", "score": null, "at": completed["updated_at"] },
    ]);
    assert_eq!((&completed["status"], &completed["validations"]), (&json!("completed"), &expected));
    assert_eq!(completed["updated_at"], completed["completed_at"]);

    let review = json!({ "status": "manual_review", "final_decision": "flagged" });
    let flagged = api.patch(&acme, &path, &review).await.expect(200);
    assert_eq!(
        (&flagged["status"], &flagged["final_decision"]),
        (&json!("manual_review"), &json!("flagged"))
    );

    let more = json!({ "validations": [{ "kind": "watchlists", "result": "passed", "at": "2024-11-22T12:00:02Z" }] });
    let with_more = api.patch(&acme, &path, &more).await.expect(200);
    assert_eq!(with_more["validations"].as_array().unwrap().len(), 3);
    assert_eq!(with_more["final_decision"], "flagged");
    // Sending a validation again does not add it a second time.
    assert_eq!(api.patch(&acme, &path, &more).await.expect(200), with_more);

    let approved = api.patch(&acme, &path, &json!({ "status": "approved" })).await.expect(200);
    assert_eq!(
        (&approved["final_decision"], &approved["completed_at"]),
        (&json!("approved"), &completed["completed_at"])
    );
    let same = json!({ "status": "approved", "final_decision": "approved", "validations": more["validations"] });
    assert_eq!(api.patch(&acme, &path, &same).await.expect(200), approved);

    let late = json!({ "validations": [{ "kind": "crypto", "result": "failed" }] });
    let error = api.patch(&acme, &path, &late).await.refused(409, "INVALID_TRANSITION");
    assert_eq!(error["details"][0]["field"], "/validations");
    assert_eq!(api.get(&acme, &path).await.expect(200), approved);
}

#[tokio::test]
async fn a_score_is_rounded_to_six_decimals() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&create_session(&api, &acme, "a").await);
    let scores = [json!(1e-200), json!(99.123_456_789), json!(100)];
    let validations: Vec<Value> = scores
        .iter()
        .map(|score| json!({ "kind": "document", "result": "passed", "score": score }))
        .collect();

    let patched = api.patch(&acme, &path, &json!({ "validations": validations })).await.expect(200);

    let stored: Vec<f64> = patched["validations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["score"].as_f64().unwrap())
        .collect();
    assert_eq!(stored, [0.0, 99.123_457, 100.0]);
    assert_eq!(api.get(&acme, &path).await.expect(200), patched);
}

#[tokio::test]
async fn every_fault_is_reported_at_once() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let session = create_session(&api, &acme, "a").await;
    let path = path_of(&session);
    let body = json!({
        "status": "done", "final_decision": "maybe", "metadata": {}, "created_at": "x",
        "validations": [
            { "kind": "iris", "result": "failed", "score": 101, "extra": 1 },
            { "result": "ok", "at": "yesterday" },
            7,
            { "kind": "document", "result": "passed", "at": "2999-01-01T00:00:00Z", "score": "1" },
        ],
    });

    let mut faults = api.patch(&acme, &path, &body).await.faults();
    faults.sort();

    let expected = [
        "/final_decision",
        "/status",
        "/validations/0/extra",
        "/validations/0/kind",
        "/validations/0/score",
        "/validations/1/at",
        "/validations/1/kind",
        "/validations/1/result",
        "/validations/2",
        "/validations/3/at",
        "/validations/3/score",
    ];
    assert_eq!(faults, expected);

    let decided = json!({ "final_decision": "approved" });
    assert_eq!(api.patch(&acme, &path, &decided).await.faults(), ["/final_decision"]);

    let many: Vec<Value> = (0..101)
        .map(|i| json!({ "kind": "document", "result": "passed", "score": i % 100 }))
        .collect();
    let body = json!({ "validations": many });
    assert_eq!(api.patch(&acme, &path, &body).await.faults(), ["/validations"]);
    let hundred = json!({ "validations": many[..100] });
    api.patch(&acme, &path, &hundred).await.expect(200);

    let one = json!({ "validations": [{ "kind": "liveness", "result": "passed" }] });
    assert_eq!(api.patch(&acme, &path, &one).await.faults(), ["/validations"]);

    let read = api.get(&acme, &path).await.expect(200);
    assert_eq!(read["validations"].as_array().unwrap().len(), 100);
    assert_eq!(read["status"], "active");
}

/// Applies random patches to several sessions of a customer, and compares the answers and the
/// counters with a model of the contract.
#[test]
fn the_counters_match_the_statuses_of_the_sessions() {
    let patches = prop::collection::vec((0..4usize, 0..6usize, any::<bool>()), 1..40);
    property(24, &patches, async |api, tenant, patches| {
        let who = Persona::of(tenant);
        let mut sessions = Vec::new();
        for _ in 0..4 {
            sessions.push((create_session(api, &who, "a").await, "active"));
        }

        for (index, to, has_decision) in patches {
            let (session, status) = &mut sessions[index];

            let mut body = json!({ "status": STATUSES[to] });
            if has_decision {
                body["final_decision"] = decision(STATUSES[to]);
            }
            let answer = api.patch(&who, &path_of(session), &body).await;
            if is_allowed(status, STATUSES[to]) {
                let patched = answer.expect(200);
                *status = STATUSES[to];
                assert_eq!(patched["status"], *status);
                assert_eq!(patched["final_decision"], decision(status));
            } else {
                let error = answer.refused(409, "INVALID_TRANSITION");
                assert_eq!(error["details"][0]["status"], *status);
            }

            let counts = counters(api, &who, &sessions[0].0).await;
            assert_eq!(counts["total"], 4);
            for status in ["active", "approved", "rejected", "manual_review"] {
                let count = sessions.iter().filter(|(_, current)| *current == status).count();
                assert_eq!(counts[status], count, "{status}");
            }
            assert_eq!(counts["last_session_id"], sessions[3].0["session_id"]);
            assert_eq!(counts["last_status"], sessions[3].1);
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_two_conflicting_parallel_outcomes_is_stored() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for _ in 0..10 {
        let session = create_session(&api, &acme, "a").await;
        let path = path_of(&session);
        api.patch(&acme, &path, &json!({ "status": "completed" })).await.expect(200);
        let before = counters(&api, &acme, &session).await;

        let outcomes = ["approved", "rejected"].repeat(8);
        let answers = join_all(outcomes.iter().map(async |status| {
            (status, api.patch(&acme, &path, &json!({ "status": status })).await)
        }))
        .await;

        let stored = api.get(&acme, &path).await.expect(200)["status"].clone();
        for (status, answer) in answers {
            if *status == stored {
                assert_eq!(answer.expect(200)["status"], stored);
            } else {
                answer.refused(409, "INVALID_TRANSITION");
            }
        }

        let after = counters(&api, &acme, &session).await;
        let decided = |counters: &Value| {
            counters["approved"].as_u64().unwrap() + counters["rejected"].as_u64().unwrap()
        };
        assert_eq!(decided(&after), decided(&before) + 1);
        let stored = stored.as_str().unwrap();
        assert_eq!(after[stored].as_u64().unwrap(), before[stored].as_u64().unwrap() + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_patches_add_all_their_validations() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let session = create_session(&api, &acme, "a").await;
    let path = path_of(&session);

    join_all((0..16).map(async |i| {
        let body =
            json!({ "validations": [{ "kind": "document", "result": "passed", "score": i }] });
        api.patch_repeated(&acme, &path, &body).await.expect(200);
    }))
    .await;

    let read = api.get(&acme, &path).await.expect(200);
    let mut scores: Vec<u64> = read["validations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["score"].as_f64().unwrap() as u64)
        .collect();
    scores.sort_unstable();
    assert_eq!(scores, (0..16).collect::<Vec<_>>());

    let customer = api.get(&acme, &api_tests::path_of(&session)).await.expect(200);
    assert_eq!(customer["version"], 2 + 16);
}
