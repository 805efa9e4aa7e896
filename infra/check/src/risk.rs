//! Compares a customer's risk summary with its newest risk profile, and each profile with the
//! previous profile.

use shared::model::customer::{RiskLevel, RiskSummary};

use crate::records::Records;
use crate::report::{Rule, Violations};

pub(crate) fn check(records: &Records<'_>, violations: &mut Violations) {
    let newest = records.profiles.last().map(|(profile, _)| RiskSummary {
        level: profile.level,
        score: profile.score,
        calculated_at: profile.calculated_at,
    });
    let is_right = records.customer.risk == newest.unwrap_or_default();
    violations.require(is_right, Rule::RiskSummary, records.item, || {
        "risk is not that of the newest profile".to_owned()
    });
    let mut previous_level = RiskLevel::NotSet;
    for (profile, item) in &records.profiles {
        let expected_sk = profile.calculated_at.map(|at| format!("RISK#{at}"));
        violations.require(
            expected_sk.as_deref() == Some(&item.sk),
            Rule::RiskProfile,
            item,
            || "calculated_at is not that of the key".to_owned(),
        );
        let continues = profile.previous_level == Some(previous_level);
        violations.require(continues, Rule::RiskProfile, item, || {
            "previous_level is not the level of the profile before".to_owned()
        });
        previous_level = profile.level;
    }
}
