use shared::error::Code;
use shared::model::monitor::MonitorState;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Idempotent. The alerts stay as they are.";
    Endpoint::new("Stop monitoring a customer", details, crate::PERMISSION)
        .answers::<MonitorState>(StatusCode::OK, "The monitor, which is off.", &[])
        .refuses(&[Code::CustomerNotFound, Code::NotMonitored])
}
