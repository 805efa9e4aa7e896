//! GET /customers
//!
//! Lists the customers of a tenant that match all given filters, in pages. Customers are sorted by
//! time of creation or, with `search`, by name. A customer that was created or changed a moment ago
//! may not be listed yet.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::customer::{RiskLevel, Status};
use shared::model::fold::search_prefix;
use shared::model::id::CustomerId;
use shared::model::profile::EntityType;
use shared::model::value::{ClientId, Country, Tag, flag, one_of};
use shared::store::{Filters, RetentionEnded};
use shared::{App, Error, Permission};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (filters, paging) = request.input().read(|input| {
        let filters = Filters {
            status: input.query("status", one_of::<Status>),
            entity_type: input.query("entity_type", one_of::<EntityType>),
            risk_level: input.query("risk_level", one_of::<RiskLevel>),
            country: input.query("country", Country::parse),
            client_id: input.query("client_id", ClientId::parse),
            tag: input.query("tag", Tag::parse),
            monitored: input.query("monitored", flag),
            retention_ended: input
                .query("retention_ended", flag)
                .map(|wanted| RetentionEnded { wanted, years: app.settings.retention_years }),
            search: input.query("search", search_prefix),
            created_from: input.query("created_after", CustomerId::first_after),
            created_to: input.query("created_before", CustomerId::last_before),
        };
        Some((filters, input.paging()))
    })?;
    let page = app.tenant(&caller).customers(&filters, &paging).await?;
    Response::ok(&page)
}
