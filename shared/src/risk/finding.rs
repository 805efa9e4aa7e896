//! Defines the result of assessing one factor.

use serde_json::Value;

use super::evidence::MAX_EVIDENCE;
use crate::model::risk::{Category, Evidence, Factor};

/// The parts of a factor that depend on the facts.
pub(super) struct Finding {
    /// The assessed value; `null` if it is unknown or does not apply.
    pub(super) value: Value,
    pub(super) points: u8,
    /// Explanation in one sentence, without personal data.
    pub(super) reason: String,
    /// References to the data behind the finding, the worst or newest first.
    pub(super) evidence: Vec<Evidence>,
}

impl Finding {
    /// Creates the finding of a factor that is unknown or does not apply. `reason` says why.
    pub(super) fn without_value(reason: &str) -> Finding {
        Finding { value: Value::Null, points: 0, reason: reason.to_owned(), evidence: Vec::new() }
    }

    /// Turns the finding into a factor. `weight` is the maximum number of points.
    pub(super) fn into_factor(self, code: &str, category: Category, weight: u8) -> Factor {
        let Finding { value, points, reason, mut evidence } = self;
        evidence.truncate(MAX_EVIDENCE);
        Factor { code: code.to_owned(), category, value, weight, points, reason, evidence }
    }
}
