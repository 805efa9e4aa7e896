//! Requests and responses. Only this module and `runtime` depend on HTTP.
#![warn(missing_docs)]

mod accept;
mod input;
mod json;
mod precondition;
mod query;
mod request;
mod response;
mod status;

pub use input::{BODY, Input, JSON, MAX_BODY_BYTES, MAX_ORGANIZATION_BYTES, MERGE_PATCH};
pub use precondition::{IfMatch, IfNoneMatch};
pub use request::Request;
pub use response::{RECEIPT, Response};
pub use status::status;
