//! The whole API on one machine: an HTTP front that behaves as API Gateway's HTTP API does, the
//! very handlers that run on Lambda, and an embedded DynamoDB-compatible store.

mod authorizer;
pub mod data;
mod event;
mod functions;
mod gateway;
pub mod openapi;
mod routes;
mod server;
mod store;
mod table;
pub mod template;

pub use authorizer::{SigningKey, TokenRequest};
pub use server::{Options, Server};

/// Why something did not start, as one line for a person.
pub type Failure = String;
