//! What is left of what belongs to a customer that was erased. What is kept is named here, field by
//! field; what is not named goes.

use serde_json::{Map, Value};

use super::alert::StoredAlert;
use super::risk::{Factor, HardRule, RiskProfile};
use super::session::Session;

/// Of the changes of an event: what says nothing of who it was. The names of all others are kept.
const KEPT: [&str; 12] = [
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
/// Of a session in the changes of an event.
const KEPT_OF_SESSION: [&str; 10] = [
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
/// Of an alert in the changes of an event.
const KEPT_OF_ALERT: [&str; 9] = [
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

/// When it was and how it ended.
pub fn session(held: Session) -> Session {
    Session { client_id: None, metadata: Default::default(), ..held }
}

/// How risky it was, by which model, and which factors made it so; not what they were about.
pub fn risk_profile(held: RiskProfile) -> RiskProfile {
    let factor = |held: Factor| Factor {
        value: Value::Null,
        reason: String::new(),
        evidence: Vec::new(),
        ..held
    };
    let rule = |held: HardRule| HardRule { reason: String::new(), evidence: Vec::new(), ..held };
    RiskProfile {
        factors: held.factors.into_iter().map(factor).collect(),
        hard_rules: held.hard_rules.into_iter().map(rule).collect(),
        ..held
    }
}

/// That there was a match with this entry of this list, and what was decided.
pub fn alert(mut alert: StoredAlert) -> StoredAlert {
    alert.subject.name = String::new();
    alert.subject.party_id = None;
    alert.entity_name = String::new();
    alert.features = Value::Object(Map::new());
    alert.note = None;
    alert.compared = Default::default();
    alert
}

/// Keeps the names of all fields, and what may be kept of them.
pub fn changes(told: &mut Map<String, Value>) {
    for (field, change) in told.iter_mut() {
        match (field.as_str(), &mut *change) {
            ("session", Value::Object(session)) => clear(session, &KEPT_OF_SESSION),
            ("alerts", Value::Array(alerts)) => {
                for alert in alerts.iter_mut().filter_map(Value::as_object_mut) {
                    let kind =
                        alert.get("subject").and_then(|subject| subject.get("kind")).cloned();
                    clear(alert, &KEPT_OF_ALERT);
                    alert.insert("subject".to_owned(), serde_json::json!({ "kind": kind }));
                }
            }
            (field, change) if !KEPT.contains(&field) => *change = Value::Null,
            _ => {}
        }
    }
}

fn clear(fields: &mut Map<String, Value>, kept: &[&str]) {
    for (field, value) in fields.iter_mut() {
        if !kept.contains(&field.as_str()) {
            *value = Value::Null;
        }
    }
}
