//! What somebody should look at in a structure.

use std::collections::HashSet;

use serde::Serialize;

use super::control::Control;
use super::group::{CUSTOMER, Group};
use super::view::{Basis, BeneficialOwner, Sums, controls_by_votes};

/// Subject of a warning.
///
/// - `over_100_percent`: more than 100 % is declared in a company, within the rounding tolerance.
/// - `circular_ownership`: companies hold each other in a circle.
/// - `closed_ring`: companies own each other entirely.
/// - `missing_country`: a party has no country.
/// - `not_connected`: a party has no role and no holding that connects it with the customer.
/// - `no_natural_person`: no shares, votes or control lead from an individual to the customer.
/// - `undisclosed_ownership`: the undisclosed share reaches the threshold.
/// - `majority_of_votes`: an individual below the threshold has the majority of the votes in the
///   customer, or in a company whose share reaches the threshold.
/// - `no_beneficial_owner`: there is no beneficial owner, and no senior manager.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WarningCode {
    #[serde(rename = "over_100_percent")]
    #[strum(serialize = "over_100_percent")]
    Over100Percent,
    CircularOwnership,
    ClosedRing,
    MissingCountry,
    NotConnected,
    NoNaturalPerson,
    UndisclosedOwnership,
    MajorityOfVotes,
    NoBeneficialOwner,
}

/// A finding in the structure that a person should review.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Warning {
    /// Subject of the warning.
    pub code: WarningCode,
    /// Explanation for people. It does not contain names.
    pub message: String,
    /// Ids of the parties concerned. `self` is the customer.
    pub parties: Vec<String>,
}

pub(super) fn warnings(
    group: &Group<'_>,
    control: &Control,
    sums: &Sums,
    (rings, behind): (&[Vec<usize>], &[bool]),
    ubos: &[BeneficialOwner],
    threshold: f64,
) -> Vec<Warning> {
    use WarningCode as Code;
    let mut warnings = Vec::new();
    let mut warn = |code, message: &str, places: &[usize]| {
        let parties = places.iter().map(|&place| group.id(place)).collect();
        warnings.push(Warning { code, message: message.to_owned(), parties });
    };
    let parties = || 1..group.len();
    if !group.over_declared.is_empty() {
        let message = "A little more than 100 % is declared of these, as rounding makes it; all \
                       their owners were counted for proportionally less.";
        warn(Code::Over100Percent, message, &group.over_declared);
    }
    for ring in rings {
        let message = "These hold each other in a circle; the shares were computed through it.";
        warn(Code::CircularOwnership, message, ring);
    }
    let closed = sums.shares.closed_rings.iter().chain(&sums.votes.closed_rings);
    let closed: HashSet<&Vec<usize>> = closed.collect();
    let mut closed: Vec<&Vec<usize>> = closed.into_iter().collect();
    closed.sort_unstable();
    for ring in closed {
        let message = "These own each other entirely: what they hold is nobody's.";
        warn(Code::ClosedRing, message, ring);
    }
    let without_country = |place: &usize| group.party(*place).is_some_and(|p| p.country.is_none());
    let missing: Vec<usize> = parties().filter(without_country).collect();
    if !missing.is_empty() {
        warn(Code::MissingCountry, "These have no country.", &missing);
    }
    let is_behind = |place: usize| behind.get(place) == Some(&true);
    let idle = |place: &usize| {
        let has_role = group.party(*place).is_some_and(|party| !party.roles.is_empty());
        !has_role && !is_behind(*place) && !group.is_held_by_customer(*place)
    };
    let idle: Vec<usize> = parties().filter(idle).collect();
    if !idle.is_empty() {
        let message = "These have no role, hold nothing that leads to the customer, and the \
                       customer holds nothing of them.";
        warn(Code::NotConnected, message, &idle);
    }
    if group.is_individual(CUSTOMER) {
        return warnings;
    }
    if !parties().any(|place| group.is_individual(place) && is_behind(place)) {
        let message = "No shares, votes or control lead from a natural person to the customer.";
        warn(Code::NoNaturalPerson, message, &[CUSTOMER]);
    }
    let undisclosed = 100.0 * sums.shares.undisclosed;
    if undisclosed >= threshold - 1e-10 {
        let message = format!(
            "{undisclosed:.2} % have no declared owner: there may be a beneficial owner among them."
        );
        warn(Code::UndisclosedOwnership, &message, &[CUSTOMER]);
    }
    let is_owner: HashSet<_> = ubos
        .iter()
        .filter(|ubo| ubo.basis != Basis::SeniorManager)
        .map(|ubo| ubo.party_id.as_str())
        .collect();
    let others =
        group.individuals().filter(|(_, party)| !is_owner.contains(party.party_id.as_str()));
    let by_votes: Vec<usize> = others
        .map(|(place, _)| place)
        .filter(|&place| controls_by_votes(control, sums, place))
        .collect();
    if !by_votes.is_empty() {
        let message = "These stay below the threshold, but have the majority of the votes, \
                       themselves or through others, in the customer or in a company whose share \
                       reaches the threshold. Some laws make them beneficial owners, as Regulation \
                       (EU) 2024/1624, Articles 53 and 54, does.";
        warn(Code::MajorityOfVotes, message, &by_votes);
    }
    if ubos.is_empty() {
        let message = "There is no beneficial owner, and no senior manager to stand in for one.";
        warn(Code::NoBeneficialOwner, message, &[CUSTOMER]);
    }
    warnings
}
