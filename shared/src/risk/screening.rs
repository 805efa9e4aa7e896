//! Assesses matches on watchlists and in adverse media.

use serde_json::json;

use super::evidence;
use super::facts::{AlertFacts, Facts, SessionFacts};
use super::finding::Finding;
use super::model::Model;
use super::sessions::newest_first;
use crate::model::alert::AlertStatus;
use crate::model::risk::{Category, Evidence, Factor};
use crate::model::session::{SessionStatus, ValidationKind};

pub(super) fn alerts(model: &Model, facts: &Facts<'_>) -> Factor {
    let confirmed = alerts_with_status(facts, AlertStatus::Confirmed);
    let open = alerts_with_status(facts, AlertStatus::Open);
    let finding = Finding {
        value: json!({ "confirmed": confirmed.len(), "open": open.len() }),
        points: if confirmed.is_empty() {
            model.open_alerts.points(open.len() as u64)
        } else {
            model.confirmed_alert
        },
        reason: format!("Confirmed alerts: {}; open alerts: {}.", confirmed.len(), open.len()),
        evidence: confirmed.into_iter().chain(open).collect(),
    };
    finding.into_factor("alerts", Category::SCREENING, model.confirmed_alert)
}

/// Lists the alerts with a status as evidence, in the order of their ids.
pub(super) fn alerts_with_status(facts: &Facts<'_>, status: AlertStatus) -> Vec<Evidence> {
    let mut alerts: Vec<&AlertFacts> =
        facts.alerts.iter().filter(|alert| alert.status == status).collect();
    alerts.sort_by_key(|alert| &alert.alert_id);
    alerts.into_iter().map(evidence::alert).collect()
}

pub(super) fn watchlists(model: &Model, facts: &Facts<'_>) -> Factor {
    let points = Points { failed: model.watchlists_failed, in_review: model.watchlists_in_review };
    let finding = check_finding(facts, ValidationKind::Watchlists, "watchlist", &points);
    finding.into_factor("watchlist_checks", Category::SCREENING, points.failed)
}

pub(super) fn adverse_media(model: &Model, facts: &Facts<'_>) -> Factor {
    let points =
        Points { failed: model.adverse_media_failed, in_review: model.adverse_media_in_review };
    let finding = check_finding(facts, ValidationKind::AdverseMedia, "adverse media", &points);
    finding.into_factor("adverse_media_checks", Category::SCREENING, points.failed)
}

/// Points of an unresolved check, by its result.
struct Points {
    failed: u8,
    in_review: u8,
}

fn check_finding(facts: &Facts<'_>, kind: ValidationKind, name: &str, points: &Points) -> Finding {
    let Unresolved { failed, in_review } = unresolved(facts, kind);
    let points = if !failed.is_empty() {
        points.failed
    } else if !in_review.is_empty() {
        points.in_review
    } else {
        0
    };
    Finding {
        value: json!({ "failed": failed.len(), "in_review": in_review.len() }),
        points,
        reason: format!(
            "Sessions with an unresolved {name} check: {} failed, {} in review.",
            failed.len(),
            in_review.len()
        ),
        evidence: newest_first(failed).into_iter().chain(newest_first(in_review)).collect(),
    }
}

/// Sessions in which a check of one kind is unresolved, by the result of the check.
pub(super) struct Unresolved<'f> {
    pub(super) failed: Vec<&'f SessionFacts>,
    pub(super) in_review: Vec<&'f SessionFacts>,
}

/// Finds the sessions in which a check of this kind failed or is in review, and whose check no
/// newer session resolves.
///
/// A newer session resolves a check only if it is approved and its latest result of the same check
/// is `passed`.
pub(super) fn unresolved<'f>(facts: &'f Facts<'_>, kind: ValidationKind) -> Unresolved<'f> {
    let failed = |session: &&SessionFacts| session.failed.contains(&kind);
    let in_review = |session: &&SessionFacts| !failed(session) && session.in_review.contains(&kind);
    let resolves = |session: &&SessionFacts| {
        let is_approved = session.status == SessionStatus::Approved;
        is_approved && session.passed.contains(&kind) && !failed(session) && !in_review(session)
    };
    let resolved_at = facts.sessions.iter().filter(resolves).map(|session| session.at).max();
    let open = || {
        let sessions = facts.sessions.iter();
        sessions.filter(move |session| resolved_at.is_none_or(|at| session.at >= at))
    };
    Unresolved {
        failed: open().filter(failed).collect(),
        in_review: open().filter(in_review).collect(),
    }
}
