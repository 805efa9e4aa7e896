use shared::error::Code;
use shared::model::session::NewSession;
use shared::openapi::{Endpoint, StatusCode};

use crate::CreatedSession;

pub(crate) fn describe() -> Endpoint {
    let details = "Creates a session with the status `active`. The customer is identified by \
                   `customer_id` or by `client_id`. If no customer of the tenant has the \
                   `client_id`, the request also creates the customer. Two simultaneous requests \
                   with the same new `client_id` create one customer and two sessions.\n\n\
                   A blocked or inactive customer cannot have new sessions. A customer can have at \
                   most 1,000 active sessions.";
    Endpoint::new("Create a KYC session", details, crate::PERMISSIONS)
        .body::<NewSession>("CreateSession", &[])
        .answers::<CreatedSession>(
            StatusCode::CREATED,
            "The session was created.",
            &["ETag", "Location"],
        )
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerBlocked,
            Code::CustomerInactive,
            Code::CustomerErased,
        ])
}
