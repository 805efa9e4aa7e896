//! Removes personal data from the records of an erased customer.
//!
//! An audit event keeps only the values of the listed fields of its `changes`, so that a new field is
//! erased by default. A session, a risk profile and an alert lose the listed fields: a new field that
//! can contain personal data has to be added here.

use serde_json::{Map, Value};

use super::alert::StoredAlert;
use super::risk::{Factor, HardRule, RiskProfile};
use super::session::Session;

/// Fields of an audit event's `changes` whose values are not personal data. Other fields keep
/// only their name.
const CHANGE_FIELDS: [&str; 12] = [
    "customer_id",
    "tenant_id",
    "entity_type",
    "status",
    "risk",
    "monitoring",
    "sessions",
    "created_at",
    "deactivated_at",
    "erased_at",
    "organization",
    "retain_until",
];
/// Fields that are kept of a session in `changes`.
const SESSION_FIELDS: [&str; 10] = [
    "session_id",
    "customer_id",
    "tenant_id",
    "workflow_id",
    "status",
    "final_decision",
    "validations",
    "expires_at",
    "created_at",
    "completed_at",
];
/// Fields that are kept of an alert in `changes`.
const ALERT_FIELDS: [&str; 9] = [
    "alert_id",
    "list",
    "list_version",
    "entity_id",
    "entity_type",
    "score",
    "status",
    "cleared_because",
    "changes",
];

/// Removes the client id and the metadata of a session. Its times, status and validations stay.
pub fn session(session: Session) -> Session {
    Session { client_id: None, metadata: Default::default(), ..session }
}

/// Removes what the factors and hard rules of a risk profile are based on. The level, the score,
/// the model version, and the code and points of each factor stay.
pub fn risk_profile(profile: RiskProfile) -> RiskProfile {
    let factor = |factor: Factor| Factor {
        value: Value::Null,
        reason: String::new(),
        evidence: Vec::new(),
        ..factor
    };
    let rule = |rule: HardRule| HardRule { reason: String::new(), evidence: Vec::new(), ..rule };
    RiskProfile {
        factors: profile.factors.into_iter().map(factor).collect(),
        hard_rules: profile.hard_rules.into_iter().map(rule).collect(),
        ..profile
    }
}

/// Removes names, the note and the comparison from an alert. The list, the id of the entry, the
/// score and the decision stay.
pub fn alert(mut alert: StoredAlert) -> StoredAlert {
    alert.subject.name = String::new();
    alert.subject.party_id = None;
    alert.entity_name = String::new();
    alert.features = Value::Object(Map::new());
    alert.note = None;
    alert.compared = Default::default();
    alert
}

/// Removes personal data from the `changes` of an audit event. The names of all fields stay.
pub fn changes(changes: &mut Map<String, Value>) {
    for (field, change) in changes.iter_mut() {
        match (field.as_str(), &mut *change) {
            ("session", Value::Object(session)) => clear_except(session, &SESSION_FIELDS),
            ("alerts", Value::Array(alerts)) => {
                for alert in alerts.iter_mut().filter_map(Value::as_object_mut) {
                    let kind =
                        alert.get("subject").and_then(|subject| subject.get("kind")).cloned();
                    clear_except(alert, &ALERT_FIELDS);
                    alert.insert("subject".to_owned(), serde_json::json!({ "kind": kind }));
                }
            }
            (field, change) if !CHANGE_FIELDS.contains(&field) => *change = Value::Null,
            _ => {}
        }
    }
}

/// Sets every field to `null` that is not in `kept`.
fn clear_except(fields: &mut Map<String, Value>, kept: &[&str]) {
    for (field, value) in fields.iter_mut() {
        if !kept.contains(&field.as_str()) {
            *value = Value::Null;
        }
    }
}
