//! Tests `POST /customers/{id}/erase`.

use api_tests::faults::{End, Gate, Mortal, NoTransactions};
use api_tests::log::watch;
use api_tests::{Answer, Api, Persona, Value, json, path_of};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::audit::{items, plain};
use crate::invariants::checked;
use crate::monitoring::Setup;
use crate::organization::structure;

use super::populated::{KEY, PERSONAL, populated_customer, post_with_key};

/// Returns every item of the table as text, including the decompressed content of binary
/// attributes.
async fn dump_table(setup: &Setup) -> Vec<String> {
    let mut all = Vec::new();
    let mut start = None;
    loop {
        let scan = setup.api.dynamodb.scan().table_name(&setup.api.table);
        let page = scan.set_exclusive_start_key(start).send().await.unwrap();
        for item in page.items.unwrap_or_default() {
            let mut text = String::new();
            for value in item.values().filter_map(|value| value.as_b().ok()) {
                let bytes = miniz_oxide::inflate::decompress_to_vec(value.as_ref()).unwrap();
                text += &String::from_utf8_lossy(&bytes);
            }
            let item = item.into_iter().filter(|(_, value)| !value.is_b()).collect();
            all.push(plain(&AttributeValue::M(item)).to_string() + &text);
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return all;
        }
    }
}

fn items_with<'a>(table: &'a [String], text: &str) -> Vec<&'a String> {
    table.iter().filter(|item| item.contains(text)).collect()
}

fn erase_path(customer: &Value) -> String {
    format!("{}/erase", path_of(customer))
}

/// Returns the body of a request to erase a customer before its retention has ended.
fn reason() -> Value {
    json!({ "override_reason": "The customer asked for it" })
}

/// Requests an erasure with an override reason, which does not have to wait for the end of the
/// retention period.
async fn erase(api: &Api, who: &Persona, customer: &Value) -> Answer {
    api.post(who, &erase_path(customer), &reason()).await
}

/// Requests an erasure without a reason, which is refused before the end of the retention period.
async fn erase_after_retention(setup: &Setup, customer: &Value) -> Answer {
    setup.api.call(&setup.acme, "POST", &erase_path(customer)).send().await
}

#[tokio::test]
async fn an_erasure_leaves_no_personal_data_in_the_table() {
    let (setup, customer) = populated_customer().await;
    let before = dump_table(&setup).await;
    for secret in PERSONAL {
        assert!(!items_with(&before, secret).is_empty(), "{secret}");
    }
    assert_eq!(items_with(&before, KEY), Vec::<&String>::new());

    let version =
        setup.api.get(&setup.acme, &path_of(&customer)).await.expect(200)["version"].clone();
    let answer = erase(&setup.api, &setup.acme, &customer).await;
    let etag = answer.header("etag").unwrap().to_owned();
    let tombstone = answer.expect(200);

    let after = dump_table(&setup).await;
    for secret in PERSONAL {
        assert_eq!(items_with(&after, secret), Vec::<&String>::new(), "{secret}");
    }

    assert_eq!(tombstone["version"], version.as_u64().unwrap() + 1);
    assert_eq!(etag, format!("\"{}\"", tombstone["version"]));
    assert_eq!(
        (&tombstone["name"], &tombstone["status"]),
        (&json!("[erased]"), &json!("inactive"))
    );
    assert!(tombstone["erased_at"].is_string());
    for cleared in [
        "client_id",
        "website",
        "tax_id",
        "country",
        "email",
        "phone",
        "industry",
        "retain_until",
        "retain_reason",
    ] {
        assert_eq!(tombstone[cleared], Value::Null, "{cleared}");
    }

    assert_eq!(setup.api.get(&setup.acme, &path_of(&customer)).await.expect(200), tombstone);
    let report = checked(&setup).await;
    assert_eq!(report.violations, [], "{:?}", report.items);
}

#[tokio::test]
async fn an_erasure_keeps_the_data_that_an_audit_needs() {
    let (setup, customer) = populated_customer().await;

    let before = super::export::export_all(&setup, &customer).await;
    erase(&setup.api, &setup.acme, &customer).await.expect(200);
    let after = super::export::export_all(&setup, &customer).await;

    let assert_unchanged = |kind: &str, fields: &[&str]| {
        for (before, after) in before[kind].iter().zip(&after[kind]) {
            for field in fields {
                assert_eq!(before[*field], after[*field], "{kind} {field}");
            }
        }
        assert_eq!(before[kind].len(), after[kind].len());
    };

    assert_unchanged(
        "session",
        &["session_id", "status", "final_decision", "validations", "created_at", "completed_at"],
    );
    assert_unchanged(
        "alert",
        &[
            "alert_id",
            "list",
            "entity_id",
            "score",
            "status",
            "first_seen_at",
            "resolved_by",
            "resolved_at",
        ],
    );
    assert_unchanged(
        "risk_profile",
        &["score", "level", "previous_level", "model_version", "trigger", "calculated_at"],
    );

    let (old_events, new_events) = (&before["event"], &after["event"]);
    // The second export contains the event of the first one.
    let is_change = |event: &&Value| event["kind"] != "customer.exported";
    let new_events: Vec<&Value> = new_events.iter().filter(is_change).collect();
    assert_eq!(new_events.len(), old_events.len() + 1);
    for (before, after) in old_events.iter().zip(&new_events) {
        for field in ["event_id", "kind", "at", "actor", "request_id"] {
            assert_eq!(before[field], after[field], "{field}");
        }
        let names = |event: &Value| {
            event["changes"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(before), names(after));
        assert_eq!(before["changes"]["status"], after["changes"]["status"]);
    }
    let erased = new_events.last().unwrap();
    assert_eq!((&erased["kind"], &erased["actor"]), (&json!("customer.erased"), &json!("tester")));
    assert_eq!(
        (&erased["changes"]["name"], &erased["changes"]["status"]["to"]),
        (&Value::Null, &json!("inactive"))
    );
    assert!(!after.contains_key("organization") && !after.contains_key("monitor"));
}

#[tokio::test]
async fn an_erased_customer_cannot_be_changed() {
    let (setup, customer) = populated_customer().await;
    let tombstone = erase(&setup.api, &setup.acme, &customer).await.expect(200);
    let table = dump_table(&setup).await;

    let path = path_of(&customer);
    let erased = "CUSTOMER_ERASED";
    for body in [json!({ "status": "active" }), json!({ "name": "Back" }), json!({ "tags": ["a"] })]
    {
        setup.api.patch(&setup.acme, &path, &body).await.refused(409, erased);
    }
    let link = json!({ "customer_id": customer["customer_id"] });
    setup.api.post(&setup.acme, "/kyc/sessions", &link).await.refused(409, erased);
    setup.api.post(&setup.acme, &format!("{path}/monitor"), &json!({})).await.refused(409, erased);
    let put_organization = setup.api.call(&setup.acme, "PUT", &format!("{path}/organization"));
    put_organization.json(&structure(&["p"], &[])).send().await.refused(409, erased);
    setup
        .api
        .get(&setup.acme, &format!("{path}/risk-profile?recalculate=true"))
        .await
        .refused(409, erased);
    let alerts =
        setup.api.get(&setup.acme, &format!("{path}/alerts?status=open")).await.expect(200);
    let alert = alerts["items"][0]["alert_id"].as_str().unwrap();
    let decision = json!({ "status": "false_positive", "note": "no" });
    setup
        .api
        .patch(&setup.acme, &format!("{path}/alerts/{alert}"), &decision)
        .await
        .refused(409, erased);
    let sessions =
        setup.api.get(&setup.acme, &format!("{path}/sessions?status=active")).await.expect(200);
    let session = crate::sessions::path_of(&sessions["items"][0]);
    setup
        .api
        .patch(&setup.acme, &session, &json!({ "status": "completed" }))
        .await
        .refused(409, erased);

    // Deactivating or erasing the customer again has no effect.
    assert_eq!(setup.api.delete(&setup.acme, &path).await.expect(200), tombstone);
    assert_eq!(erase(&setup.api, &setup.acme, &customer).await.expect(200), tombstone);
    assert_eq!(dump_table(&setup).await, table);

    // A search does not find the customer, and its client id is available again.
    let page = setup.api.get(&setup.acme, "/customers?search=mirka").await.expect(200);
    assert_eq!(page["count"], 0);
    let new =
        setup.api.create(&setup.acme, &json!({ "name": "New", "client_id": "crm-secret-1" })).await;
    assert_ne!(new["customer_id"], customer["customer_id"]);
}

#[tokio::test]
async fn a_customer_under_a_retention_hold_is_not_erased() {
    let setup = Setup::without_lists().await;
    let customer =
        setup.api.create(&setup.acme, &json!({ "name": "A", "retain_until": "2999-12-31" })).await;
    assert_eq!(customer["retain_reason"], Value::Null);
    let patch = json!({ "retain_reason": "Anti-money-laundering law, 5 years" });
    setup.api.patch(&setup.acme, &path_of(&customer), &patch).await.expect(200);

    // Neither a reason nor the end of the retention period ends the hold.
    let refused = erase_after_retention(&setup, &customer).await.refused(409, "RETENTION_HOLD");
    assert_eq!(refused["details"][0]["retain_until"], "2999-12-31");
    let refused = erase(&setup.api, &setup.acme, &customer).await.refused(409, "RETENTION_HOLD");
    assert_eq!(refused["details"][0]["retain_until"], "2999-12-31");
    assert_eq!(refused["details"][0]["retain_reason"], patch["retain_reason"]);

    // The refusal does not use up the idempotency key, so the key works after the hold has ended.
    let path = erase_path(&customer);
    let erase_keyed = async || {
        let call = setup.api.call(&setup.acme, "POST", &path).header("idempotency-key", KEY);
        call.json(&reason()).send().await
    };
    erase_keyed().await.refused(409, "RETENTION_HOLD");
    assert_eq!(items_with(&dump_table(&setup).await, "IDEMPOTENCY"), Vec::<&String>::new());

    let without_date = json!({ "retain_until": null });
    let faults = setup.api.patch(&setup.acme, &path_of(&customer), &without_date).await.faults();
    assert_eq!(faults, ["/retain_reason"]);

    // The hold includes its last day.
    let day = |millis: i64| {
        shared::model::time::Timestamp::from_millis(millis).to_string()[..10].to_owned()
    };
    let now = setup.now.load(std::sync::atomic::Ordering::SeqCst);
    for (until, status) in [(now, 409), (now - 24 * 3_600_000, 200)] {
        let patch = json!({ "retain_until": day(until) });
        setup.api.patch(&setup.acme, &path_of(&customer), &patch).await.expect(200);
        assert_eq!(erase_keyed().await.status, status);
    }
}

#[tokio::test]
async fn an_erasure_with_an_old_etag_or_without_permission_is_refused() {
    let setup = Setup::without_lists().await;
    let customer = setup.api.create(&setup.acme, &json!({ "name": "A" })).await;
    let path = erase_path(&customer);
    let erase_if = async |etag: &str| {
        let call = setup.api.call(&setup.acme, "POST", &path).header("if-match", etag);
        call.json(&reason()).send().await
    };

    erase_if("\"2\"").await.refused(412, "VERSION_MISMATCH");
    erase_if("\"1\"").await.expect(200);
    erase_if("\"1\"").await.refused(412, "VERSION_MISMATCH");
    erase_if("\"2\"").await.expect(200);

    for permission in ["kyc:create", "kyc:delete", "kyc:update"] {
        let who = Persona::with("acme", &[permission]);
        erase(&setup.api, &who, &customer).await.refused(403, "INSUFFICIENT_PERMISSIONS");
    }

    let unknown = json!({ "customer_id": "01920000-0000-7000-8000-000000000000" });
    erase(&setup.api, &setup.acme, &unknown).await.refused(404, "CUSTOMER_NOT_FOUND");
}

#[tokio::test]
async fn an_idempotency_key_replays_the_answer_of_an_erasure() {
    let (setup, customer) = populated_customer().await;
    let send = async || {
        let call = setup.api.call(&setup.acme, "POST", &erase_path(&customer));
        call.header("idempotency-key", "k").json(&reason()).send().await
    };

    let (first, second) = (send().await, send().await);

    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.expect(200), second.expect(200));
}

/// The stored answers contain personal data, so they must not be replayed after their customer is
/// erased.
#[tokio::test]
async fn the_idempotency_keys_of_an_erased_customer_report_the_erasure() {
    let setup = Setup::start(&[("1", "Nora Quist")]).await;
    let body = json!({ "name": "A", "client_id": "c" });
    let customer = post_with_key(&setup, KEY, "/customers", &body).await.expect(201);
    let link = json!({ "customer_id": customer["customer_id"] });
    post_with_key(&setup, KEY, "/kyc/sessions", &link).await.expect(201);
    let monitor = format!("{}/monitor", path_of(&customer));
    post_with_key(&setup, KEY, &monitor, &json!({})).await.expect(201);

    // The first session for this client id also creates the customer.
    let first = json!({ "client_id": "d", "name": "D" });
    let other = post_with_key(&setup, "other", "/kyc/sessions", &first).await.expect(201);

    erase(&setup.api, &setup.acme, &customer).await.expect(200);
    let replayed = post_with_key(&setup, "other", "/kyc/sessions", &first).await;
    assert_eq!(replayed.expect(201), other);
    erase(&setup.api, &setup.acme, &other).await.expect(200);

    for (key, path, body) in [
        (KEY, "/customers", &body),
        (KEY, "/kyc/sessions", &link),
        (KEY, monitor.as_str(), &json!({})),
        ("other", "/kyc/sessions", &first),
    ] {
        let answer = post_with_key(&setup, key, path, body).await;
        assert_eq!(answer.header("idempotent-replayed"), Some("true"), "{path}");
        answer.refused(409, "CUSTOMER_ERASED");
    }

    let another = json!({ "name": "B" });
    post_with_key(&setup, KEY, "/customers", &another).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(setup.api.get(&setup.acme, "/customers").await.expect(200)["count"], 2);
    assert_eq!(checked(&setup).await.violations, []);
}

/// A key expires after a day, and then another request can use it.
#[tokio::test]
async fn an_erasure_keeps_the_answer_of_a_later_request_with_the_same_key() {
    let setup = Setup::without_lists().await;
    let erased =
        post_with_key(&setup, KEY, "/customers", &json!({ "name": "A" })).await.expect(201);

    setup.advance_clock(25 * 3_600);
    let body = json!({ "name": "B" });
    let other = post_with_key(&setup, KEY, "/customers", &body).await.expect(201);
    assert_ne!(other["customer_id"], erased["customer_id"]);

    erase(&setup.api, &setup.acme, &erased).await.expect(200);
    assert_eq!(post_with_key(&setup, KEY, "/customers", &body).await.expect(201), other);
}

/// Returns the item of a customer.
async fn stored_customer(setup: &Setup, customer: &Value) -> Value {
    let key = json!({ "customer_id": customer["customer_id"], "tenant_id": "acme" });
    items(&setup.api, &key, "CUSTOMER").await.swap_remove(0)
}

/// How an interrupted erasure continues.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Resumption {
    /// The request is repeated.
    Request,
    /// The scheduled job runs.
    Schedule,
}

/// Lets the process that erases a customer die before or after each of its calls to the table in
/// turn. Checks each time that the erasure can be resumed and completed.
async fn interrupt_at_every_call(resumption: Resumption) {
    const MAX_CALLS: usize = 20;
    for (interruptions, end) in
        (0..MAX_CALLS).flat_map(|call| [End::Before(call), End::After(call)]).enumerate()
    {
        let (setup, customer) = populated_customer().await;
        let mortal = Mortal::new(end);
        let victim = setup.server_with_fault(mortal.clone()).await;
        let answer = setup.api.call(&setup.acme, "GET", &path_of(&customer)).send().await;
        let etag = answer.header("etag").unwrap().to_owned();
        mortal.arm();
        let died = tokio::select! {
            () = mortal.ended() => true,
            answer = erase(&victim, &setup.acme, &customer) => {
                answer.expect(200);
                false
            }
        };

        let stored = stored_customer(&setup, &customer).await;
        let violations = checked(&setup).await.violations;
        let has_started = !stored["erased_at"].is_null();
        assert!(has_started || violations.is_empty(), "{end:?}: {violations:?}");
        let is_unfinished = has_started && stored["is_scrubbed"].is_null();

        match resumption {
            Resumption::Request => {
                let mut call = setup.api.call(&setup.acme, "POST", &erase_path(&customer));
                if stored["is_scrubbed"].is_null() {
                    call = call.header("if-match", &etag);
                }
                // The reason is needed only to start an erasure, not to resume it.
                if !has_started {
                    call = call.json(&reason());
                }
                call.send().await.expect(200);
            }
            Resumption::Schedule => {
                let resume = async || {
                    let result = setup.api.run("rescreen", &json!({ "pass": "resume" })).await;
                    result.unwrap()["erasures"].clone()
                };
                let count = u8::from(is_unfinished);
                // The schedule leaves an erasure alone for a minute, because its request may still
                // be running.
                let oldest = Some(&stored["erased_at"]).filter(|_| is_unfinished);
                let unfinished = json!({ "finished": 0, "unfinished": count, "oldest": oldest });
                assert_eq!(resume().await, unfinished, "{end:?}");
                setup.advance_clock(61);
                let finished = json!({ "finished": count, "unfinished": 0, "oldest": null });
                assert_eq!(resume().await, finished, "{end:?}");
            }
        }

        let report = checked(&setup).await;
        assert_eq!(report.violations, [], "{end:?}");
        assert_eq!(report.items.get("erasure"), None, "{end:?}");
        if has_started || resumption == Resumption::Request {
            let table = dump_table(&setup).await;
            for secret in PERSONAL {
                assert_eq!(items_with(&table, secret), Vec::<&String>::new(), "{end:?} {secret}");
            }
        }

        if !died {
            assert!(interruptions > 4, "only {interruptions} interruptions");
            return;
        }
    }
    panic!("an erasure makes more than {MAX_CALLS} calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_erasure_is_completed_by_the_next_request() {
    interrupt_at_every_call(Resumption::Request).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_erasure_is_completed_by_the_schedule() {
    interrupt_at_every_call(Resumption::Schedule).await;
}

/// A process dies after the first transaction of an erasure. While the transactions of the job
/// fail, the job reports when the erasure began. The next run of the job finishes the erasure.
#[tokio::test]
async fn an_erasure_that_cannot_be_finished_is_reported_and_tried_again() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let mortal = Mortal::new(End::After(2));
    let victim = setup.server_with_fault(mortal.clone()).await;
    mortal.arm();
    tokio::select! {
        () = mortal.ended() => {}
        answer = erase(&victim, &setup.acme, &customer) => panic!("{}", answer.text),
    }
    setup.advance_clock(3 * 3_600);

    let failing = setup.server_with_fault(NoTransactions(500, "InternalServerError")).await;
    let resume = json!({ "pass": "resume" });
    let result = failing.run("rescreen", &resume).await.unwrap();
    let began_at = &stored_customer(&setup, &customer).await["erased_at"];
    let unfinished = json!({ "finished": 0, "unfinished": 1, "oldest": began_at });
    assert_eq!(result["erasures"], unfinished);
    // The checker reports the erasure, too.
    let violations = checked(&setup).await.violations;
    assert!(violations.iter().all(|violation| violation.rule == "erasure"), "{violations:?}");
    assert!(!violations.is_empty());

    let result = setup.api.run("rescreen", &resume).await.unwrap();
    assert_eq!(result["erasures"], json!({ "finished": 1, "unfinished": 0, "oldest": null }));
    assert_eq!(checked(&setup).await.violations, []);
}

/// Lets a process die after the first transaction of an erasure. Advances the clock until a job may
/// resume the erasure.
async fn interrupt_erasure(setup: &Setup, customer: &Value) {
    let mortal = Mortal::new(End::After(2));
    let victim = setup.server_with_fault(mortal.clone()).await;
    mortal.arm();
    tokio::select! {
        () = mortal.ended() => {}
        answer = erase(&victim, &setup.acme, customer) => panic!("{}", answer.text),
    }
    setup.advance_clock(61);
}

/// A malformed item among the unfinished erasures must not stop the job, and counts as an old
/// erasure in the metric.
#[tokio::test]
async fn a_malformed_unfinished_erasure_is_reported_and_does_not_stop_the_others() {
    const METRIC: &str = "UnfinishedErasureHours";
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    interrupt_erasure(&setup, &customer).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = setup.api.dynamodb.put_item().table_name(&setup.api.table);
    let put = put.item("pk", text("ERASURES")).item("sk", text("2026-01-01 no customer"));
    put.item("type", text("erasure")).send().await.unwrap();

    watch().keep(METRIC);
    let result = setup.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();

    let expected = json!({ "finished": 1, "unfinished": 1, "oldest": null });
    assert_eq!(result["erasures"], expected);
    let hours: Vec<f64> =
        watch().kept(METRIC).iter().filter_map(|line| line[METRIC].as_f64()).collect();
    assert!(hours.contains(&24.0), "{hours:?}");
}

/// Two runs of the job resume the same erasure. The slower one finds the work done, and reports no
/// failure.
#[tokio::test]
async fn two_runs_can_resume_the_same_erasure() {
    let setup = Setup::without_lists().await;
    let company = json!({ "name": "Brindal Quarry Trading", "entity_type": "company" });
    let customer = setup.api.create(&setup.acme, &company).await;
    let path = path_of(&customer) + "/organization";
    let owners = structure(&["p"], &[("p", "self", 60.0)]);
    setup.api.call(&setup.acme, "PUT", &path).json(&owners).send().await.expect(201);
    interrupt_erasure(&setup, &customer).await;

    // The calls before the gate read the erasures, the customer and its partition.
    let gate = Gate::at(3);
    let slow = setup.server_with_fault(gate.clone()).await;
    gate.arm();
    let resume = json!({ "pass": "resume" });
    let other = async {
        gate.reached().await;
        let result = setup.api.run("rescreen", &resume).await.unwrap();
        gate.release();
        result
    };
    let (slow, other) = tokio::join!(slow.run("rescreen", &resume), other);

    let finished = json!({ "finished": 1, "unfinished": 0, "oldest": null });
    assert_eq!(other["erasures"], finished);
    assert_eq!(slow.unwrap()["erasures"], finished);
    assert_eq!(checked(&setup).await.violations, []);
}

const YEAR: i64 = 365 * 24 * 3_600;

/// Returns the customer's `details` entry of a refusal.
fn detail(error: &Value) -> &Value {
    let details = error["details"].as_array().unwrap();
    assert_eq!(details.len(), 1, "{error}");
    &details[0]
}

#[tokio::test]
async fn a_customer_is_erased_when_its_retention_has_ended() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let path = path_of(&customer);

    // The test begins on 2026-11-18.
    let error =
        erase_after_retention(&setup, &customer).await.refused(409, "CUSTOMER_NOT_INACTIVE");
    assert_eq!(detail(&error)["field"], "/override_reason");
    assert_eq!(detail(&error)["status"], "active");
    setup.api.patch(&setup.acme, &path, &json!({ "status": "blocked" })).await.expect(200);
    let error =
        erase_after_retention(&setup, &customer).await.refused(409, "CUSTOMER_NOT_INACTIVE");
    assert_eq!(detail(&error)["status"], "blocked");

    let inactive = setup.api.delete(&setup.acme, &path).await.expect(200);
    let day = &inactive["deactivated_at"].as_str().unwrap()[..10];
    let last_day = day.replace("2026", "2031");
    let error = erase_after_retention(&setup, &customer).await.refused(409, "RETENTION_PERIOD");
    assert_eq!(detail(&error)["field"], "/override_reason");
    assert_eq!(detail(&error)["retain_until"], last_day);

    // A reactivation ends the period, and the next deactivation begins a new one.
    setup.advance_clock(4 * YEAR);
    setup.api.patch(&setup.acme, &path, &json!({ "status": "active" })).await.expect(200);
    setup.advance_clock(2 * YEAR);
    erase_after_retention(&setup, &customer).await.refused(409, "CUSTOMER_NOT_INACTIVE");
    let inactive = setup.api.delete(&setup.acme, &path).await.expect(200);
    erase_after_retention(&setup, &customer).await.refused(409, "RETENTION_PERIOD");

    // Five years contain one or two leap days, so five times 365 days are too few. The refusal does
    // not use up the idempotency key.
    setup.advance_clock(5 * YEAR);
    let erase_keyed = async || {
        let call = setup.api.call(&setup.acme, "POST", &erase_path(&customer));
        call.header("idempotency-key", "k").send().await
    };
    erase_keyed().await.refused(409, "RETENTION_PERIOD");
    setup.advance_clock(3 * 24 * 3_600);
    let tombstone = erase_keyed().await.expect(200);
    assert_eq!(tombstone["deactivated_at"], inactive["deactivated_at"]);
    assert_eq!(tombstone["erasure_override_reason"], Value::Null);
    assert_eq!(checked(&setup).await.violations, []);
}

/// The refusal says to deactivate the customer, so the same request must then get a new answer.
#[tokio::test]
async fn a_customer_that_is_not_inactive_does_not_use_the_key() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let erase_keyed = async || {
        let call = setup.api.call(&setup.acme, "POST", &erase_path(&customer));
        call.header("idempotency-key", "k").send().await
    };
    erase_keyed().await.refused(409, "CUSTOMER_NOT_INACTIVE");
    setup.api.delete(&setup.acme, &path_of(&customer)).await.expect(200);
    erase_keyed().await.refused(409, "RETENTION_PERIOD");
}

/// Without this rule, an erasure would end a block without a review.
#[tokio::test]
async fn the_erasure_of_a_blocked_customer_needs_a_reviewer() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let path = path_of(&customer);
    let eraser = Persona::with("acme", &["kyc:erase", "kyc:read"]);
    setup.api.patch(&setup.acme, &path, &json!({ "status": "blocked" })).await.expect(200);
    // Without a reason, the status is the obstacle, not the permission.
    let plain = setup.api.post(&eraser, &erase_path(&customer), &json!({})).await;
    plain.refused(409, "CUSTOMER_NOT_INACTIVE");
    let error = erase(&setup.api, &eraser, &customer).await;
    let error = error.refused(403, "INSUFFICIENT_PERMISSIONS");
    assert_eq!(detail(&error)["permissions"], json!(["kyc:review"]));
    assert_eq!(setup.api.get(&setup.acme, &path).await.expect(200)["status"], "blocked");
    let both = Persona::with("acme", &["kyc:erase", "kyc:review"]);
    erase(&setup.api, &both, &customer).await.expect(200);
    // The block has ended with the first request, so a repetition needs only the erasure.
    erase(&setup.api, &eraser, &customer).await.expect(200);
}

#[tokio::test]
async fn a_reason_overrides_the_retention_period_and_is_recorded() {
    let (setup, customer) = populated_customer().await;
    let text = "Order 12/34 of the court";
    let body = json!({ "override_reason": format!(" {text} ") });
    let tombstone = setup.api.post(&setup.acme, &erase_path(&customer), &body).await.expect(200);
    assert_eq!(tombstone["erasure_override_reason"], text);
    assert_eq!(tombstone["deactivated_at"], tombstone["erased_at"]);
    assert_eq!(setup.api.get(&setup.acme, &path_of(&customer)).await.expect(200), tombstone);

    let events = crate::audit::events(&setup.api, &tombstone).await;
    let event = events.last().unwrap();
    assert_eq!((&event["kind"], &event["actor"]), (&json!("customer.erased"), &json!("tester")));
    let change = json!({ "from": null, "to": text });
    assert_eq!(event["changes"]["erasure_override_reason"], change);

    // The customer is erased, so another reason has no effect.
    let again = erase(&setup.api, &setup.acme, &customer).await.expect(200);
    assert_eq!(again, tombstone);
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_a_request_with_the_same_reason() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("A").await;
    let send = async |body: &Value| {
        let call = setup.api.call(&setup.acme, "POST", &erase_path(&customer));
        call.header("idempotency-key", "k").json(body).send().await
    };
    send(&reason()).await.expect(200);
    send(&json!({ "override_reason": "Another" })).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    send(&json!({})).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn an_invalid_reason_is_refused() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("A").await;
    for (body, fault) in [
        (json!({ "override_reason": " " }), "/override_reason"),
        (json!({ "override_reason": 1 }), "/override_reason"),
        (json!({ "override_reason": "x".repeat(2_001) }), "/override_reason"),
        (json!({ "reason": "Order of the court" }), "/reason"),
    ] {
        let answer = setup.api.post(&setup.acme, &erase_path(&customer), &body).await;
        assert_eq!(answer.faults(), [fault], "{body}");
    }
    for body in [json!({}), json!({ "override_reason": null })] {
        let answer = setup.api.post(&setup.acme, &erase_path(&customer), &body).await;
        answer.refused(409, "CUSTOMER_NOT_INACTIVE");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_during_an_erasure_leave_no_personal_data() {
    let (setup, customer) = populated_customer().await;
    let path = path_of(&customer);
    let patches = (0..8).map(|number| {
        let body = json!({ "metadata": { "n": format!("secret-value-late-{number}") } });
        let (setup, path) = (&setup, &path);
        async move { setup.api.patch(&setup.acme, path, &body).await.status }
    });
    let erasures = (0..3).map(|_| async { erase(&setup.api, &setup.acme, &customer).await.status });

    let (patched, erased) = tokio::join!(
        futures_util::future::join_all(patches),
        futures_util::future::join_all(erasures)
    );

    assert!(patched.iter().all(|status| [200, 409].contains(status)), "{patched:?}");
    assert!(erased.iter().all(|status| [200, 503].contains(status)), "{erased:?}");

    erase(&setup.api, &setup.acme, &customer).await.expect(200);
    assert_eq!(items_with(&dump_table(&setup).await, "secret-value-late"), Vec::<&String>::new());
    assert_eq!(checked(&setup).await.violations, []);
}

/// A session that starts during the erasure creates a new customer if the erasure has already
/// released the client id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_by_client_id_is_not_refused_during_an_erasure() {
    let setup = Setup::without_lists().await;
    for round in 0..10 {
        let client = json!({ "client_id": format!("client-{round}"), "name": "A" });
        let customer = setup.api.create(&setup.acme, &client).await;
        let requests = (0..8).map(|number| {
            let (setup, client) = (&setup, &client);
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(number * 3)).await;
                setup.api.post(&setup.acme, "/kyc/sessions", client).await.expect(201)
            }
        });
        let (sessions, erased) = tokio::join!(
            futures_util::future::join_all(requests),
            erase(&setup.api, &setup.acme, &customer)
        );
        erased.expect(200);
        let new_customers: std::collections::BTreeSet<&str> = sessions
            .iter()
            .filter_map(|session| session["customer_id"].as_str())
            .filter(|id| *id != customer["customer_id"])
            .collect();
        assert!(new_customers.len() <= 1, "{new_customers:?}");
    }
    assert_eq!(checked(&setup).await.violations, []);
}
