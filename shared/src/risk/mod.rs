//! The risk profile of a customer, from plain facts and a versioned model. The same facts and
//! model always give the same assessment.
//!
//! Every factor is always listed, in the same order: one that is unknown or does not apply has no
//! value and no points, and its reason says why.

mod countries;
mod entity;
mod facts;
mod gather;
mod geography;
mod industries;
mod model;
mod ownership;
mod rules;
mod screening;
mod sectors;
mod sessions;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod properties;

use serde_json::{Value, json};

pub use countries::CountryList;
pub use facts::{AlertFacts, Facts, OrganizationFacts, RelatedFacts, SessionFacts};
pub use gather::owned;
pub use industries::{Sector, Source};
pub use model::{MODEL, Model};

use crate::model::customer::RiskLevel;
use crate::model::profile::{EntityType, Profile};
use crate::model::risk::{Category, Evidence, Factor, HardRule};
use crate::model::time::Timestamp;

/// A longer list helps nobody, and a profile is one item of the table.
const MOST_EVIDENCE: usize = 25;

#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// 0 to 100, the sum of the points; `None` when the level is `not_set`.
    pub score: Option<u8>,
    pub level: RiskLevel,
    pub factors: Vec<Factor>,
    /// Worst first.
    pub hard_rules: Vec<HardRule>,
    pub model_version: String,
    pub next_review_at: Option<Timestamp>,
}

/// The level is that of the score, raised by the hard rules. With too little data it is theirs
/// alone, `not_set` without any, and a factor `insufficient_data` says what is missing.
pub fn assess(model: &Model, facts: &Facts<'_>) -> Assessment {
    let mut factors = vec![
        geography::customer_country(model, facts),
        geography::related_countries(model, facts),
        entity::industry(model, facts),
        entity::company_age(model, facts),
        ownership::undisclosed(model, facts),
        ownership::layers(model, facts),
        ownership::circular(model, facts),
        ownership::beneficial_owner(model, facts),
        sessions::rejected(model, facts),
        sessions::failed_validations(model, facts),
        sessions::expired(model, facts),
        sessions::last_approval(model, facts),
        screening::alerts(model, facts),
        screening::watchlists(model, facts),
        screening::adverse_media(model, facts),
    ];
    let score: u8 = factors.iter().map(|factor| factor.points).sum();
    let missing = missing(facts);
    let by_score = match score {
        _ if !missing.is_empty() => RiskLevel::NotSet,
        score if score >= model.high_from => RiskLevel::High,
        score if score >= model.medium_from => RiskLevel::Medium,
        _ => RiskLevel::Low,
    };
    if !missing.is_empty() {
        let found = Found {
            value: json!(missing),
            points: 0,
            reason: format!("Too little is known for a score: {}.", missing.join(", ")),
            evidence: vec![customer(facts)],
        };
        factors.push(factor("insufficient_data", Category::ENTITY, 0, found));
    }
    let hard_rules = rules::apply(model, facts);
    let levels = hard_rules.iter().map(|rule| rule.level).chain([by_score]);
    let level = levels.max_by_key(|level| level_rank(*level)).unwrap_or(by_score);
    Assessment {
        score: (level != RiskLevel::NotSet).then_some(score),
        level,
        factors,
        hard_rules,
        model_version: model.version.to_owned(),
        next_review_at: next_review_at(model, level, facts.now),
    }
}

/// Whether a change of the profile is one of something the model looks at.
pub fn scored_fields_differ(before: &Profile, after: &Profile) -> bool {
    before.entity_type != after.entity_type
        || before.country != after.country
        || before.industry != after.industry
        || before.incorporated_on != after.incorporated_on
}

/// Who stands behind a company is part of knowing it (FATF Recommendations 10 and 24), so nothing
/// else makes up for an organization that is not known.
fn missing(facts: &Facts<'_>) -> Vec<&'static str> {
    let decided = facts.sessions.iter().any(SessionFacts::is_decided);
    let is_company = facts.entity_type == EntityType::Company;
    let unknown = [
        (facts.country.is_none(), "country"),
        (!decided, "decided_session"),
        (is_company && facts.organization.is_none(), "organization"),
    ];
    unknown.into_iter().filter(|(missing, _)| *missing).map(|(_, what)| what).collect()
}

fn next_review_at(model: &Model, level: RiskLevel, now: Timestamp) -> Option<Timestamp> {
    let days = match level {
        RiskLevel::NotSet => return None,
        RiskLevel::Low => model.review_low,
        RiskLevel::Medium => model.review_medium,
        RiskLevel::High => model.review_high,
        RiskLevel::Prohibited => model.review_prohibited,
    };
    Some(Timestamp::from_millis(now.millis().saturating_add(days * 86_400_000)))
}

/// `not_set` is the lowest.
fn level_rank(level: RiskLevel) -> u8 {
    match level {
        RiskLevel::NotSet => 0,
        RiskLevel::Low => 1,
        RiskLevel::Medium => 2,
        RiskLevel::High => 3,
        RiskLevel::Prohibited => 4,
    }
}

/// What a factor says besides its name.
struct Found {
    value: Value,
    points: u8,
    reason: String,
    /// Worst or newest first.
    evidence: Vec<Evidence>,
}

impl Found {
    /// Unknown, or not applicable.
    fn nothing(why: &str) -> Found {
        Found { value: Value::Null, points: 0, reason: why.to_owned(), evidence: Vec::new() }
    }
}

fn factor(code: &str, category: Category, weight: u8, found: Found) -> Factor {
    let Found { value, points, reason, mut evidence } = found;
    evidence.truncate(MOST_EVIDENCE);
    Factor { code: code.to_owned(), category, value, weight, points, reason, evidence }
}

fn evidence(kind: &str, id: impl Into<String>) -> Evidence {
    Evidence { kind: kind.to_owned(), id: id.into() }
}

fn customer(facts: &Facts<'_>) -> Evidence {
    evidence("customer", facts.customer_id.to_string())
}

fn organization(facts: &Facts<'_>, organization: &OrganizationFacts) -> Evidence {
    evidence("organization", format!("{}@{}", facts.customer_id, organization.version))
}

fn country_list(list: &CountryList) -> Evidence {
    evidence("country_list", format!("{}@{}", list.id, list.date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_model_looks_at_is_scored() {
        let profile = json!({ "name": "A", "entity_type": "company", "country": "DE" });
        let before: Profile = serde_json::from_value(profile).unwrap();
        let changed = |field: &str, to: &str| {
            let mut after = serde_json::to_value(&before).unwrap();
            after[field] = json!(to);
            scored_fields_differ(&before, &serde_json::from_value(after).unwrap())
        };
        for (field, to) in [("country", "FR"), ("industry", "x"), ("entity_type", "individual")] {
            assert!(changed(field, to), "{field}");
        }
        assert!(changed("incorporated_on", "2020-01-01"));
        assert!(!changed("name", "B") && !changed("email", "a@example.com"));
    }
}
