//! DELETE /customers/{id}/monitor
//!
//! Stops monitoring. The alerts stay as they are, and nobody looks at them again by itself.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Caller, Error, Permission};

shared::function!(handle);

pub const PERMISSION: Permission = Permission::Monitor;

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = Caller::of(request)?.may(PERMISSION)?;
    request.no_input()?;
    let id = request.customer_id()?;
    let state = app.table.tenant(&caller).stop_monitor(&id, app.clock.now()).await?;
    Response::ok(&state)
}
