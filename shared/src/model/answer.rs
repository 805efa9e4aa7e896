//! An answer to a request, as an idempotency record stores it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An answer without its request id and envelope. A repeated request gets it unchanged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// `data` of a success, the whole `error` object of a failure.
    pub content: Box<RawValue>,
    /// Entity tag with its quotes.
    pub etag: Option<String>,
    /// Path of the created resource, relative to the API.
    pub location: Option<String>,
}
