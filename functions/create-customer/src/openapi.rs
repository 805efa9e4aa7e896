use shared::error::Code;
use shared::model::customer::Customer;
use shared::model::profile::Profile;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Creates a customer with the status `active`. A `client_id` belongs to one \
                   customer of the tenant. If another customer already has it, the answer is 409 \
                   `CUSTOMER_ALREADY_EXISTS`, and `details` contains the id of that customer.\n\n\
                   A request that repeats an `Idempotency-Key` is answered with 409 \
                   `CUSTOMER_ERASED` if the customer has been erased since the first request.";
    Endpoint::new("Create a customer", details, crate::PERMISSIONS)
        .body::<Profile>("CreateCustomer", &["name"])
        .answers::<Customer>(
            StatusCode::CREATED,
            "The customer was created.",
            &["ETag", "Location"],
        )
        .idempotent()
        .refuses(&[Code::CustomerAlreadyExists, Code::CustomerErased])
}
