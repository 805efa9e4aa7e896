//! Removes personal data from the records of an erased customer.
//!
//! The fields of an audit event's `changes` are erased unless they are listed here, so a new field
//! is erased by default. Sessions, risk profiles and alerts lose only the fields that their
//! function names: a new field that can contain personal data must be added to that function.

use serde_json::{Map, Value};

use super::alert::StoredAlert;
use super::risk::{Factor, HardRule, RiskProfile};
use super::session::Session;

/// Fields of an audit event's `changes` that keep their value, because it is not personal data.
/// `session` and `alerts` are reduced to the fields below. Every other field keeps only its name.
const CHANGE_FIELDS: [&str; 14] = [
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
    "erasure_override_reason",
    "organization",
    "monitor",
    "retain_until",
];
/// Fields of a session in `changes` that keep their value.
const SESSION_FIELDS: [&str; 11] = [
    "session_id",
    "customer_id",
    "tenant_id",
    "workflow_id",
    "status",
    "final_decision",
    "validations",
    "version",
    "expires_at",
    "created_at",
    "completed_at",
];
/// Fields of an alert in `changes` that keep their value.
const ALERT_FIELDS: [&str; 10] = [
    "alert_id",
    "list",
    "list_version",
    "entity_id",
    "entity_type",
    "score",
    "status",
    "version",
    "cleared_because",
    "changes",
];

/// Removes the client id and the metadata of a session. Its other ids, its times, status, decision
/// and validations stay. The version increases by 1 if the session changes.
pub fn session(session: Session) -> Session {
    let before = session.clone();
    let mut session = Session { client_id: None, metadata: Default::default(), ..session };
    session.version += u64::from(session != before);
    session
}

/// Removes the value, the reason and the evidence of every factor, and the reason and the evidence
/// of every hard rule. The level, the score, the model version, and the codes, categories, weights
/// and points stay.
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

/// Removes the names, the party id, the note, the explanation of the score and the hashes of the
/// compared fields. The list, the id of the entry, the score and the decision stay. The version
/// increases by 1 if the alert changes.
pub fn alert(mut alert: StoredAlert) -> StoredAlert {
    let before = alert.clone();
    alert.subject.name = String::new();
    alert.subject.party_id = None;
    alert.entity_name = String::new();
    alert.features = Value::Object(Map::new());
    alert.note = None;
    alert.compared = Default::default();
    alert.version += u64::from(alert != before);
    alert
}

/// Sets the values that can be personal data in the `changes` of an audit event to `null`. The
/// names of all fields stay, and so does the kind of an alert's subject.
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

/// Sets every field that is not in `kept` to `null`.
fn clear_except(fields: &mut Map<String, Value>, kept: &[&str]) {
    for (field, value) in fields.iter_mut() {
        if !kept.contains(&field.as_str()) {
            *value = Value::Null;
        }
    }
}
