use shared::error::Code;
use shared::model::monitor::{Settings, Started};
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Starts monitoring, or replaces the settings of a monitor that is active. A \
                   setting that is not given is set to its default in both cases.\n\n\
                   The customer is screened at once. With `include_related`, its owners, \
                   directors, representatives and senior managers are screened too. If no \
                   watchlist can be read, the answer is 503.";
    Endpoint::new("Monitor a customer", details, crate::PERMISSIONS)
        .optional_body::<Settings>("MonitorCustomer")
        .answers::<Started>(StatusCode::CREATED, "Monitoring was started.", &["ETag", "Location"])
        .answers::<Started>(
            StatusCode::OK,
            "The settings of the active monitor were replaced.",
            &["ETag"],
        )
        .if_match()
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerBlocked,
            Code::CustomerInactive,
            Code::CustomerErased,
            Code::ScreeningTimeout,
            Code::ListsUnavailable,
        ])
}
