//! Everything that follows from a declared structure and a threshold, as numbers.
#![expect(clippy::indexing_slicing, reason = "callers take places from the group")]

use super::control::Control;
use super::effective::{Effective, effective};
use super::group::{CUSTOMER, Group};
use crate::model::organization::Structure;

/// A fraction below this is a rounding error.
const ROUNDING: f64 = 1e-12;

/// A group with what was computed for it.
pub(super) struct Analysis<'a> {
    pub(super) group: Group<'a>,
    pub(super) control: Control,
    /// Effective shares in the customer.
    pub(super) shares: Effective,
    /// Effective voting shares in the customer.
    pub(super) votes: Effective,
    /// Rings of companies that hold shares in each other, the largest first.
    pub(super) rings: Vec<Vec<usize>>,
    /// For each place: whether shares, votes or control lead from it to the customer.
    pub(super) is_upstream: Vec<bool>,
    /// The share from which on an individual is a beneficial owner, 0 to 100.
    pub(super) threshold_percentage: f64,
    /// The same as a fraction, lowered by a rounding error.
    threshold: f64,
}

impl<'a> Analysis<'a> {
    pub(super) fn of(
        structure: &'a Structure,
        customer_is_company: bool,
        threshold_percentage: f64,
    ) -> Analysis<'a> {
        let group = Group::of(structure, customer_is_company);
        Analysis {
            control: Control::of(&group),
            shares: effective(&group.is_company, CUSTOMER, &group.holdings),
            votes: effective(&group.is_company, CUSTOMER, &group.votes),
            rings: group.rings(),
            is_upstream: group.upstream_of_customer(),
            threshold_percentage,
            // A share of 25 % that a double holds as slightly less reaches 25 %. A share of zero
            // reaches no threshold.
            threshold: (threshold_percentage / 100.0 - ROUNDING).max(ROUNDING),
            group,
        }
    }

    /// Whether the customer is a company. An individual has no owners.
    pub(super) fn customer_is_company(&self) -> bool {
        self.group.is_company[CUSTOMER]
    }

    /// Whether the effective share of a party reaches the threshold.
    pub(super) fn share_reaches_threshold(&self, place: usize) -> bool {
        self.shares.shares[place] >= self.threshold
    }

    /// Whether the effective voting share of a party reaches the threshold.
    pub(super) fn votes_reach_threshold(&self, place: usize) -> bool {
        self.votes.shares[place] >= self.threshold
    }

    /// Whether control of this place makes a beneficial owner: it is the customer, or its share or
    /// voting share reaches the threshold.
    pub(super) fn is_significant(&self, place: usize) -> bool {
        place == CUSTOMER
            || self.share_reaches_threshold(place)
            || self.votes_reach_threshold(place)
    }

    /// Effective share of a party in the customer, 0 to 100.
    pub(super) fn share_percentage(&self, place: usize) -> f64 {
        percentage(self.shares.shares[place])
    }

    /// Effective voting share of a party in the customer, 0 to 100.
    pub(super) fn voting_percentage(&self, place: usize) -> f64 {
        percentage(self.votes.shares[place])
    }

    /// Share of the customer that no declared owner accounts for, 0 to 100. Zero if the customer
    /// is an individual.
    pub(super) fn undisclosed_percentage(&self) -> f64 {
        if self.customer_is_company() { percentage(self.shares.undisclosed) } else { 0.0 }
    }
}

/// Converts a fraction to a percentage with 10 decimals. Further decimals are rounding errors.
pub(super) fn percentage(fraction: f64) -> f64 {
    (fraction * 1e12).round() / 1e10
}
