use shared::error::Code;
use shared::model::alert::{Alert, Decision};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "A false positive stays silent until the entry or the subject changes in what is matched. A \
                   confirmed alert raises the risk profile at once. `open` takes a decision back. A note that is not \
                   given stays. A cleared alert takes no decision.";
    Endpoint::new("Decide about an alert", details, crate::PERMISSION)
        .merge_patch::<Decision>("ResolveAlert", &["status"], &[])
        .requires("ResolveAlert", &["status"])
        .answers::<Alert>(StatusCode::OK, "The alert after the decision.", &[])
        .refuses(&[
            Code::CustomerNotFound,
            Code::AlertNotFound,
            Code::InvalidTransition,
            Code::CustomerErased,
        ])
}
