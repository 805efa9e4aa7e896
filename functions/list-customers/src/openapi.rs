use shared::model::customer::{Customer, RiskLevel, Status};
use shared::model::page::Page;
use shared::model::profile::EntityType;
use shared::model::value::{ClientId, Country, Tag};
use shared::openapi::{Endpoint, StatusCode, flag, text, time};

const MONITORED: &str =
    "`true` for customers whose monitoring is `active`, `false` for all others.";

pub(crate) fn describe() -> Endpoint {
    let details = "Lists the customers of the tenant, sorted by time of creation, or by name if \
                   `search` is given. All given filters must match.\n\n\
                   A page is full unless the list ends. If a filter matches so few customers that \
                   one request would read too many, the page is shorter; `has_more` is true and \
                   the cursor continues the list. A customer that was created or changed a moment \
                   ago may not be listed yet.";
    let retention_ended = "`true` for customers that can be erased without an `override_reason`: \
                           they are `inactive`, the retention period since their deactivation has \
                           ended, and no `retain_until` holds them. `false` for all others, \
                           including erased customers.";
    Endpoint::new("List customers", details, crate::PERMISSIONS)
        .paged()
        .query_of::<Status>("status", "Only customers with this status.")
        .query_of::<EntityType>("entity_type", "Only customers of this entity type.")
        .query_of::<RiskLevel>("risk_level", "Only customers with this risk level.")
        .query_of::<Country>("country", "Only customers in this country.")
        .query_of::<ClientId>("client_id", "Only the customer with this client id.")
        .query_of::<Tag>("tag", "Only customers with this tag.")
        .query("monitored", MONITORED, flag())
        .query("retention_ended", retention_ended, flag())
        .query(
            "search",
            "Only customers whose name starts with this text. Case and accents are ignored.",
            text().min_length(Some(1)).max_length(Some(200)).pattern(Some(
                r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
            )),
        )
        .query("created_after", "Only customers created after this time.", time())
        .query("created_before", "Only customers created before this time.", time())
        .answers::<Page<Customer>>(StatusCode::OK, "A page of customers.", &[])
}
