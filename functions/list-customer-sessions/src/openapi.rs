use shared::error::Code;
use shared::model::page::Page;
use shared::model::session::{Session, SessionStatus};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Lists the sessions of the customer, newest first. With `order=asc` the oldest \
                   session comes first.";
    Endpoint::new("List the KYC sessions of a customer", details, crate::PERMISSIONS)
        .paged()
        .query_of::<SessionStatus>("status", "Only sessions with this status.")
        .answers::<Page<Session>>(StatusCode::OK, "A page of sessions.", &[])
        .refuses(&[Code::CustomerNotFound])
}
