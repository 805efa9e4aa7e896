use shared::error::Code;
use shared::model::organization::Structure;
use shared::openapi::{Endpoint, StatusCode};
use shared::ownership::Statement;

pub(crate) fn describe() -> Endpoint {
    let details = "The whole structure, at most 500 parties and 2,000 relationships in 512 KiB. `owner` and `owned` \
                   name a party, or the customer as `self`. Ids that lead nowhere, an individual that is owned, a pair \
                   of owner and owned that is given twice, and more than 100 % declared in one company (but for what \
                   rounding adds: 0.01 %) are refused, each by its place. The structure before is kept, and the risk \
                   profile is computed anew in the same transaction.";
    Endpoint::new("Replace the organization of a customer", details, crate::PERMISSION)
        .body::<Structure>("PutOrganization", &["parties", "relationships"])
        .answers::<Statement<'_>>(
            StatusCode::CREATED,
            "The first organization.",
            &["ETag", "Location"],
        )
        .answers::<Statement<'_>>(StatusCode::OK, "The organization after the change.", &["ETag"])
        .if_match()
        .refuses(&[Code::CustomerNotFound, Code::CustomerErased])
}
