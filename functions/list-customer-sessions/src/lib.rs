//! GET /customers/{id}/sessions
//!
//! Lists the KYC sessions of a customer, newest first unless `order` is `asc`.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::session::SessionStatus;
use shared::model::value::one_of;
use shared::{App, Error, Permission, sessions};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (status, paging) = request
        .input()
        .read(|input| Some((input.query("status", one_of::<SessionStatus>), input.paging())))?;
    let id = request.customer_id()?;
    let page = sessions::list(&app.tenant(&caller), &id, status, &paging).await?;
    Response::ok(&page)
}
