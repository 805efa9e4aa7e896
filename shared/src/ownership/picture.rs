//! Turns an organization into a drawing.

use std::collections::HashSet;

use super::group::Places;
use super::statement::view;
use crate::model::customer::Customer;
use crate::model::organization::{Organization, Party, PartyKind, Relationship};
use crate::model::profile::{EntityType, Profile};
use crate::model::value::{Country, PartyId};
use drawing::{Drawing, Edge, Kind, Node};

/// Returns the drawing of an organization, with its beneficial owners marked. `threshold` is a
/// percentage above 0 and at most 100.
pub fn picture(customer: &Customer, organization: &Organization, threshold: f64) -> Drawing {
    let structure = &organization.structure;
    let profile = &customer.profile;
    let view = view(customer, organization, threshold);
    let ubos: HashSet<&PartyId> = view.ubos.iter().map(|ubo| &ubo.party_id).collect();
    let mut nodes = vec![customer_node(profile)];
    for (party, &share) in structure.parties.iter().zip(&view.effective_percentages) {
        nodes.push(party_node(party, share, ubos.contains(&party.party_id)));
    }
    // The place of a party is also the index of its node.
    let places = Places::of(structure);
    let edges = structure
        .relationships
        .iter()
        .map(|relationship| Edge {
            owner: places.at(&relationship.owner),
            owned: places.at(&relationship.owned),
            label: label(relationship),
            is_control_only: relationship.percentage.is_none() && relationship.votes().is_none(),
        })
        .collect();
    Drawing { title: format!("Ownership of {}", profile.name.as_str()), nodes, edges }
}

fn customer_node(profile: &Profile) -> Node {
    Node {
        id: "self".to_owned(),
        name: profile.name.as_str().to_owned(),
        kind: match profile.entity_type {
            EntityType::Company => Kind::Company,
            EntityType::Individual => Kind::Individual,
        },
        is_customer: true,
        details: country(&profile.country).into_iter().collect(),
        is_beneficial_owner: false,
    }
}

/// Returns the node of a party. `share` is the party's effective share, 0 to 100.
fn party_node(party: &Party, share: f64, is_beneficial_owner: bool) -> Node {
    let mut details: Vec<String> = country(&party.country).into_iter().collect();
    if !party.roles.is_empty() {
        let roles = party.roles.iter().map(|role| role.as_ref().replace('_', " "));
        details.push(roles.collect::<Vec<_>>().join(", "));
    }
    if share > 0.0 {
        details.push(format!("holds {} % in total", four_decimals(share)));
    }
    Node {
        id: party.party_id.as_str().to_owned(),
        name: party.name.as_str().to_owned(),
        kind: match party.kind {
            PartyKind::Company => Kind::Company,
            PartyKind::Individual => Kind::Individual,
        },
        is_customer: false,
        details,
        is_beneficial_owner,
    }
}

fn country(country: &Option<Country>) -> Option<String> {
    country.as_ref().map(|country| country.as_str().to_owned())
}

/// Returns the label of a relationship, such as `25 %`, `10 % (votes 40 %)` or `votes 40 %
/// control`. Votes are left out if they equal the shares.
fn label(relationship: &Relationship) -> String {
    let shares = relationship.percentage;
    let votes = relationship.voting_percentage.filter(|votes| Some(*votes) != shares);
    let mut parts = Vec::new();
    if let Some(shares) = shares {
        parts.push(format!("{} %", shares.value()));
    }
    if let Some(votes) = votes {
        let text = format!("votes {} %", votes.value());
        parts.push(if shares.is_some() { format!("({text})") } else { text });
    }
    if relationship.control {
        parts.push("control".to_owned());
    }
    parts.join(" ")
}

/// Rounds a percentage to 4 decimals, the precision of declared percentages.
fn four_decimals(percentage: f64) -> f64 {
    (percentage * 10_000.0).round() / 10_000.0
}
