//! POST /customers/{id}/erase

use api_tests::faults::{End, Mortal};
use api_tests::{Answer, Api, Persona, Value, json, path_of};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::audit::{items, plain};
use crate::invariants::checked;
use crate::monitoring::Watched;
use crate::organization::structure;

/// What was said of the customer, each said once.
const PERSONAL: [&str; 22] = [
    "Mirka Dovello",
    "crm-secret-1",
    "https://secret.example/",
    "TAX-SECRET-2",
    "secret3@example.com",
    "+4930555123",
    "Secret Industry",
    "1971-02-03",
    "secret-tag-5",
    "secret-value-6",
    "Nora Quist",
    "party-secret-7",
    "TAX-SECRET-8",
    "1972-03-04",
    "Secret note 9",
    "secret-value-10",
    "party-secret-11",
    "Second Secret 12",
    "Secret reason 13",
    "secret-key-14",
    "Renamed Secret 15",
    "mirka dovello",
];

/// Chosen by the caller, maybe for somebody; never kept as it is.
const KEY: &str = "key-secret-16";

/// A customer with one of everything, said everywhere it can be said.
pub(crate) async fn furnished() -> (Watched, Value) {
    let w = Watched::start(&[("1", "Mirka Dovello"), ("2", "Nora Quist")]).await;
    let body = json!({
        "name": "Renamed Secret 15", "client_id": "crm-secret-1", "entity_type": "individual",
        "website": "https://secret.example/", "tax_id": "TAX-SECRET-2", "country": "DE",
        "email": "secret3@example.com", "phone": "+4930555123", "industry": "Secret Industry",
        "date_of_birth": "1971-02-03", "tags": ["secret-tag-5"],
        "metadata": { "secret-key-14": "secret-value-6" },
        "retain_until": "2020-01-01", "retain_reason": "Secret reason 13",
    });
    let customer = keyed(&w, KEY, "/customers", &body).await.expect(201);
    let path = path_of(&customer);
    let patch = json!({ "name": "Mirka Dovello", "entity_type": "company", "date_of_birth": null });
    w.api.patch(&w.acme, &path, &patch).await.expect(200);
    let mut body = structure(&["party-secret-7"], &[("party-secret-7", "self", 60.0)]);
    body["parties"][0]["name"] = json!("Second Secret 12");
    let put = async |body: &Value, status| {
        let organization = format!("{path}/organization");
        w.api.call(&w.acme, "PUT", &organization).json(body).send().await.expect(status);
    };
    put(&body, 201).await;
    let mut body = structure(&["party-secret-11"], &[("party-secret-11", "self", 60.0)]);
    body["parties"][0]["name"] = json!("Nora Quist");
    body["parties"][0]["tax_id"] = json!("TAX-SECRET-8");
    body["parties"][0]["date_of_birth"] = json!("1972-03-04");
    put(&body, 200).await;
    let link =
        json!({ "customer_id": customer["customer_id"], "metadata": { "a": "secret-value-10" } });
    let session = keyed(&w, KEY, "/kyc/sessions", &link).await.expect(201);
    w.api.post(&w.acme, "/kyc/sessions", &link).await.expect(201);
    for status in ["completed", "approved"] {
        let path = crate::sessions::path_of(&session);
        w.api.patch(&w.acme, &path, &json!({ "status": status })).await.expect(200);
    }
    keyed(&w, KEY, &format!("{path}/monitor"), &json!({})).await.expect(201);
    let alerts = w.api.get(&w.acme, &format!("{path}/alerts")).await.expect(200);
    assert_eq!(alerts["count"], 2);
    let alert = alerts["items"][0]["alert_id"].as_str().unwrap();
    let decision = json!({ "status": "confirmed", "note": "Secret note 9" });
    w.api.patch(&w.acme, &format!("{path}/alerts/{alert}"), &decision).await.expect(200);
    (w, customer)
}

async fn keyed(w: &Watched, key: &str, path: &str, body: &Value) -> Answer {
    w.api.call(&w.acme, "POST", path).header("idempotency-key", key).json(body).send().await
}

/// Everything in the table, as text; binary is inflated.
async fn whole_table(w: &Watched) -> Vec<String> {
    let mut all = Vec::new();
    let mut start = None;
    loop {
        let scan = w.api.dynamodb.scan().table_name(&w.api.table);
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

fn held<'a>(table: &'a [String], what: &str) -> Vec<&'a String> {
    table.iter().filter(|item| item.contains(what)).collect()
}

async fn erase(api: &Api, who: &Persona, customer: &Value) -> Answer {
    api.call(who, "POST", &format!("{}/erase", path_of(customer))).send().await
}

#[tokio::test]
async fn nothing_that_tells_who_it_was_is_left_anywhere() {
    let (w, customer) = furnished().await;
    let before = whole_table(&w).await;
    for secret in PERSONAL {
        assert!(!held(&before, secret).is_empty(), "{secret}");
    }
    assert_eq!(held(&before, KEY), Vec::<&String>::new());
    let version = w.api.get(&w.acme, &path_of(&customer)).await.expect(200)["version"].clone();
    let answer = erase(&w.api, &w.acme, &customer).await;
    let etag = answer.header("etag").unwrap().to_owned();
    let tombstone = answer.expect(200);
    let after = whole_table(&w).await;
    for secret in PERSONAL {
        assert_eq!(held(&after, secret), Vec::<&String>::new(), "{secret}");
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
    assert_eq!(w.api.get(&w.acme, &path_of(&customer)).await.expect(200), tombstone);
    let report = checked(&w).await;
    assert_eq!(report.violations, [], "{:?}", report.items);
}

#[tokio::test]
async fn what_an_audit_needs_is_kept() {
    let (w, customer) = furnished().await;
    let before = super::export::exported(&w, &customer).await;
    erase(&w.api, &w.acme, &customer).await.expect(200);
    let after = super::export::exported(&w, &customer).await;
    let same = |kind: &str, fields: &[&str]| {
        for (before, after) in before[kind].iter().zip(&after[kind]) {
            for field in fields {
                assert_eq!(before[*field], after[*field], "{kind} {field}");
            }
        }
        assert_eq!(before[kind].len(), after[kind].len());
    };
    same(
        "session",
        &["session_id", "status", "final_decision", "validations", "created_at", "completed_at"],
    );
    same(
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
    same(
        "risk_profile",
        &["score", "level", "previous_level", "model_version", "trigger", "calculated_at"],
    );
    let (old, new) = (&before["event"], &after["event"]);
    assert_eq!(new.len(), old.len() + 1);
    for (before, after) in old.iter().zip(new) {
        for field in ["event_id", "kind", "at", "actor", "request_id"] {
            assert_eq!(before[field], after[field], "{field}");
        }
        let names = |event: &Value| {
            event["changes"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(before), names(after));
        assert_eq!(before["changes"]["status"], after["changes"]["status"]);
    }
    let erased = new.last().unwrap();
    assert_eq!((&erased["kind"], &erased["actor"]), (&json!("customer.erased"), &json!("tester")));
    assert_eq!(
        (&erased["changes"]["name"], &erased["changes"]["status"]["to"]),
        (&Value::Null, &json!("inactive"))
    );
    assert!(!after.contains_key("organization") && !after.contains_key("monitor"));
}

#[tokio::test]
async fn a_tombstone_stays_as_it_is() {
    let (w, customer) = furnished().await;
    let tombstone = erase(&w.api, &w.acme, &customer).await.expect(200);
    let table = whole_table(&w).await;
    let path = path_of(&customer);
    let erased = "CUSTOMER_ERASED";
    for body in [json!({ "status": "active" }), json!({ "name": "Back" }), json!({ "tags": ["a"] })]
    {
        w.api.patch(&w.acme, &path, &body).await.refused(409, erased);
    }
    let link = json!({ "customer_id": customer["customer_id"] });
    w.api.post(&w.acme, "/kyc/sessions", &link).await.refused(409, erased);
    w.api.post(&w.acme, &format!("{path}/monitor"), &json!({})).await.refused(409, erased);
    let put = w.api.call(&w.acme, "PUT", &format!("{path}/organization"));
    put.json(&structure(&["p"], &[])).send().await.refused(409, erased);
    w.api.get(&w.acme, &format!("{path}/risk-profile?recalculate=true")).await.refused(409, erased);
    let alerts = w.api.get(&w.acme, &format!("{path}/alerts?status=open")).await.expect(200);
    let alert = alerts["items"][0]["alert_id"].as_str().unwrap();
    let decision = json!({ "status": "false_positive", "note": "no" });
    w.api.patch(&w.acme, &format!("{path}/alerts/{alert}"), &decision).await.refused(409, erased);
    let sessions = w.api.get(&w.acme, &format!("{path}/sessions?status=active")).await.expect(200);
    let session = crate::sessions::path_of(&sessions["items"][0]);
    w.api.patch(&w.acme, &session, &json!({ "status": "completed" })).await.refused(409, erased);
    // What changes nothing is as before, and so is erasing it again.
    assert_eq!(w.api.delete(&w.acme, &path).await.expect(200), tombstone);
    assert_eq!(erase(&w.api, &w.acme, &customer).await.expect(200), tombstone);
    assert_eq!(whole_table(&w).await, table);
    // Its client id is free, and its name is nobody's.
    let listed = w.api.get(&w.acme, "/customers?search=mirka").await.expect(200);
    assert_eq!(listed["count"], 0);
    let new = w.api.create(&w.acme, &json!({ "name": "New", "client_id": "crm-secret-1" })).await;
    assert_ne!(new["customer_id"], customer["customer_id"]);
}

#[tokio::test]
async fn who_must_be_kept_is_not_erased() {
    let w = Watched::without_lists().await;
    let customer =
        w.api.create(&w.acme, &json!({ "name": "A", "retain_until": "2999-12-31" })).await;
    assert_eq!(customer["retain_reason"], Value::Null);
    let patch = json!({ "retain_reason": "Anti-money-laundering law, 5 years" });
    w.api.patch(&w.acme, &path_of(&customer), &patch).await.expect(200);
    let refused = erase(&w.api, &w.acme, &customer).await.refused(409, "RETENTION_HOLD");
    assert_eq!(refused["details"][0]["retain_until"], "2999-12-31");
    assert_eq!(refused["details"][0]["retain_reason"], patch["retain_reason"]);
    // Nothing of it is kept for the key: it is good for when the hold has ended.
    let path = format!("{}/erase", path_of(&customer));
    let erase_keyed =
        async || w.api.call(&w.acme, "POST", &path).header("idempotency-key", KEY).send().await;
    erase_keyed().await.refused(409, "RETENTION_HOLD");
    assert_eq!(held(&whole_table(&w).await, "IDEMPOTENCY"), Vec::<&String>::new());
    let alone = json!({ "retain_until": null });
    let faults = w.api.patch(&w.acme, &path_of(&customer), &alone).await.faults();
    assert_eq!(faults, ["/retain_reason"]);
    // To its last day, and not on the next one.
    let day = |millis: i64| {
        shared::model::time::Timestamp::from_millis(millis).to_string()[..10].to_owned()
    };
    let now = w.now.load(std::sync::atomic::Ordering::SeqCst);
    for (until, status) in [(now, 409), (now - 24 * 3_600_000, 200)] {
        let patch = json!({ "retain_until": day(until) });
        w.api.patch(&w.acme, &path_of(&customer), &patch).await.expect(200);
        assert_eq!(erase_keyed().await.status, status);
    }
}

#[tokio::test]
async fn only_the_version_that_was_meant_is_erased() {
    let w = Watched::without_lists().await;
    let customer = w.api.create(&w.acme, &json!({ "name": "A" })).await;
    let path = format!("{}/erase", path_of(&customer));
    let at = async |version: &str| {
        w.api.call(&w.acme, "POST", &path).header("if-match", version).send().await
    };
    at("\"2\"").await.refused(412, "VERSION_MISMATCH");
    at("\"1\"").await.expect(200);
    at("\"1\"").await.refused(412, "VERSION_MISMATCH");
    at("\"2\"").await.expect(200);
    for granted in ["kyc:create", "kyc:delete", "kyc:update"] {
        let who = Persona::with("acme", &[granted]);
        erase(&w.api, &who, &customer).await.refused(403, "INSUFFICIENT_PERMISSIONS");
    }
    let nobody = json!({ "customer_id": "01920000-0000-7000-8000-000000000000" });
    erase(&w.api, &w.acme, &nobody).await.refused(404, "CUSTOMER_NOT_FOUND");
}

#[tokio::test]
async fn a_key_replays_the_tombstone() {
    let (w, customer) = furnished().await;
    let send = async || {
        let path = format!("{}/erase", path_of(&customer));
        w.api.call(&w.acme, "POST", &path).header("idempotency-key", "k").send().await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.expect(200), second.expect(200));
}

/// Not the answer that was kept: it says who it was.
#[tokio::test]
async fn the_keys_of_its_requests_are_answered_with_that_it_was_erased() {
    let w = Watched::start(&[("1", "Nora Quist")]).await;
    let body = json!({ "name": "A", "client_id": "c" });
    let customer = keyed(&w, KEY, "/customers", &body).await.expect(201);
    let link = json!({ "customer_id": customer["customer_id"] });
    keyed(&w, KEY, "/kyc/sessions", &link).await.expect(201);
    let monitor = format!("{}/monitor", path_of(&customer));
    keyed(&w, KEY, &monitor, &json!({})).await.expect(201);
    // Its first session makes this one.
    let first = json!({ "client_id": "d", "name": "D" });
    let other = keyed(&w, "other", "/kyc/sessions", &first).await.expect(201);
    erase(&w.api, &w.acme, &customer).await.expect(200);
    let kept = keyed(&w, "other", "/kyc/sessions", &first).await;
    assert_eq!(kept.expect(201), other);
    erase(&w.api, &w.acme, &other).await.expect(200);
    for (key, path, body) in [
        (KEY, "/customers", &body),
        (KEY, "/kyc/sessions", &link),
        (KEY, monitor.as_str(), &json!({})),
        ("other", "/kyc/sessions", &first),
    ] {
        let answer = keyed(&w, key, path, body).await;
        assert_eq!(answer.header("idempotent-replayed"), Some("true"), "{path}");
        answer.refused(409, "CUSTOMER_ERASED");
    }
    let another = json!({ "name": "B" });
    keyed(&w, KEY, "/customers", &another).await.refused(409, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(w.api.get(&w.acme, "/customers").await.expect(200)["count"], 2);
    assert_eq!(checked(&w).await.violations, []);
}

/// A key is free after a day, and then it is another request's.
#[tokio::test]
async fn a_key_that_was_used_anew_keeps_its_answer() {
    let w = Watched::without_lists().await;
    let erased = keyed(&w, KEY, "/customers", &json!({ "name": "A" })).await.expect(201);
    w.pass_time(25 * 3_600);
    let body = json!({ "name": "B" });
    let other = keyed(&w, KEY, "/customers", &body).await.expect(201);
    assert_ne!(other["customer_id"], erased["customer_id"]);
    erase(&w.api, &w.acme, &erased).await.expect(200);
    assert_eq!(keyed(&w, KEY, "/customers", &body).await.expect(201), other);
}

/// Whoever dies on the way, the same request brings it to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_finished_by_whoever_comes_next() {
    const MANY: usize = 20;
    for (places, end) in
        (0..MANY).flat_map(|call| [End::Before(call), End::After(call)]).enumerate()
    {
        let (w, customer) = furnished().await;
        let mortal = Mortal::new(end);
        let victim = w.under(mortal.clone()).await;
        let known = w.api.call(&w.acme, "GET", &path_of(&customer)).send().await;
        let etag = known.header("etag").unwrap().to_owned();
        mortal.arm();
        let died = tokio::select! {
            () = mortal.ended() => true,
            answer = erase(&victim, &w.acme, &customer) => {
                answer.expect(200);
                false
            }
        };
        let half = items(
            &w.api,
            &json!({ "customer_id": customer["customer_id"], "tenant_id": "acme" }),
            "CUSTOMER",
        )
        .await;
        let report = checked(&w).await;
        let is_begun = !half[0]["erased_at"].is_null();
        let rules: Vec<&str> = report.violations.iter().map(|found| found.rule.into()).collect();
        assert!(is_begun || rules.is_empty(), "{end:?}: {:?}", report.violations);
        let again = w.api.call(&w.acme, "POST", &format!("{}/erase", path_of(&customer)));
        let again = match half[0]["is_scrubbed"].is_null() {
            true => again.header("if-match", &etag),
            false => again,
        };
        again.send().await.expect(200);
        let report = checked(&w).await;
        assert_eq!(report.violations, [], "{end:?}");
        let table = whole_table(&w).await;
        for secret in PERSONAL {
            assert_eq!(held(&table, secret), Vec::<&String>::new(), "{end:?} {secret}");
        }
        if !died {
            assert!(places > 4, "{places} places");
            return;
        }
    }
    panic!("it makes more calls than it should");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_added_to_who_is_being_erased() {
    let (w, customer) = furnished().await;
    let path = path_of(&customer);
    let patches = (0..8).map(|number| {
        let body = json!({ "metadata": { "n": format!("secret-value-late-{number}") } });
        let (w, path) = (&w, &path);
        async move { w.api.patch(&w.acme, path, &body).await.status }
    });
    let erasures = (0..3).map(|_| async { erase(&w.api, &w.acme, &customer).await.status });
    let (patched, erased) = tokio::join!(
        futures_util::future::join_all(patches),
        futures_util::future::join_all(erasures)
    );
    assert!(patched.iter().all(|status| [200, 409].contains(status)), "{patched:?}");
    assert!(erased.iter().all(|status| [200, 503].contains(status)), "{erased:?}");
    erase(&w.api, &w.acme, &customer).await.expect(200);
    assert_eq!(held(&whole_table(&w).await, "secret-value-late"), Vec::<&String>::new());
    assert_eq!(checked(&w).await.violations, []);
}

/// Who has a client id that an erasure frees meanwhile is a new customer, not a refusal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_by_client_id_is_not_refused_for_who_is_being_erased() {
    let w = Watched::without_lists().await;
    for round in 0..10 {
        let client = json!({ "client_id": format!("client-{round}"), "name": "A" });
        let customer = w.api.create(&w.acme, &client).await;
        let sessions = (0..8).map(|number| {
            let (w, client) = (&w, &client);
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(number * 3)).await;
                w.api.post(&w.acme, "/kyc/sessions", client).await.expect(201)
            }
        });
        let sessions = futures_util::future::join_all(sessions);
        let (sessions, erased) = tokio::join!(sessions, erase(&w.api, &w.acme, &customer));
        erased.expect(200);
        let new: std::collections::BTreeSet<&str> = sessions
            .iter()
            .filter_map(|session| session["customer_id"].as_str())
            .filter(|id| *id != customer["customer_id"])
            .collect();
        assert!(new.len() <= 1, "{new:?}");
    }
    assert_eq!(checked(&w).await.violations, []);
}
