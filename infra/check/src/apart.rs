//! What stands by itself: idempotency records, the lists, and the passes.

use serde_json::Value;
use shared::monitoring::lists::Revision;
use shared::monitoring::pass::{Progress, Run};
use uuid::Uuid;

use crate::Found;
use crate::item::{Item, Place};

pub(super) fn check(item: &Item, found: &mut Found) {
    let (rule, fault) = match item.place() {
        Some(Place::Idempotency { .. }) => ("idempotency", idempotency(item)),
        Some(Place::CurrentLists) => ("lists", revision(item, None)),
        Some(Place::Lists(number)) => ("lists", revision(item, Some(number))),
        Some(Place::Progress) => ("pass", progress(item)),
        Some(Place::Pass(pass_id)) => ("pass", pass(item, pass_id)),
        Some(Place::Shards) => {
            let is_some = item.get("count").as_u64().is_some_and(|count| count > 0);
            ("pass", (!is_some).then_some("says of no shard"))
        }
        _ => return,
    };
    if let Some(fault) = fault {
        found.add(rule, item, fault);
    }
}

fn idempotency(item: &Item) -> Option<&'static str> {
    let fingerprint = item.text("fingerprint").unwrap_or_default();
    if fingerprint.len() != 64 || !fingerprint.chars().all(|c| c.is_ascii_hexdigit()) {
        return Some("its fingerprint is none");
    }
    if item.text("owner").is_none_or(|owner| Uuid::try_parse(owner).is_err()) {
        return Some("is nobody's");
    }
    let kept_until = item.get("kept_until").as_i64();
    if kept_until.is_none() || item.get("ttl").as_i64() != kept_until.map(|until| until / 1_000 + 1)
    {
        return Some("is not removed when it ends");
    }
    match (item.text("answer"), item.get("lease_until").as_i64()) {
        (Some(answer), None) => {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            let is_whole = answer.get("status").is_some_and(Value::is_u64)
                && answer.get("content").is_some_and(Value::is_object);
            (!is_whole).then_some("its answer does not read")
        }
        (None, Some(_)) => None,
        _ => Some("has neither an answer nor a lease, or both"),
    }
}

fn revision(item: &Item, number: Option<u64>) -> Option<&'static str> {
    match item.model::<Revision>() {
        None => Some("does not read as what it is"),
        Some(revision) if number.is_some_and(|number| number != revision.revision) => {
            Some("is another revision")
        }
        Some(_) => None,
    }
}

fn progress(item: &Item) -> Option<&'static str> {
    let Some(progress) = item.model::<Progress>() else {
        return Some("does not read as what it is");
    };
    // Who leaves before the time is over keeps its name and gives its lease back.
    let is_held = progress.lease_until.is_some() && progress.run.is_none();
    is_held.then_some("is held by somebody who has nothing to do")
}

fn pass(item: &Item, pass_id: &str) -> Option<&'static str> {
    match item.model::<Run>() {
        None => Some("does not read as what it is"),
        Some(run) if run.pass_id != pass_id => Some("is another pass"),
        Some(run) if run.finished_at.is_none() => {
            Some("is the evidence of a pass that did not end")
        }
        Some(_) => None,
    }
}
