use shared::error::Code;
use shared::model::session::Session;
use shared::openapi::{Endpoint, StatusCode};

pub(crate) fn describe() -> Endpoint {
    let details = "Returns the session. An active session whose `expires_at` has passed has the \
                   status `expired`.";
    Endpoint::new("Read a KYC session", details, crate::PERMISSIONS)
        .answers::<Session>(StatusCode::OK, "The session.", &["ETag"])
        .if_none_match()
        .refuses(&[Code::SessionNotFound])
}
