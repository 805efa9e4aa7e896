use shared::error::Code;
use shared::model::page::Page;
use shared::model::session::{Session, SessionStatus};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    Endpoint::new(
        "List the KYC sessions of a customer",
        "Newest first, unless `order` is `asc`.",
        crate::PERMISSION,
    )
    .paged()
    .query_of::<SessionStatus>("status", "")
    .answers::<Page<Session>>(StatusCode::OK, "A page of sessions.", &[])
    .refuses(&[Code::CustomerNotFound])
}
