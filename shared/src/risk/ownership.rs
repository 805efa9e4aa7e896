//! How well it is known whose the company is. Two facts are kept apart: what share has no declared
//! holder, and whether anybody at all was found to be a beneficial owner.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Facts, Found, Model, OrganizationFacts, evidence, factor, organization};
use crate::model::risk::{Category, Factor};

pub(super) fn undisclosed(model: &Model, facts: &Facts<'_>) -> Factor {
    let found = of_organization(facts, |declared| {
        let percentage = match declared.undisclosed_percentage {
            // What is not a number is not known.
            unknown if unknown.is_nan() => 100.0,
            known => known.clamp(0.0, 100.0),
        };
        Found {
            value: json!({ "percentage": percentage }),
            points: model.undisclosed.points(percentage as u64),
            reason: format!("No declared owner accounts for {percentage:.2} % of the company."),
            evidence: vec![organization(facts, declared)],
        }
    });
    factor("undisclosed_ownership", Category::OWNERSHIP, model.undisclosed.weight(), found)
}

pub(super) fn layers(model: &Model, facts: &Facts<'_>) -> Factor {
    let found = of_organization(facts, |declared| {
        let layers = declared.most_layers;
        Found {
            value: json!({ "layers": layers }),
            points: model.layers.points(layers.into()),
            reason: match layers {
                0 => "There is no chain of holdings up to a beneficial owner.".to_owned(),
                1 => "Beneficial owners hold the company directly.".to_owned(),
                _ => format!("A beneficial owner holds the company through {layers} layers."),
            },
            evidence: vec![organization(facts, declared)],
        }
    });
    factor("ownership_layers", Category::OWNERSHIP, model.layers.weight(), found)
}

pub(super) fn circular(model: &Model, facts: &Facts<'_>) -> Factor {
    let found = of_organization(facts, |declared| {
        let parties: BTreeSet<&str> = declared.circular.iter().map(String::as_str).collect();
        let parties: Vec<&str> = parties.into_iter().collect();
        let organization = organization(facts, declared);
        Found {
            value: json!({ "parties": parties.len() }),
            points: model.circular.points(parties.len() as u64),
            reason: match parties.len() {
                0 => "No holdings run in a circle.".to_owned(),
                some => format!("Holdings run in a circle, with {some} of the parties in it."),
            },
            evidence: std::iter::once(organization)
                .chain(parties.into_iter().map(|party| evidence("party", party)))
                .collect(),
        }
    });
    factor("circular_ownership", Category::OWNERSHIP, model.circular.weight(), found)
}

pub(super) fn beneficial_owner(model: &Model, facts: &Facts<'_>) -> Factor {
    let found = of_organization(facts, |declared| {
        let (basis, points, reason) = match (declared.has_owner_ubo, declared.senior_manager_only) {
            (true, _) => ("owner", 0, "There is a beneficial owner."),
            (false, true) => (
                "senior_manager",
                model.senior_managers_only,
                "Nobody owns or controls enough: senior managers stand in for a beneficial owner.",
            ),
            (false, false) => {
                ("none", model.nobody_identified, "Nobody was identified as a beneficial owner.")
            }
        };
        Found {
            value: json!({ "basis": basis }),
            points,
            reason: reason.to_owned(),
            evidence: vec![organization(facts, declared)],
        }
    });
    factor("beneficial_owner", Category::OWNERSHIP, model.nobody_identified, found)
}

fn of_organization(facts: &Facts<'_>, found: impl Fn(&OrganizationFacts) -> Found) -> Found {
    match facts.ownership() {
        Ok(declared) => found(declared),
        Err(why) => Found::nothing(why),
    }
}
