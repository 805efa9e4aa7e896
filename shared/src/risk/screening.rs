//! What was found about the customer on watch lists and in the media.

use serde_json::json;

use super::sessions::newest_first;
use super::{AlertFacts, Facts, Found, Model, SessionFacts, evidence, factor};
use crate::model::alert::AlertStatus;
use crate::model::risk::{Category, Evidence, Factor};
use crate::model::session::{SessionStatus, ValidationKind};

pub(super) fn alerts(model: &Model, facts: &Facts<'_>) -> Factor {
    let confirmed = of_status(facts, AlertStatus::Confirmed);
    let open = of_status(facts, AlertStatus::Open);
    let found = Found {
        value: json!({ "confirmed": confirmed.len(), "open": open.len() }),
        points: match confirmed.is_empty() {
            true => model.open_alerts.points(open.len() as u64),
            false => model.confirmed_alert,
        },
        reason: format!("Alerts confirmed: {}, open: {}.", confirmed.len(), open.len()),
        evidence: confirmed.into_iter().chain(open).collect(),
    };
    factor("alerts", Category::SCREENING, model.confirmed_alert, found)
}

/// In the order of their ids.
pub(super) fn of_status(facts: &Facts<'_>, status: AlertStatus) -> Vec<Evidence> {
    let mut alerts: Vec<&AlertFacts> = facts.alerts.iter().filter(|a| a.status == status).collect();
    alerts.sort_by_key(|alert| &alert.alert_id);
    alerts.into_iter().map(|alert| evidence("alert", &alert.alert_id)).collect()
}

pub(super) fn watchlists(model: &Model, facts: &Facts<'_>) -> Factor {
    let points = (model.watchlists_failed, model.watchlists_in_review);
    checks("watchlist_checks", "watch list", facts, ValidationKind::Watchlists, points)
}

pub(super) fn adverse_media(model: &Model, facts: &Facts<'_>) -> Factor {
    let points = (model.adverse_media_failed, model.adverse_media_in_review);
    checks("adverse_media_checks", "adverse media", facts, ValidationKind::AdverseMedia, points)
}

fn checks(
    code: &str,
    what: &str,
    facts: &Facts<'_>,
    kind: ValidationKind,
    (failed_points, review_points): (u8, u8),
) -> Factor {
    let Unresolved { failed, in_review } = unresolved(facts, kind);
    let found = Found {
        value: json!({ "failed": failed.len(), "in_review": in_review.len() }),
        points: match (failed.is_empty(), in_review.is_empty()) {
            (false, _) => failed_points,
            (true, false) => review_points,
            (true, true) => 0,
        },
        reason: format!(
            "Sessions with an unresolved {what} check: {} failed, {} in review.",
            failed.len(),
            in_review.len()
        ),
        evidence: newest_first(failed).into_iter().chain(newest_first(in_review)).collect(),
    };
    factor(code, Category::SCREENING, failed_points, found)
}

pub(super) struct Unresolved<'f> {
    pub(super) failed: Vec<&'f SessionFacts>,
    pub(super) in_review: Vec<&'f SessionFacts>,
}

/// The sessions in which a check failed or is in review, and which no newer session resolved. Only
/// one that was approved and passed the same check resolves: that it did not run says nothing.
pub(super) fn unresolved<'f>(facts: &'f Facts<'_>, kind: ValidationKind) -> Unresolved<'f> {
    let failed = |session: &&SessionFacts| session.failed.contains(&kind);
    let in_review = |session: &&SessionFacts| !failed(session) && session.in_review.contains(&kind);
    let resolves = |session: &&SessionFacts| {
        let approved = session.status == SessionStatus::Approved;
        approved && session.passed.contains(&kind) && !failed(session) && !in_review(session)
    };
    let sessions = || facts.sessions.iter();
    let resolved = sessions().filter(resolves).map(|session| session.at).max();
    let open = || sessions().filter(move |session| resolved.is_none_or(|at| session.at >= at));
    Unresolved {
        failed: open().filter(failed).collect(),
        in_review: open().filter(in_review).collect(),
    }
}
