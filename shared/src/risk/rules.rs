//! Applies the hard rules. A hard rule sets a minimum level regardless of the score and never
//! lowers the level.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::countries::CountryList;
use super::entity::{sector_evidence, sector_reason};
use super::evidence::{self, MAX_EVIDENCE};
use super::facts::{Facts, SessionFacts};
use super::geography::{lists_with, parties_on, title_and_date};
use super::industries::sectors_of;
use super::level::rank;
use super::model::Model;
use super::screening::{alerts_with_status, unresolved};
use super::sessions::{latest_decided, newest_first};
use crate::model::alert::AlertStatus;
use crate::model::customer::RiskLevel;
use crate::model::risk::{Evidence, HardRule};
use crate::model::session::{SessionStatus, ValidationKind};

/// Lists the rules that apply, the worst level first.
pub(super) fn apply(model: &Model, facts: &Facts<'_>) -> Vec<HardRule> {
    let mut rules = Vec::new();
    alerts(facts, &mut rules);
    countries(model, facts, &mut rules);
    sessions(facts, &mut rules);
    checks(facts, &mut rules);
    beneficial_owner(facts, &mut rules);
    industry(model, facts, &mut rules);
    // The sort is stable: rules of the same level stay in the order above.
    rules.sort_by_key(|rule| Reverse(rank(rule.level)));
    rules
}

/// Creates a rule. Returns `None` if `evidence` is empty, because the rule then does not apply.
fn rule(
    code: impl Into<String>,
    level: RiskLevel,
    reason: impl Into<String>,
    mut evidence: Vec<Evidence>,
) -> Option<HardRule> {
    evidence.truncate(MAX_EVIDENCE);
    let applies = !evidence.is_empty();
    applies.then(|| HardRule { code: code.into(), level, reason: reason.into(), evidence })
}

fn alerts(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    rules.extend(rule(
        "confirmed_alert",
        RiskLevel::Prohibited,
        "A watchlist match has been confirmed.",
        alerts_with_status(facts, AlertStatus::Confirmed),
    ));
    rules.extend(rule(
        "open_alert",
        RiskLevel::Medium,
        "A watchlist match is waiting for a decision.",
        alerts_with_status(facts, AlertStatus::Open),
    ));
}

fn countries(model: &Model, facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    if let Some(country) = facts.country {
        let country = country.as_str();
        for list in lists_with(model, country) {
            let title = title_and_date(list);
            rules.extend(rule(
                format!("customer_country_{}", list.id),
                list.customer_floor,
                format!("The customer's country, {country}, is on the list {title}."),
                vec![evidence::country_list(list), evidence::customer(facts)],
            ));
        }
    }
    let Ok(organization) = facts.ownership() else { return };
    for list in model.country_lists {
        let owners = parties_on(list, organization, |party| party.is_owner);
        rules.extend(related_country("owner", list, list.owner_floor, owners));
        let officers = parties_on(list, organization, |party| !party.is_owner);
        rules.extend(related_country("officer", list, list.officer_floor, officers));
    }
}

/// Creates the rule for the owners or officers in countries of a list. `position` is `owner` or
/// `officer`. Returns `None` if the list sets no minimum level or there is no such party.
fn related_country(
    position: &str,
    list: &CountryList,
    floor: RiskLevel,
    parties: BTreeSet<&str>,
) -> Option<HardRule> {
    if floor == RiskLevel::NotSet || parties.is_empty() {
        return None;
    }
    let reason = format!("The country of an {position} is on the list {}.", title_and_date(list));
    let parties = parties.into_iter().map(evidence::party);
    let evidence = std::iter::once(evidence::country_list(list)).chain(parties).collect();
    rule(format!("{position}_country_{}", list.id), floor, reason, evidence)
}

fn sessions(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    let latest = latest_decided(facts);
    let with_status = |status: SessionStatus| -> Vec<Evidence> {
        let sessions: Vec<&SessionFacts> =
            latest.iter().copied().filter(|session| session.status == status).collect();
        newest_first(sessions)
    };
    rules.extend(rule(
        "latest_session_rejected",
        RiskLevel::High,
        "The most recently decided session was rejected.",
        with_status(SessionStatus::Rejected),
    ));
    rules.extend(rule(
        "latest_session_in_review",
        RiskLevel::Medium,
        "The most recently decided session is in manual review.",
        with_status(SessionStatus::ManualReview),
    ));
}

fn checks(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    rules.extend(rule(
        "watchlists_failed",
        RiskLevel::High,
        "A watchlist check failed, and no later approved session has passed it.",
        newest_first(unresolved(facts, ValidationKind::Watchlists).failed),
    ));
    rules.extend(rule(
        "adverse_media_failed",
        RiskLevel::Medium,
        "An adverse media check failed, and no later approved session has passed it.",
        newest_first(unresolved(facts, ValidationKind::AdverseMedia).failed),
    ));
}

/// Adds a rule if neither a beneficial owner nor a senior manager is identified.
///
/// FATF Recommendation 10 requires the beneficial owner of a company to be identified. If there is
/// no such individual, it requires a senior manager to be identified instead.
fn beneficial_owner(facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    let Ok(organization) = facts.ownership() else { return };
    if !organization.has_owner_ubo && !organization.senior_manager_only {
        rules.extend(rule(
            "no_beneficial_owner",
            RiskLevel::High,
            "Neither a beneficial owner nor a senior manager has been identified.",
            vec![evidence::organization(facts, organization)],
        ));
    }
}

fn industry(model: &Model, facts: &Facts<'_>, rules: &mut Vec<HardRule>) {
    let Some(industry) = facts.industry else { return };
    // All sectors that `sectors_of` returns have the same risk level.
    let sectors = sectors_of(model.sectors, industry);
    if sectors.first().is_some_and(|sector| sector.risk == RiskLevel::High) {
        rules.extend(rule(
            "high_risk_industry",
            RiskLevel::Medium,
            sector_reason(&sectors, RiskLevel::High),
            sector_evidence(facts, &sectors),
        ));
    }
}
