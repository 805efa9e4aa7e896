//! GET /customers/{id}/organization
//!
//! Returns the declared structure of a customer and the owners and controllers that follow from the
//! structure. The `Accept` header selects JSON, a drawing (`image/svg+xml`) or Mermaid text
//! (`text/vnd.mermaid`).

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::ownership::{DEFAULT_THRESHOLD, Statement, parse_threshold, picture};
use shared::{App, Error, Permission, drawing, organizations};

shared::function!(handle);

pub const PERMISSIONS: &[Permission] = &[Permission::Read];

pub const JSON: &str = "application/json";
pub const SVG: &str = "image/svg+xml";
pub const MERMAID: &str = "text/vnd.mermaid";

pub async fn handle(app: &App, request: &Request) -> Result<Response, Error> {
    let caller = request.caller()?.may(PERMISSIONS)?;
    let (threshold, form) = request.input().read(|input| {
        Some((input.query("threshold", parse_threshold), input.accept(&[JSON, SVG, MERMAID])))
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
    Ok(response.etag(organization.version).varies_by("Accept"))
}
