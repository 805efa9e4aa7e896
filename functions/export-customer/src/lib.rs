//! GET /customers/{id}/export
//!
//! Returns all data about a customer in pages, for example to answer an access request under data
//! protection law. Each export writes an audit event before it returns its first page. HEAD returns
//! no data and writes no event.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Error, Permission, customers};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Export];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let cursor = request
        .input()
        .read(|input| Some(input.query("cursor", |text| Ok::<_, String>(text.to_owned()))))?;
    let id = request.customer_id()?;
    let table = app.tenant(&caller);
    if request.is_head() && cursor.is_none() {
        customers::check_export(&table, &id, app.clock.now()).await?;
        return Response::ok(&());
    }
    let page = customers::export(&table, &id, cursor.as_deref(), app.clock.now()).await?;
    Response::ok(&page)
}
