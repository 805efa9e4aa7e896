use shared::error::Code;
use shared::model::customer::Customer;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Returns the customer as of the latest change.";
    Endpoint::new("Read a customer", details, crate::PERMISSIONS)
        .answers::<Customer>(StatusCode::OK, "The customer.", &["ETag"])
        .if_none_match()
        .refuses(&[Code::CustomerNotFound])
}
