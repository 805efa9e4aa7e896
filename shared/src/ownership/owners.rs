//! Determines the beneficial owners and the direct shareholders of a customer.
//!
//! A beneficial owner (FATF Recommendation 24 and its interpretive note) is an individual
//!
//! - whose effective share of the customer reaches the threshold ([`Basis::Ownership`]), or
//! - whose effective share of the votes reaches the threshold ([`Basis::Voting`]), or
//! - who controls the customer, or a company whose effective share or voting share reaches the
//!   threshold ([`Basis::Control`]). Control by votes alone does not count here: part of the
//!   control must be declared as control by other means.
//!
//! If there is no such individual, the senior managers are listed instead
//! ([`Basis::SeniorManager`]).

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

use super::analysis::{Analysis, percentage};
use super::chains::Chains;
use super::control::Controlled;
use crate::model::organization::{Party, PartyKind, Role};
use crate::model::value::{Country, Name, PartyId};

/// The basis on which an individual is a beneficial owner. If several apply, the first one in this
/// order is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Basis {
    /// The effective share reaches the threshold.
    Ownership,
    /// The effective share of the votes reaches the threshold.
    Voting,
    /// The individual controls, by means other than shares or votes, the customer or a company whose
    /// effective share or voting share reaches the threshold.
    Control,
    /// The individual is a senior manager, and there is no beneficial owner on another basis.
    SeniorManager,
}

/// A party with its roles, without its holdings.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Officer {
    /// Id of the party in the structure.
    pub party_id: PartyId,
    /// Name of the party.
    pub name: Name,
    /// Whether the party is an individual or a company.
    pub kind: PartyKind,
    /// Country of the party.
    pub country: Option<Country>,
    /// Roles of the party at the customer.
    pub roles: Vec<Role>,
}

/// A chain of holdings or of control from a party to the customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chain {
    /// Party ids, from the owner to `self`.
    pub parties: Vec<String>,
    /// Share of the customer that the chain carries, 0 to 100. If the basis is `voting`, this is a
    /// share of the votes. `null` for a chain of control.
    pub percentage: Option<f64>,
}

/// An individual who ultimately owns or controls the customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BeneficialOwner {
    /// Id of the party in the structure.
    pub party_id: PartyId,
    /// Name of the party.
    pub name: Name,
    /// Always `individual`.
    pub kind: PartyKind,
    /// Country of the party.
    pub country: Option<Country>,
    /// The basis on which the individual is a beneficial owner.
    pub basis: Basis,
    /// Share held in the customer itself, 0 to 100.
    pub direct_percentage: f64,
    /// Share of the customer through all chains, 0 to 100.
    pub effective_percentage: f64,
    /// Share of the votes through all chains, 0 to 100.
    pub voting_percentage: f64,
    /// Number of holdings in the shortest chain to the customer. If the basis is `control`, the
    /// number of links in the chain of control. 1 is a direct holding; `null` if no chain leads to
    /// the customer.
    pub layers: Option<u32>,
    /// Chains on which the basis rests: at most ten, the one that carries the most first.
    pub paths: Vec<Chain>,
}

/// A party that holds shares or votes in the customer itself, or controls it directly.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shareholder {
    /// The party that has the holding or the control.
    #[serde(flatten)]
    pub party: Officer,
    /// Share held in the customer itself, 0 to 100.
    pub direct_percentage: f64,
    /// Votes held in the customer itself, 0 to 100.
    pub direct_voting_percentage: f64,
    /// Whether the party controls the customer by other means.
    pub control: bool,
    /// Share of the customer through all chains, 0 to 100.
    pub effective_percentage: f64,
    /// Share of the votes through all chains, 0 to 100.
    pub voting_percentage: f64,
}

impl Officer {
    fn of(party: &Party) -> Officer {
        Officer {
            party_id: party.party_id.clone(),
            name: party.name.clone(),
            kind: party.kind,
            country: party.country.clone(),
            roles: party.roles.clone(),
        }
    }
}

/// The basis on which an individual is a beneficial owner, with the chains that support it.
struct Grounds {
    basis: Basis,
    layers: Option<u32>,
    paths: Vec<Chain>,
}

/// Lists the beneficial owners, the largest effective share first. If there is none, lists the
/// individuals who are senior managers.
pub(super) fn beneficial_owners(analysis: &Analysis<'_>) -> Vec<BeneficialOwner> {
    let group = &analysis.group;
    let shares = Chains::of(&group.holdings, group.len());
    let votes = Chains::of(&group.votes, group.len());
    let mut owners = Vec::new();
    for (place, party) in group.individuals() {
        if let Some(grounds) = grounds(analysis, &shares, &votes, place) {
            owners.push(beneficial_owner(analysis, place, party, grounds));
        }
    }
    if owners.is_empty() {
        for (place, party) in group.individuals() {
            if party.roles.contains(&Role::SeniorManager) {
                let (layers, paths) = (shares.layers(place), chains(analysis, &shares, place));
                let grounds = Grounds { basis: Basis::SeniorManager, layers, paths };
                owners.push(beneficial_owner(analysis, place, party, grounds));
            }
        }
    }
    owners.sort_by(|a, b| {
        let by_share = b.effective_percentage.total_cmp(&a.effective_percentage);
        by_share.then(b.voting_percentage.total_cmp(&a.voting_percentage))
    });
    owners
}

/// Returns the first basis on which an individual is a beneficial owner, with its chains. Returns
/// `None` if the individual is not a beneficial owner by ownership, voting or control.
fn grounds(
    analysis: &Analysis<'_>,
    shares: &Chains,
    votes: &Chains,
    place: usize,
) -> Option<Grounds> {
    if analysis.share_reaches_threshold(place) {
        let (layers, paths) = (shares.layers(place), chains(analysis, shares, place));
        return Some(Grounds { basis: Basis::Ownership, layers, paths });
    }
    if analysis.votes_reach_threshold(place) {
        let (layers, paths) = (votes.layers(place), chains(analysis, votes, place));
        return Some(Grounds { basis: Basis::Voting, layers, paths });
    }
    let (company, controlled) = controlled_company(analysis, place)?;
    let mut places = controlled.chain_to(company);
    // If the controlled company is not the customer, the path continues along the company's best
    // chain of votes, or of shares if there is no chain of votes. The search for chains is bounded:
    // if it finds none, the path ends at the company.
    let onward = votes.from(company).into_iter().chain(shares.from(company)).next();
    if let Some((onward, _)) = onward {
        places.extend(onward.into_iter().skip(1));
    }
    let layers = Some((places.len() - 1) as u32);
    let paths = vec![Chain { parties: ids(analysis, places), percentage: None }];
    Some(Grounds { basis: Basis::Control, layers, paths })
}

/// Finds the nearest company that makes the party a beneficial owner by control: a significant
/// company that the party does not control by votes alone. Returns that company and all companies
/// that the party controls.
fn controlled_company(analysis: &Analysis<'_>, place: usize) -> Option<(usize, Controlled)> {
    let control = &analysis.control;
    let controlled = control.controlled_by(place);
    let by_votes = control.controlled_by_votes_of(place);
    let company = controlled.companies().find(|&company| {
        analysis.is_significant(company)
            && (!by_votes.contains(company) || control.includes_other_means(&controlled, company))
    })?;
    Some((company, controlled))
}

fn beneficial_owner(
    analysis: &Analysis<'_>,
    place: usize,
    party: &Party,
    grounds: Grounds,
) -> BeneficialOwner {
    let direct = analysis.group.direct(party).and_then(|direct| direct.percentage);
    BeneficialOwner {
        party_id: party.party_id.clone(),
        name: party.name.clone(),
        kind: party.kind,
        country: party.country.clone(),
        basis: grounds.basis,
        direct_percentage: direct.map_or(0.0, |held| held.value()),
        effective_percentage: analysis.share_percentage(place),
        voting_percentage: analysis.voting_percentage(place),
        layers: grounds.layers,
        paths: grounds.paths,
    }
}

/// Lists the parties with a direct holding in the customer or direct control of it, the largest
/// direct share first.
pub(super) fn shareholders(analysis: &Analysis<'_>) -> Vec<Shareholder> {
    let group = &analysis.group;
    let mut shareholders = Vec::new();
    for (place, party) in group.parties() {
        if let Some(direct) = group.direct(party) {
            shareholders.push(Shareholder {
                party: Officer::of(party),
                direct_percentage: direct.percentage.map_or(0.0, |held| held.value()),
                direct_voting_percentage: direct.votes().map_or(0.0, |held| held.value()),
                control: direct.control,
                effective_percentage: analysis.share_percentage(place),
                voting_percentage: analysis.voting_percentage(place),
            });
        }
    }
    shareholders.sort_by(|a, b| b.direct_percentage.total_cmp(&a.direct_percentage));
    shareholders
}

/// Lists the parties with a role, in the order of the structure.
pub(super) fn officers(analysis: &Analysis<'_>, role: Role) -> Vec<Officer> {
    let parties = analysis.group.parties().map(|(_, party)| party);
    parties.filter(|party| party.roles.contains(&role)).map(Officer::of).collect()
}

/// Returns the chains that lead from a place to the customer, the one that carries the most first.
fn chains(analysis: &Analysis<'_>, chains: &Chains, place: usize) -> Vec<Chain> {
    let chains = chains.from(place).into_iter();
    chains
        .map(|(places, carried)| Chain {
            parties: ids(analysis, places),
            percentage: Some(percentage(carried)),
        })
        .collect()
}

fn ids(analysis: &Analysis<'_>, places: Vec<usize>) -> Vec<String> {
    places.into_iter().map(|place| analysis.group.id(place)).collect()
}
