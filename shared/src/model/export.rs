//! Rows of a customer's export.

use serde::Serialize;
use serde_json::Value;

/// One record that is held on a customer.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exported {
    /// `customer`, `session`, `organization` (also replaced ones), `risk_profile`, `monitor`,
    /// `alert` or `event`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The record as the API answers it elsewhere. A monitor lacks the fields that are computed on
    /// reading. An event is as consumers of the event bus get it.
    pub data: Value,
}
