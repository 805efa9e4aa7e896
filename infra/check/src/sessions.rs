//! Checks the fields of each session, and compares a customer's counters with its sessions.

use std::collections::BTreeMap;

use shared::model::id::SessionId;
use shared::model::session::{FinalDecision, Session, SessionStatus};
use shared::model::time::Timestamp;

use crate::item::Item;
use crate::records::Records;
use crate::report::{Rule, Violations};

pub(crate) fn check(records: &Records<'_>, violations: &mut Violations) {
    for (session, item) in &records.sessions {
        check_session(records, session, item, violations);
    }
    let counters = &records.customer.sessions;
    for (name, counter, status) in [
        ("total", counters.total, None),
        ("approved", counters.approved, Some(SessionStatus::Approved)),
        ("rejected", counters.rejected, Some(SessionStatus::Rejected)),
        ("manual_review", counters.manual_review, Some(SessionStatus::ManualReview)),
    ] {
        let sessions = records.sessions.iter().map(|(session, _)| session);
        let count = sessions.filter(|session| status.is_none_or(|s| session.status == s)).count();
        violations.require(counter as usize == count, Rule::SessionCounters, records.item, || {
            format!("{name} is {counter}, but {count} such sessions exist")
        });
    }
    check_open_sessions(records, violations);
    check_last_session(records, violations);
}

fn check_session(
    records: &Records<'_>,
    session: &Session,
    item: &Item,
    violations: &mut Violations,
) {
    let client_id = &records.customer.profile.client_id;
    let decision = match session.status {
        SessionStatus::Approved => Some(FinalDecision::Approved),
        SessionStatus::Rejected => Some(FinalDecision::Rejected),
        SessionStatus::ManualReview => Some(FinalDecision::Flagged),
        _ => None,
    };
    let is_active = session.status == SessionStatus::Active;
    for (holds, what) in [
        (item.sk == format!("SESSION#{}", session.session_id), "session_id is not that of the key"),
        (session.status != SessionStatus::Expired, "the status expired must not be stored"),
        (session.final_decision == decision, "final_decision does not agree with the status"),
        (
            session.completed_at.is_none() == is_active,
            "completed_at does not agree with the status",
        ),
        (
            session.client_id.is_none() || session.client_id == *client_id,
            "client_id is not that of the customer",
        ),
    ] {
        violations.require(holds, Rule::Session, item, || what.to_owned());
    }
}

/// Compares `open_sessions` and the counter `active` with the sessions.
///
/// Expired sessions may still be listed and counted, because a session expires without a write.
fn check_open_sessions(records: &Records<'_>, violations: &mut Violations) {
    let is_open = |expires_at: Timestamp| expires_at > records.now;
    let listed = &records.customer.open_sessions;
    let listed_open: BTreeMap<SessionId, Timestamp> =
        listed.iter().filter(|(_, at)| is_open(**at)).map(|(id, at)| (*id, *at)).collect();
    let open: BTreeMap<SessionId, Timestamp> = records
        .sessions
        .iter()
        .map(|(session, _)| session)
        .filter(|session| session.status == SessionStatus::Active && is_open(session.expires_at))
        .map(|session| (session.session_id, session.expires_at))
        .collect();
    violations.require(listed_open == open, Rule::SessionCounters, records.item, || {
        let (listed, open) = (listed_open.len(), open.len());
        format!("open_sessions lists {listed} open sessions that differ from the {open} that exist")
    });
    let active = records.customer.sessions.active as usize;
    let range = listed_open.len()..=listed.len();
    violations.require(range.contains(&active), Rule::SessionCounters, records.item, || {
        format!("active is {active}, but must be {} to {}", range.start(), range.end())
    });
}

fn check_last_session(records: &Records<'_>, violations: &mut Violations) {
    let counters = &records.customer.sessions;
    let last = records.sessions.iter().map(|(session, _)| session).max_by_key(|s| s.session_id);
    let settled = last.map(|session| session.clone().settled(records.now));
    let has_expired = last.is_some_and(|session| session.expires_at <= records.now);
    let last_status = match counters.last_status {
        Some(SessionStatus::Active) if has_expired => Some(SessionStatus::Expired),
        status => status,
    };
    let is_right = counters.last_session_id == last.map(|session| session.session_id)
        && last_status == settled.map(|session| session.status)
        && counters.last_at == last.map(|session| session.updated_at);
    violations.require(is_right, Rule::SessionCounters, records.item, || {
        "last_session_id, last_status or last_at is not that of the last session".to_owned()
    });
}
