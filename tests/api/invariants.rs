//! The checker of a table finds every violation that is planted into it, and none where there is none.

use std::collections::HashMap;

use api_tests::{Value, json};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use check::{Report, scan_table};
use shared::model::time::{Clock, Timestamp};

use crate::monitoring::{Watched, path};
use crate::organization::structure;

type Raw = HashMap<String, AttributeValue>;
type Edited = fn(&mut Raw);
type Left<'a> = dyn Fn(&mut Raw) + 'a;

/// What the checker says of the test's table.
pub(crate) async fn checked(w: &Watched) -> Report {
    let now = w.now.clone();
    let millis = move || now.load(std::sync::atomic::Ordering::SeqCst);
    let clock = Clock::new(move || Timestamp::from_millis(millis()));
    scan_table(&w.api.dynamodb, &w.api.table, &clock).await.unwrap()
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// A table with one of everything.
async fn furnished() -> Watched {
    let w = Watched::start(&[("1", "Mirka Dovello"), ("2", "Nora Quist")]).await;
    let body = json!({ "name": "Mirka Dovello", "client_id": "a", "country": "DE" });
    let create = w.api.call(&w.acme, "POST", "/customers").header("idempotency-key", "k");
    let customer = create.json(&body).send().await.expect(201);
    w.customer("Somebody Else").await;
    let mut sessions = Vec::new();
    for number in 0..4 {
        let link = json!({ "client_id": "a", "metadata": { "n": number.to_string() } });
        let call = w.api.call(&w.acme, "POST", "/kyc/sessions");
        let call = call.header("idempotency-key", &format!("s{number}")).json(&link);
        sessions.push(call.send().await.expect(201));
    }
    for (session, moves) in sessions.iter().zip([
        ["completed", "approved"].as_slice(),
        ["completed", "rejected"].as_slice(),
        ["completed", "manual_review"].as_slice(),
    ]) {
        for status in moves {
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
    let started = w.api.call(&w.acme, "POST", &path(&customer, "/monitor"));
    let started = started.header("idempotency-key", "m").json(&json!({})).send().await.expect(201);
    assert_eq!(started["new_matches"], 2, "{started}");
    let alerts = w.alerts(&customer).await;
    w.decide(&customer, &alerts[0], "false_positive").await;
    w.update(&[("1", "Mirka Dovello"), ("2", "Nora Quist"), ("3", "Nobody Else")]).await;
    w
}

enum Change {
    /// Of one item.
    Edit(Edited),
    Delete,
    /// Another item beside it.
    Copy(Edited),
}

use Change::{Copy, Delete, Edit};

/// Somebody who is nobody.
const NOBODY: &str = "0193b3a0-0000-7000-8000-00000000abcd";

fn set(item: &mut Raw, field: &str, value: AttributeValue) {
    item.insert(field.to_owned(), value);
}

fn set_in(item: &mut Raw, map: &str, field: &str, value: AttributeValue) {
    let Some(AttributeValue::M(map)) = item.get_mut(map) else { panic!("no {map}") };
    map.insert(field.to_owned(), value);
}

/// The rule that is broken, the kind of the item, and what breaks it.
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
        ("customer", "session", Edit(|item| set(item, "customer_id", text(NOBODY)))),
        ("customer", "customer", Edit(|item| set(item, "tenant_id", text("other")))),
        ("index", "customer", Edit(|item| set(item, "tenant_pk", text("T#other")))),
        ("index", "customer", Edit(|item| drop(item.remove("risk_pk")))),
        ("index", "customer", Edit(|item| set(item, "name_sk", text("zzz")))),
        ("index", "monitor", Edit(|item| drop(item.remove("monitored_pk")))),
        ("index", "alert", Edit(|item| set(item, "tenant_pk", text("T#acme")))),
        ("claim", "client", Delete),
        ("claim", "client", Edit(|item| set(item, "customer_id", text(NOBODY)))),
        ("claim", "client", Copy(|item| set(item, "pk", text("T#acme#CLIENT#b")))),
        ("claim", "customer", Edit(|item| drop(item.remove("client_id")))),
        ("session pointer", "session pointer", Delete),
        ("session pointer", "session pointer", Edit(|i| set(i, "customer_id", text(NOBODY)))),
        (
            "session pointer",
            "session pointer",
            Copy(|item| set(item, "pk", text(format!("T#acme#S#{NOBODY}")))),
        ),
        ("session counters", "session", Delete),
        ("session counters", "customer", Edit(|i| set_in(i, "sessions", "total", number(9)))),
        ("session counters", "customer", Edit(|i| set_in(i, "sessions", "rejected", number(0)))),
        ("session counters", "customer", Edit(|i| set_in(i, "sessions", "active", number(3)))),
        ("session counters", "customer", Edit(|item| drop(item.remove("open_sessions")))),
        (
            "session counters",
            "customer",
            Edit(|item| set_in(item, "sessions", "last_session_id", text(NOBODY))),
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
        ("replay", "organization", Edit(|item| set(item, "version", number(9)))),
        ("again", "monitor", Edit(|item| set(item, "list_revision", number(0)))),
        (
            "again",
            "shards",
            Copy(|item| {
                set(item, "pk", text("AGAIN#0"));
                set(item, "sk", text(format!("acme#{NOBODY}")));
                set(item, "type", text("again"));
            }),
        ),
        ("idempotency", "idempotency", Edit(|item| set(item, "ttl", number(1)))),
        ("idempotency", "idempotency", Edit(|item| drop(item.remove("answer")))),
        ("idempotency", "idempotency", Edit(|item| set(item, "owner", text("x")))),
        ("idempotency", "idempotency", Edit(|item| set(item, "customer_id", text(NOBODY)))),
        (
            "answer",
            "idempotency",
            Edit(|item| {
                let Some(AttributeValue::S(answer)) = item.get("answer") else { panic!() };
                let mut answer: Value = serde_json::from_str(answer).unwrap();
                answer["content"]["customer_id"] = json!(NOBODY);
                set(item, "answer", text(answer.to_string()));
                set(item, "customer_id", text(NOBODY));
            }),
        ),
        ("lists", "lists", Edit(|item| set(item, "revision", number(9)))),
        ("pass", "pass", Delete),
        ("pass", "pass", Edit(|item| set(item, "pass_id", text("x")))),
        ("pass", "shards", Edit(|item| set(item, "count", number(0)))),
    ]
}

fn string<'i>(item: &'i Raw, field: &str) -> &'i str {
    item.get(field).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// The first item of this kind, of the customer that has everything where it is of one.
fn one_of<'i>(kind: &str, items: &'i [Raw]) -> &'i Raw {
    let owner = items.iter().find(|item| string(item, "type") == "monitor").unwrap();
    let owner = string(owner, "pk");
    let (kind, sk) = match kind {
        "organization" => (kind, "ORGANIZATION"),
        "organization before" => ("organization", "ORGANIZATION#"),
        kind => (kind, ""),
    };
    let is_one = |item: &&Raw| {
        let (pk, at) = (string(item, "pk"), string(item, "sk"));
        string(item, "type") == kind
            && (pk == owner || !pk.contains("#C#"))
            && if sk == "ORGANIZATION" { at == sk } else { at.starts_with(sk) }
            // Of the sessions the one that is open counts nowhere but there.
            && (kind != "session" || string(item, "status") != "active")
    };
    items.iter().find(is_one).unwrap_or_else(|| panic!("no {kind}"))
}

async fn all(w: &Watched) -> Vec<Raw> {
    let scan = w.api.dynamodb.scan().table_name(&w.api.table).send().await.unwrap();
    assert!(scan.last_evaluated_key.is_none());
    scan.items.unwrap()
}

async fn put(w: &Watched, item: &Raw) {
    let put = w.api.dynamodb.put_item().table_name(&w.api.table);
    put.set_item(Some(item.clone())).send().await.unwrap();
}

async fn delete(w: &Watched, item: &Raw) {
    let key = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
    let delete = w.api.dynamodb.delete_item().table_name(&w.api.table);
    delete.set_key(Some(key.into())).send().await.unwrap();
}

#[tokio::test]
async fn every_violation_is_found() {
    let w = furnished().await;
    let report = checked(&w).await;
    assert_eq!((report.violations.as_slice(), report.restless), (&[][..], 0));
    for kind in ["alert", "client", "idempotency", "lists", "monitor", "pass", "pass progress"] {
        assert!(report.items[kind] > 0, "{kind}: {:?}", report.items);
    }
    let items = all(&w).await;
    for (rule, kind, change) in plants() {
        let item = one_of(kind, &items);
        let mut changed = item.clone();
        match change {
            Delete => delete(&w, item).await,
            Edit(edit) | Copy(edit) => {
                edit(&mut changed);
                put(&w, &changed).await;
            }
        }
        let report = checked(&w).await;
        let told: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
        assert!(
            report.violations.iter().any(|violation| violation.rule == rule),
            "{rule} of {kind}: {told:#?}"
        );
        // Nothing of a person, nor what a caller chose.
        let told = told.join("\n");
        for word in ["Mirka", "Dovello", "CLIENT#a", "create-customer#k"] {
            assert!(!told.contains(word), "{told}");
        }
        if matches!(change, Copy(_)) {
            delete(&w, &changed).await;
        } else {
            put(&w, item).await;
        }
    }
    assert_eq!(checked(&w).await.violations, []);
}

/// Of an erased customer, whatever was left behind.
#[tokio::test]
async fn what_an_erasure_missed_is_found() {
    let (w, customer) = crate::customers::furnished().await;
    w.api.call(&w.acme, "POST", &path(&customer, "/erase")).send().await.expect(200);
    assert_eq!(checked(&w).await.violations, []);
    // What was begun only now may be on its way still.
    w.pass_time(30);
    let factor = |item: &mut Raw| {
        let Some(AttributeValue::L(factors)) = item.get_mut("factors") else {
            panic!("no factors")
        };
        let AttributeValue::M(factor) = &mut factors[0] else { panic!("no factor") };
        factor.insert("reason".to_owned(), text("lives in Nowhere"));
    };
    let told =
        format!(r#"{{"status":201,"content":{{"customer_id":{}}}}}"#, customer["customer_id"]);
    let left: [(&str, &Left<'_>); 9] = [
        ("customer", &|item| set(item, "tax_id", text("T"))),
        ("customer", &|item| drop(item.remove("is_scrubbed"))),
        ("session", &|item| set_in(item, "metadata", "k", text("v"))),
        ("risk profile", &factor),
        ("alert", &|item| set(item, "entity_name", text("Nora Quist"))),
        ("alert", &|item| set(item, "note", text("knows Nora"))),
        ("event", &|item| set_in(item, "changes", "email", text("a@b.example"))),
        ("event", &|item| set(item, "kept_answer", text("elsewhere"))),
        ("idempotency", &|item| set(item, "answer", text(&told))),
    ];
    let items = all(&w).await;
    for (kind, edit) in left {
        let item = items.iter().find(|item| string(item, "type") == kind).unwrap();
        let mut changed = item.clone();
        edit(&mut changed);
        put(&w, &changed).await;
        let violations = checked(&w).await.violations;
        let found = violations.iter().any(|violation| violation.rule == "erasure");
        assert!(found, "{kind}: {violations:?}");
        put(&w, item).await;
    }
}

/// What time alone does is no violation.
#[tokio::test]
async fn time_breaks_no_rule() {
    let w = furnished().await;
    let body = json!({ "name": "Nora Quist", "client_id": "b" });
    let customer = w.api.create(&w.acme, &body).await;
    w.monitor(&customer, &json!({ "expires_at": "2026-11-20T00:00:00Z" })).await.expect(201);
    w.api.post(&w.acme, "/kyc/sessions", &json!({ "client_id": "b" })).await.expect(201);
    w.pass_time(40 * 24 * 3_600);
    assert_eq!(checked(&w).await.violations, []);
    // What is written now tells of what had ended without a word.
    for name in ["A", "B"] {
        w.api.patch(&w.acme, &path(&customer, ""), &json!({ "name": name })).await.expect(200);
        assert_eq!(checked(&w).await.violations, []);
    }
    w.api.post(&w.acme, "/kyc/sessions", &json!({ "client_id": "b" })).await.expect(201);
    w.pass("on_update").await;
    assert_eq!(checked(&w).await.violations, []);
}
