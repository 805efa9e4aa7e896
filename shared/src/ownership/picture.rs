//! What is drawn of an organization.

use std::collections::{HashMap, HashSet};

use super::statement::view;
use crate::model::customer::Customer;
use crate::model::organization::{Organization, PartyKind, Relationship};
use crate::model::profile::EntityType;
use crate::model::value::{Country, PartyId};
use drawing::{Drawing, Edge, Kind, Node};

/// The structure, with the beneficial owners by this threshold marked.
pub fn picture(customer: &Customer, organization: &Organization, threshold: f64) -> Drawing {
    let structure = &organization.structure;
    let view = view(customer, organization, threshold);
    let ubos: HashSet<&PartyId> = view.ubos.iter().map(|ubo| &ubo.party_id).collect();
    let profile = &customer.profile;
    let mut nodes = vec![Node {
        id: "self".to_owned(),
        name: profile.name.as_str().to_owned(),
        kind: match profile.entity_type {
            EntityType::Company => Kind::Company,
            EntityType::Individual => Kind::Individual,
        },
        is_customer: true,
        details: country(&profile.country).into_iter().collect(),
        is_beneficial_owner: false,
    }];
    for (party, share) in structure.parties.iter().zip(&view.effective_percentages) {
        let roles = party.roles.iter().map(|role| role.into_str().replace('_', " "));
        let roles: Vec<String> = roles.collect();
        let share = (*share > 0.0).then(|| format!("holds {} % in total", short(*share)));
        let details = country(&party.country).into_iter();
        let details = details.chain((!roles.is_empty()).then(|| roles.join(", ")));
        nodes.push(Node {
            id: party.party_id.as_str().to_owned(),
            name: party.name.as_str().to_owned(),
            kind: match party.kind {
                PartyKind::Company => Kind::Company,
                PartyKind::Individual => Kind::Individual,
            },
            is_customer: false,
            details: details.chain(share).collect(),
            is_beneficial_owner: ubos.contains(&party.party_id),
        });
    }
    let parties = structure.parties.iter().enumerate();
    let places: HashMap<&PartyId, usize> =
        parties.map(|(i, party)| (&party.party_id, i + 1)).collect();
    let place = |id: &PartyId| match id.is_customer() {
        true => Some(0),
        false => places.get(id).copied(),
    };
    let edges = structure.relationships.iter().filter_map(|relationship| {
        let (owner, owned) = place(&relationship.owner).zip(place(&relationship.owned))?;
        let is_control_only = relationship.percentage.is_none() && relationship.votes().is_none();
        Some(Edge { owner, owned, label: label(relationship), is_control_only })
    });
    let edges = edges.collect();
    Drawing { title: format!("Ownership of {}", profile.name.as_str()), nodes, edges }
}

fn country(country: &Option<Country>) -> Option<String> {
    country.as_ref().map(|country| country.as_str().to_owned())
}

fn label(relationship: &Relationship) -> String {
    let held = relationship.percentage.map(|held| format!("{} %", held.value()));
    let votes =
        relationship.voting_percentage.filter(|votes| Some(*votes) != relationship.percentage);
    let votes = votes.map(|votes| match held {
        Some(_) => format!("(votes {} %)", votes.value()),
        None => format!("votes {} %", votes.value()),
    });
    let control = relationship.control.then(|| "control".to_owned());
    let said: Vec<String> = held.into_iter().chain(votes).chain(control).collect();
    said.join(" ")
}

/// To 4 decimals, as percentages are declared.
fn short(percentage: f64) -> f64 {
    (percentage * 10_000.0).round() / 10_000.0
}
