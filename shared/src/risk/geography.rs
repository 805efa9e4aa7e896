//! Where the customer is, and those who own, direct or represent it.

use std::collections::BTreeSet;

use serde_json::json;

use super::countries::CountryList;
use super::{Facts, Found, Model, OrganizationFacts, RelatedFacts};
use super::{country_list, customer, evidence, factor};
use crate::model::risk::{Category, Factor};

/// The lists a country is on, worst first.
pub(super) fn lists_of<'m>(model: &'m Model, country: &str) -> Vec<&'m CountryList> {
    model.country_lists.iter().filter(|list| list.has(country)).collect()
}

pub(super) fn customer_country(model: &Model, facts: &Facts<'_>) -> Factor {
    let found = match facts.country {
        None => Found::nothing("Unknown: the customer has no country."),
        Some(country) => {
            let country = country.as_str();
            let lists = lists_of(model, country);
            let titles: Vec<String> = lists.iter().copied().map(titled).collect();
            let ids: Vec<&str> = lists.iter().map(|list| list.id).collect();
            Found {
                value: json!({ "country": country, "lists": ids }),
                points: lists.first().map_or(0, |worst| worst.customer_points),
                reason: match titles.is_empty() {
                    true => format!("The customer's country, {country}, is on no list."),
                    false => {
                        format!("The customer's country, {country}, is on: {}.", titles.join("; "))
                    }
                },
                evidence: lists.into_iter().map(country_list).chain([customer(facts)]).collect(),
            }
        }
    };
    factor("customer_country", Category::GEOGRAPHY, model.customer_country_weight(), found)
}

pub(super) fn related_countries(model: &Model, facts: &Facts<'_>) -> Factor {
    let found = match facts.ownership() {
        Err(why) => Found::nothing(why),
        Ok(organization) => related(model, organization),
    };
    factor("related_countries", Category::GEOGRAPHY, model.related_countries_weight(), found)
}

fn related(model: &Model, organization: &OrganizationFacts) -> Found {
    let mut lists = Vec::new();
    let mut parties: Vec<&str> = Vec::new();
    for list in model.country_lists {
        let on_list = parties_on(list, organization, |_| true);
        if !on_list.is_empty() {
            lists.push(list);
        }
        for party in on_list {
            if !parties.contains(&party) {
                parties.push(party);
            }
        }
    }
    let ids: Vec<&str> = lists.iter().map(|list| list.id).collect();
    Found {
        value: json!({ "parties": parties.len(), "lists": ids }),
        points: lists.first().map_or(0, |worst| worst.related_points),
        reason: match lists.first() {
            None => "No owner, director or representative is in a listed country.".to_owned(),
            Some(worst) => format!(
                "Owners, directors or representatives in listed countries: {}; the worst list is: {}.",
                parties.len(),
                titled(worst)
            ),
        },
        evidence: lists
            .into_iter()
            .map(country_list)
            .chain(parties.into_iter().map(|party| evidence("party", party)))
            .collect(),
    }
}

/// By id, each once: a party may have several roles.
pub(super) fn parties_on<'f>(
    list: &CountryList,
    organization: &'f OrganizationFacts,
    counts: fn(&RelatedFacts) -> bool,
) -> BTreeSet<&'f str> {
    let related = organization.related.iter().filter(|party| counts(party));
    let listed =
        related.filter(|party| party.country.as_ref().is_some_and(|c| list.has(c.as_str())));
    listed.map(|party| party.party_id.as_str()).collect()
}

pub(super) fn titled(list: &CountryList) -> String {
    format!("{} ({})", list.title, list.date)
}
