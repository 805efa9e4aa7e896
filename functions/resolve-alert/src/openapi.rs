use shared::error::Code;
use shared::model::alert::{Alert, Decision};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Records the decision of a person about a match.\n\n\
                   `confirmed` raises the risk profile at once. `false_positive` closes the alert \
                   until the compared data of the list entry or of the subject changes. `open` \
                   withdraws the decision. A note that is not given stays unchanged. A cleared \
                   alert cannot be decided. A caller with `kyc:read` may repeat a field that only \
                   the server sets with its current value.";
    Endpoint::new("Decide an alert", details, crate::PERMISSIONS)
        .merge_patch::<Decision>("ResolveAlert", &["status"], &[])
        .requires("ResolveAlert", &["status"])
        .answers::<Alert>(StatusCode::OK, "The alert after the decision.", &["ETag"])
        .if_match()
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::AlertNotFound,
            Code::InvalidTransition,
            Code::CustomerErased,
        ])
}
