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
use shared::runtime::idempotency::once_or_again;
use shared::{App, Error, Permission, organizations};

shared::function!(handle, watchlists);

pub const PERMISSIONS: &[Permission] = &[Permission::Create, Permission::Update];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let now = app.clock.now();
    let mut input = request.input();
    let key = input.idempotency_key();
    let (if_match, creates_only) = (input.if_match(), input.creates_only());
    let structure = input.object_of(JSON, MAX_ORGANIZATION_BYTES).map(|body| {
        let mut fields = Fields::new(body, input.faults_mut());
        let structure = Structure::read(&mut fields, now.date());
        fields.done(&[]);
        structure
    });
    // The faults are not returned yet. One more rule, that no party owns an individual customer,
    // can be checked only after the customer is read, and all faults are reported together.
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
        let version = current.map(|current| current.version);
        if_match.check(version)?;
        match version {
            Some(version) if creates_only => Err(Error::already_exists(version)),
            _ => Ok(structure.clone()),
        }
    };
    let table = app.tenant(&caller);
    let respond = |customer: &Customer, organization: &Organization, is_first| {
        let statement = Statement::of(customer, organization, DEFAULT_THRESHOLD);
        let response = if is_first {
            Response::created(&statement, format!("/customers/{id}/organization"))
        } else {
            Response::ok(&statement)
        };
        response.map(|response| response.etag(organization.version))
    };
    let replace = async |replay| {
        let answer = |customer: &Customer, organization: &Organization, is_first| {
            Ok(respond(customer, organization, is_first)?.into_answer())
        };
        let monitoring = &app.monitoring;
        let replaced = organizations::replace(monitoring, &table, &id, now, change, replay, answer);
        replaced.await.map(Response::from)
    };
    let again = async |version: Option<u64>| {
        let (customer, organization) = organizations::again(&table, &id, version).await?;
        respond(&customer, &organization, false)
    };
    let asked = (id, &structure, &if_match, creates_only);
    once_or_again(&table, FUNCTION.name, key, &asked, now, replace, again).await
}
