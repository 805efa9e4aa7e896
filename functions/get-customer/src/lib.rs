//! GET /customers/{id}
//!
//! Returns a customer.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Caller, Error, Permission};

shared::function!(handle);

pub const PERMISSION: Permission = Permission::Read;

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = Caller::of(request)?.may(PERMISSION)?;
    request.no_input()?;
    let id = request.customer_id()?;
    let customer =
        app.table.tenant(&caller).customer(&id).await?.ok_or_else(Error::customer_not_found)?;
    Ok(Response::ok(&customer)?.etag(customer.version))
}
