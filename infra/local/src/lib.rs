//! The whole API on one machine: an HTTP front that behaves as API Gateway's HTTP API does, the
//! very handlers that run on Lambda, and an embedded DynamoDB-compatible store.

mod authorizer;
pub mod calls;
pub mod data;
mod event;
pub mod events;
mod functions;
mod gateway;
pub mod iam;
mod intrinsics;
mod objects;
pub mod openapi;
mod routes;
mod schedule;
mod server;
mod store;
mod table;
pub mod template;

use base64::Engine;

pub use authorizer::{SigningKey, TokenRequest};
pub use functions::FUNCTIONS;
pub use server::{Options, Server};

/// Why something did not start, as one line for a person.
pub type Failure = String;

/// A watchlist of people and firms that don't exist, so that there is something to try.
pub const SAMPLE: &str = include_str!("../../watchlists/sample.csv");

/// The setting that loads it, under the name `sample`.
pub fn sample_source() -> String {
    let data = base64::engine::general_purpose::STANDARD.encode(SAMPLE);
    format!(r#"[{{"list":"sample","from":["data:text/csv;base64,{data}"]}}]"#)
}
