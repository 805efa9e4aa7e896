use shared::error::Code;
use shared::model::customer::Customer;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    Endpoint::new("Read a customer", "", crate::PERMISSION)
        .answers::<Customer>(StatusCode::OK, "The customer.", &["ETag"])
        .refuses(&[Code::CustomerNotFound])
}
