use shared::error::Code;
use shared::model::session::{Session, SessionPatch};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Changes the status of a session, adds validations, or both. The status can \
                   change from `active` to `completed`, from `completed` to `approved`, `rejected` \
                   or `manual_review`, and from `manual_review` to `approved` or `rejected`. The \
                   current status is accepted and changes nothing. Validations can be added until \
                   the session is approved, rejected or expired.\n\n\
                   The statuses `approved`, `rejected` and `manual_review` need `kyc:review`. \
                   Everything else needs `kyc:create` or `kyc:update`. A patch with both needs \
                   both.\n\n\
                   An outcome changes the session counters and the risk profile of the customer in \
                   the same transaction. A request can be repeated safely if each of its \
                   validations has the field `at`. A caller with `kyc:read` may repeat a field that \
                   cannot change with its current value.";
    Endpoint::new("Update a KYC session", details, crate::PERMISSIONS)
        .merge_patch::<SessionPatch>("PatchSession", &[], &[])
        .answers::<Session>(StatusCode::OK, "The session after the change.", &["ETag"])
        .if_match()
        .idempotent()
        .refuses(&[Code::SessionNotFound, Code::InvalidTransition, Code::CustomerErased])
}
