use shared::error::Code;
use shared::model::organization::Structure;
use shared::openapi::{Endpoint, StatusCode};
use shared::ownership::Statement;

pub(crate) fn describe() -> Endpoint {
    let details = "Replaces the whole structure. It has at most 500 parties and 2,000 \
                   relationships, and the body is at most 512 KiB. `owner` and `owned` are a \
                   `party_id`, or `self` for the customer.\n\n\
                   A structure is refused if an id does not exist, if an individual is owned, if a \
                   pair of `owner` and `owned` occurs twice, or if more than 100 % is declared in \
                   one company. 0.01 % more is allowed for rounding. `details` lists the position \
                   of each fault.\n\n\
                   The previous structure is kept in the history, and the risk profile is \
                   calculated again in the same transaction.";
    Endpoint::new("Replace the organization of a customer", details, crate::PERMISSIONS)
        .body::<Structure>("PutOrganization", &["parties", "relationships"])
        .answers::<Statement<'_>>(
            StatusCode::CREATED,
            "The organization was created.",
            &["ETag", "Location"],
        )
        .answers::<Statement<'_>>(StatusCode::OK, "The organization was replaced.", &["ETag"])
        .if_match()
        .creates_only()
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerErased,
            Code::ScreeningTimeout,
            Code::ListsUnavailable,
        ])
}
