use shared::error::Code;
use shared::model::export::Exported;
use shared::model::page::Page;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "The customer, its sessions, its organization and those it replaced, its risk profiles, its monitor, \
                   alerts and events. A page holds as much as an answer can, some 3 MB: most customers are one page.";
    let (endpoint, _) = Endpoint::new("Export all data of a customer", details, crate::PERMISSION)
        .reference::<Exported>();
    endpoint
        .cursor()
        .answers::<Page<Exported>>(StatusCode::OK, "What is held.", &[])
        .refuses(&[Code::CustomerNotFound])
}
