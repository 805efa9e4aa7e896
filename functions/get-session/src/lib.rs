//! GET /kyc/sessions/{session_id}
//!
//! Returns a KYC session. An active session whose `expires_at` has passed is returned as `expired`.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Error, Permission, sessions};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let known = request.input().read(|input| Some(input.if_none_match()))?;
    let id = request.session_id()?;
    let session = sessions::get(&app.tenant(&caller), &id).await?;
    Ok(Response::ok(&session)?.etag(session.version).unless_known(&known))
}
