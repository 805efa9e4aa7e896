use shared::error::Code;
use shared::model::customer::Customer;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Erases the personal data of the customer. This cannot be undone.\n\n\
                   Personal data is removed from the customer, its sessions, organizations, risk \
                   profiles, alerts and audit events. The `client_id` can be used for another \
                   customer. The data that an audit needs is kept: ids, times, who made each \
                   change, decisions, scores, and the list entries that matched. An \
                   `Idempotency-Key` of an earlier request that created something for this \
                   customer is answered with 409 `CUSTOMER_ERASED`.\n\n\
                   If there is more data than one request can erase, the answer is 503. Repeat the \
                   request until the answer is 200. Up to and including the day `retain_until`, \
                   the answer is 409 `RETENTION_HOLD`.";
    Endpoint::new("Erase a customer", details, crate::PERMISSIONS)
        .answers::<Customer>(
            StatusCode::OK,
            "The customer without its personal data (tombstone).",
            &["ETag"],
        )
        .if_match()
        .idempotent()
        .refuses(&[Code::CustomerNotFound, Code::RetentionHold])
}
