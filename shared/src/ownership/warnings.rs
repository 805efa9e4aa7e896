//! Finds the points of a structure that need attention.
#![expect(clippy::indexing_slicing, reason = "places come from the group")]

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

use super::analysis::Analysis;
use super::group::{CUSTOMER, Group};
use super::owners::{Basis, BeneficialOwner};

/// Subject of a warning, for use by programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WarningCode {
    /// The declared shares or votes in a company add up to slightly more than 100 %.
    #[serde(rename = "over_100_percent")]
    #[strum(serialize = "over_100_percent")]
    Over100Percent,
    /// Companies hold shares in each other in a circle.
    CircularOwnership,
    /// Companies are owned entirely by each other.
    ClosedRing,
    /// A party has no country.
    MissingCountry,
    /// A party has no role, is not connected to the customer as an owner, and is not held by the
    /// customer.
    NotConnected,
    /// No individual is connected to the customer by shares, votes or control.
    NoNaturalPerson,
    /// The share without a declared owner reaches the threshold.
    UndisclosedOwnership,
    /// An individual below the threshold has the majority of the votes in the customer, or in a
    /// company whose share reaches the threshold.
    MajorityOfVotes,
    /// There is neither a beneficial owner nor a senior manager.
    NoBeneficialOwner,
}

/// A point of a structure that needs attention.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    /// Subject of the warning, for use by programs.
    pub code: WarningCode,
    /// Explanation for a human reader, without personal data.
    pub message: String,
    /// Ids of the parties that the warning is about. `self` is the customer.
    pub parties: Vec<String>,
}

impl Warning {
    fn new(
        group: &Group<'_>,
        code: WarningCode,
        message: impl Into<String>,
        places: &[usize],
    ) -> Warning {
        let parties = places.iter().map(|&place| group.id(place)).collect();
        Warning { code, message: message.into(), parties }
    }
}

/// Lists all warnings about a structure. `ubos` are its beneficial owners.
pub(super) fn warnings(analysis: &Analysis<'_>, ubos: &[BeneficialOwner]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(over_100_percent(analysis));
    warnings.extend(circular_ownership(analysis));
    warnings.extend(closed_rings(analysis));
    warnings.extend(missing_country(analysis));
    warnings.extend(not_connected(analysis));
    if analysis.customer_is_company() {
        warnings.extend(no_natural_person(analysis));
        warnings.extend(undisclosed_ownership(analysis));
        warnings.extend(majority_of_votes(analysis, ubos));
        warnings.extend(no_beneficial_owner(analysis, ubos));
    }
    warnings
}

fn over_100_percent(analysis: &Analysis<'_>) -> Option<Warning> {
    let places = &analysis.group.over_declared;
    let message = "The declared shares or votes in these companies add up to slightly more than \
                   100 % because of rounding. Each holding was reduced in proportion.";
    let code = WarningCode::Over100Percent;
    (!places.is_empty()).then(|| Warning::new(&analysis.group, code, message, places))
}

fn circular_ownership(analysis: &Analysis<'_>) -> impl Iterator<Item = Warning> {
    let message = "These companies hold shares in each other in a circle. Effective shares take \
                   the circle into account.";
    let code = WarningCode::CircularOwnership;
    analysis.rings.iter().map(move |ring| Warning::new(&analysis.group, code, message, ring))
}

fn closed_rings(analysis: &Analysis<'_>) -> impl Iterator<Item = Warning> {
    let message = "These companies are owned entirely by each other. Their holdings are not \
                   attributed to any owner.";
    let code = WarningCode::ClosedRing;
    let rings: BTreeSet<&Vec<usize>> =
        analysis.shares.closed_rings.iter().chain(&analysis.votes.closed_rings).collect();
    rings.into_iter().map(move |ring| Warning::new(&analysis.group, code, message, ring))
}

fn missing_country(analysis: &Analysis<'_>) -> Option<Warning> {
    let parties = analysis.group.parties().filter(|(_, party)| party.country.is_none());
    let places: Vec<usize> = parties.map(|(place, _)| place).collect();
    let message = "These parties have no country.";
    let code = WarningCode::MissingCountry;
    (!places.is_empty()).then(|| Warning::new(&analysis.group, code, message, &places))
}

fn not_connected(analysis: &Analysis<'_>) -> Option<Warning> {
    let group = &analysis.group;
    let parties = group.parties().filter(|(place, party)| {
        party.roles.is_empty()
            && !analysis.is_upstream[*place]
            && !group.is_held_by_customer(*place)
    });
    let places: Vec<usize> = parties.map(|(place, _)| place).collect();
    let message = "These parties have no role, hold nothing that leads to the customer, and are \
                   not held by the customer.";
    let code = WarningCode::NotConnected;
    (!places.is_empty()).then(|| Warning::new(group, code, message, &places))
}

fn no_natural_person(analysis: &Analysis<'_>) -> Option<Warning> {
    let group = &analysis.group;
    let is_known = group.individuals().any(|(place, _)| analysis.is_upstream[place]);
    let message = "No natural person is connected to the customer by shares, votes or control.";
    let code = WarningCode::NoNaturalPerson;
    (!is_known).then(|| Warning::new(group, code, message, &[CUSTOMER]))
}

fn undisclosed_ownership(analysis: &Analysis<'_>) -> Option<Warning> {
    // `Analysis::undisclosed_percentage` rounds to 10 decimals. This percentage is not rounded, so
    // the comparison below has a tolerance of 1e-10.
    let undisclosed = 100.0 * analysis.shares.undisclosed;
    let reaches_threshold = undisclosed >= analysis.threshold_percentage - 1e-10;
    let message = format!(
        "{undisclosed:.2} % of the customer has no declared owner. A beneficial owner may be \
         undisclosed."
    );
    let code = WarningCode::UndisclosedOwnership;
    reaches_threshold.then(|| Warning::new(&analysis.group, code, message, &[CUSTOMER]))
}

/// Warns of individuals who control a significant company by votes alone and are not beneficial
/// owners by ownership, voting or control.
fn majority_of_votes(analysis: &Analysis<'_>, ubos: &[BeneficialOwner]) -> Option<Warning> {
    let group = &analysis.group;
    let owners: HashSet<&str> = ubos
        .iter()
        .filter(|ubo| ubo.basis != Basis::SeniorManager)
        .map(|ubo| ubo.party_id.as_str())
        .collect();
    let places: Vec<usize> = group
        .individuals()
        .filter(|(_, party)| !owners.contains(party.party_id.as_str()))
        .map(|(place, _)| place)
        .filter(|&place| {
            let controlled = analysis.control.controlled_by_votes_of(place);
            controlled.companies().any(|company| analysis.is_significant(company))
        })
        .collect();
    let message = "These individuals are below the threshold. They have, directly or through \
                   other companies, the majority of the votes in the customer or in a company \
                   whose share reaches the threshold. Some laws treat them as beneficial owners, \
                   for example Regulation (EU) 2024/1624, Articles 53 and 54.";
    let code = WarningCode::MajorityOfVotes;
    (!places.is_empty()).then(|| Warning::new(group, code, message, &places))
}

fn no_beneficial_owner(analysis: &Analysis<'_>, ubos: &[BeneficialOwner]) -> Option<Warning> {
    let message = "The structure has neither a beneficial owner nor a senior manager who can be \
                   recorded instead.";
    let code = WarningCode::NoBeneficialOwner;
    ubos.is_empty().then(|| Warning::new(&analysis.group, code, message, &[CUSTOMER]))
}
