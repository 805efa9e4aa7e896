//! POST /customers/{id}/erase
//!
//! Erases the personal data of a customer, including sessions, organizations, risk profiles, alerts
//! and events. A tombstone with ids, times, decisions and scores stays. The request is refused if
//! the customer is not inactive or its retention period has not ended, unless the caller gives an
//! `override_reason`. It is always refused while a hold (`retain_until`) is in force. A repeated
//! request continues an interrupted erasure, and has no effect after a complete one.

#[cfg(feature = "openapi")]
mod openapi;

use shared::customers::Erasure;
use shared::http::{JSON, Request, Response};
use shared::model::customer::Customer;
use shared::model::fields::Fields;
use shared::model::value::Note;
use shared::runtime::idempotency::once;
use shared::{App, Error, Permission, customers};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Erase];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let (key, if_match, override_reason) = request.input().read(|input| {
        let (key, if_match) = (input.idempotency_key(), input.if_match());
        let mut fields = Fields::new(input.object_or_empty(JSON)?, input.faults_mut());
        let override_reason = fields.text("override_reason", Note::parse);
        fields.done(&[]);
        Some((key, if_match, override_reason))
    })?;
    let id = request.customer_id()?;
    let table = app.tenant(&caller);
    let retention = app.settings.retention_years;
    let erasure = Erasure { caller: caller.clone(), now, retention, override_reason };
    let erase = async |replay| {
        let check_version = |version| if_match.check(Some(version));
        let answer = |tombstone: &Customer| {
            Ok(Response::ok(tombstone)?.etag(tombstone.version).into_answer())
        };
        let refusal = Response::of_error(&Error::customer_erased())?.into_answer();
        let erased =
            customers::erase(&table, &id, check_version, &erasure, replay, answer, &refusal)
                .await?;
        Ok(Response::from(erased))
    };
    let body = (id, &if_match, &erasure.override_reason);
    once(&table, FUNCTION.name, key, &body, now, erase).await
}
