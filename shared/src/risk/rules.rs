//! What raises the level whatever the score is. A rule never lowers it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::countries::CountryList;
use super::geography::{lists_of, parties_on, titled};
use super::industries::sectors_of;
use super::screening::{of_status, unresolved};
use super::sessions::{latest_decided, newest_first};
use super::{Facts, MOST_EVIDENCE, Model, SessionFacts, country_list, customer, entity, evidence};
use super::{level_rank, organization};
use crate::model::alert::AlertStatus;
use crate::model::customer::RiskLevel;
use crate::model::risk::{Evidence, HardRule};
use crate::model::session::{SessionStatus, ValidationKind};

/// Worst first.
pub(super) fn apply(model: &Model, facts: &Facts<'_>) -> Vec<HardRule> {
    let mut rules = Vec::new();
    alerts(facts, &mut rules);
    countries(model, facts, &mut rules);
    sessions(facts, &mut rules);
    checks(facts, &mut rules);
    beneficial_owner(facts, &mut rules);
    industry(model, facts, &mut rules);
    // Stable: rules of one level stay in the order above.
    rules.sort_by_key(|rule| Reverse(level_rank(rule.level)));
    rules
}

fn rule(
    code: impl Into<String>,
    level: RiskLevel,
    reason: impl Into<String>,
    mut evidence: Vec<Evidence>,
) -> Option<HardRule> {
    evidence.truncate(MOST_EVIDENCE);
    let applies = !evidence.is_empty();
    applies.then(|| HardRule { code: code.into(), level, reason: reason.into(), evidence })
}

fn alerts(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    rules.extend(rule(
        "confirmed_alert",
        RiskLevel::Prohibited,
        "A match with a watch list was confirmed.",
        of_status(facts, AlertStatus::Confirmed),
    ));
    rules.extend(rule(
        "open_alert",
        RiskLevel::Medium,
        "A match with a watch list waits for a decision.",
        of_status(facts, AlertStatus::Open),
    ));
}

fn countries(model: &Model, facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    let country = facts.country.map_or("", |country| country.as_str());
    for list in lists_of(model, country) {
        rules.extend(rule(
            format!("customer_country_{}", list.id),
            list.customer_floor,
            format!("The customer's country, {country}, is on: {}.", titled(list)),
            vec![country_list(list), customer(facts)],
        ));
    }
    let Ok(declared) = facts.ownership() else { return };
    for list in model.country_lists {
        let owners = parties_on(list, declared, |party| party.is_owner);
        rules.extend(related("owner", list, list.owner_floor, owners));
        let officers = parties_on(list, declared, |party| !party.is_owner);
        rules.extend(related("officer", list, list.officer_floor, officers));
    }
}

fn related(
    who: &str,
    list: &CountryList,
    floor: RiskLevel,
    parties: BTreeSet<&str>,
) -> Option<HardRule> {
    if floor == RiskLevel::NotSet || parties.is_empty() {
        return None;
    }
    let reason = format!("The country of an {who} is on: {}.", titled(list));
    let parties = parties.into_iter().map(|party| evidence("party", party));
    let proof = std::iter::once(country_list(list)).chain(parties).collect();
    rule(format!("{who}_country_{}", list.id), floor, reason, proof)
}

fn sessions(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    let latest = latest_decided(facts);
    let of = |status: SessionStatus| -> Vec<Evidence> {
        let sessions: Vec<&SessionFacts> =
            latest.iter().copied().filter(|session| session.status == status).collect();
        newest_first(sessions)
    };
    rules.extend(rule(
        "latest_session_rejected",
        RiskLevel::High,
        "The most recent decision about a session is a rejection.",
        of(SessionStatus::Rejected),
    ));
    rules.extend(rule(
        "latest_session_in_review",
        RiskLevel::Medium,
        "The most recent session to be decided is in manual review.",
        of(SessionStatus::ManualReview),
    ));
}

fn checks(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    rules.extend(rule(
        "watchlists_failed",
        RiskLevel::High,
        "A watch list check failed, and no later approved session passed it.",
        newest_first(unresolved(facts, ValidationKind::Watchlists).failed),
    ));
    rules.extend(rule(
        "adverse_media_failed",
        RiskLevel::Medium,
        "An adverse media check failed, and no later approved session passed it.",
        newest_first(unresolved(facts, ValidationKind::AdverseMedia).failed),
    ));
}

/// FATF Recommendation 10: a company whose beneficial owner, or at least the senior manager in its
/// place, is not identified is not yet known.
fn beneficial_owner(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    let Ok(declared) = facts.ownership() else { return };
    if !declared.has_owner_ubo && !declared.senior_manager_only {
        rules.extend(rule(
            "no_beneficial_owner",
            RiskLevel::High,
            "Nobody was identified as a beneficial owner, nor a senior manager in their place.",
            vec![organization(facts, declared)],
        ));
    }
}

fn industry(model: &Model, facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    let Some(industry) = facts.industry else { return };
    let sectors = sectors_of(model.sectors, industry);
    if sectors.first().is_some_and(|sector| sector.risk == RiskLevel::High) {
        rules.extend(rule(
            "high_risk_industry",
            RiskLevel::Medium,
            entity::reason(&sectors, RiskLevel::High),
            entity::proof(facts, &sectors),
        ));
    }
}
