//! Checks that the table checker reports every violation that a test plants, and none in a valid
//! table.

use api_tests::table::{Item, number, set, set_in, text, text_of};
use api_tests::{Api, Value, json};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use check::{Report, scan_table};
use shared::model::time::{Clock, Timestamp};

use crate::monitoring::{Setup, path};
use crate::organization::structure;
use crate::tenant_limits;

/// Runs the checker on the test's table, at the time of the test's clock.
pub(crate) async fn checked(w: &Setup) -> Report {
    let now = w.now.clone();
    let millis = move || now.load(std::sync::atomic::Ordering::SeqCst);
    let clock = Clock::new(move || Timestamp::from_millis(millis()));
    scan_table(&w.api.dynamodb, &w.api.table, &clock).await.unwrap()
}

/// Returns a server whose table contains items of every kind.
async fn furnished() -> Setup {
    let w = Setup::start(&[("1", "Mirka Dovello"), ("2", "Nora Quist")]).await;
    let body = json!({ "name": "Mirka Dovello", "client_id": "a", "country": "DE" });
    let create = w.api.call(&w.acme, "POST", "/customers").header("idempotency-key", "k");
    let customer = create.json(&body).send().await.expect(201);
    w.create_customer("Somebody Else").await;
    let mut sessions = Vec::new();
    for number in 0..4 {
        let link = json!({ "client_id": "a", "metadata": { "n": number.to_string() } });
        let call = w.api.call(&w.acme, "POST", "/kyc/sessions");
        let call = call.header("idempotency-key", &format!("s{number}")).json(&link);
        sessions.push(call.send().await.expect(201));
    }
    for (session, statuses) in sessions.iter().zip([
        ["completed", "approved"].as_slice(),
        ["completed", "rejected"].as_slice(),
        ["completed", "manual_review"].as_slice(),
    ]) {
        for status in statuses {
            let path = crate::sessions::path_of(session);
            w.api.patch(&w.acme, &path, &json!({ "status": status })).await.expect(200);
        }
    }
    for share in [40.0, 60.0, 80.0] {
        let mut body = structure(&["p1", "p2"], &[("p1", "self", share)]);
        body["parties"][0]["name"] = json!("Nora Quist");
        let put = w.api.call(&w.acme, "PUT", &path(&customer, "/organization")).json(&body);
        assert!(put.send().await.status < 300);
    }
    let start = w.api.call(&w.acme, "POST", &path(&customer, "/monitor"));
    let start = start.header("idempotency-key", "m").json(&json!({}));
    let monitor = start.send().await.expect(201);
    assert_eq!(monitor["new_matches"], 2, "{monitor}");
    let alerts = w.alerts(&customer).await;
    w.decide(&customer, &alerts[0], "false_positive").await;
    w.update_list(&[("1", "Mirka Dovello"), ("2", "Nora Quist"), ("3", "Nobody Else")]).await;
    let limits = tenant_limits::environment(&[("READ", 10, 10)]);
    let limited = Api::set(Clock::system(), Some(&w.api), None, limits).await;
    limited.get(&w.acme, "/customers").await.expect(200);
    w
}

enum Change {
    Edit(fn(&mut Item)),
    Delete,
    /// Writes an edited copy of the item and keeps the original.
    Copy(fn(&mut Item)),
}

use Change::{Copy, Delete, Edit};

/// An id that does not exist.
const UNKNOWN: &str = "0193b3a0-0000-7000-8000-00000000abcd";

/// Returns the violations to plant: the rule that each breaks, the kind of item, and the change to
/// the item.
fn plants() -> Vec<(&'static str, &'static str, Change)> {
    vec![
        ("key", "customer", Copy(|item| set(item, "sk", text("GHOST")))),
        ("key", "client", Copy(|item| set(item, "sk", text("OTHER")))),
        ("key", "session", Edit(|item| set(item, "type", text("thing")))),
        ("key", "shards", Copy(|item| set(item, "pk", text("PASSES")))),
        ("orphan", "customer", Delete),
        ("model", "customer", Edit(|item| drop(item.remove("name")))),
        ("model", "alert", Edit(|item| drop(item.remove("score")))),
        ("model", "monitor", Edit(|i| set(i, "watched", AttributeValue::B(Blob::new([7]))))),
        ("model", "organization", Edit(|i| set(i, "structure", AttributeValue::B(Blob::new([7]))))),
        ("customer", "session", Edit(|item| set(item, "customer_id", text(UNKNOWN)))),
        ("customer", "customer", Edit(|item| set(item, "tenant_id", text("other")))),
        ("index", "customer", Edit(|item| set(item, "tenant_pk", text("T#other")))),
        ("index", "customer", Edit(|item| drop(item.remove("risk_pk")))),
        ("index", "customer", Edit(|item| set(item, "name_sk", text("zzz")))),
        ("index", "monitor", Edit(|item| drop(item.remove("monitored_pk")))),
        ("index", "alert", Edit(|item| set(item, "tenant_pk", text("T#acme")))),
        ("claim", "client", Delete),
        ("claim", "client", Edit(|item| set(item, "customer_id", text(UNKNOWN)))),
        ("claim", "client", Copy(|item| set(item, "pk", text("T#acme#CLIENT#b")))),
        ("claim", "customer", Edit(|item| drop(item.remove("client_id")))),
        ("session pointer", "session pointer", Delete),
        ("session pointer", "session pointer", Edit(|i| set(i, "customer_id", text(UNKNOWN)))),
        (
            "session pointer",
            "session pointer",
            Copy(|item| set(item, "pk", text(format!("T#acme#S#{UNKNOWN}")))),
        ),
        ("session counters", "session", Delete),
        ("session counters", "customer", Edit(|i| set_in(i, "sessions", "total", number(9)))),
        ("session counters", "customer", Edit(|i| set_in(i, "sessions", "rejected", number(0)))),
        ("session counters", "customer", Edit(|i| set_in(i, "sessions", "active", number(3)))),
        ("session counters", "customer", Edit(|item| drop(item.remove("open_sessions")))),
        (
            "session counters",
            "customer",
            Edit(|item| set_in(item, "sessions", "last_session_id", text(UNKNOWN))),
        ),
        ("session", "session", Edit(|item| set(item, "status", text("expired")))),
        ("session", "session", Edit(|item| set(item, "final_decision", text("flagged")))),
        ("organization", "organization", Edit(|item| set(item, "version", number(9)))),
        ("organization", "organization before", Delete),
        ("risk summary", "customer", Edit(|item| set_in(item, "risk", "score", number(99)))),
        ("risk profile", "risk profile", Delete),
        ("risk profile", "risk profile", Edit(|i| set(i, "previous_level", text("prohibited")))),
        (
            "monitoring summary",
            "customer",
            Edit(|item| set_in(item, "monitoring", "status", text("off"))),
        ),
        ("monitoring summary", "monitor", Edit(|i| set(i, "check_frequency", text("daily")))),
        ("monitoring summary", "monitor", Delete),
        ("open alerts", "customer", Edit(|i| set_in(i, "monitoring", "open_alerts", number(7)))),
        ("open alerts", "alert", Delete),
        ("alert", "alert", Edit(|item| set(item, "entity_id", text("9")))),
        ("alert", "monitor", Delete),
        ("monitor", "alert", Delete),
        ("monitor", "monitor", Edit(|item| set(item, "subjects", number(9)))),
        ("events", "event", Delete),
        ("events", "event", Edit(|item| drop(item.remove("actor")))),
        ("events", "event", Edit(|item| set(item, "at", text("2026-01-01T00:00:00.000Z")))),
        ("events", "event", Edit(|item| set(item, "kind", text("customer.exported")))),
        ("events", "customer", Edit(|item| set(item, "version", number(99)))),
        ("replay", "event", Delete),
        ("replay", "customer", Edit(|item| set(item, "country", text("FR")))),
        ("replay", "customer", Edit(|item| set(item, "surplus", text("x")))),
        (
            "replay",
            "session",
            Edit(|item| set(item, "expires_at", text("2099-01-01T00:00:00.000Z"))),
        ),
        ("replay", "alert", Edit(|item| set(item, "status", text("confirmed")))),
        ("replay", "alert", Edit(|item| set(item, "version", number(9)))),
        ("replay", "session", Edit(|item| set(item, "version", number(9)))),
        ("replay", "monitor", Edit(|item| set(item, "version", number(9)))),
        ("replay", "organization", Edit(|item| set(item, "version", number(9)))),
        ("again", "monitor", Edit(|item| set(item, "list_revision", number(0)))),
        (
            "again",
            "shards",
            Copy(|item| {
                set(item, "pk", text("AGAIN#0"));
                set(item, "sk", text(format!("acme#{UNKNOWN}")));
                set(item, "type", text("again"));
            }),
        ),
        (
            "erasure",
            "shards",
            Copy(|item| {
                set(item, "pk", text("ERASURES"));
                set(item, "sk", text(format!("2026-01-01T00:00:00.000Z#acme#{UNKNOWN}")));
                set(item, "type", text("erasure"));
            }),
        ),
        ("idempotency", "idempotency", Edit(|item| set(item, "ttl", number(1)))),
        ("idempotency", "idempotency", Edit(|item| drop(item.remove("answer")))),
        ("idempotency", "idempotency", Edit(|item| set(item, "owner", text("x")))),
        ("idempotency", "idempotency", Edit(|item| set(item, "customer_id", text(UNKNOWN)))),
        (
            "answer",
            "idempotency",
            Edit(|item| {
                let mut answer: Value = serde_json::from_str(text_of(item, "answer")).unwrap();
                answer["content"]["customer_id"] = json!(UNKNOWN);
                set(item, "answer", text(answer.to_string()));
                set(item, "customer_id", text(UNKNOWN));
            }),
        ),
        ("key", "limit", Copy(|item| set(item, "pk", text("T#acme#LIMIT#other")))),
        ("limit", "limit", Edit(|item| set(item, "ttl", number(1)))),
        ("limit", "limit", Edit(|item| drop(item.remove("full_at")))),
        ("lists", "lists", Edit(|item| set(item, "revision", number(9)))),
        ("pass", "pass", Delete),
        ("pass", "pass", Edit(|item| set(item, "pass_id", text("x")))),
        ("pass", "shards", Edit(|item| set(item, "count", number(0)))),
    ]
}

/// Returns the first item of a kind. If items of the kind belong to customers, returns an item of
/// the monitored customer, which has items of all kinds.
fn one_of<'i>(kind: &str, items: &'i [Item]) -> &'i Item {
    let monitor = items.iter().find(|item| text_of(item, "type") == "monitor").unwrap();
    let partition = text_of(monitor, "pk");
    let item_type = if kind == "organization before" { "organization" } else { kind };
    let matches = |item: &&Item| {
        let (pk, sk) = (text_of(item, "pk"), text_of(item, "sk"));
        let is_wanted = match kind {
            "organization" => sk == "ORGANIZATION",
            "organization before" => sk.starts_with("ORGANIZATION#"),
            // Choose a decided session, because the edits assume one.
            "session" => text_of(item, "status") != "active",
            _ => true,
        };
        let is_of_customer = pk == partition || !pk.contains("#C#");
        text_of(item, "type") == item_type && is_of_customer && is_wanted
    };
    items.iter().find(matches).unwrap_or_else(|| panic!("the table has no {kind}"))
}

#[tokio::test]
async fn every_violation_is_found() {
    let w = furnished().await;
    let report = checked(&w).await;
    assert_eq!((report.violations.as_slice(), report.restless), (&[][..], 0));
    for kind in
        ["alert", "client", "idempotency", "limit", "lists", "monitor", "pass", "pass progress"]
    {
        assert!(report.items[kind] > 0, "{kind}: {:?}", report.items);
    }
    let items = w.api.all_items().await;
    for (rule, kind, change) in plants() {
        let item = one_of(kind, &items);
        let mut changed = item.clone();
        match change {
            Delete => w.api.delete_item(item).await,
            Edit(edit) | Copy(edit) => {
                edit(&mut changed);
                w.api.put_item(&changed).await;
            }
        }
        let report = checked(&w).await;
        let messages: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
        assert!(
            report.violations.iter().any(|violation| violation.rule == rule),
            "{rule} of {kind}: {messages:#?}"
        );
        // The report contains neither personal data nor values that a caller chooses.
        let output = messages.join("\n");
        for word in ["Mirka", "Dovello", "CLIENT#a", "create-customer#k"] {
            assert!(!output.contains(word), "{output}");
        }
        if matches!(change, Copy(_)) {
            w.api.delete_item(&changed).await;
        } else {
            w.api.put_item(item).await;
        }
    }
    assert_eq!(checked(&w).await.violations, []);
}

/// Monitors and sessions expire without a write. The checker must not report that as a violation.
#[tokio::test]
async fn the_passage_of_time_is_not_a_violation() {
    let w = furnished().await;
    let body = json!({ "name": "Nora Quist", "client_id": "b" });
    let customer = w.api.create(&w.acme, &body).await;
    w.monitor(&customer, &json!({ "expires_at": "2026-11-20T00:00:00Z" })).await.expect(201);
    w.api.post(&w.acme, "/kyc/sessions", &json!({ "client_id": "b" })).await.expect(201);
    w.advance_clock(40 * 24 * 3_600);
    assert_eq!(checked(&w).await.violations, []);
    // The next write records that the monitor and the sessions have expired.
    for name in ["A", "B"] {
        w.api.patch(&w.acme, &path(&customer, ""), &json!({ "name": name })).await.expect(200);
        assert_eq!(checked(&w).await.violations, []);
    }
    w.api.post(&w.acme, "/kyc/sessions", &json!({ "client_id": "b" })).await.expect(201);
    w.run_pass("on_update").await;
    assert_eq!(checked(&w).await.violations, []);
}
