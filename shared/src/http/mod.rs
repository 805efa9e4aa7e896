//! Request in, response out. Nothing else in the workspace knows of HTTP.

mod accept;
pub mod edge;
mod input;
mod json;
mod paging;
mod precondition;
mod query;
mod request;
mod response;
mod status;

pub use input::{IdempotencyKey, Input, JSON, MAX_BODY_BYTES, MAX_ORGANIZATION_BYTES, MERGE_PATCH};
pub use paging::{DEFAULT_LIMIT, MAX_LIMIT, Order, Paging};
pub use precondition::IfMatch;
pub use request::Request;
pub use response::Response;
pub use status::status;
