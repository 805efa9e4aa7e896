use shared::error::Code;
use shared::model::alert::{Alert, AlertStatus};
use shared::model::page::Page;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    Endpoint::new(
        "List the alerts of a customer",
        "In the order of their ids, which says nothing about their age.",
        crate::PERMISSION,
    )
    .paged()
    .query_of::<AlertStatus>("status", "")
    .answers::<Page<Alert>>(StatusCode::OK, "A page of alerts.", &[])
    .refuses(&[Code::CustomerNotFound])
}
