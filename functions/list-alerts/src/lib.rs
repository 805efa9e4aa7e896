//! GET /customers/{id}/alerts
//!
//! Lists the alerts of a customer. Each alert is a match between a list entry and the customer or a
//! related party. Alerts with any status are listed, unless `status` selects one.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::alert::AlertStatus;
use shared::model::value::one_of;
use shared::{App, Error, Permission, monitoring};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (status, paging) = request
        .input()
        .read(|input| Some((input.query("status", one_of::<AlertStatus>), input.paging())))?;
    let id = request.customer_id()?;
    let page = monitoring::list_alerts(&app.tenant(&caller), &id, status, &paging).await?;
    Response::ok(&page)
}
