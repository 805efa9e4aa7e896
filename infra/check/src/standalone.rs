//! Checks the rules that concern a single item: its key and type, and the content of idempotency
//! records, token buckets, list revisions and passes.

use serde_json::Value;
use shared::model::rescreen::{Progress, Run};
use shared::model::watchlist::Revision;
use uuid::Uuid;

use crate::item::Item;
use crate::key::ItemKey;
use crate::report::{Rule, Violations};

/// Checks the key and the type of an item. Also checks the content of idempotency records, token
/// buckets, and the items for lists and passes.
pub(crate) fn check(item: &Item, violations: &mut Violations) {
    let Some(key) = item.key() else {
        violations.add(Rule::Key, item, "the key has no known form");
        return;
    };
    let expected_type = key.item_type();
    if item.text("type") != Some(expected_type) {
        violations.add(Rule::Key, item, format!("this key belongs to a {expected_type}"));
        return;
    }
    let (rule, fault) = match key {
        ItemKey::Idempotency { .. } => (Rule::Idempotency, idempotency_fault(item)),
        ItemKey::Limit => (Rule::Limit, limit_fault(item)),
        ItemKey::CurrentLists => (Rule::Lists, revision_fault(item, None)),
        ItemKey::ListRevision(number) => (Rule::Lists, revision_fault(item, Some(number))),
        ItemKey::PassProgress => (Rule::Pass, progress_fault(item)),
        ItemKey::FinishedPass(pass_id) => (Rule::Pass, pass_fault(item, pass_id)),
        ItemKey::ShardCount => {
            let is_positive = item.get("count").as_u64().is_some_and(|count| count > 0);
            (Rule::Pass, (!is_positive).then_some("count is not a positive number"))
        }
        ItemKey::OfCustomer(..)
        | ItemKey::ClientClaim { .. }
        | ItemKey::SessionPointer { .. }
        | ItemKey::Recheck { .. }
        | ItemKey::UnfinishedErasure { .. } => return,
    };
    if let Some(fault) = fault {
        violations.add(rule, item, fault);
    }
}

fn idempotency_fault(item: &Item) -> Option<&'static str> {
    let fingerprint = item.text("fingerprint").unwrap_or_default();
    if fingerprint.len() != 64 || !fingerprint.chars().all(|c| c.is_ascii_hexdigit()) {
        return Some("fingerprint is not a SHA-256 hash in hexadecimal");
    }
    if item.text("owner").is_none_or(|owner| Uuid::try_parse(owner).is_err()) {
        return Some("owner is not a UUID");
    }
    let kept_until = item.get("kept_until").as_i64();
    if kept_until.is_none() || item.get("ttl").as_i64() != kept_until.map(|until| until / 1_000 + 1)
    {
        return Some("ttl does not agree with kept_until");
    }
    match (item.text("answer"), item.get("lease_until").as_i64()) {
        (Some(answer), None) => {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            let is_complete = answer.get("status").is_some_and(Value::is_u64)
                && answer.get("content").is_some_and(|content| {
                    // An answer with an ETag may have the content `null`: a repeated request reads
                    // the resource again.
                    let has_etag = answer.get("etag").is_some_and(Value::is_string);
                    content.is_object() || (content.is_null() && has_etag)
                });
            if !is_complete {
                return Some("answer has no status or no content");
            }
            // An erasure finds the answers about a customer through the attribute `customer_id`.
            let is_success = answer.get("status").and_then(Value::as_u64).is_some_and(|s| s < 300);
            let named = answer.pointer("/content/customer_id").and_then(Value::as_str);
            let has_content = answer.get("content").is_some_and(Value::is_object);
            (is_success && has_content && item.text("customer_id") != named)
                .then_some("customer_id is not that of the answer")
        }
        (None, Some(_)) => None,
        _ => Some("must have either an answer or a lease"),
    }
}

/// Returns the fault of a token bucket. It must not expire before it is full again, because a
/// missing bucket counts as full.
fn limit_fault(item: &Item) -> Option<&'static str> {
    let (full_at, ttl) = (item.get("full_at").as_i64(), item.get("ttl").as_i64());
    match full_at.zip(ttl) {
        None => Some("full_at or ttl is not a number"),
        Some((full_at, ttl)) if ttl <= full_at / 1_000_000 => {
            Some("expires before the bucket is full")
        }
        Some(_) => None,
    }
}

const UNREADABLE: &str = "does not deserialize";

fn revision_fault(item: &Item, number: Option<u64>) -> Option<&'static str> {
    match item.deserialize::<Revision>() {
        None => Some(UNREADABLE),
        Some(revision) if number.is_some_and(|number| number != revision.revision) => {
            Some("revision is not that of the key")
        }
        Some(_) => None,
    }
}

fn progress_fault(item: &Item) -> Option<&'static str> {
    let Some(progress) = item.deserialize::<Progress>() else {
        return Some(UNREADABLE);
    };
    // A worker that stops early releases its lease, but its name stays in the item.
    let has_needless_lease = progress.lease_until.is_some() && progress.run.is_none();
    has_needless_lease.then_some("has a lease but no pass in progress")
}

fn pass_fault(item: &Item, pass_id: &str) -> Option<&'static str> {
    match item.deserialize::<Run>() {
        None => Some(UNREADABLE),
        Some(run) if run.pass_id != pass_id => Some("pass_id is not that of the key"),
        Some(run) if run.finished_at.is_none() => Some("the pass has no finished_at"),
        Some(_) => None,
    }
}
