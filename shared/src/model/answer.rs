//! The answer to a request, in the form in which an idempotency record stores it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Answer without the envelope and the request id. A repeated request gets the stored answer in a
/// new envelope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The `data` of a successful answer, or the whole `error` object of a failed one.
    pub content: Box<RawValue>,
    /// Entity tag with its quotes.
    pub etag: Option<String>,
    /// Path of the created resource, relative to the API.
    pub location: Option<String>,
}
