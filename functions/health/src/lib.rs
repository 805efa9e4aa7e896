//! GET /health
//!
//! Reports that the service is up. The request needs no token and makes no call to the table, so a
//! load balancer does not take the API out of service when only the table is unavailable.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Error};

shared::function!(handle, no_table);

pub async fn handle(_app: &App, request: &Request) -> Result<Response, Error> {
    request.no_input()?;
    Response::document("application/json", r#"{"status":"ok"}"#.to_owned())
}
