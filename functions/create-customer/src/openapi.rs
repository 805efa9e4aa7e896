use shared::error::Code;
use shared::model::customer::Customer;
use shared::model::profile::Profile;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "A `client_id` belongs to one customer of its tenant: a second creation with it is a conflict that \
                   names the first. A replay for a customer that has been erased since is 409 `CUSTOMER_ERASED`.";
    Endpoint::new("Create a customer", details, crate::PERMISSION)
        .body::<Profile>("CreateCustomer", &["name"])
        .answers::<Customer>(
            StatusCode::CREATED,
            "The customer was created.",
            &["ETag", "Location"],
        )
        .idempotent()
        .refuses(&[Code::CustomerAlreadyExists, Code::CustomerErased])
}
