//! DELETE /customers/{id}
//!
//! Deactivates a customer. No data is deleted, and `PATCH {"status":"active"}` reactivates the
//! customer. If the customer is already inactive, nothing changes. Deactivating a blocked customer
//! ends its block.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::customer::{Customer, StoredCustomer};
use shared::model::event::EventKind;
use shared::runtime::idempotency::once_or_again;
use shared::{App, Error, Permission, customers};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Create, Permission::Delete];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (key, if_match) =
        request.input().read(|input| Some((input.idempotency_key(), input.if_match())))?;
    let id = request.customer_id()?;
    let now = app.clock.now();
    let change = |current: &StoredCustomer| {
        if_match.check(Some(current.version))?;
        let next = current.deactivated(now);
        customers::check_block(&caller, current, &next)?;
        Ok(next)
    };
    let table = app.tenant(&caller);
    let respond = |customer: &Customer| {
        Response::ok(customer).map(|response| response.etag(customer.version))
    };
    let deactivate = async |replay| {
        let answer = |customer: &Customer| Ok(respond(customer)?.into_answer());
        let (kind, monitoring) = (EventKind::CustomerDeactivated, &app.monitoring);
        let updated = customers::update(monitoring, &table, &id, kind, change, replay, answer);
        updated.await.map(Response::from)
    };
    let again = async |version| respond(&customers::again(&table, &id, version).await?);
    once_or_again(&table, FUNCTION.name, key, &(id, &if_match), now, deactivate, again).await
}
