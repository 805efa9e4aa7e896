use shared::model::customer::{Customer, RiskLevel, Status};
use shared::model::page::Page;
use shared::model::profile::EntityType;
use shared::model::value::{ClientId, Country, Tag};
use shared::openapi::{Endpoint, StatusCode, flag, text, time};

pub(crate) fn describe() -> Endpoint {
    let details = "Rows come in order of creation, with `search` in order of name. Filters combine with AND. A page is \
                   full unless the list ends; only when a very selective filter would read too much for one request, \
                   a short page comes with `has_more` and a cursor. A row written within the last moments may not be \
                   listed yet.";
    Endpoint::new("List customers", details, crate::PERMISSION)
        .paged()
        .query_of::<Status>("status", "")
        .query_of::<EntityType>("entity_type", "")
        .query_of::<RiskLevel>("risk_level", "")
        .query_of::<Country>("country", "")
        .query_of::<ClientId>("client_id", "")
        .query_of::<Tag>("tag", "Customers that have this tag.")
        .query("monitored", "Whether the customer's monitoring is `active`.", flag())
        .query(
            "search",
            "A prefix of the name, blind to case and accents.",
            text().min_length(Some(1)).max_length(Some(200)).pattern(Some(
                r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
            )),
        )
        .query("created_after", "Created strictly later.", time())
        .query("created_before", "Created strictly earlier.", time())
        .answers::<Page<Customer>>(StatusCode::OK, "A page of customers.", &[])
}
