//! Types for the export of a customer's data.

use serde::Serialize;
use serde_json::Value;

/// One record about a customer.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exported {
    /// Kind of the record: `customer`, `session`, `organization` (including replaced ones),
    /// `risk_profile`, `monitor`, `alert` or `event`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The record in the form that the other operations return. A monitor lacks the fields that are
    /// computed when it is read. An event has the form that the event bus delivers.
    pub data: Value,
}
