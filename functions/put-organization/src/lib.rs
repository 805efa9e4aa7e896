//! PUT /customers/{id}/organization
//!
//! Creates or replaces the ownership structure of a customer. The previous structure stays in the
//! history, and the risk profile is calculated again in the same transaction.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{JSON, MAX_ORGANIZATION_BYTES, Request, Response};
use shared::model::customer::Customer;
use shared::model::fields::Fields;
use shared::model::organization::{Organization, Structure};
use shared::ownership::{DEFAULT_THRESHOLD, Statement};
use shared::{App, Error, Permission, organizations};

shared::function!(handle, watchlists);

pub const PERMISSIONS: &[Permission] = &[Permission::Create, Permission::Update];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let mut input = request.input();
    let if_match = input.if_match();
    let structure = input.object_of(JSON, MAX_ORGANIZATION_BYTES).map(|body| {
        let mut fields = Fields::new(body, input.faults_mut());
        let structure = Structure::read(&mut fields, now.date());
        fields.done(&[]);
        structure
    });
    // If the customer is an individual, no party can own it. This rule can be checked only after
    // the customer is read.
    let faults = input.faults()?;
    let Some(structure) = structure else {
        return Err(faults.into());
    };
    let id = request.customer_id()?;
    let change = |customer: &Customer, current: Option<&Organization>| {
        let mut faults = faults.clone();
        structure.check(customer, &mut faults);
        if !faults.is_empty() {
            return Err(faults.into());
        }
        if_match.check(current.map(|current| current.version))?;
        Ok(structure.clone())
    };
    let table = app.tenant(&caller);
    let changed = organizations::replace(&app.monitoring, &table, &id, now, change).await?;
    let statement = Statement::of(&changed.customer, &changed.organization, DEFAULT_THRESHOLD);
    let response = if changed.is_first {
        Response::created(&statement, format!("/customers/{id}/organization"))?
    } else {
        Response::ok(&statement)?
    };
    Ok(response.etag(changed.organization.version))
}
