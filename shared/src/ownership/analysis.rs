//! Computes the effective shares, the control and the rings of a declared structure, and compares
//! shares with a threshold.
#![expect(clippy::indexing_slicing, reason = "callers take places from the group")]

use super::control::Control;
use super::effective::{Effective, effective};
use super::group::{CUSTOMER, Group};
use crate::model::organization::Structure;

/// Tolerance for rounding errors when a fraction is compared with the threshold.
const ROUNDING: f64 = 1e-12;

/// A group together with the results that were computed from it.
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
    /// Smallest share that makes an individual a beneficial owner, in percent: above 0, at most
    /// 100.
    pub(super) threshold_percentage: f64,
    /// The threshold as a fraction, lowered by `ROUNDING`, but never below `ROUNDING`.
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
            // The tolerance lets a share of 25 % reach a threshold of 25 % even if its double is
            // slightly smaller. The lower bound keeps a share of zero below every threshold.
            threshold: (threshold_percentage / 100.0 - ROUNDING).max(ROUNDING),
            group,
        }
    }

    /// Returns whether the customer is a company. An individual has no owners.
    pub(super) fn customer_is_company(&self) -> bool {
        self.group.is_company[CUSTOMER]
    }

    /// Returns whether the effective share of a party reaches the threshold.
    pub(super) fn share_reaches_threshold(&self, place: usize) -> bool {
        self.shares.shares[place] >= self.threshold
    }

    /// Returns whether the effective voting share of a party reaches the threshold.
    pub(super) fn votes_reach_threshold(&self, place: usize) -> bool {
        self.votes.shares[place] >= self.threshold
    }

    /// Returns whether control by other means over this place makes an individual a beneficial
    /// owner. This is so if the place is the customer, or if its effective share or voting share
    /// reaches the threshold.
    pub(super) fn is_significant(&self, place: usize) -> bool {
        place == CUSTOMER
            || self.share_reaches_threshold(place)
            || self.votes_reach_threshold(place)
    }

    /// Returns the effective share of a party in the customer, 0 to 100.
    pub(super) fn share_percentage(&self, place: usize) -> f64 {
        percentage(self.shares.shares[place])
    }

    /// Returns the effective voting share of a party in the customer, 0 to 100.
    pub(super) fn voting_percentage(&self, place: usize) -> f64 {
        percentage(self.votes.shares[place])
    }

    /// Returns the share of the customer that no declared owner accounts for, 0 to 100. Returns
    /// zero if the customer is an individual.
    pub(super) fn undisclosed_percentage(&self) -> f64 {
        if self.customer_is_company() { percentage(self.shares.undisclosed) } else { 0.0 }
    }
}

/// Converts a fraction to a percentage, rounded to 10 decimals. Further decimals are rounding
/// errors.
pub(super) fn percentage(fraction: f64) -> f64 {
    (fraction * 1e12).round() / 1e10
}
