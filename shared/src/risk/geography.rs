//! Assesses the countries of the customer, its owners and its officers.

use std::collections::BTreeSet;

use serde_json::json;

use super::countries::CountryList;
use super::evidence;
use super::facts::{Facts, OrganizationFacts, RelatedFacts};
use super::finding::Finding;
use super::model::Model;
use crate::model::risk::{Category, Factor};

/// Returns the lists that contain a country, the one with the highest risk first.
pub(super) fn lists_with<'m>(model: &'m Model, country: &str) -> Vec<&'m CountryList> {
    model.country_lists.iter().filter(|list| list.has(country)).collect()
}

/// Returns the title of a list with its date in parentheses.
pub(super) fn title_and_date(list: &CountryList) -> String {
    format!("{} ({})", list.title, list.date)
}

pub(super) fn customer_country(model: &Model, facts: &Facts<'_>) -> Factor {
    let finding = match facts.country {
        None => Finding::without_value("Unknown: the customer has no country."),
        Some(country) => country_finding(model, facts, country.as_str()),
    };
    let weight = model.customer_country_weight();
    finding.into_factor("customer_country", Category::GEOGRAPHY, weight)
}

fn country_finding(model: &Model, facts: &Facts<'_>, country: &str) -> Finding {
    let lists = lists_with(model, country);
    let titles: Vec<String> = lists.iter().map(|list| title_and_date(list)).collect();
    let reason = match titles.as_slice() {
        [] => {
            format!("The customer's country, {country}, is not on any list of high-risk countries.")
        }
        [title] => format!("The customer's country, {country}, is on the list {title}."),
        _ => format!("The customer's country, {country}, is on the lists {}.", titles.join("; ")),
    };
    let ids: Vec<&str> = lists.iter().map(|list| list.id).collect();
    Finding {
        value: json!({ "country": country, "lists": ids }),
        points: lists.first().map_or(0, |worst| worst.customer_points),
        reason,
        evidence: lists
            .into_iter()
            .map(evidence::country_list)
            .chain([evidence::customer(facts)])
            .collect(),
    }
}

pub(super) fn related_countries(model: &Model, facts: &Facts<'_>) -> Factor {
    let finding = match facts.ownership() {
        Err(reason) => Finding::without_value(reason),
        Ok(organization) => related_finding(model, organization),
    };
    let weight = model.related_countries_weight();
    finding.into_factor("related_countries", Category::GEOGRAPHY, weight)
}

fn related_finding(model: &Model, organization: &OrganizationFacts) -> Finding {
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
    let reason = match lists.first() {
        None => "No owner, director, representative or senior manager is in a listed country."
            .to_owned(),
        Some(worst) => format!(
            "Owners, directors, representatives or senior managers in listed countries: {}; worst \
             list: {}.",
            parties.len(),
            title_and_date(worst)
        ),
    };
    let ids: Vec<&str> = lists.iter().map(|list| list.id).collect();
    Finding {
        value: json!({ "parties": parties.len(), "lists": ids }),
        points: lists.first().map_or(0, |worst| worst.related_points),
        reason,
        evidence: lists
            .into_iter()
            .map(evidence::country_list)
            .chain(parties.into_iter().map(evidence::party))
            .collect(),
    }
}

/// Returns the ids of the related parties that are in a country of the list and pass the filter.
pub(super) fn parties_on<'f>(
    list: &CountryList,
    organization: &'f OrganizationFacts,
    filter: fn(&RelatedFacts) -> bool,
) -> BTreeSet<&'f str> {
    let is_listed = |party: &RelatedFacts| {
        party.country.as_ref().is_some_and(|country| list.has(country.as_str()))
    };
    let parties = organization.related.iter().filter(|party| filter(party) && is_listed(party));
    parties.map(|party| party.party_id.as_str()).collect()
}
