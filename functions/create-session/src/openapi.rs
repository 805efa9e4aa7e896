use shared::error::Code;
use shared::model::session::NewSession;
use shared::openapi::{Endpoint, StatusCode};

use crate::CreatedSession;

pub(crate) fn describe() -> Endpoint {
    let details = "The customer is named by `customer_id` or by `client_id`; a `client_id` that nobody has creates the \
                   customer with the session. Two first calls at once make one customer. A blocked or inactive \
                   customer takes no session.";
    Endpoint::new("Create a KYC session", details, crate::PERMISSION)
        .body::<NewSession>("CreateSession", &[])
        .answers::<CreatedSession>(StatusCode::CREATED, "The session was created.", &["Location"])
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerBlocked,
            Code::CustomerInactive,
            Code::CustomerErased,
        ])
}
