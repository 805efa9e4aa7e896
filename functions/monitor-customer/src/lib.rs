//! POST /customers/{id}/monitor
//!
//! Starts monitoring a customer, or replaces the settings of an active monitor. The customer is
//! screened at once. Unless `include_related` is false, the customer's owners, directors,
//! representatives and senior managers are also screened.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{JSON, Request, Response};
use shared::model::fields::Fields;
use shared::model::monitor::{Settings, Started};
use shared::runtime::idempotency::once;
use shared::{App, Error, Permission, monitoring};

shared::function!(handle, watchlists);

pub const PERMISSIONS: &[Permission] = &[Permission::Create, Permission::Monitor];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let (key, if_match, settings) = request.input().read(|input| {
        let (key, if_match) = (input.idempotency_key(), input.if_match());
        let mut fields = Fields::new(input.object_or_empty(JSON)?, input.faults_mut());
        let settings = Settings::read(&mut fields, now);
        fields.done(&[]);
        Some((key, if_match, settings?))
    })?;
    let id = request.customer_id()?;
    let table = app.tenant(&caller);
    let start = async |replay| {
        let answer = |started: &Started, is_new| {
            let response = if is_new {
                Response::created(started, format!("/customers/{id}/monitor"))?
            } else {
                Response::ok(started)?
            };
            Ok(response.etag(started.state.version).into_answer())
        };
        let check_version = |version| if_match.check(version);
        let started = monitoring::start(
            &app.monitoring,
            &table,
            &id,
            &settings,
            check_version,
            replay,
            answer,
        );
        started.await.map(Response::from)
    };
    once(&table, FUNCTION.name, key, &(id, &settings, &if_match), now, start).await
}
