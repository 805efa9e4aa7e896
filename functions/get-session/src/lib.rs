//! GET /kyc/sessions/{session_id}
//!
//! Returns a KYC session.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Caller, Error, Permission};

shared::function!(handle);

pub const PERMISSION: Permission = Permission::Read;

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = Caller::of(request)?.may(PERMISSION)?;
    request.no_input()?;
    let id = request.session_id()?;
    let session = app.table.tenant(&caller).session(&id).await?;
    Response::ok(&session.ok_or_else(Error::session_not_found)?)
}
