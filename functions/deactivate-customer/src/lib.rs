//! DELETE /customers/{id}
//!
//! Deactivates a customer. No data is deleted, and `PATCH {"status":"active"}` reactivates it.
//! Deactivating an inactive customer changes nothing.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::customer::Customer;
use shared::model::event::EventKind;
use shared::{App, Caller, Error, Permission};

shared::function!(handle);

pub const PERMISSION: Permission = Permission::Delete;

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = Caller::of(request)?.may(PERMISSION)?;
    let if_match = request.input().read(|input| Some(input.if_match()))?;
    let id = request.customer_id()?;
    let now = app.clock.now();
    let deactivate = |current: &Customer| {
        if_match.check(Some(current.version))?;
        Ok(current.deactivated(now))
    };
    let table = app.table.tenant(&caller);
    let customer = table.change_customer(&id, EventKind::CustomerDeactivated, deactivate).await?;
    Ok(Response::ok(&customer)?.etag(customer.version))
}
