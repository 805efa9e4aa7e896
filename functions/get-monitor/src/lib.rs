//! GET /customers/{id}/monitor
//!
//! Returns how a customer is monitored, and when it was last checked.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Caller, Error, Permission};

shared::function!(handle);

pub const PERMISSION: Permission = Permission::Read;

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = Caller::of(request)?.may(PERMISSION)?;
    request.no_input()?;
    let id = request.customer_id()?;
    let state = app.table.tenant(&caller).monitor_state(&id, app.clock.now()).await?;
    Response::ok(&state)
}
