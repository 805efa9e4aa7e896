use shared::error::Code;
use shared::openapi::{Endpoint, StatusCode, flag, whole_number};

use crate::{CurrentRiskProfile, MAX_HISTORY};

pub(crate) fn describe() -> Endpoint {
    let details = "Returns the current risk profile. The score is the sum of the points of all \
                   factors. Every factor is listed, including factors with 0 points. Hard rules \
                   can raise the level, but not lower it. If there is not enough data, the level \
                   is `not_set` instead of a misleading `low`.\n\n\
                   A profile is calculated when a session receives an outcome or a validation, \
                   when the organization or a scored field of the customer changes, when the \
                   alerts of the customer change, and on request. Before the first calculation the \
                   level is `not_set` and `calculated_at` is null. The same facts and the same \
                   `model_version` always give the same profile.";
    let history =
        "Number of profiles in `history`, newest first. The current profile counts as one.";
    Endpoint::new("Read the risk profile of a customer", details, crate::PERMISSIONS)
        .query(
            "recalculate",
            "Whether to calculate a new profile before the answer. This needs `kyc:create` or \
             `kyc:update` in addition to `kyc:read`. If the result equals the newest profile, \
             nothing is stored. HEAD does not calculate.",
            flag(),
        )
        .query("history", history, whole_number(0, MAX_HISTORY, 0))
        .answers::<CurrentRiskProfile>(StatusCode::OK, "The risk profile.", &[])
        .refuses(&[Code::CustomerNotFound, Code::CustomerErased])
}
