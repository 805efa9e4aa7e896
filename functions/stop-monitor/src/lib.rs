//! DELETE /customers/{id}/monitor
//!
//! Stops monitoring a customer. The alerts of the customer stay unchanged, and checks no longer
//! update them.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::monitor::MonitorState;
use shared::runtime::idempotency::once_or_again;
use shared::{App, Error, Permission, monitoring};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Create, Permission::Monitor];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (key, if_match) =
        request.input().read(|input| Some((input.idempotency_key(), input.if_match())))?;
    let (id, now) = (request.customer_id()?, app.clock.now());
    let table = app.tenant(&caller);
    let respond =
        |state: &MonitorState| Response::ok(state).map(|response| response.etag(state.version));
    let stop = async |replay| {
        let check_version = |version| if_match.check(Some(version));
        let answer = |state: &MonitorState| Ok(respond(state)?.into_answer());
        let stopped = monitoring::stop(&table, &id, check_version, now, replay, answer);
        stopped.await.map(Response::from)
    };
    let again = async |_| respond(&monitoring::state(&table, &id, now).await?);
    once_or_again(&table, FUNCTION.name, key, &(id, &if_match), now, stop, again).await
}
