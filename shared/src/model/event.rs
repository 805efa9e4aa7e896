//! Audit events. An event records a change with its actor, its time and its request. Events are only added. When a
//! customer is erased, the values that are personal data are removed from its events.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::id::CustomerId;
use super::time::Timestamp;
use crate::error::Error;

/// The kind of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum EventKind {
    /// A customer was created.
    #[serde(rename = "customer.created")]
    CustomerCreated,
    /// The profile or status of a customer changed.
    #[serde(rename = "customer.updated")]
    CustomerUpdated,
    /// A customer was deactivated.
    #[serde(rename = "customer.deactivated")]
    CustomerDeactivated,
    /// The personal data of a customer was erased. `changes` contains the names of fields without
    /// their values.
    #[serde(rename = "customer.erased")]
    CustomerErased,
    /// A session was created.
    #[serde(rename = "session.created")]
    SessionCreated,
    /// A session changed.
    #[serde(rename = "session.updated")]
    SessionUpdated,
    /// The organization of a customer was created or replaced.
    #[serde(rename = "organization.replaced")]
    OrganizationReplaced,
    /// A caller requested a new risk profile.
    #[serde(rename = "risk.calculated")]
    RiskCalculated,
    /// Monitoring started.
    #[serde(rename = "monitor.started")]
    MonitorStarted,
    /// The settings of an active monitor were replaced.
    #[serde(rename = "monitor.changed")]
    MonitorChanged,
    /// Monitoring was stopped, or it expired.
    #[serde(rename = "monitor.stopped")]
    MonitorStopped,
    /// A check had a result that differs from the one before.
    #[serde(rename = "monitor.checked")]
    MonitorChecked,
    /// A person decided about an alert.
    #[serde(rename = "alert.decided")]
    AlertDecided,
}

/// The origin of a change: the actor and the request.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// The `sub` of the access token, or its `client_id` if it has no `sub`. For a change by the
    /// service, the name of its function.
    pub actor: String,
    /// Id of the request, or of the pass for a change by the service.
    pub request_id: String,
}

/// An audit event.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Id of the event.
    pub event_id: Uuid,
    /// Kind of the event.
    pub kind: EventKind,
    /// The customer that the event is about.
    pub customer_id: CustomerId,
    /// Time of the change.
    pub at: Timestamp,
    /// Actor and request.
    #[serde(flatten)]
    pub origin: Origin,
    /// The changed fields by name, each as `{"from": ..., "to": ...}`.
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
