use shared::error::Code;
use shared::model::export::Exported;
use shared::model::page::Page;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Returns all data that is held about the customer: the customer, its sessions, \
                   its current and former organizations, its risk profiles, its monitor, its \
                   alerts and its audit events. A page contains up to about 3 MB of data. Most \
                   exports have one page.\n\n\
                   Each export is an audit event, `customer.exported`, which is written before the \
                   first page is returned. It does not change the version of the customer. HEAD \
                   checks whether the customer can be exported, and is no event. The \
                   cursors of an export are valid for 24 hours, for the caller that began it.";
    let (endpoint, _) = Endpoint::new("Export all data of a customer", details, crate::PERMISSIONS)
        .reference::<Exported>();
    endpoint
        .cursor()
        .answers::<Page<Exported>>(
            StatusCode::OK,
            "A page of the data that is held about the customer.",
            &[],
        )
        .refuses(&[Code::CustomerNotFound])
}
