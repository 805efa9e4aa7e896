//! A customer says what its newest risk profile says, and each profile goes on from the last.

use shared::model::customer::{RiskLevel, RiskSummary};

use crate::Found;
use crate::customer::Whole;

pub(super) fn check(whole: &Whole<'_>, found: &mut Found) {
    let newest = whole.profiles.last().map(|(profile, _)| RiskSummary {
        level: profile.level,
        score: profile.score,
        calculated_at: profile.calculated_at,
    });
    let is_right = whole.customer.risk == newest.unwrap_or_default();
    found.check(is_right, "risk summary", whole.item, || {
        "is not that of the newest profile".to_owned()
    });
    let mut level = RiskLevel::NotSet;
    for (profile, item) in &whole.profiles {
        let at = profile.calculated_at.map(|at| format!("RISK#{at}"));
        found.check(at.as_deref() == Some(&item.sk), "risk profile", item, || {
            "was calculated at another time than its key says".to_owned()
        });
        found.check(profile.previous_level == Some(level), "risk profile", item, || {
            "does not go on from the level before".to_owned()
        });
        level = profile.level;
    }
}
