//! Every change has its event: as many as there are versions, each going on from what the one before
//! left, and all of them together making what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use shared::model::time::Timestamp;
use uuid::Uuid;

use crate::Found;
use crate::customer::Whole;
use crate::item::{Item, NOTHING};

/// What a customer's item has besides what events tell of.
const UNTOLD: [&str; 8] = [
    "type",
    "version",
    "updated_at",
    "open_sessions",
    "monitored_until",
    "tenant_pk",
    "risk_pk",
    "name_sk",
];
const REPLAY: &str = "replay";

pub(super) fn check(whole: &Whole<'_>, found: &mut Found) {
    let (version, events) = (whole.customer.version, whole.events.len() as u64);
    found.check(version == events, "events", whole.item, || {
        format!("is version {version}, and has {events} events")
    });
    let mut last: Option<Timestamp> = None;
    for (number, item) in whole.events.iter().enumerate() {
        let at = item.text("at").and_then(Timestamp::parse);
        is_itself(item, at, found);
        let is_first = item.text("kind") == Some("customer.created");
        found.check(is_first == (number == 0), "events", item, || {
            "a customer is created once, and first of all".to_owned()
        });
        found.check(last < at, "events", item, || "is not later than the one before".to_owned());
        last = at;
    }
    found.check(last == Some(whole.customer.updated_at), "events", whole.item, || {
        "was not changed when its last event was".to_owned()
    });
    // Of what was erased the events do not tell any more.
    if whole.is_erased() {
        return;
    }
    let mut story = Story::default();
    for item in &whole.events {
        story.goes_on(item, found);
    }
    story.ends_as(whole, found);
    profiles_are_told_of(whole, found);
}

fn is_itself(item: &Item, at: Option<Timestamp>, found: &mut Found) {
    let id = item.text("event_id").and_then(|id| Uuid::try_parse(id).ok());
    let made = id.and_then(|id| id.get_timestamp()).map(|made| {
        let (seconds, nanos) = made.to_unix();
        i64::try_from(seconds).unwrap_or(i64::MAX) * 1_000 + i64::from(nanos / 1_000_000)
    });
    let holds = item.text("event_id").is_some_and(|id| item.sk == format!("EVENT#{id}"))
        && made.is_some()
        && made == at.map(Timestamp::millis)
        && ["actor", "request_id", "kind"].iter().all(|field| item.text(field).is_some())
        && item.get("changes").is_object();
    found.check(holds, "events", item, || "is not whole".to_owned());
}

/// A profile is calculated with a version of the customer, and told of in its event.
fn profiles_are_told_of(whole: &Whole<'_>, found: &mut Found) {
    let told: BTreeSet<&str> = whole
        .events
        .iter()
        .skip(1)
        .filter(|event| !part(event.get("changes"), "risk").is_null())
        .filter_map(|event| event.text("at"))
        .collect();
    let there: BTreeSet<&str> =
        whole.profiles.iter().filter_map(|(_, item)| item.sk.strip_prefix("RISK#")).collect();
    found.check(told == there, "risk profile", whole.item, || {
        format!("has {} profiles, and {} events tell of one", there.len(), told.len())
    });
}

/// What the events so far have made.
#[derive(Default)]
struct Story {
    customer: Map<String, Value>,
    sessions: BTreeMap<String, Map<String, Value>>,
    /// The status of each.
    alerts: BTreeMap<String, Value>,
    /// Its version.
    organization: Value,
}

impl Story {
    fn goes_on(&mut self, event: &Item, found: &mut Found) {
        let Value::Object(changes) = event.get("changes") else { return };
        for (field, change) in changes {
            let at = match field.as_str() {
                "session" => self.session(change),
                "organization" => {
                    moved(&mut self.organization, part(change, "version")).then_some(())
                }
                "alerts" => self.all_alerts(change),
                field => fold(&mut self.customer, field, change),
            };
            found.check(at.is_some(), REPLAY, event, || {
                format!("{field}: it does not go on from what was there")
            });
        }
    }

    fn session(&mut self, change: &Value) -> Option<()> {
        let session_id = part(change, "session_id").as_str();
        // The event of its creation gives the id as any other field.
        let session_id = session_id.or_else(|| part(part(change, "session_id"), "to").as_str())?;
        let session = self.sessions.entry(session_id.to_owned()).or_default();
        let fields = change.as_object()?.iter().filter(|(_, change)| change.is_object());
        let mut all = Some(());
        for (field, change) in fields {
            all = fold(session, field, change).and(all);
        }
        all
    }

    fn all_alerts(&mut self, changes: &Value) -> Option<()> {
        let mut all = Some(());
        for change in changes.as_array()? {
            let id = part(change, "alert_id").as_str()?;
            let status = self.alerts.entry(id.to_owned()).or_default();
            if !moved(status, part(change, "status")) {
                all = None;
            }
        }
        all
    }

    fn ends_as(&self, whole: &Whole<'_>, found: &mut Found) {
        let stored = whole.item.fields.iter();
        let stored = stored.filter(|(field, _)| !UNTOLD.contains(&field.as_str()));
        let fields: BTreeSet<&String> =
            stored.map(|(field, _)| field).chain(self.customer.keys()).collect();
        for field in fields {
            let told = self.customer.get(field).unwrap_or(NOTHING);
            let is = whole.item.get(field);
            found.check(told == is || decays(field, told, is), REPLAY, whole.item, || {
                format!("its {field} is not what the events made it")
            });
        }
        found.check(self.sessions.len() == whole.sessions.len(), REPLAY, whole.item, || {
            format!("has {} sessions, and events of {}", whole.sessions.len(), self.sessions.len())
        });
        for (session, item) in &whole.sessions {
            let told = self.sessions.get(&session.session_id.to_string());
            let is_untold = |field: &&String| ["type", "updated_at"].contains(&field.as_str());
            let fields = item.fields.keys().filter(|field| !is_untold(field));
            let holds = told.is_some_and(|told| {
                let fields: BTreeSet<&String> = fields.chain(told.keys()).collect();
                // The id stands in every event as it is.
                fields
                    .iter()
                    .filter(|field| **field != "session_id")
                    .all(|field| told.get(*field).unwrap_or(NOTHING) == item.get(field))
            });
            found.check(holds, REPLAY, item, || "is not what the events made it".to_owned());
        }
        found.check(self.alerts.len() == whole.alerts.len(), REPLAY, whole.item, || {
            format!("has {} alerts, and events of {}", whole.alerts.len(), self.alerts.len())
        });
        for (alert, item) in &whole.alerts {
            let told = self.alerts.get(&alert.alert_id.to_string()).and_then(Value::as_str);
            let holds = told == Some(alert.status.into_str());
            found.check(holds, REPLAY, item, || "is not what the events made it".to_owned());
        }
        let version = whole.organization.as_ref().map(|(version, ..)| *version);
        found.check(self.organization.as_u64() == version, REPLAY, whole.item, || {
            "its organization is another version than the events made".to_owned()
        });
    }
}

/// `None` where the change begins with something else than what was there.
fn fold(fields: &mut Map<String, Value>, field: &str, change: &Value) -> Option<()> {
    let (from, to) = (part(change, "from"), part(change, "to"));
    let before = fields.insert(field.to_owned(), to.clone()).unwrap_or_default();
    (before == *from || decays(field, &before, from)).then_some(())
}

fn moved(state: &mut Value, change: &Value) -> bool {
    let before = std::mem::replace(state, part(change, "to").clone());
    before == *part(change, "from")
}

fn part<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(NOTHING)
}

/// Whether time alone makes the one of the other: sessions expire and monitoring ends without a
/// write, and without an event.
fn decays(field: &str, before: &Value, after: &Value) -> bool {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return false };
    let same_but = |names: &[&str]| {
        let others = |map: &Map<String, Value>| -> Map<String, Value> {
            let kept = map.iter().filter(|(name, _)| !names.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        others(before) == others(after)
    };
    let of = |map: &Map<String, Value>, name: &str| map.get(name).cloned().unwrap_or_default();
    match field {
        "sessions" => {
            let status = (of(before, "last_status"), of(after, "last_status"));
            same_but(&["active", "last_status"])
                && of(after, "active").as_u64() <= of(before, "active").as_u64()
                && (status.0 == status.1 || status == ("active".into(), "expired".into()))
        }
        "monitoring" => same_but(&["status"]) && of(after, "status") == "off",
        _ => false,
    }
}
