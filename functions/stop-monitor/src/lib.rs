//! DELETE /customers/{id}/monitor
//!
//! Stops monitoring a customer. The alerts of the customer stay unchanged, and checks no longer
//! update them.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Error, Permission, monitoring};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Create, Permission::Monitor];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    request.no_input()?;
    let id = request.customer_id()?;
    let state = monitoring::stop(&app.tenant(&caller), &id, app.clock.now()).await?;
    Response::ok(&state)
}
