//! POST /customers/{id}/erase
//!
//! Erases the personal data of a customer, including sessions, organizations, risk profiles, alerts
//! and events. A tombstone with ids, times, decisions and scores remains. The request is refused
//! while the customer must be retained. If an erasure was interrupted, a repeated request continues
//! it. If the erasure is complete, a repeated request changes nothing.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::customer::Customer;
use shared::runtime::idempotency::once;
use shared::{App, Error, Permission, customers};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Erase];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let (key, if_match) =
        request.input().read(|input| Some((input.idempotency_key(), input.if_match())))?;
    let id = request.customer_id()?;
    let table = app.tenant(&caller);
    let erase = async |replay| {
        let check_version = |version| if_match.check(Some(version));
        let answer = |tombstone: &Customer| {
            Ok(Response::ok(tombstone)?.etag(tombstone.version).into_answer())
        };
        let refusal = Response::of_error(&Error::customer_erased())?.into_answer();
        let erased =
            customers::erase(&table, &id, check_version, now, replay, answer, &refusal).await?;
        Ok(Response::from(erased))
    };
    once(&table, FUNCTION.name, key, &(id, &if_match), now, erase).await
}
