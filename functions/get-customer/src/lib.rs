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
    let known = request.input().read(|input| Some(input.if_none_match()))?;
    let id = request.customer_id()?;
    let customer = customers::get(&app.tenant(&caller), &id).await?;
    let response = Response::ok(&customer.customer)?;
    let response = if customer.has_expired_parts {
        response.live_etag(customer.version)
    } else {
        response.etag(customer.version)
    };
    Ok(response.unless_known(&known))
}
