//! Assesses the risk of a customer from plain facts and a versioned model.
//!
//! Everything here is pure: the same facts and the same model always give the same assessment.
//!
//! An assessment always lists every factor, in the same order. A factor that is unknown or does not
//! apply has no value and no points, and its reason says why.
#![warn(missing_docs)]

mod countries;
mod entity;
mod evidence;
mod facts;
mod finding;
mod gather;
mod geography;
mod industries;
mod level;
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

use serde_json::json;

pub use countries::CountryList;
pub use facts::{AlertFacts, Facts, OrganizationFacts, RelatedFacts, SessionFacts};
pub use gather::owned;
pub use model::{MODEL, Model};
pub use sectors::{Sector, Source};

use crate::model::customer::RiskLevel;
use crate::model::profile::{EntityType, Profile};
use crate::model::risk::{Category, Factor, HardRule};
use crate::model::time::Timestamp;
use finding::Finding;

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Result of assessing one customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Sum of the points of all factors, 0 to 100. `None` if the level is `not_set`.
    pub score: Option<u8>,
    /// Level that follows from the score, raised by the hard rules.
    pub level: RiskLevel,
    /// All factors, in a fixed order.
    pub factors: Vec<Factor>,
    /// Hard rules that apply, the worst level first.
    pub hard_rules: Vec<HardRule>,
    /// Version of the model that calculated the assessment.
    pub model_version: String,
    /// Time of the next review of the customer. `None` if the level is `not_set`.
    pub next_review_at: Option<Timestamp>,
}

/// Assesses a customer. Lists every factor and every hard rule that applies.
///
/// The level follows from the score and is raised by the hard rules. If data is missing, the level
/// follows from the hard rules alone and is `not_set` if none applies. The factor
/// `insufficient_data` then lists the missing data.
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
    let missing = missing_data(facts);
    let level_of_score = if missing.is_empty() {
        model.level_of(score)
    } else {
        factors.push(insufficient_data(facts, &missing));
        RiskLevel::NotSet
    };
    let hard_rules = rules::apply(model, facts);
    let level = hard_rules
        .iter()
        .map(|rule| rule.level)
        .fold(level_of_score, |a, b| if level::rank(b) > level::rank(a) { b } else { a });
    Assessment {
        score: (level != RiskLevel::NotSet).then_some(score),
        level,
        factors,
        hard_rules,
        model_version: model.version.to_owned(),
        next_review_at: next_review_at(model, level, facts.now),
    }
}

/// Returns whether two versions of a profile differ in a field that the model uses.
pub fn scored_fields_differ(before: &Profile, after: &Profile) -> bool {
    before.entity_type != after.entity_type
        || before.country != after.country
        || before.industry != after.industry
        || before.incorporated_on != after.incorporated_on
}

/// Lists the data that is missing. The score gives a level only if the list is empty.
///
/// FATF Recommendations 10 and 24 require a company's owners to be identified. Therefore other data
/// cannot replace a missing organization.
fn missing_data(facts: &Facts<'_>) -> Vec<&'static str> {
    let is_company = facts.entity_type == EntityType::Company;
    let mut missing = Vec::new();
    if facts.country.is_none() {
        missing.push("country");
    }
    if !facts.sessions.iter().any(SessionFacts::is_decided) {
        missing.push("decided_session");
    }
    if is_company && facts.organization.is_none() {
        missing.push("organization");
    }
    missing
}

fn insufficient_data(facts: &Facts<'_>, missing: &[&str]) -> Factor {
    let finding = Finding {
        value: json!(missing),
        points: 0,
        reason: format!("There is too little data for a score; missing: {}.", missing.join(", ")),
        evidence: vec![evidence::customer(facts)],
    };
    finding.into_factor("insufficient_data", Category::ENTITY, 0)
}

fn next_review_at(model: &Model, level: RiskLevel, now: Timestamp) -> Option<Timestamp> {
    let days = model.days_until_review(level)?;
    Some(Timestamp::from_millis(now.millis().saturating_add(days * MILLIS_PER_DAY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fields_that_the_model_uses_are_scored() {
        let profile = json!({ "name": "A", "entity_type": "company", "country": "DE" });
        let before: Profile = serde_json::from_value(profile).unwrap();
        let differs = |field: &str, value: &str| {
            let mut after = serde_json::to_value(&before).unwrap();
            after[field] = json!(value);
            scored_fields_differ(&before, &serde_json::from_value(after).unwrap())
        };
        for (field, value) in [("country", "FR"), ("industry", "x"), ("entity_type", "individual")]
        {
            assert!(differs(field, value), "{field}");
        }
        assert!(differs("incorporated_on", "2020-01-01"));
        assert!(!differs("name", "B") && !differs("email", "a@example.com"));
    }
}
