use shared::error::Code;
use shared::model::monitor::{Settings, Started};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Starts monitoring, or changes it: what is not given takes its default then too. Screens at once, \
                   the customer and, with `include_related`, its owners, directors, representatives and senior \
                   managers. 503 while no watchlist can be read.";
    Endpoint::new("Monitor a customer", details, crate::PERMISSION)
        .body::<Settings>("MonitorCustomer", &[])
        .answers::<Started>(StatusCode::CREATED, "Monitoring was started.", &["Location"])
        .answers::<Started>(StatusCode::OK, "It was on already and is changed.", &[])
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerBlocked,
            Code::CustomerInactive,
            Code::CustomerErased,
        ])
}
