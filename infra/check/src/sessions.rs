//! The counters of a customer say what its sessions say.

use std::collections::BTreeMap;

use shared::model::id::SessionId;
use shared::model::session::{FinalDecision, Session, SessionStatus};
use shared::model::time::Timestamp;

use crate::Found;
use crate::customer::Whole;
use crate::item::Item;

const COUNTERS: &str = "session counters";

pub(super) fn check(whole: &Whole<'_>, found: &mut Found) {
    for (session, item) in &whole.sessions {
        is_itself(whole, session, item, found);
    }
    let said = &whole.customer.sessions;
    let count = |status: Option<SessionStatus>| {
        let of = |(session, _): &&(Session, &Item)| status.is_none_or(|s| session.status == s);
        whole.sessions.iter().filter(of).count()
    };
    for (name, said, status) in [
        ("total", said.total, None),
        ("approved", said.approved, Some(SessionStatus::Approved)),
        ("rejected", said.rejected, Some(SessionStatus::Rejected)),
        ("manual_review", said.manual_review, Some(SessionStatus::ManualReview)),
    ] {
        let is = count(status);
        found.check(said as usize == is, COUNTERS, whole.item, || {
            format!("{name} is {said}, and there are {is}")
        });
    }
    open_ones(whole, found);
    the_last_one(whole, found);
}

fn is_itself(whole: &Whole<'_>, session: &Session, item: &Item, found: &mut Found) {
    let client_id = &whole.customer.profile.client_id;
    let decision = match session.status {
        SessionStatus::Approved => Some(FinalDecision::Approved),
        SessionStatus::Rejected => Some(FinalDecision::Rejected),
        SessionStatus::ManualReview => Some(FinalDecision::Flagged),
        _ => None,
    };
    let is_active = session.status == SessionStatus::Active;
    for (holds, what) in [
        (item.sk == format!("SESSION#{}", session.session_id), "its session_id is another's"),
        (session.status != SessionStatus::Expired, "expiry was written"),
        (session.final_decision == decision, "its decision does not go with its status"),
        (session.completed_at.is_none() == is_active, "its completion does not go with its status"),
        (
            session.client_id.is_none() || session.client_id == *client_id,
            "its client_id is not that of its customer",
        ),
    ] {
        found.check(holds, "session", item, || what.to_owned());
    }
}

/// What has expired by now may still be kept among them: nothing is written when it does.
fn open_ones(whole: &Whole<'_>, found: &mut Found) {
    let is_open = |expires_at: Timestamp| expires_at > whole.now;
    let kept = &whole.customer.open_sessions;
    let kept_now: BTreeMap<SessionId, Timestamp> =
        kept.iter().filter(|(_, at)| is_open(**at)).map(|(id, at)| (*id, *at)).collect();
    let is = |session: &Session| session.status == SessionStatus::Active;
    let open = whole.sessions.iter().map(|(session, _)| session).filter(|session| is(session));
    let open: BTreeMap<SessionId, Timestamp> = open
        .filter(|session| is_open(session.expires_at))
        .map(|session| (session.session_id, session.expires_at))
        .collect();
    found.check(kept_now == open, COUNTERS, whole.item, || {
        format!("{} sessions are kept as open, and {} are", kept_now.len(), open.len())
    });
    let active = whole.customer.sessions.active as usize;
    found.check((kept_now.len()..=kept.len()).contains(&active), COUNTERS, whole.item, || {
        format!("active is {active}, and {} to {} are kept as open", kept_now.len(), kept.len())
    });
}

fn the_last_one(whole: &Whole<'_>, found: &mut Found) {
    let said = &whole.customer.sessions;
    let last = whole.sessions.iter().map(|(session, _)| session).max_by_key(|s| s.session_id);
    let settled = last.map(|session| session.clone().settled(whole.now));
    let expired = last.is_some_and(|session| session.expires_at <= whole.now);
    let said_status = match said.last_status {
        Some(SessionStatus::Active) if expired => Some(SessionStatus::Expired),
        status => status,
    };
    let is_right = said.last_session_id == last.map(|session| session.session_id)
        && said_status == settled.map(|session| session.status)
        && said.last_at == last.map(|session| session.updated_at);
    found.check(is_right, COUNTERS, whole.item, || "the last one is another".to_owned());
}
