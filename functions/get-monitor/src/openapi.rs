use shared::error::Code;
use shared::model::monitor::MonitorState;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    Endpoint::new("Get the monitor of a customer", "", crate::PERMISSION)
        .answers::<MonitorState>(StatusCode::OK, "How the customer is monitored.", &[])
        .refuses(&[Code::CustomerNotFound, Code::NotMonitored])
}
