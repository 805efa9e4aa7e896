//! GET /customers/{id}
//!
//! Returns a customer, including one that is inactive or erased.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Error, Permission, customers};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    request.no_input()?;
    let id = request.customer_id()?;
    let customer = customers::get(&app.tenant(&caller), &id).await?;
    Ok(Response::ok(&customer)?.etag(customer.version))
}
