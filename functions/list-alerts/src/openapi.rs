use shared::error::Code;
use shared::model::alert::{Alert, AlertStatus};
use shared::model::page::Page;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Lists the matches of the customer and its related parties with watchlist \
                   entries. Alerts are sorted by id. The id does not depend on the age of an \
                   alert.";
    Endpoint::new("List the alerts of a customer", details, crate::PERMISSIONS)
        .paged()
        .query_of::<AlertStatus>("status", "Only alerts with this status.")
        .answers::<Page<Alert>>(StatusCode::OK, "A page of alerts.", &[])
        .refuses(&[Code::CustomerNotFound])
}
