use shared::error::Code;
use shared::model::customer::Customer;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Cannot be undone. What tells who the customer is goes from the customer, its sessions, organizations, \
                   risk profiles, alerts and events; its client_id is free again. A tombstone and what an audit needs \
                   stay: ids, times, who did what, decisions, scores, and which entries of lists matched. The `Idempotency-Key` \
                   of a request that made something of the customer is answered with 409 `CUSTOMER_ERASED`. 503 when there is more than one request can erase: \
                   repeat it until it is 200. 409 `RETENTION_HOLD` until the day after `retain_until`.";
    Endpoint::new("Erase a customer", details, crate::PERMISSION)
        .answers::<Customer>(StatusCode::OK, "The tombstone.", &["ETag"])
        .if_match()
        .idempotent()
        .refuses(&[Code::CustomerNotFound, Code::RetentionHold])
}
