//! GET /customers/{id}/monitor
//!
//! Returns the state of a customer's monitor: the status, the settings, the time of the last check
//! and the number of open alerts.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Error, Permission, monitoring};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    request.no_input()?;
    let id = request.customer_id()?;
    let state = monitoring::state(&app.tenant(&caller), &id, app.clock.now()).await?;
    Response::ok(&state)
}
