//! What a structure says of the customer: its beneficial owners and on which basis, its direct
//! shareholders and officers, what is not disclosed, and what somebody should look at.
//!
//! A beneficial owner (FATF Recommendation 24 and its interpretive note) is an individual
//! - whose effective share of the customer reaches the threshold (`ownership`), or
//! - whose effective share of the votes does (`voting`), or
//! - who controls, by other means, the customer or a company whose effective share or voting share
//!   reaches it (`control`), also through companies in which it has the majority of the votes, or
//! - where there is nobody of these, who is a senior manager (`senior_manager`).

use serde::Serialize;

use super::chains::Chains;
use super::control::{Control, Controlled};
use super::effective::{Effective, effective};
use super::group::{CUSTOMER, Group};
use super::warnings::{Warning, warnings};
use crate::model::organization::{Party, PartyKind, Role, Structure};
use crate::model::value::{Country, Name, PartyId};

/// Basis on which an individual is a beneficial owner. If several apply, it is the first in this
/// order.
///
/// - `ownership`: the effective share reaches the threshold.
/// - `voting`: the voting share reaches the threshold.
/// - `control`: the individual controls, by other means, the customer or a company whose share
///   reaches the threshold.
/// - `senior_manager`: a senior manager, if no individual is a beneficial owner on another basis.
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
pub enum Basis {
    /// The effective share reaches the threshold.
    Ownership,
    /// The voting share reaches the threshold.
    Voting,
    /// Control by other means than shares and votes.
    Control,
    /// Senior manager of a customer without another beneficial owner.
    SeniorManager,
}

/// A party with its roles.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Officer {
    /// Id of the party.
    pub party_id: PartyId,
    /// Name of the party.
    pub name: Name,
    /// Whether the party is an individual or a company.
    pub kind: PartyKind,
    /// Country of the party.
    pub country: Option<Country>,
    /// Roles of the party in the customer.
    pub roles: Vec<Role>,
}

/// A chain of holdings from a party to the customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chain {
    /// Ids along the chain: first the party, last `self` for the customer.
    pub parties: Vec<String>,
    /// Share in the customer through this chain, 0 to 100. With the basis `voting` it is the share
    /// of the votes. It is `null` for a chain of control.
    pub percentage: Option<f64>,
}

/// An individual who is a beneficial owner of the customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BeneficialOwner {
    /// Id of the individual.
    pub party_id: PartyId,
    /// Name of the individual.
    pub name: Name,
    /// Always `individual`.
    pub kind: PartyKind,
    /// Country of the individual.
    pub country: Option<Country>,
    /// Basis on which the individual is a beneficial owner.
    pub basis: Basis,
    /// Declared share in the customer itself, 0 to 100.
    pub direct_percentage: f64,
    /// Share in the customer through all chains, 0 to 100.
    pub effective_percentage: f64,
    /// Share of the votes through all chains, 0 to 100.
    pub voting_percentage: f64,
    /// Number of holdings in the shortest chain to the customer. 1 is a direct holding. It is
    /// `null` if there is no chain.
    pub layers: Option<u32>,
    /// Chains that lead to the basis: at most ten, those with the largest shares.
    pub paths: Vec<Chain>,
}

/// A party with a direct holding in the customer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shareholder {
    /// The party.
    #[serde(flatten)]
    pub party: Officer,
    /// Declared share in the customer itself, 0 to 100.
    pub direct_percentage: f64,
    /// Share of the votes in the customer itself, 0 to 100.
    pub direct_voting_percentage: f64,
    /// Whether the party controls the customer by other means than shares and votes.
    pub control: bool,
    /// Share in the customer through all chains, 0 to 100.
    pub effective_percentage: f64,
    /// Share of the votes through all chains, 0 to 100.
    pub voting_percentage: f64,
}

/// Percentages are 0 to 100, exact to 10 decimals.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The largest share first.
    pub ubos: Vec<BeneficialOwner>,
    pub shareholders: Vec<Shareholder>,
    pub directors: Vec<Officer>,
    pub representatives: Vec<Officer>,
    pub undisclosed_percentage: f64,
    pub warnings: Vec<Warning>,
    /// By party, in the order of the structure: its effective percentage.
    pub effective_percentages: Vec<f64>,
    /// The ids of those in rings of holdings that lead to the customer.
    pub circular: Vec<String>,
}

impl View {
    /// `threshold` is above 0 and at most 100. Nobody owns an individual.
    pub fn of(structure: &Structure, is_company: bool, threshold: f64) -> View {
        let group = Group::of(structure, is_company);
        let sums = Sums {
            shares: effective(&group.is_company, CUSTOMER, &group.holdings),
            votes: effective(&group.is_company, CUSTOMER, &group.votes),
            // What is 25 % but for the last bits of a double is 25 %, and nothing is never enough.
            threshold: (threshold / 100.0 - NOTHING).max(NOTHING),
        };
        let control = Control::of(&group);
        let ubos = match is_company {
            true => beneficial_owners(&group, &control, &sums),
            false => Vec::new(),
        };
        let officers = |role: Role| -> Vec<Officer> {
            let parties = structure.parties.iter().filter(|party| party.roles.contains(&role));
            parties.map(Officer::of).collect()
        };
        let parties = 1..group.len();
        let (rings, behind) = (group.rings(), group.behind_customer());
        View {
            shareholders: shareholders(&group, &sums),
            directors: officers(Role::Director),
            representatives: officers(Role::Representative),
            undisclosed_percentage: match is_company {
                true => percentage(sums.shares.undisclosed),
                false => 0.0,
            },
            warnings: warnings(&group, &control, &sums, (&rings, &behind), &ubos, threshold),
            effective_percentages: parties.map(|place| percentage(sums.share(place))).collect(),
            circular: {
                let counts =
                    |place: &usize| *place == CUSTOMER || behind.get(*place) == Some(&true);
                let rings = rings.iter().filter(|ring| ring.iter().any(counts));
                rings.flatten().map(|&place| group.id(place)).collect()
            },
            ubos,
        }
    }
}

/// A fraction that is a matter of rounding.
const NOTHING: f64 = 1e-12;

/// Who has how much, as fractions.
pub(super) struct Sums {
    pub(super) shares: Effective,
    pub(super) votes: Effective,
    threshold: f64,
}

impl Sums {
    fn share(&self, place: usize) -> f64 {
        self.shares.shares.get(place).copied().unwrap_or(0.0)
    }

    fn votes(&self, place: usize) -> f64 {
        self.votes.shares.get(place).copied().unwrap_or(0.0)
    }

    /// By its shares or votes, or because it is the customer.
    pub(super) fn counts(&self, place: usize) -> bool {
        let most = self.share(place).max(self.votes(place));
        place == CUSTOMER || most >= self.threshold
    }
}

fn beneficial_owners(group: &Group<'_>, control: &Control, sums: &Sums) -> Vec<BeneficialOwner> {
    let holdings = Chains::of(&group.holdings, group.len());
    let votes = Chains::of(&group.votes, group.len());
    let mut owners = Vec::new();
    for (place, party) in group.individuals() {
        let (basis, paths) = if sums.share(place) >= sums.threshold {
            (Basis::Ownership, told(group, holdings.from(place)))
        } else if sums.votes(place) >= sums.threshold {
            (Basis::Voting, told(group, votes.from(place)))
        } else if let Some((company, controlled)) = controls(control, sums, place) {
            let mut parties = controlled.chain_to(company);
            // From a company with a share of the customer the holdings lead on.
            let rest = votes.from(company).into_iter().chain(holdings.from(company)).next();
            let rest = rest.map(|(rest, _)| rest).unwrap_or_default();
            parties.extend(rest.into_iter().skip(1));
            let parties = parties.into_iter().map(|place| group.id(place)).collect();
            (Basis::Control, vec![Chain { parties, percentage: None }])
        } else {
            continue;
        };
        let layers = match basis {
            Basis::Control => paths.first().map(|path| path.parties.len().saturating_sub(1) as u32),
            Basis::Voting => votes.layers(place),
            Basis::Ownership | Basis::SeniorManager => holdings.layers(place),
        };
        owners.push(BeneficialOwner::of(group, sums, place, party, basis, layers, paths));
    }
    if owners.is_empty() {
        let managers = group.individuals();
        for (place, party) in managers.filter(|(_, p)| p.roles.contains(&Role::SeniorManager)) {
            let (layers, paths) = (holdings.layers(place), told(group, holdings.from(place)));
            let basis = Basis::SeniorManager;
            owners.push(BeneficialOwner::of(group, sums, place, party, basis, layers, paths));
        }
    }
    owners.sort_by(|a, b| {
        let by_share = b.effective_percentage.total_cmp(&a.effective_percentage);
        by_share.then(b.voting_percentage.total_cmp(&a.voting_percentage))
    });
    owners
}

/// What counts of what the party controls, where other means than votes have a part in it.
fn controls(control: &Control, sums: &Sums, place: usize) -> Option<(usize, Controlled)> {
    let controlled = control.by(place, true);
    let by_votes = control.by(place, false);
    let mut counting = controlled.companies().filter(|company| sums.counts(*company));
    let by_means = |company| control.has_by_means(&controlled, company);
    let company = counting.find(|company| !by_votes.has(*company) || by_means(*company))?;
    drop(counting);
    Some((company, controlled))
}

/// A company that counts and is controlled by votes alone, of somebody who is no beneficial owner.
pub(super) fn controls_by_votes(control: &Control, sums: &Sums, place: usize) -> bool {
    control.by(place, false).companies().any(|company| sums.counts(company))
}

fn shareholders(group: &Group<'_>, sums: &Sums) -> Vec<Shareholder> {
    let parties = (1..group.len()).filter_map(|place| Some((place, group.party(place)?)));
    let mut holders: Vec<Shareholder> = parties
        .filter_map(|(place, party)| {
            let direct = group.direct(party)?;
            let value = |held: Option<crate::model::percentage::Percentage>| {
                held.map_or(0.0, |held| held.value())
            };
            Some(Shareholder {
                party: Officer::of(party),
                direct_percentage: value(direct.percentage),
                direct_voting_percentage: value(direct.votes()),
                control: direct.control,
                effective_percentage: percentage(sums.share(place)),
                voting_percentage: percentage(sums.votes(place)),
            })
        })
        .collect();
    holders.sort_by(|a, b| b.direct_percentage.total_cmp(&a.direct_percentage));
    holders
}

fn told(group: &Group<'_>, chains: Vec<(Vec<usize>, f64)>) -> Vec<Chain> {
    let chains = chains.into_iter();
    chains
        .map(|(places, carried)| Chain {
            parties: places.into_iter().map(|place| group.id(place)).collect(),
            percentage: Some(percentage(carried)),
        })
        .collect()
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

impl BeneficialOwner {
    fn of(
        group: &Group<'_>,
        sums: &Sums,
        place: usize,
        party: &Party,
        basis: Basis,
        layers: Option<u32>,
        paths: Vec<Chain>,
    ) -> BeneficialOwner {
        let direct = group.direct(party).and_then(|direct| direct.percentage);
        BeneficialOwner {
            party_id: party.party_id.clone(),
            name: party.name.clone(),
            kind: party.kind,
            country: party.country.clone(),
            basis,
            direct_percentage: direct.map_or(0.0, |held| held.value()),
            effective_percentage: percentage(sums.share(place)),
            voting_percentage: percentage(sums.votes(place)),
            layers,
            paths,
        }
    }
}

/// Of a fraction, to 10 decimals: what is beyond is how a double holds it.
fn percentage(fraction: f64) -> f64 {
    (fraction * 1e12).round() / 1e10
}
