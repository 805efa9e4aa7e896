//! Audit events. An event records a change with its actor, its time and its request. Events are
//! never deleted. When a customer is erased, personal data is removed from the customer's events.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::id::CustomerId;
use super::time::Timestamp;
use crate::error::Error;

/// Kind of an audit event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The personal data of a customer was erased. `changes` contains the name of every changed
    /// field. A value that can be personal data is `null`.
    #[serde(rename = "customer.erased")]
    CustomerErased,
    /// A caller exported a customer. The customer does not change, so its version stays the same and
    /// `changes` is empty.
    #[serde(rename = "customer.exported")]
    CustomerExported,
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
    /// Monitoring was stopped by a caller, or a check found that it had expired.
    #[serde(rename = "monitor.stopped")]
    MonitorStopped,
    /// A check by the service changed the monitor: its alerts, its subjects or its known matches.
    #[serde(rename = "monitor.checked")]
    MonitorChecked,
    /// A person decided about an alert.
    #[serde(rename = "alert.decided")]
    AlertDecided,
}

/// The origin of a change: the actor and the request.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// The `sub` of the access token or, if there is no `sub`, its `client_id` or `username`. The
    /// actor is `unknown` if the token has none of the three. If the service made the change, the
    /// actor is the name of the function.
    pub actor: String,
    /// Id of the request. If the service made the change, the id of the pass or, for a pending
    /// recheck, a new id.
    pub request_id: String,
}

/// The kind, time and actor of a stored event.
#[derive(Clone, Debug, Deserialize)]
pub struct EventSummary {
    /// Kind of the event.
    pub kind: EventKind,
    /// Time of the event.
    pub at: Timestamp,
    /// Actor of the event.
    pub actor: String,
}

/// One change of a customer or of its sessions, organization, risk, monitor or alerts.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Id of the event.
    pub event_id: Uuid,
    /// Kind of the event.
    pub kind: EventKind,
    /// Id of the customer that changed.
    pub customer_id: CustomerId,
    /// Time of the change.
    pub at: Timestamp,
    /// Actor and request that made the change.
    #[serde(flatten)]
    pub origin: Origin,
    /// The changed fields by name, each as `{"from": ..., "to": ...}`.
    pub changes: Map<String, Value>,
}

/// Returns the fields of `after` that differ from `before`, each as `{"from": …, "to": …}`. If
/// `before` is `None`, `from` is `null` in every field. `version` and `updated_at` are left out,
/// because they differ between any two versions.
///
/// # Errors
/// `InternalError` if a model does not serialize to a JSON object.
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
