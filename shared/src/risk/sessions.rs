//! Assesses the outcomes of the customer's KYC sessions.
//!
//! This module leaves out watchlist and adverse media checks, because the module `screening`
//! assesses them. A rejection and a failed check count separately: the rejection is a decision
//! about the whole session, and the failed check is the result of one validation.

use std::cmp::Reverse;
use std::collections::HashSet;

use serde_json::json;

use super::evidence;
use super::facts::{Facts, SessionFacts};
use super::finding::Finding;
use super::model::Model;
use crate::model::risk::{Category, Evidence, Factor};
use crate::model::session::{SessionStatus, ValidationKind};

/// Lists sessions as evidence, the newest first.
pub(super) fn newest_first(mut sessions: Vec<&SessionFacts>) -> Vec<Evidence> {
    sessions.sort_by_key(|session| (Reverse(session.at), &session.session_id));
    sessions.into_iter().map(evidence::session).collect()
}

/// Returns the newest decided session by [`SessionFacts::at`], or all of them if several have the
/// same time. The result is empty if no session is decided.
pub(super) fn latest_decided<'f>(facts: &'f Facts<'_>) -> Vec<&'f SessionFacts> {
    let decided = || facts.sessions.iter().filter(|session| session.is_decided());
    let newest = decided().map(|session| session.at).max();
    decided().filter(|session| Some(session.at) == newest).collect()
}

pub(super) fn rejected(model: &Model, facts: &Facts<'_>) -> Factor {
    let sessions = recent(model, facts, |session| session.status == SessionStatus::Rejected);
    let finding = Finding {
        value: json!({ "sessions": sessions.len() }),
        points: model.rejected_sessions.points(sessions.len() as u64),
        reason: format!("Rejected sessions {}: {}.", period(model), sessions.len()),
        evidence: newest_first(sessions),
    };
    let weight = model.rejected_sessions.weight();
    finding.into_factor("rejected_sessions", Category::SESSIONS, weight)
}

pub(super) fn failed_validations(model: &Model, facts: &Facts<'_>) -> Factor {
    let sessions = recent(model, facts, |session| failed_kinds(session) > 0);
    let failed: usize = sessions.iter().map(|session| failed_kinds(session)).sum();
    let finding = Finding {
        value: json!({ "failed": failed, "sessions": sessions.len() }),
        points: model.failed_validations.points(failed as u64),
        reason: format!(
            "Failed document, face, liveness or wallet checks {}: {failed}.",
            period(model)
        ),
        evidence: newest_first(sessions),
    };
    let weight = model.failed_validations.weight();
    finding.into_factor("failed_validations", Category::SESSIONS, weight)
}

/// Counts the kinds of checks that failed in a session, without watchlist and adverse media checks.
fn failed_kinds(session: &SessionFacts) -> usize {
    use ValidationKind::{AdverseMedia, Watchlists};
    let kinds = session.failed.iter().filter(|kind| !matches!(kind, AdverseMedia | Watchlists));
    kinds.collect::<HashSet<_>>().len()
}

pub(super) fn expired(model: &Model, facts: &Facts<'_>) -> Factor {
    let sessions = recent(model, facts, |session| session.status == SessionStatus::Expired);
    let finding = Finding {
        value: json!({ "sessions": sessions.len() }),
        points: model.expired_sessions.points(sessions.len() as u64),
        reason: format!("Expired sessions {}: {}.", period(model), sessions.len()),
        evidence: newest_first(sessions),
    };
    let weight = model.expired_sessions.weight();
    finding.into_factor("expired_sessions", Category::SESSIONS, weight)
}

pub(super) fn last_approval(model: &Model, facts: &Facts<'_>) -> Factor {
    let sessions = facts.sessions.iter();
    let newest = sessions
        .filter(|session| session.status == SessionStatus::Approved)
        .min_by_key(|session| (Reverse(session.at), &session.session_id));
    let finding = match newest {
        None => Finding {
            value: json!({ "days": null }),
            points: model.never_approved,
            reason: "No session has been approved.".to_owned(),
            evidence: vec![evidence::customer(facts)],
        },
        Some(session) => {
            let days = facts.days_since(session.at);
            Finding {
                value: json!({ "days": days }),
                points: model.since_approval.points(days),
                reason: format!("Days since the last approved session: {days}."),
                evidence: vec![evidence::session(session)],
            }
        }
    };
    finding.into_factor("last_approval", Category::SESSIONS, model.never_approved)
}

/// Returns the sessions that are less than [`Model::history_days`] days old and pass the filter.
fn recent<'f>(
    model: &Model,
    facts: &'f Facts<'_>,
    filter: impl Fn(&SessionFacts) -> bool,
) -> Vec<&'f SessionFacts> {
    let is_recent = |session: &SessionFacts| facts.days_since(session.at) < model.history_days;
    facts.sessions.iter().filter(|session| is_recent(session) && filter(session)).collect()
}

fn period(model: &Model) -> String {
    format!("in the last {} days", model.history_days)
}
