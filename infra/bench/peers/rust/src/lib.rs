//! A peer in the style of aws-samples/serverless-rust-demo: create, get and list customers.
//!
//! Each function is a binary with `lambda_http`, the SDK with the defaults of `aws-config`, Tokio's
//! multi-threaded runtime, and JSON logs by `tracing` with a filter from the environment. The peer
//! uses the same rows of the same table as the functions that it is compared with.

pub mod store;

use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::store::Store;

pub fn setup_tracing() {
    tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).json().init();
}

pub async fn get_store() -> Result<Store, Error> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let table_name = std::env::var("TABLE_NAME")?;
    tracing::info!("Initializing DynamoDB store with table name: {table_name}");
    Ok(Store::new(aws_sdk_dynamodb::Client::new(&config), table_name))
}

/// Returns the `tenant_id` claim, which API Gateway has verified, or `None` if the event has no
/// such claim.
pub fn tenant(event: &Request) -> Option<String> {
    let RequestContext::ApiGatewayV2(context) = event.request_context_ref()? else { return None };
    context.authorizer.as_ref()?.jwt.as_ref()?.claims.get("tenant_id").cloned()
}

pub fn response(status: u16, body: &Value) -> Result<Response<Body>, Error> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(Body::from(body.to_string()))?)
}
