use shared::error::Code;
use shared::model::customer::Customer;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Sets the status of the customer to `inactive` and turns its monitoring off. No \
                   data is deleted: the customer can still be read and changed. To reactivate it, \
                   send a PATCH with `{\"status\":\"active\"}`; monitoring has to be started \
                   again. Deactivating an inactive customer changes nothing. Deactivating a blocked \
                   customer ends its block, so it also needs `kyc:review`.";
    Endpoint::new("Deactivate a customer", details, crate::PERMISSIONS)
        .answers::<Customer>(StatusCode::OK, "The customer with the status `inactive`.", &["ETag"])
        .if_match()
        .idempotent()
        .refuses(&[Code::CustomerNotFound, Code::CustomerErased])
}
