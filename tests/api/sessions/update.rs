//! PATCH /kyc/sessions/{session_id}

use api_tests::proptest::prelude::*;
use api_tests::{Api, Persona, Value, json, property};
use futures_util::future::join_all;

use super::{counters, path_of, session};

const STATUSES: [&str; 6] =
    ["active", "completed", "approved", "rejected", "manual_review", "expired"];

/// The moves the contract names.
fn may_move(from: &str, to: &str) -> bool {
    let outcome = ["approved", "rejected", "manual_review"];
    from == to
        || (from == "active" && to == "completed")
        || (from == "completed" && outcome.contains(&to))
        || (from == "manual_review" && outcome[..2].contains(&to))
}

fn decision(status: &str) -> Value {
    match status {
        "approved" | "rejected" => json!(status),
        "manual_review" => json!("flagged"),
        _ => Value::Null,
    }
}

#[tokio::test]
async fn a_session_goes_its_way() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&session(&api, &acme, "a").await);
    let validations = json!([
        { "kind": "document", "result": "passed", "score": 97.5, "at": "2024-11-22T11:59:00+01:00" },
        { "kind": "watchlists", "result": "review" },
    ]);
    let body = json!({ "status": "completed", "validations": validations });
    let done = api.patch(&acme, &path, &body).await.expect(200);
    let kept = json!([
        { "kind": "document", "result": "passed", "score": 97.5, "at": "2024-11-22T10:59:00.000Z" },
        { "kind": "watchlists", "result": "review", "score": null, "at": done["updated_at"] },
    ]);
    assert_eq!((&done["status"], &done["validations"]), (&json!("completed"), &kept));
    assert_eq!(done["updated_at"], done["completed_at"]);

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
    // Said again, it is not added again.
    assert_eq!(api.patch(&acme, &path, &more).await.expect(200), with_more);

    let approved = api.patch(&acme, &path, &json!({ "status": "approved" })).await.expect(200);
    assert_eq!(
        (&approved["final_decision"], &approved["completed_at"]),
        (&json!("approved"), &done["completed_at"])
    );
    let again = json!({ "status": "approved", "final_decision": "approved", "validations": more["validations"] });
    assert_eq!(api.patch(&acme, &path, &again).await.expect(200), approved);
    let late = json!({ "validations": [{ "kind": "crypto", "result": "failed" }] });
    let error = api.patch(&acme, &path, &late).await.refused(409, "INVALID_TRANSITION");
    assert_eq!(error["details"][0]["field"], "/validations");
    assert_eq!(api.get(&acme, &path).await.expect(200), approved);
}

#[tokio::test]
async fn a_score_is_kept_to_six_decimals() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&session(&api, &acme, "a").await);
    let scores = [json!(1e-200), json!(99.123_456_789), json!(100)];
    let validations: Vec<Value> = scores
        .iter()
        .map(|score| json!({ "kind": "document", "result": "passed", "score": score }))
        .collect();
    let patched = api.patch(&acme, &path, &json!({ "validations": validations })).await.expect(200);
    let kept: Vec<f64> = patched["validations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["score"].as_f64().unwrap())
        .collect();
    assert_eq!(kept, [0.0, 99.123_457, 100.0]);
    assert_eq!(api.get(&acme, &path).await.expect(200), patched);
}

#[tokio::test]
async fn every_fault_is_named_at_once() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let made = session(&api, &acme, "a").await;
    let path = path_of(&made);
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
        "/created_at",
        "/final_decision",
        "/metadata",
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

/// Random patches of several sessions of one customer, against a model of the contract.
#[test]
fn the_counters_tell_where_the_sessions_stand() {
    let patches = prop::collection::vec((0..4usize, 0..6usize, any::<bool>()), 1..40);
    property(24, &patches, async |api, tenant, patches| {
        let who = Persona::of(tenant);
        let mut sessions = Vec::new();
        for _ in 0..4 {
            sessions.push((session(api, &who, "a").await, "active"));
        }
        for (which, to, decides) in patches {
            let (made, status) = &mut sessions[which];
            let mut body = json!({ "status": STATUSES[to] });
            if decides {
                body["final_decision"] = decision(STATUSES[to]);
            }
            let answer = api.patch(&who, &path_of(made), &body).await;
            if may_move(status, STATUSES[to]) {
                let patched = answer.expect(200);
                *status = STATUSES[to];
                assert_eq!(patched["status"], *status);
                assert_eq!(patched["final_decision"], decision(status));
            } else {
                let error = answer.refused(409, "INVALID_TRANSITION");
                assert_eq!(error["details"][0]["status"], *status);
            }
            let counted = counters(api, &who, &sessions[0].0).await;
            assert_eq!(counted["total"], 4);
            for status in ["active", "approved", "rejected", "manual_review"] {
                let stand = sessions.iter().filter(|(_, stands)| *stands == status).count();
                assert_eq!(counted[status], stand, "{status}");
            }
            assert_eq!(counted["last_session_id"], sessions[3].0["session_id"]);
            assert_eq!(counted["last_status"], sessions[3].1);
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_parallel_outcomes_one_stands() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for _ in 0..10 {
        let made = session(&api, &acme, "a").await;
        let path = path_of(&made);
        api.patch(&acme, &path, &json!({ "status": "completed" })).await.expect(200);
        let before = counters(&api, &acme, &made).await;
        let outcomes = ["approved", "rejected"].repeat(8);
        let answers = join_all(outcomes.iter().map(async |status| {
            (status, api.patch(&acme, &path, &json!({ "status": status })).await)
        }))
        .await;
        let stands = api.get(&acme, &path).await.expect(200)["status"].clone();
        for (status, answer) in answers {
            match *status == stands {
                true => assert_eq!(answer.expect(200)["status"], stands),
                false => drop(answer.refused(409, "INVALID_TRANSITION")),
            }
        }
        let after = counters(&api, &acme, &made).await;
        let sum = |counted: &Value| {
            counted["approved"].as_u64().unwrap() + counted["rejected"].as_u64().unwrap()
        };
        assert_eq!(sum(&after), sum(&before) + 1);
        let stands = stands.as_str().unwrap();
        assert_eq!(after[stands].as_u64().unwrap(), before[stands].as_u64().unwrap() + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_validation_of_parallel_patches_is_lost() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let made = session(&api, &acme, "a").await;
    let path = path_of(&made);
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
    let customer = api.get(&acme, &api_tests::path_of(&made)).await.expect(200);
    assert_eq!(customer["version"], 2 + 16);
}
