//! Assesses how well the owners of a company are known.
//!
//! The share without a declared owner and the lack of an identified beneficial owner count
//! separately.

use std::collections::BTreeSet;

use serde_json::json;

use super::evidence;
use super::facts::{Facts, OrganizationFacts};
use super::finding::Finding;
use super::model::Model;
use crate::model::risk::{Category, Factor};

pub(super) fn undisclosed(model: &Model, facts: &Facts<'_>) -> Factor {
    let finding = organization_finding(facts, |organization| {
        let undisclosed = organization.undisclosed_percentage;
        // If the percentage is not a number, the owners are unknown, and the company counts as
        // entirely undisclosed.
        let percentage = if undisclosed.is_nan() { 100.0 } else { undisclosed.clamp(0.0, 100.0) };
        Finding {
            value: json!({ "percentage": percentage }),
            points: model.undisclosed.points(percentage as u64),
            reason: format!("{percentage:.2} % of the company has no declared owner."),
            evidence: vec![evidence::organization(facts, organization)],
        }
    });
    let weight = model.undisclosed.weight();
    finding.into_factor("undisclosed_ownership", Category::OWNERSHIP, weight)
}

pub(super) fn layers(model: &Model, facts: &Facts<'_>) -> Factor {
    let finding = organization_finding(facts, |organization| {
        let layers = organization.most_layers;
        Finding {
            value: json!({ "layers": layers }),
            points: model.layers.points(layers.into()),
            reason: match layers {
                0 => {
                    "No chain of holdings leads from a beneficial owner to the company.".to_owned()
                }
                1 => "Beneficial owners hold the company directly.".to_owned(),
                _ => format!("A beneficial owner holds the company through {layers} layers."),
            },
            evidence: vec![evidence::organization(facts, organization)],
        }
    });
    finding.into_factor("ownership_layers", Category::OWNERSHIP, model.layers.weight())
}

pub(super) fn circular(model: &Model, facts: &Facts<'_>) -> Factor {
    let finding = organization_finding(facts, |organization| {
        let parties: BTreeSet<&str> = organization.circular.iter().map(String::as_str).collect();
        let count = parties.len();
        Finding {
            value: json!({ "parties": count }),
            points: model.circular.points(count as u64),
            reason: match count {
                0 => "The structure has no circular holdings.".to_owned(),
                1 => "Circular holdings involve 1 party.".to_owned(),
                _ => format!("Circular holdings involve {count} parties."),
            },
            evidence: std::iter::once(evidence::organization(facts, organization))
                .chain(parties.into_iter().map(evidence::party))
                .collect(),
        }
    });
    finding.into_factor("circular_ownership", Category::OWNERSHIP, model.circular.weight())
}

pub(super) fn beneficial_owner(model: &Model, facts: &Facts<'_>) -> Factor {
    let finding = organization_finding(facts, |organization| {
        let (basis, points, reason) = if organization.has_owner_ubo {
            ("owner", 0, "A beneficial owner has been identified.")
        } else if organization.senior_manager_only {
            (
                "senior_manager",
                model.senior_managers_only,
                "No individual owns or controls enough to be a beneficial owner; senior managers \
                 are recorded instead.",
            )
        } else {
            ("none", model.no_beneficial_owner, "No beneficial owner has been identified.")
        };
        Finding {
            value: json!({ "basis": basis }),
            points,
            reason: reason.to_owned(),
            evidence: vec![evidence::organization(facts, organization)],
        }
    });
    finding.into_factor("beneficial_owner", Category::OWNERSHIP, model.no_beneficial_owner)
}

/// Applies `assess` to the ownership structure. Without a structure to assess, returns a finding
/// without a value.
fn organization_finding(
    facts: &Facts<'_>,
    assess: impl Fn(&OrganizationFacts) -> Finding,
) -> Finding {
    match facts.ownership() {
        Ok(organization) => assess(organization),
        Err(reason) => Finding::without_value(reason),
    }
}
