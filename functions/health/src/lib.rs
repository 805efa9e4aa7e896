//! GET /health
//!
//! Answers without a token and without a call to the table that the service is up. The answer says
//! nothing about the table: a load balancer must not take the API out of service because of it.

#[cfg(feature = "openapi")]
mod openapi;

use shared::http::{Request, Response};
use shared::{App, Error};

shared::function!(handle, no_table);

pub async fn handle(_app: &App, request: &Request) -> Result<Response, Error> {
    request.no_input()?;
    Response::document("application/json", r#"{"status":"ok"}"#.to_owned())
}
