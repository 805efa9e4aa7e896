//! Tests of `POST /customers/{id}/erase`.

use api_tests::faults::{End, Mortal};
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

async fn erase(api: &Api, who: &Persona, customer: &Value) -> Answer {
    api.call(who, "POST", &format!("{}/erase", path_of(customer))).send().await
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
    assert_eq!(new_events.len(), old_events.len() + 1);
    for (before, after) in old_events.iter().zip(new_events) {
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

    let refused = erase(&setup.api, &setup.acme, &customer).await.refused(409, "RETENTION_HOLD");
    assert_eq!(refused["details"][0]["retain_until"], "2999-12-31");
    assert_eq!(refused["details"][0]["retain_reason"], patch["retain_reason"]);

    // The refusal does not use up the idempotency key, so the key works after the hold has ended.
    let path = format!("{}/erase", path_of(&customer));
    let erase_keyed = async || {
        setup.api.call(&setup.acme, "POST", &path).header("idempotency-key", KEY).send().await
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
    let path = format!("{}/erase", path_of(&customer));
    let erase_if = async |etag: &str| {
        setup.api.call(&setup.acme, "POST", &path).header("if-match", etag).send().await
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
        let path = format!("{}/erase", path_of(&customer));
        setup.api.call(&setup.acme, "POST", &path).header("idempotency-key", "k").send().await
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

    // The first session with this client id creates the customer.
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

/// The process that erases the customer dies before or after each of its calls to the table.
/// Repeating the request completes the erasure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_erasure_is_completed_by_the_next_request() {
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

        let stored = items(
            &setup.api,
            &json!({ "customer_id": customer["customer_id"], "tenant_id": "acme" }),
            "CUSTOMER",
        )
        .await;
        let violations = checked(&setup).await.violations;
        let has_started = !stored[0]["erased_at"].is_null();
        assert!(has_started || violations.is_empty(), "{end:?}: {violations:?}");

        let mut call =
            setup.api.call(&setup.acme, "POST", &format!("{}/erase", path_of(&customer)));
        if stored[0]["is_scrubbed"].is_null() {
            call = call.header("if-match", &etag);
        }
        call.send().await.expect(200);

        let report = checked(&setup).await;
        assert_eq!(report.violations, [], "{end:?}");
        let table = dump_table(&setup).await;
        for secret in PERSONAL {
            assert_eq!(items_with(&table, secret), Vec::<&String>::new(), "{end:?} {secret}");
        }

        if !died {
            assert!(interruptions > 4, "only {interruptions} interruptions");
            return;
        }
    }
    panic!("an erasure makes more than {MAX_CALLS} calls");
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
