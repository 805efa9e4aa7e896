//! The audit trail: who changed what, when and in which request. Events are only ever added; erasing a
//! customer takes values out of them.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::id::CustomerId;
use super::time::Timestamp;
use crate::error::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum EventKind {
    #[serde(rename = "customer.created")]
    CustomerCreated,
    #[serde(rename = "customer.updated")]
    CustomerUpdated,
    #[serde(rename = "customer.deactivated")]
    CustomerDeactivated,
    /// Its personal data is gone; the `changes` say nothing of it.
    #[serde(rename = "customer.erased")]
    CustomerErased,
    #[serde(rename = "session.created")]
    SessionCreated,
    #[serde(rename = "session.updated")]
    SessionUpdated,
    #[serde(rename = "organization.replaced")]
    OrganizationReplaced,
    #[serde(rename = "risk.calculated")]
    RiskCalculated,
    #[serde(rename = "monitor.started")]
    MonitorStarted,
    #[serde(rename = "monitor.changed")]
    MonitorChanged,
    /// Also when it expired.
    #[serde(rename = "monitor.stopped")]
    MonitorStopped,
    /// A check found matches, or others than before.
    #[serde(rename = "monitor.checked")]
    MonitorChecked,
    #[serde(rename = "alert.decided")]
    AlertDecided,
}

/// Who is behind a change, and in which request.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// The token's `sub`, else its `client_id`.
    pub actor: String,
    pub request_id: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Event {
    pub event_id: Uuid,
    pub kind: EventKind,
    pub customer_id: CustomerId,
    pub at: Timestamp,
    #[serde(flatten)]
    pub origin: Origin,
    /// By field: `{"from": …, "to": …}`.
    pub changes: Map<String, Value>,
}

/// The fields that differ between two versions of a model, each as `{"from": …, "to": …}`.
/// `version` and `updated_at` are left out: the event has its own time.
///
/// # Errors
/// `InternalError` when a model does not serialize to a JSON object.
pub fn changes<T: Serialize>(before: Option<&T>, after: &T) -> Result<Map<String, Value>, Error> {
    let before = before.map(fields).transpose()?.unwrap_or_default();
    let mut changes = Map::new();
    for (field, to) in fields(after)? {
        let from = before.get(&field).cloned().unwrap_or(Value::Null);
        if from != to && !matches!(field.as_str(), "version" | "updated_at") {
            changes.insert(field, json!({ "from": from, "to": to }));
        }
    }
    Ok(changes)
}

fn fields(model: &impl Serialize) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(model) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Error::internal("a model in an event is not an object")),
        Err(error) => Err(Error::internal(format!("a model in an event: {error}"))),
    }
}
