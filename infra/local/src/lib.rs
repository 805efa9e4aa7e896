//! Runs a local cloud, driven by `template.yaml`: an HTTP API with its JWT authorizer, IAM,
//! schedules, an embedded DynamoDB-compatible table, and events. The local cloud runs the same
//! handlers as Lambda.

mod access;
mod arn;
mod authorizer;
mod callers;
pub mod calls;
mod connections;
pub mod data;
mod dynamodb;
pub mod events;
mod file;
mod functions;
mod gateway;
pub mod iam;
mod intrinsics;
mod objects;
pub mod openapi;
mod payload;
mod permission;
pub mod private;
mod routes;
mod schedule;
mod server;
mod store;
mod table;
pub mod template;
pub mod timing;
pub mod tls;
mod yaml;

use base64::Engine;

pub use access::{AccessKey, TableAccess};
pub use authorizer::{SigningKey, TokenRequest};
pub use functions::FUNCTIONS;
pub use server::{Options, Server};

/// Reason for a failure, as one line.
pub type Failure = String;

/// A watchlist of invented people and companies, as CSV.
pub const SAMPLE: &str = include_str!("../../watchlists/sample.csv");

/// Returns a value of `WATCHLIST_SOURCES` that loads [`SAMPLE`] under the name `sample`.
pub fn sample_source() -> String {
    let data = base64::engine::general_purpose::STANDARD.encode(SAMPLE);
    format!(r#"[{{"list":"sample","from":["data:text/csv;base64,{data}"]}}]"#)
}
