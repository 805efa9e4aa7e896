//! Defines the model: every number that a score depends on, under one version.
//!
//! To change a list (see `countries`), a sector or a weight, change the data and the version
//! together, and release. A profile names the version that it was calculated with.

use super::countries::{self, CountryList};
use super::sectors::{self, Sector};
use crate::model::customer::RiskLevel;

/// Maps a size to points. The highest step that a size reaches gives the points.
#[derive(Debug)]
pub(super) struct Scale(
    /// Steps in ascending order: the size at which the step begins, and its points.
    &'static [(u64, u8)],
);

impl Scale {
    /// Returns the maximum number of points.
    pub(super) const fn weight(&self) -> u8 {
        match self.0 {
            [.., (_, most)] => *most,
            [] => 0,
        }
    }

    /// Returns the points for a size, 0 if it is below the first step.
    pub(super) fn points(&self, size: u64) -> u8 {
        self.0.iter().rev().find(|(from, _)| size >= *from).map_or(0, |(_, points)| *points)
    }
}

/// Weights, thresholds and lists. [`MODEL`] is the only instance; the compiler checks that its
/// weights add up to at most 100.
#[derive(Debug)]
pub struct Model {
    /// Version of the model: the year, the month and a number within the month.
    pub version: &'static str,
    /// Lists of high-risk countries, the one with the highest risk first.
    pub country_lists: &'static [CountryList],
    /// Sectors of higher risk.
    pub sectors: &'static [Sector],

    /// Lowest score with the level `medium`. Scores below it have the level `low`.
    pub(super) medium_from: u8,
    /// Lowest score with the level `high`.
    pub(super) high_from: u8,

    pub(super) high_risk_industry: u8,
    pub(super) medium_risk_industry: u8,
    /// Points for young companies: pairs of an age in days and the points of a company below that
    /// age, in ascending order of age.
    pub(super) young_company: &'static [(u64, u8)],

    /// Points by undisclosed percentage.
    pub(super) undisclosed: Scale,
    /// Points by number of layers.
    pub(super) layers: Scale,
    /// Points by number of parties in rings.
    pub(super) circular: Scale,
    pub(super) no_beneficial_owner: u8,
    pub(super) senior_managers_only: u8,

    /// Number of days for which rejections, failures and expiries count.
    pub(super) history_days: u64,
    /// Points by number of sessions.
    pub(super) rejected_sessions: Scale,
    /// Points by number of failed checks of a person, document or wallet.
    pub(super) failed_validations: Scale,
    /// Points by number of sessions.
    pub(super) expired_sessions: Scale,
    pub(super) never_approved: u8,
    /// Points by days since the last approval.
    pub(super) since_approval: Scale,

    pub(super) confirmed_alert: u8,
    /// Points by number of open alerts. They apply only if no alert is confirmed.
    pub(super) open_alerts: Scale,
    pub(super) watchlists_failed: u8,
    pub(super) watchlists_in_review: u8,
    pub(super) adverse_media_failed: u8,
    pub(super) adverse_media_in_review: u8,

    /// Days until the next review of a customer with the level `low`.
    pub(super) review_low: i64,
    pub(super) review_medium: i64,
    pub(super) review_high: i64,
    pub(super) review_prohibited: i64,
}

/// Number of days in a year of the model.
const YEAR: u64 = 365;

/// The current model. Change its `version` whenever its data changes.
pub static MODEL: Model = Model {
    version: "2026-11-1",
    country_lists: countries::LISTS,
    sectors: sectors::SECTORS,

    medium_from: 15,
    high_from: 40,

    high_risk_industry: 10,
    medium_risk_industry: 4,
    young_company: &[(YEAR, 4), (3 * YEAR, 2)],

    // An owner of 25 % is a beneficial owner, so an undisclosed share of 25 % or more may hide one.
    undisclosed: Scale(&[(10, 3), (25, 6), (50, 8)]),
    layers: Scale(&[(3, 1), (5, 3)]),
    circular: Scale(&[(1, 3)]),
    no_beneficial_owner: 6,
    senior_managers_only: 4,

    history_days: 3 * YEAR,
    rejected_sessions: Scale(&[(1, 4), (2, 7)]),
    failed_validations: Scale(&[(1, 2), (2, 3), (3, 5)]),
    // A single expired link is common and gives no points.
    expired_sessions: Scale(&[(2, 1), (4, 2)]),
    never_approved: 5,
    since_approval: Scale(&[(YEAR + 1, 2), (2 * YEAR + 1, 4)]),

    confirmed_alert: 10,
    open_alerts: Scale(&[(1, 6), (2, 8)]),
    watchlists_failed: 5,
    watchlists_in_review: 3,
    adverse_media_failed: 4,
    adverse_media_in_review: 2,

    // Regulation (EU) 2024/1624, Article 26(2), which applies from 2027, allows at most one year
    // for customers of higher risk and five years for others. A prohibited customer is waiting for
    // a decision rather than for a review.
    review_low: 3 * YEAR as i64,
    review_medium: 2 * YEAR as i64,
    review_high: YEAR as i64,
    review_prohibited: 30,
};

const _: () = assert!(MODEL.total_weight() <= 100, "a score is 0 to 100");

impl Model {
    /// Returns the level of a score: `low`, `medium` or `high`.
    pub(super) fn level_of(&self, score: u8) -> RiskLevel {
        if score >= self.high_from {
            RiskLevel::High
        } else if score >= self.medium_from {
            RiskLevel::Medium
        } else {
            RiskLevel::Low
        }
    }

    /// Returns the number of days until the next review, or `None` if the level is `not_set`.
    pub(super) fn days_until_review(&self, level: RiskLevel) -> Option<i64> {
        match level {
            RiskLevel::NotSet => None,
            RiskLevel::Low => Some(self.review_low),
            RiskLevel::Medium => Some(self.review_medium),
            RiskLevel::High => Some(self.review_high),
            RiskLevel::Prohibited => Some(self.review_prohibited),
        }
    }

    /// Returns the maximum number of points for the customer's country.
    pub(super) const fn customer_country_weight(&self) -> u8 {
        match self.country_lists {
            [worst, ..] => worst.customer_points,
            [] => 0,
        }
    }

    /// Returns the maximum number of points for the countries of owners and officers.
    pub(super) const fn related_countries_weight(&self) -> u8 {
        match self.country_lists {
            [worst, ..] => worst.related_points,
            [] => 0,
        }
    }

    /// Returns the maximum number of points for the age of a company.
    pub(super) const fn company_age_weight(&self) -> u8 {
        match self.young_company {
            [(_, youngest), ..] => *youngest,
            [] => 0,
        }
    }

    /// Returns the maximum score, which is the sum of all weights.
    const fn total_weight(&self) -> u32 {
        self.customer_country_weight() as u32
            + self.related_countries_weight() as u32
            + self.high_risk_industry as u32
            + self.company_age_weight() as u32
            + self.undisclosed.weight() as u32
            + self.layers.weight() as u32
            + self.circular.weight() as u32
            + self.no_beneficial_owner as u32
            + self.rejected_sessions.weight() as u32
            + self.failed_validations.weight() as u32
            + self.expired_sessions.weight() as u32
            + self.never_approved as u32
            + self.confirmed_alert as u32
            + self.watchlists_failed as u32
            + self.adverse_media_failed as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_facts_give_more_points() {
        let scales = [
            &MODEL.undisclosed,
            &MODEL.layers,
            &MODEL.circular,
            &MODEL.rejected_sessions,
            &MODEL.failed_validations,
            &MODEL.expired_sessions,
            &MODEL.since_approval,
            &MODEL.open_alerts,
        ];
        for scale in scales {
            assert!(scale.0.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{scale:?}");
        }
        assert!(MODEL.young_company.is_sorted_by(|a, b| a.0 < b.0 && a.1 > b.1));
        for (worse, better) in [
            (MODEL.high_risk_industry, MODEL.medium_risk_industry),
            (MODEL.no_beneficial_owner, MODEL.senior_managers_only),
            (MODEL.never_approved, MODEL.since_approval.weight()),
            (MODEL.confirmed_alert, MODEL.open_alerts.weight()),
            (MODEL.watchlists_failed, MODEL.watchlists_in_review),
            (MODEL.adverse_media_failed, MODEL.adverse_media_in_review),
            (MODEL.high_from, MODEL.medium_from),
        ] {
            assert!(worse > better);
        }
    }

    #[test]
    fn a_step_includes_the_size_at_which_it_begins() {
        let points = [9, 10, 24, 25, 49, 50, 100].map(|share| MODEL.undisclosed.points(share));
        assert_eq!(points, [0, 3, 3, 6, 6, 8, 8]);
        assert_eq!(MODEL.total_weight(), 100);
    }
}
