use shared::error::Code;
use shared::model::monitor::MonitorState;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Returns the monitoring settings of the customer, the time of the last check and \
                   the number of open alerts. A monitor that was stopped is returned with the \
                   status `off`.";
    Endpoint::new("Read the monitor of a customer", details, crate::PERMISSIONS)
        .answers::<MonitorState>(StatusCode::OK, "The monitor.", &["ETag"])
        .if_none_match()
        .refuses(&[Code::CustomerNotFound, Code::NotMonitored])
}
