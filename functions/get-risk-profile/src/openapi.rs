use shared::error::Code;
use shared::openapi::{Endpoint, StatusCode, flag, whole_number};

use crate::{CurrentRiskProfile, MAX_HISTORY};

pub(crate) fn describe() -> Endpoint {
    let details = "Every factor is listed with its points, also when it gave none; the points add up to the score \
                   exactly. Hard rules only raise the level. Too little data is `not_set`, never a false `low`. A \
                   profile is calculated when a session gets an outcome or a validation, when the organization or a \
                   scored field of the customer changes, and on request; before the first one the level is `not_set` \
                   and `calculated_at` is null. The same facts and `model_version` always give the same profile.";
    let history = "How many profiles to list in `history`, the current one first.";
    Endpoint::new("Read the risk profile of a customer", details, crate::PERMISSION)
        .query("recalculate", "`true` calculates a new profile first, and keeps it.", flag())
        .query("history", history, whole_number(0, MAX_HISTORY, 0))
        .answers::<CurrentRiskProfile>(StatusCode::OK, "The risk profile.", &[])
        .refuses(&[Code::CustomerNotFound, Code::CustomerErased])
}
