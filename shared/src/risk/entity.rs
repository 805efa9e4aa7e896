//! Assesses the industry and the age of the customer.

use serde_json::json;

use super::evidence;
use super::facts::Facts;
use super::finding::Finding;
use super::industries::sectors_of;
use super::model::Model;
use super::sectors::Sector;
use crate::model::customer::RiskLevel;
use crate::model::profile::EntityType;
use crate::model::risk::{Category, Evidence, Factor};
use crate::model::value::{CalendarDate, Industry};

pub(super) fn industry(model: &Model, facts: &Facts<'_>) -> Factor {
    let finding = match facts.industry {
        None => Finding::without_value("Unknown: the customer has no industry."),
        Some(industry) => industry_finding(model, facts, industry),
    };
    finding.into_factor("industry", Category::ENTITY, model.high_risk_industry)
}

fn industry_finding(model: &Model, facts: &Facts<'_>, industry: &Industry) -> Finding {
    let sectors = sectors_of(model.sectors, industry);
    // The reason does not repeat the industry, because free text can contain personal data.
    let (points, reason) = match sectors.first() {
        None => (0, "The industry is not in a sector of higher risk.".to_owned()),
        Some(sector) => (industry_points(model, sector.risk), sector_reason(&sectors, sector.risk)),
    };
    let ids: Vec<&str> = sectors.iter().map(|sector| sector.id).collect();
    Finding {
        value: json!({ "sectors": ids }),
        points,
        reason,
        evidence: sector_evidence(facts, &sectors),
    }
}

fn industry_points(model: &Model, risk: RiskLevel) -> u8 {
    if risk == RiskLevel::High { model.high_risk_industry } else { model.medium_risk_industry }
}

/// Returns a sentence that names the sectors of the industry, their risk and their sources. All
/// `sectors` have the risk `risk`.
pub(super) fn sector_reason(sectors: &[&Sector], risk: RiskLevel) -> String {
    let ids: Vec<&str> = sectors.iter().map(|sector| sector.id).collect();
    let mut sources: Vec<&str> = Vec::new();
    for source in sectors.iter().flat_map(|sector| sector.sources) {
        if !sources.contains(&source.title) {
            sources.push(source.title);
        }
    }
    let noun = if ids.len() == 1 { "sector" } else { "sectors" };
    format!(
        "The industry is in the {}-risk {noun} {}, according to: {}.",
        risk.as_ref(),
        ids.join(", "),
        sources.join("; ")
    )
}

pub(super) fn sector_evidence(facts: &Facts<'_>, sectors: &[&Sector]) -> Vec<Evidence> {
    let sectors = sectors.iter().map(|sector| evidence::sector(sector));
    sectors.chain([evidence::customer(facts)]).collect()
}

pub(super) fn company_age(model: &Model, facts: &Facts<'_>) -> Factor {
    let date = facts.incorporated_on.and_then(CalendarDate::date);
    let days = date.and_then(|date| facts.days_since_date(date));
    let finding = match (facts.entity_type, days) {
        (EntityType::Individual, _) => {
            Finding::without_value("Not applicable: the customer is an individual.")
        }
        (EntityType::Company, None) => {
            Finding::without_value("Unknown: the company has no date of incorporation.")
        }
        (EntityType::Company, Some(days)) => {
            let step = model.young_company.iter().find(|(below, _)| days < *below);
            Finding {
                value: json!({ "days": days }),
                points: step.map_or(0, |(_, points)| *points),
                reason: match step {
                    None => "The company is not newly incorporated.".to_owned(),
                    Some((below, _)) => format!("The company is less than {below} days old."),
                },
                evidence: vec![evidence::customer(facts)],
            }
        }
    };
    finding.into_factor("company_age", Category::ENTITY, model.company_age_weight())
}
