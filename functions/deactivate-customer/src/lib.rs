//! DELETE /customers/{id}
//!
//! Deactivates a customer. No data is deleted, and `PATCH {"status":"active"}` reactivates the
//! customer. If the customer is already inactive, nothing changes. Deactivating a blocked customer
//! ends its block.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::customer::StoredCustomer;
use shared::model::event::EventKind;
use shared::{App, Error, Permission, customers};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Create, Permission::Delete];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let if_match = request.input().read(|input| Some(input.if_match()))?;
    let id = request.customer_id()?;
    let now = app.clock.now();
    let deactivate = |current: &StoredCustomer| {
        if_match.check(Some(current.version))?;
        let next = current.deactivated(now);
        customers::check_block(&caller, current, &next)?;
        Ok(next)
    };
    let table = app.tenant(&caller);
    let customer =
        customers::update(&app.monitoring, &table, &id, EventKind::CustomerDeactivated, deactivate)
            .await?;
    Ok(Response::ok(&customer)?.etag(customer.version))
}
