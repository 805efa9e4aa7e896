//! Collects the results of the analysis of a structure.
#![expect(clippy::indexing_slicing, reason = "places come from the group")]

use super::analysis::Analysis;
use super::group::CUSTOMER;
use super::owners::{BeneficialOwner, Officer, Shareholder};
use super::owners::{beneficial_owners, officers, shareholders};
use super::warnings::{Warning, warnings};
use crate::model::organization::{Role, Structure};

/// The result of analysing a declared structure. Percentages are 0 to 100, rounded to 10 decimals.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Beneficial owners, the largest effective share first. Empty if the customer is an
    /// individual.
    pub ubos: Vec<BeneficialOwner>,
    /// Parties with a direct holding in the customer or direct control of it, the largest direct
    /// share first.
    pub shareholders: Vec<Shareholder>,
    /// Parties with the role of a director.
    pub directors: Vec<Officer>,
    /// Parties with the role of a representative.
    pub representatives: Vec<Officer>,
    /// Share of the customer that no declared owner accounts for, through all chains. Zero if the
    /// customer is an individual.
    pub undisclosed_percentage: f64,
    /// Points of the structure that need attention.
    pub warnings: Vec<Warning>,
    /// Effective share of every party, in the order of the structure.
    pub effective_percentages: Vec<f64>,
    /// Ids of the parties in rings of holdings that lead to the customer.
    pub circular: Vec<String>,
}

impl View {
    /// Analyses a structure: its owners, officers, shares, rings and warnings.
    ///
    /// `is_company` is true if the customer is a company. An individual has no owners. `threshold`
    /// is the smallest share that makes an individual a beneficial owner, in percent: above 0, at
    /// most 100.
    ///
    /// # Panics
    /// If a relationship names a party that the structure does not have.
    pub fn of(structure: &Structure, is_company: bool, threshold: f64) -> View {
        let analysis = Analysis::of(structure, is_company, threshold);
        let ubos = if is_company { beneficial_owners(&analysis) } else { Vec::new() };
        let parties = analysis.group.parties();
        View {
            shareholders: shareholders(&analysis),
            directors: officers(&analysis, Role::Director),
            representatives: officers(&analysis, Role::Representative),
            undisclosed_percentage: analysis.undisclosed_percentage(),
            warnings: warnings(&analysis, &ubos),
            effective_percentages: parties
                .map(|(place, _)| analysis.share_percentage(place))
                .collect(),
            circular: circular(&analysis),
            ubos,
        }
    }
}

/// Returns the ids of the parties in rings of holdings that lead to the customer.
fn circular(analysis: &Analysis<'_>) -> Vec<String> {
    let leads_to_customer = |place: usize| place == CUSTOMER || analysis.is_upstream[place];
    let rings = analysis.rings.iter();
    rings
        .filter(|ring| ring.iter().any(|&place| leads_to_customer(place)))
        .flatten()
        .map(|&place| analysis.group.id(place))
        .collect()
}
