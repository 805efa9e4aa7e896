use shared::error::Code;
use shared::model::customer::Customer;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Nothing is lost: the customer can still be read and patched, and `PATCH {\"status\":\"active\"}` \
                   takes it back. Deactivating an inactive customer changes nothing.";
    Endpoint::new("Deactivate a customer", details, crate::PERMISSION)
        .answers::<Customer>(StatusCode::OK, "The customer, inactive.", &["ETag"])
        .if_match()
        .refuses(&[Code::CustomerNotFound])
}
