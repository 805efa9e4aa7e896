//! Defines the order of risk levels.

use crate::model::customer::RiskLevel;

/// Ranks a level, from 0 for `not_set` to 4 for `prohibited`.
pub(super) fn rank(level: RiskLevel) -> u8 {
    match level {
        RiskLevel::NotSet => 0,
        RiskLevel::Low => 1,
        RiskLevel::Medium => 2,
        RiskLevel::High => 3,
        RiskLevel::Prohibited => 4,
    }
}
