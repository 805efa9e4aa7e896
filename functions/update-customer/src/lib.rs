//! PATCH /customers/{id}
//!
//! Applies a JSON Merge Patch (RFC 7396): an absent field stays unchanged, and `null` clears a
//! field. Without `If-Match`, the last write wins. If a concurrent change is written first, the
//! patch is applied again to the new state, so concurrent changes of different fields are all kept.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{MERGE_PATCH, Request, Response};
use shared::model::customer::{Customer, StoredCustomer};
use shared::model::event::EventKind;
use shared::model::patch::merge;
use shared::runtime::idempotency::once_or_again;
use shared::{App, Error, Permission, customers};

shared::function!(handle, watchlists);

pub const PERMISSIONS: &[Permission] =
    &[Permission::Create, Permission::Update, Permission::Review, Permission::Erase];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let mut input = request.input();
    let (key, if_match) = (input.idempotency_key(), input.if_match());
    let patch = input.object(MERGE_PATCH);
    // The faults are not returned yet. The patch can be validated only together with the profile
    // that it changes, and all faults are reported together.
    let faults = input.faults()?;
    let Some(patch) = patch else {
        return Err(faults.into());
    };
    customers::check_fields(&caller, &patch)?;
    let id = request.customer_id()?;
    let now = app.clock.now();
    let change = |current: &StoredCustomer| {
        // The version is checked before the patch is merged, because a patch based on an old
        // version may be invalid only because it is outdated. Faults that do not depend on the
        // profile take precedence.
        if faults.is_empty() {
            if_match.check(Some(current.version))?;
        }
        customers::check_hold(&caller, &patch, current, now)?;
        let may_read = caller.may_read();
        let (profile, status) = merge(current, &patch, may_read, faults.clone(), now.date())?;
        let next = current.changed(profile, status, now)?;
        customers::check_update(&caller, current, &next, now)?;
        Ok(next)
    };
    let table = app.tenant(&caller);
    let respond = |customer: &Customer| {
        Response::ok(customer).map(|response| response.etag(customer.version))
    };
    let update = async |replay| {
        let answer = |customer: &Customer| Ok(respond(customer)?.into_answer());
        let (kind, monitoring) = (EventKind::CustomerUpdated, &app.monitoring);
        let updated = customers::update(monitoring, &table, &id, kind, change, replay, answer);
        updated.await.map(Response::from)
    };
    let again = async |version| respond(&customers::again(&table, &id, version).await?);
    once_or_again(&table, FUNCTION.name, key, &(id, &patch, &if_match), now, update, again).await
}
