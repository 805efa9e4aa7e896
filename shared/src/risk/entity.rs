//! What the customer does, and since when it has been there.

use serde_json::json;

use super::industries::{Sector, sectors_of};
use super::{Facts, Found, Model, customer, evidence, factor};
use crate::model::customer::RiskLevel;
use crate::model::profile::EntityType;
use crate::model::risk::{Category, Evidence, Factor};
use crate::model::value::CalendarDate;

pub(super) fn industry(model: &Model, facts: &Facts<'_>) -> Factor {
    let found = match facts.industry {
        None => Found::nothing("Unknown: the customer has no industry."),
        Some(industry) => {
            let sectors = sectors_of(model.sectors, industry);
            // The industry itself is the tenant's free text, so it is not repeated.
            let (points, reason) = match sectors.first() {
                None => (0, "The industry is in no sector of higher risk.".to_owned()),
                Some(sector) => (points(model, sector.risk), reason(&sectors, sector.risk)),
            };
            let ids: Vec<&str> = sectors.iter().map(|sector| sector.id).collect();
            Found {
                value: json!({ "sectors": ids }),
                points,
                reason,
                evidence: proof(facts, &sectors),
            }
        }
    };
    factor("industry", Category::ENTITY, model.high_risk_industry, found)
}

pub(super) fn proof(facts: &Facts<'_>, sectors: &[&Sector]) -> Vec<Evidence> {
    let entries = sectors.iter().map(|sector| evidence("industry_list", sector.id));
    entries.chain([customer(facts)]).collect()
}

fn points(model: &Model, risk: RiskLevel) -> u8 {
    match risk {
        RiskLevel::High => model.high_risk_industry,
        _ => model.medium_risk_industry,
    }
}

pub(super) fn reason(sectors: &[&Sector], risk: RiskLevel) -> String {
    let ids: Vec<&str> = sectors.iter().map(|sector| sector.id).collect();
    let mut sources: Vec<&str> = Vec::new();
    for source in sectors.iter().flat_map(|sector| sector.sources) {
        if !sources.contains(&source.title) {
            sources.push(source.title);
        }
    }
    let (ids, sources) = (ids.join(", "), sources.join("; "));
    format!(
        "The industry is in a sector of {} risk ({ids}), according to: {sources}.",
        risk.into_str()
    )
}

pub(super) fn company_age(model: &Model, facts: &Facts<'_>) -> Factor {
    let days = facts.incorporated_on.and_then(CalendarDate::date);
    let days = days.and_then(|date| facts.days_since_date(date));
    let found = match (facts.entity_type, days) {
        (EntityType::Individual, _) => {
            Found::nothing("Not applicable: the customer is an individual.")
        }
        (EntityType::Company, None) => {
            Found::nothing("Unknown: the company has no date of incorporation.")
        }
        (EntityType::Company, Some(days)) => {
            let step = model.young_company.iter().find(|(below, _)| days < *below);
            Found {
                value: json!({ "days": days }),
                points: step.map_or(0, |(_, points)| *points),
                reason: match step {
                    None => "The company is not a young one.".to_owned(),
                    Some((below, _)) => format!("The company is less than {below} days old."),
                },
                evidence: vec![customer(facts)],
            }
        }
    };
    factor("company_age", Category::ENTITY, model.company_age_weight(), found)
}
