use shared::error::Code;
use shared::model::monitor::MonitorState;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Turns monitoring off. The alerts stay unchanged. Stopping a monitor that is off \
                   changes nothing.";
    Endpoint::new("Stop monitoring a customer", details, crate::PERMISSIONS)
        .answers::<MonitorState>(StatusCode::OK, "The monitor with the status `off`.", &["ETag"])
        .if_match()
        .idempotent()
        .refuses(&[Code::CustomerNotFound, Code::NotMonitored])
}
