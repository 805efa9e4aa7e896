//! Checks that every change of a customer has an event. There must be one event per version, and
//! each event must start from the state that the previous event left. Applied in order, the events
//! must produce the stored state. An export has an event without changes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use shared::model::time::Timestamp;
use uuid::Uuid;

use crate::item::{ABSENT, Item};
use crate::records::Records;
use crate::report::{Rule, Violations};

/// Attributes of a customer that events do not record.
const UNRECORDED: [&str; 8] = [
    "type",
    "version",
    "updated_at",
    "open_sessions",
    "monitored_until",
    "tenant_pk",
    "risk_pk",
    "name_sk",
];
/// Attributes of a session that events do not record.
const UNRECORDED_OF_SESSION: [&str; 2] = ["type", "updated_at"];

pub(crate) fn check(records: &Records<'_>, violations: &mut Violations) {
    let (exports, changes): (Vec<&Item>, Vec<&Item>) =
        records.events.iter().partition(|item| item.text("kind") == Some("customer.exported"));
    for item in exports {
        check_event(item, item.text("at").and_then(Timestamp::parse), violations);
        let is_empty = item.get("changes").as_object().is_some_and(Map::is_empty);
        violations.require(is_empty, Rule::Events, item, || "must have no changes".to_owned());
    }
    let (version, count) = (records.customer.version, changes.len() as u64);
    violations.require(version == count, Rule::Events, records.item, || {
        format!("is version {version}, but {count} events of changes exist")
    });
    let mut previous: Option<Timestamp> = None;
    for (index, item) in changes.into_iter().enumerate() {
        let at = item.text("at").and_then(Timestamp::parse);
        check_event(item, at, violations);
        let is_creation = item.text("kind") == Some("customer.created");
        violations.require(is_creation == (index == 0), Rule::Events, item, || {
            "customer.created must be the first event and occur once".to_owned()
        });
        violations.require(previous < at, Rule::Events, item, || {
            "is not later than the event before".to_owned()
        });
        previous = at;
    }
    let is_current = previous == Some(records.customer.updated_at);
    violations.require(is_current, Rule::Events, records.item, || {
        "updated_at is not that of the last event".to_owned()
    });
    // An erasure removes the values from the events, so the events cannot be replayed.
    if records.is_erased() {
        return;
    }
    let mut replay = Replay::default();
    for item in &records.events {
        replay.apply(item, violations);
    }
    replay.compare(records, violations);
    check_risk_profiles(records, violations);
}

fn check_event(item: &Item, at: Option<Timestamp>, violations: &mut Violations) {
    let event_id = item.text("event_id");
    let created_at = event_id.and_then(|id| Uuid::try_parse(id).ok()).and_then(uuid_millis);
    let holds = event_id.is_some_and(|id| item.sk == format!("EVENT#{id}"))
        && created_at.is_some()
        && created_at == at.map(Timestamp::millis)
        && ["actor", "request_id", "kind"].iter().all(|field| item.text(field).is_some())
        && item.get("changes").is_object();
    violations.require(holds, Rule::Events, item, || {
        "must have actor, request_id, kind, changes, and an event_id of its time".to_owned()
    });
}

/// Returns the time that a UUID contains, in milliseconds since 1970. Returns `None` for a UUID of
/// a version without a time, such as version 4.
fn uuid_millis(id: Uuid) -> Option<i64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Some(i64::try_from(seconds).unwrap_or(i64::MAX) * 1_000 + i64::from(nanos / 1_000_000))
}

/// Checks that every risk profile has an event, and every event that changes the risk has a
/// profile. A profile and its event have the same time. The first event is skipped, because the
/// creation of a customer stores no profile.
fn check_risk_profiles(records: &Records<'_>, violations: &mut Violations) {
    let mentioned: BTreeSet<&str> = records
        .events
        .iter()
        .skip(1)
        .filter(|event| !member(event.get("changes"), "risk").is_null())
        .filter_map(|event| event.text("at"))
        .collect();
    let stored: BTreeSet<&str> =
        records.profiles.iter().filter_map(|(_, item)| item.sk.strip_prefix("RISK#")).collect();
    violations.require(mentioned == stored, Rule::RiskProfile, records.item, || {
        let (stored, mentioned) = (stored.len(), mentioned.len());
        format!("has {stored} profiles that differ from the {mentioned} in its events")
    });
}

/// The state that results from applying the events in order.
#[derive(Default)]
struct Replay {
    customer: Map<String, Value>,
    /// Fields of each session, by id.
    sessions: BTreeMap<String, Map<String, Value>>,
    /// Status and version of each alert, by id. An event of an older release has no version.
    alerts: BTreeMap<String, (Value, Option<u64>)>,
    organization_version: Value,
    monitor_version: Value,
}

impl Replay {
    fn apply(&mut self, event: &Item, violations: &mut Violations) {
        let Value::Object(changes) = event.get("changes") else { return };
        for (field, change) in changes {
            let continues = match field.as_str() {
                "session" => self.apply_session(change),
                "organization" => {
                    apply_change(&mut self.organization_version, member(change, "version"))
                }
                "monitor" => apply_version(&mut self.monitor_version, member(change, "version")),
                "alerts" => self.apply_alerts(change),
                field => apply_field(&mut self.customer, field, change),
            };
            violations.require(continues, Rule::Replay, event, || {
                format!("{field} does not continue from the state before")
            });
        }
    }

    fn apply_session(&mut self, change: &Value) -> bool {
        let session_id = member(change, "session_id").as_str();
        // In the event that creates a session, the id is a change with `from` and `to`.
        let new_session_id = || member(member(change, "session_id"), "to").as_str();
        let Some(session_id) = session_id.or_else(new_session_id) else { return false };
        let session = self.sessions.entry(session_id.to_owned()).or_default();
        let Some(fields) = change.as_object() else { return false };
        let mut continues = true;
        for (field, change) in fields.iter().filter(|(_, change)| change.is_object()) {
            continues &= match field.as_str() {
                "version" => apply_version(session.entry(field).or_insert(Value::Null), change),
                field => apply_field(session, field, change),
            };
        }
        continues
    }

    fn apply_alerts(&mut self, changes: &Value) -> bool {
        let Some(changes) = changes.as_array() else { return false };
        let mut continues = true;
        for change in changes {
            let Some(id) = member(change, "alert_id").as_str() else { return false };
            let is_new = !self.alerts.contains_key(id);
            let (status, version) = self.alerts.entry(id.to_owned()).or_default();
            continues &= apply_change(status, member(change, "status"));
            if let Some(to) = member(change, "version").as_u64() {
                // An alert of an older release counts as version 1.
                let before = version.unwrap_or(u64::from(!is_new));
                continues &= to == before + 1;
                *version = Some(to);
            }
        }
        continues
    }

    /// Compares the state with the stored records and adds a violation for each difference.
    fn compare(&self, records: &Records<'_>, violations: &mut Violations) {
        let mut require = |holds: bool, item: &Item, what: &dyn Fn() -> String| {
            violations.require(holds, Rule::Replay, item, what);
        };
        let mismatch = || "does not agree with the events".to_owned();

        let stored = records.item.fields.keys();
        let recorded = stored.filter(|field| !UNRECORDED.contains(&field.as_str()));
        let fields: BTreeSet<&String> = recorded.chain(self.customer.keys()).collect();
        for field in fields {
            let expected = self.customer.get(field).unwrap_or(ABSENT);
            let actual = records.item.get(field);
            let holds = expected == actual || changes_with_time(field, expected, actual);
            require(holds, records.item, &|| format!("{field} does not agree with the events"));
        }

        require(self.sessions.len() == records.sessions.len(), records.item, &|| {
            let (stored, expected) = (records.sessions.len(), self.sessions.len());
            format!("has {stored} sessions, but the events create {expected}")
        });
        for (session, item) in &records.sessions {
            let expected = self.sessions.get(&session.session_id.to_string());
            let holds = expected.is_some_and(|expected| is_session(item, expected));
            require(holds, item, &mismatch);
        }

        require(self.alerts.len() == records.alerts.len(), records.item, &|| {
            let (stored, expected) = (records.alerts.len(), self.alerts.len());
            format!("has {stored} alerts, but the events create {expected}")
        });
        for (alert, item) in &records.alerts {
            let expected = self.alerts.get(&alert.alert_id.to_string());
            let holds = expected.is_some_and(|(status, version)| {
                status.as_str() == Some(alert.status.as_ref())
                    && *version == item.get("version").as_u64()
            });
            require(holds, item, &mismatch);
        }

        let version = records.organization.as_ref().map(|(version, _)| *version);
        require(self.organization_version.as_u64() == version, records.item, &|| {
            "the version of its organization does not agree with the events".to_owned()
        });
        if let Some((_, _, item)) = &records.monitor {
            require(self.monitor_version == *item.get("version"), item, &mismatch);
        }
    }
}

fn is_session(item: &Item, expected: &Map<String, Value>) -> bool {
    let stored = item.fields.keys();
    let recorded = stored.filter(|field| !UNRECORDED_OF_SESSION.contains(&field.as_str()));
    let fields: BTreeSet<&String> = recorded.chain(expected.keys()).collect();
    fields
        .into_iter()
        // The id identifies the session and is not compared.
        .filter(|field| *field != "session_id")
        .all(|field| expected.get(field).unwrap_or(ABSENT) == item.get(field))
}

/// Applies a change to a field. Returns whether the change starts from the field's current value,
/// or from a value that differs from it only because time has passed.
fn apply_field(fields: &mut Map<String, Value>, field: &str, change: &Value) -> bool {
    let (from, to) = (member(change, "from"), member(change, "to"));
    let before = fields.insert(field.to_owned(), to.clone()).unwrap_or_default();
    before == *from || changes_with_time(field, &before, from)
}

/// Applies a change to a value. Returns whether the change starts from the current value.
fn apply_change(value: &mut Value, change: &Value) -> bool {
    let before = std::mem::replace(value, member(change, "to").clone());
    before == *member(change, "from")
}

/// Applies a change to a version. Returns whether the change starts from the current version and
/// increases it by one. An item of an older release, whose events have no version, counts as version
/// 1.
fn apply_version(version: &mut Value, change: &Value) -> bool {
    let from = member(change, "from");
    let is_first_known = version.is_null() && from.as_u64() == Some(1);
    let before = from.as_u64().unwrap_or(0);
    let increases = member(change, "to").as_u64() == Some(before + 1);
    (apply_change(version, change) || is_first_known) && increases
}

fn member<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(ABSENT)
}

/// Returns whether the passing of time alone explains the difference: sessions expire and
/// monitoring ends without a write, and therefore without an event.
fn changes_with_time(field: &str, before: &Value, after: &Value) -> bool {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return false };
    let get = |map: &Map<String, Value>, name: &str| map.get(name).cloned().unwrap_or_default();
    match field {
        "sessions" => {
            let status = (get(before, "last_status"), get(after, "last_status"));
            are_equal_except(before, after, &["active", "last_status"])
                && get(after, "active").as_u64() <= get(before, "active").as_u64()
                && (status.0 == status.1 || status == ("active".into(), "expired".into()))
        }
        "monitoring" => {
            are_equal_except(before, after, &["status"]) && get(after, "status") == "off"
        }
        _ => false,
    }
}

fn are_equal_except(
    one: &Map<String, Value>,
    other: &Map<String, Value>,
    excluded: &[&str],
) -> bool {
    without(one, excluded) == without(other, excluded)
}

fn without<'m>(map: &'m Map<String, Value>, excluded: &[&str]) -> BTreeMap<&'m String, &'m Value> {
    map.iter().filter(|(name, _)| !excluded.contains(&name.as_str())).collect()
}
