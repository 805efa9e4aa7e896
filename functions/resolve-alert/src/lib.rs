//! PATCH /customers/{id}/alerts/{alert_id}
//!
//! Records a person's decision about a match. If the status of the alert changes, the risk profile
//! is calculated again in the same transaction.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{MERGE_PATCH, Request, Response};
use shared::model::alert::{Alert, Decision, READ_ONLY};
use shared::model::fields::Fields;
use shared::runtime::idempotency::once_or_again;
use shared::{App, Error, Permission, monitoring};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Review];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let mut input = request.input();
    let (key, if_match) = (input.idempotency_key(), input.if_match());
    let Some(body) = input.object(MERGE_PATCH) else {
        return Err(input.faults()?.into());
    };
    let mut fields = Fields::new(body.clone(), input.faults_mut());
    let decision = Decision::read(&mut fields);
    let repeated = fields.repeated(READ_ONLY, caller.may_read());
    // Read-only fields can be compared only with the alert, and all faults are reported together.
    let faults = input.faults()?;
    let (id, alert_id, now) = (request.customer_id()?, request.alert_id()?, app.clock.now());
    let decide_on = |alert: &Alert| {
        if_match.check(Some(alert.version))?;
        let mut faults = faults.clone();
        repeated.check(alert, &mut faults)?;
        match &decision {
            Some(decision) if faults.is_empty() => Ok(decision.clone()),
            _ => Err(faults.into()),
        }
    };
    let table = app.tenant(&caller);
    let respond = |alert: &Alert| Response::ok(alert).map(|response| response.etag(alert.version));
    let decide = async |replay| {
        let answer = |alert: &Alert| Ok(respond(alert)?.into_answer());
        let decided = monitoring::decide(&table, &id, &alert_id, decide_on, now, replay, answer);
        decided.await.map(Response::from)
    };
    let again = async |_| respond(&monitoring::get_alert(&table, &id, &alert_id).await?);
    let asked = (id, alert_id, &body, &if_match);
    once_or_again(&table, FUNCTION.name, key, &asked, now, decide, again).await
}
