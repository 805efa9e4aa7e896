//! GET /customers/{id}/organization
//!
//! Returns the declared structure of a customer and the owners and controllers that follow from the
//! structure. The `Accept` header selects JSON, a drawing (`image/svg+xml`) or Mermaid text
//! (`text/vnd.mermaid`).

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::model::profile::EntityType;
use shared::ownership::{DEFAULT_THRESHOLD, Statement, parse_threshold, picture};
use shared::{App, Error, Permission, drawing, organizations};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub const JSON: &str = "application/json";
pub const SVG: &str = "image/svg+xml";
pub const MERMAID: &str = "text/vnd.mermaid";

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (known, threshold, form) = request.input().read(|input| {
        let threshold = input.query("threshold", parse_threshold);
        Some((input.if_none_match(), threshold, input.accept(&[JSON, SVG, MERMAID])))
    })?;
    let threshold = threshold.unwrap_or(DEFAULT_THRESHOLD);
    let id = request.customer_id()?;
    let (customer, organization) = organizations::get(&app.tenant(&caller), &id).await?;
    let organization = organization.ok_or_else(Error::organization_not_found)?;
    let response = match form {
        Some(SVG) => {
            let picture = drawing::svg(&picture(&customer, &organization, threshold));
            Response::document(SVG, picture.map_err(Error::cannot_be_drawn)?)?
        }
        Some(MERMAID) => {
            let picture = picture(&customer, &organization, threshold);
            Response::document(MERMAID, drawing::mermaid(&picture))?
        }
        _ => Response::ok(&Statement::of(&customer, &organization, threshold))?,
    };
    // The version alone determines the JSON for a company. Every other answer can change without a
    // new version, because it also depends on the customer: on its entity type and, in a drawing,
    // on its name and country.
    let is_company = customer.profile.entity_type == EntityType::Company;
    let response = match form {
        Some(JSON) if is_company => response.etag(organization.version),
        _ => response.live_etag(organization.version),
    };
    Ok(response.varies_by("Accept").unless_known(&known))
}
