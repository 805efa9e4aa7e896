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
    let known = request.input().read(|input| Some(input.if_none_match()))?;
    let id = request.customer_id()?;
    let state = monitoring::state(&app.tenant(&caller), &id, app.clock.now()).await?;
    // The last pass and the number of open alerts can change without a new version of the monitor.
    Ok(Response::ok(&state)?.live_etag(state.version).unless_known(&known))
}
