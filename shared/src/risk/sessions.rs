//! How the customer's KYC sessions went. What they found on watch lists and in the media is
//! `screening`'s, so that one finding does not count twice; a rejection and a failed check do count
//! apart: one is what a person decided, the other what was seen.

use std::cmp::Reverse;
use std::collections::HashSet;

use serde_json::json;

use super::{Facts, Found, Model, SessionFacts, customer, evidence, factor};
use crate::model::risk::{Category, Evidence, Factor};
use crate::model::session::{SessionStatus, ValidationKind};

/// As evidence, newest first.
pub(super) fn newest_first(mut sessions: Vec<&SessionFacts>) -> Vec<Evidence> {
    sessions.sort_by_key(|session| (Reverse(session.at), &session.session_id));
    sessions.into_iter().map(|session| evidence("session", &session.session_id)).collect()
}

/// The decided sessions of the newest decision; several when they changed in the same millisecond.
pub(super) fn latest_decided<'f>(facts: &'f Facts<'_>) -> Vec<&'f SessionFacts> {
    let decided = || facts.sessions.iter().filter(|session| session.is_decided());
    let newest = decided().map(|session| session.at).max();
    decided().filter(|session| Some(session.at) == newest).collect()
}

pub(super) fn rejected(model: &Model, facts: &Facts<'_>) -> Factor {
    let sessions = recent(model, facts, |session| session.status == SessionStatus::Rejected);
    let found = Found {
        value: json!({ "sessions": sessions.len() }),
        points: model.rejected_sessions.points(sessions.len() as u64),
        reason: format!("Sessions rejected {}: {}.", within(model), sessions.len()),
        evidence: newest_first(sessions),
    };
    factor("rejected_sessions", Category::SESSIONS, model.rejected_sessions.weight(), found)
}

pub(super) fn failed_validations(model: &Model, facts: &Facts<'_>) -> Factor {
    let sessions = recent(model, facts, |session| failures(session) > 0);
    let failed: usize = sessions.iter().copied().map(failures).sum();
    let found = Found {
        value: json!({ "failed": failed, "sessions": sessions.len() }),
        points: model.failed_validations.points(failed as u64),
        reason: format!(
            "Failed checks of a document, face, liveness or wallet {}: {failed}.",
            within(model)
        ),
        evidence: newest_first(sessions),
    };
    factor("failed_validations", Category::SESSIONS, model.failed_validations.weight(), found)
}

fn failures(session: &SessionFacts) -> usize {
    use ValidationKind::{AdverseMedia, Watchlists};
    let counted = session.failed.iter().filter(|kind| !matches!(kind, AdverseMedia | Watchlists));
    counted.collect::<HashSet<_>>().len()
}

pub(super) fn expired(model: &Model, facts: &Facts<'_>) -> Factor {
    let sessions = recent(model, facts, |session| session.status == SessionStatus::Expired);
    let found = Found {
        value: json!({ "sessions": sessions.len() }),
        points: model.expired_sessions.points(sessions.len() as u64),
        reason: format!("Sessions expired {}: {}.", within(model), sessions.len()),
        evidence: newest_first(sessions),
    };
    factor("expired_sessions", Category::SESSIONS, model.expired_sessions.weight(), found)
}

pub(super) fn last_approval(model: &Model, facts: &Facts<'_>) -> Factor {
    let approved = facts.sessions.iter().filter(|s| s.status == SessionStatus::Approved);
    let newest = approved.min_by_key(|session| (Reverse(session.at), &session.session_id));
    let found = match newest {
        None => Found {
            value: json!({ "days": null }),
            points: model.never_approved,
            reason: "No session was ever approved.".to_owned(),
            evidence: vec![customer(facts)],
        },
        Some(session) => {
            let days = facts.days_since(session.at);
            Found {
                value: json!({ "days": days }),
                points: model.since_approval.points(days),
                reason: format!("The last approval is {days} days old."),
                evidence: newest_first(vec![session]),
            }
        }
    };
    factor("last_approval", Category::SESSIONS, model.never_approved, found)
}

fn recent<'f>(
    model: &Model,
    facts: &'f Facts<'_>,
    counts: impl Fn(&SessionFacts) -> bool,
) -> Vec<&'f SessionFacts> {
    let known = facts.sessions.iter();
    let recent = known.filter(|session| facts.days_since(session.at) < model.history_days);
    recent.filter(|session| counts(session)).collect()
}

fn within(model: &Model) -> String {
    format!("in the last {} days", model.history_days)
}
