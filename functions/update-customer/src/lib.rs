//! PATCH /customers/{id}
//!
//! Applies a JSON Merge Patch (RFC 7396): an absent field stays unchanged, and `null` clears a
//! field. Without `If-Match` the last write wins. If another change is written at the same time,
//! the patch is applied again to the new state, so that concurrent changes of different fields are
//! all kept.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{MERGE_PATCH, Request, Response};
use shared::model::customer::StoredCustomer;
use shared::model::event::EventKind;
use shared::model::patch::merge;
use shared::{App, Error, Permission, customers};

shared::function!(handle, watchlists);

pub const PERMISSIONS: &[Permission] =
    &[Permission::Create, Permission::Update, Permission::Review, Permission::Erase];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let mut input = request.input();
    let if_match = input.if_match();
    let patch = input.object(MERGE_PATCH);
    // The patch can be validated only together with the profile that it changes.
    let faults = input.faults()?;
    let Some(patch) = patch else {
        return Err(faults.into());
    };
    let id = request.customer_id()?;
    let now = app.clock.now();
    let change = |current: &StoredCustomer| {
        let (profile, status) = merge(current, &patch, faults.clone(), now.date())?;
        if_match.check(Some(current.version))?;
        let next = current.changed(profile, status, now)?;
        customers::check_update(&caller, current, &next, now)?;
        Ok(next)
    };
    let table = app.tenant(&caller);
    let customer =
        customers::update(&app.monitoring, &table, &id, EventKind::CustomerUpdated, change).await?;
    Ok(Response::ok(&customer)?.etag(customer.version))
}
