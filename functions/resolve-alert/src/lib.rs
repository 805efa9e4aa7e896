//! PATCH /customers/{id}/alerts/{alert_id}
//!
//! Records a person's decision about a match. If the status of the alert changes, the risk profile
//! is calculated again in the same transaction.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{MERGE_PATCH, Request, Response};
use shared::model::alert::{Decision, READ_ONLY};
use shared::model::fields::Fields;
use shared::{App, Error, Permission, monitoring};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Review];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let decision = request.input().read(|input| {
        let mut fields = Fields::new(input.object(MERGE_PATCH)?, input.faults_mut());
        let decision = Decision::read(&mut fields);
        fields.done(READ_ONLY);
        decision
    })?;
    let (id, alert) = (request.customer_id()?, request.alert_id()?);
    let table = app.tenant(&caller);
    let alert = monitoring::decide(&table, &id, &alert, &decision, app.clock.now()).await?;
    Response::ok(&alert)
}
