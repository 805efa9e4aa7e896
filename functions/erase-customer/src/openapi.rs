use shared::error::Code;
use shared::model::customer::Customer;
use shared::model::value::Note;
use shared::openapi::{Endpoint, StatusCode};

/// Body of the request.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only the schema is used")]
struct EraseCustomer {
    /// Reason to erase the customer although it is not inactive or its retention period has not
    /// ended. It is kept after the erasure, on the customer and in the audit event, so it must not
    /// contain personal data. 1 to 2,000 characters after trimming.
    override_reason: Option<Note>,
}

pub(crate) fn describe() -> Endpoint {
    let details = "Erases the personal data of the customer. This cannot be undone.\n\n\
                   Personal data is removed from the customer, its sessions, organizations, risk \
                   profiles, alerts and audit events. The `client_id` can be used for another \
                   customer. The data that an audit needs is kept: ids, times, who made each \
                   change, decisions, scores, and the list entries that matched. An \
                   `Idempotency-Key` of an earlier request that created something for this \
                   customer is answered with 409 `CUSTOMER_ERASED`.\n\n\
                   A customer can be erased when its retention has ended. It must be `inactive`; \
                   otherwise the answer is 409 `CUSTOMER_NOT_INACTIVE`. The retention period of the \
                   service (5 years by default) must have ended, counted from `deactivated_at`; up \
                   to and including its last day, the answer is 409 `RETENTION_PERIOD`. With an \
                   `override_reason`, neither rule applies, but a `blocked` customer also needs \
                   `kyc:review`, because an erasure ends the block. The reason survives the \
                   erasure, so it must not contain personal data. Up to and including the day \
                   `retain_until`, the answer is 409 `RETENTION_HOLD`, also with an \
                   `override_reason`. `GET /customers?retention_ended=true` lists the customers \
                   whose retention has ended.\n\n\
                   If there is more data than one request can erase, the answer is 503. The service \
                   resumes the erasure after some minutes, and so does a repeated request.";
    Endpoint::new("Erase a customer", details, crate::PERMISSIONS)
        .optional_body::<EraseCustomer>("EraseCustomer")
        .answers::<Customer>(
            StatusCode::OK,
            "The customer without its personal data (tombstone).",
            &["ETag"],
        )
        .if_match()
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerNotInactive,
            Code::RetentionPeriod,
            Code::RetentionHold,
        ])
}
