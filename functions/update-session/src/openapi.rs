use shared::error::Code;
use shared::model::session::{Session, SessionPatch};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "From `active` to `completed`, from there to `approved`, `rejected` or `manual_review`, and from \
                   `manual_review` to `approved` or `rejected`; the status it has already is no move. Validations \
                   are added until the session is approved, rejected or expired. An outcome changes the customer's \
                   counters and its risk profile in the same transaction. The request can be repeated safely where \
                   each validation names its `at`.";
    Endpoint::new("Record progress and outcome of a KYC session", details, crate::PERMISSION)
        .merge_patch::<SessionPatch>("PatchSession", &[], &[])
        .answers::<Session>(StatusCode::OK, "The session after the change.", &[])
        .refuses(&[Code::SessionNotFound, Code::InvalidTransition, Code::CustomerErased])
}
