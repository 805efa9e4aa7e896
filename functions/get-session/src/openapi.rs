use shared::error::Code;
use shared::model::session::Session;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "An active session past its `expires_at` reads as `expired`.";
    Endpoint::new("Read a KYC session", details, crate::PERMISSION)
        .answers::<Session>(StatusCode::OK, "The session.", &[])
        .refuses(&[Code::SessionNotFound])
}
