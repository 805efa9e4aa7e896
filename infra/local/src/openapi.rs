//! Builds the OpenAPI document. The paths come from the template, and the operations come from the
//! functions.

use shared::openapi::envelope_schemas;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, License, OpenApi, OpenApiBuilder, RefOr};

use crate::Failure;
use crate::functions::FUNCTIONS;
use crate::template::Template;

/// Returns the OpenAPI document of all routes in the template.
///
/// # Errors
/// Fails when a route has no function, or its method is not supported.
pub fn document(template: &Template) -> Result<OpenApi, Failure> {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new();
    for (name, schema) in envelope_schemas() {
        components = components.schema(name, schema);
    }
    for (spec, route) in template.routes() {
        let function = FUNCTIONS.iter().find(|function| function.name == spec.name);
        let function = function
            .ok_or_else(|| format!("{} is not in infra/local/src/functions.rs", spec.name))?;
        let segments = route.path.split('/');
        let parameters: Vec<&str> =
            segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect();
        let is_write = !["GET", "HEAD"].contains(&route.method.as_str());
        let endpoint = (function.describe)();
        let (operation, schemas) = endpoint.finish(function.name, &parameters, is_write);
        for (name, schema) in schemas {
            components = components.schema(name, schema);
        }
        paths.add_path_operation(&route.path, vec![method(&route.method)?], operation);
    }
    let token = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "Access token of the issuer that is configured for the deployment. Its claims contain \
             the tenant and the permissions of the caller.",
        ))
        .build();
    let components = components.security_scheme("token", RefOr::T(SecurityScheme::Http(token)));
    let mut info = Info::new("Customers API", env!("CARGO_PKG_VERSION"));
    let description = "Self-hosted API for KYC and AML teams: customers, KYC sessions, ownership \
                       structures, risk profiles and watchlist monitoring. A caller sees only the \
                       data of the tenant that its access token names.\n\n\
                       HEAD works where GET does, with the same headers and without a body.";
    info.description = Some(description.to_owned());
    info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    Ok(OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components.build()))
        .security(Some([SecurityRequirement::new("token", Vec::<String>::new())]))
        .build())
}

/// Returns the content of `infra/openapi.yaml`: the OpenAPI document as YAML, after a comment.
///
/// # Errors
/// Fails when [`document`] fails, or when the document cannot be written as YAML.
pub fn yaml(template: &Template) -> Result<String, Failure> {
    let yaml = document(template)?
        .to_yaml()
        .map_err(|error| format!("the OpenAPI document was not written: {error}"))?;
    Ok(format!("# Generated from the code: cargo run -- openapi > infra/openapi.yaml\n{yaml}"))
}

fn method(method: &str) -> Result<HttpMethod, Failure> {
    match method {
        "GET" => Ok(HttpMethod::Get),
        "POST" => Ok(HttpMethod::Post),
        "PUT" => Ok(HttpMethod::Put),
        "PATCH" => Ok(HttpMethod::Patch),
        "DELETE" => Ok(HttpMethod::Delete),
        other => Err(format!("the method {other} is not supported")),
    }
}
