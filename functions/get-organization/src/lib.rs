//! GET /customers/{id}/organization
//!
//! The structure behind a customer as it was declared, and who owns and controls the customer by
//! it.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::ownership::{DEFAULT_THRESHOLD, Statement, parse_threshold};
use shared::{App, Caller, Error, Permission};

shared::function!(handle);

pub const PERMISSION: Permission = Permission::Read;

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = Caller::of(request)?.may(PERMISSION)?;
    let threshold =
        request.input().read(|input| Some(input.query("threshold", parse_threshold)))?;
    let threshold = threshold.unwrap_or(DEFAULT_THRESHOLD);
    let id = request.customer_id()?;
    let (customer, organization) = app.table.tenant(&caller).customer_and_organization(&id).await?;
    let organization = organization.ok_or_else(Error::organization_not_found)?;
    let statement = Statement::of(&customer, &organization, threshold);
    Ok(Response::ok(&statement)?.etag(organization.version))
}
