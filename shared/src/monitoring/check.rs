//! What a screening of a customer's subjects means for its alerts. Pure: the same lists, subjects
//! and alerts always give the same outcome, in whatever order and however often it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::lists::Loaded;
use super::subject::Subject;
use crate::model::alert::{Alert, AlertStatus, ClearedBecause, PastDecision, fingerprint};
use crate::model::id::{AlertId, CustomerId};
use crate::model::monitor::{Settings, rounded};
use crate::model::time::Timestamp;
use screening::index::Index;
use screening::score::DEFAULT_MIN_SCORE;
use screening::{Match, Screener};

/// What is kept with a monitor, so that a pass tells news from what is known without reading on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    pub subjects: Vec<Subject>,
    /// The pairs that match, and that have an alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Known>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Known {
    pub subject: String,
    pub list: String,
    pub entity: String,
    pub fingerprint: u64,
}

/// A subject that matches an entry.
pub struct Hit<'s> {
    pub subject: &'s Subject,
    pub found: Match,
    compared: BTreeMap<String, String>,
}

impl Hit<'_> {
    pub fn known(&self) -> Known {
        Known {
            subject: self.subject.key().to_owned(),
            list: self.found.list.clone(),
            entity: self.found.id.clone(),
            fingerprint: fingerprint(&self.compared),
        }
    }

    fn alert_id(&self, customer: &CustomerId) -> AlertId {
        AlertId::of(customer, self.subject.key(), &self.found.list, &self.found.id)
    }
}

/// Screens all subjects against the lists that the settings select.
pub fn hits<'s>(
    subjects: &'s [Subject],
    settings: &Settings,
    screener: &mut Screener<'_>,
) -> Vec<Hit<'s>> {
    let least = least(settings);
    let mut hits = Vec::new();
    for subject in subjects {
        for found in subject.screen(screener, least) {
            if settings.selects(&found.list) {
                let compared = subject.compared(&found.entity);
                hits.push(Hit { subject, found, compared });
            }
        }
    }
    hits
}

/// A score is kept with four decimals, and compared as it is.
fn least(settings: &Settings) -> f32 {
    match settings.min_score == rounded(DEFAULT_MIN_SCORE) {
        true => DEFAULT_MIN_SCORE,
        false => settings.min_score as f32,
    }
}

/// How a check of a customer came out.
pub struct Outcome {
    /// Alerts that are new or have changed.
    pub changed: Vec<Alert>,
    /// Those that a person has to look at now, new or back again; also those that have no place
    /// in `changed`.
    pub raised: u32,
    /// How many are open when all of it is written.
    pub open: u32,
    pub watched: Watched,
    /// Whether `changed` is all there is to change.
    pub complete: bool,
    /// By list, how many entries match.
    pub matches: BTreeMap<String, u32>,
}

/// How many alerts change in one step: they are written in one transaction of 100 items.
const MAX_CHANGES: usize = 80;

/// What a whole screening against the current lists says about the alerts there are.
pub fn outcome(
    customer: &CustomerId,
    subjects: Vec<Subject>,
    settings: &Settings,
    alerts: &[Alert],
    lists: &Loaded,
    now: Timestamp,
) -> Outcome {
    let mut screener = Screener::new(lists.indexes.iter().map(AsRef::<Index>::as_ref));
    let hits = hits(&subjects, settings, &mut screener);
    let by_id: BTreeMap<AlertId, &Alert> =
        alerts.iter().map(|alert| (alert.alert_id, alert)).collect();
    let (mut changed, mut known) = (Vec::new(), Vec::new());
    let (mut raised, mut open, mut complete) = (0, 0, true);
    let mut matches: BTreeMap<String, u32> = BTreeMap::new();
    let mut matching = BTreeSet::new();
    for hit in &hits {
        *matches.entry(hit.found.list.clone()).or_default() += 1;
        let id = hit.alert_id(customer);
        matching.insert(id);
        let before = by_id.get(&id).copied();
        let after = found_again(before, hit, id, customer, now);
        open += u32::from(after.status == AlertStatus::Open);
        if before == Some(&after) {
            known.push(hit.known());
            continue;
        }
        let was_open = before.is_some_and(|alert| alert.status == AlertStatus::Open);
        raised += u32::from(after.status == AlertStatus::Open && !was_open);
        if changed.len() >= MAX_CHANGES {
            complete = false;
            continue;
        }
        known.push(hit.known());
        changed.push(after);
    }
    let gone = alerts.iter().filter(|alert| {
        alert.status != AlertStatus::Cleared && !matching.contains(&alert.alert_id)
    });
    for alert in gone {
        if changed.len() >= MAX_CHANGES {
            complete = false;
            break;
        }
        let because = why_gone(alert, &subjects, settings, lists);
        changed.push(cleared(alert, because, now));
    }
    known.sort();
    drop(hits);
    Outcome { changed, raised, open, watched: Watched { subjects, known }, complete, matches }
}

/// The alert of a pair that matches: as it was, unless something that is compared has changed.
fn found_again(
    before: Option<&Alert>,
    hit: &Hit<'_>,
    alert_id: AlertId,
    customer_id: &CustomerId,
    now: Timestamp,
) -> Alert {
    let same = before.filter(|alert| alert.compared == hit.compared);
    if let Some(alert) = same.filter(|alert| alert.status != AlertStatus::Cleared) {
        return alert.clone();
    }
    // Screened again after a while, like a list that was deselected: nothing to decide anew.
    if let Some(alert) = same
        && alert.cleared_because != Some(ClearedBecause::EntryRemoved)
        && let Some(decision) = alert.decision_before.clone()
    {
        return Alert {
            status: decision.status,
            resolved_by: decision.resolved_by,
            resolved_at: decision.resolved_at,
            last_seen_at: now,
            list_version: hit.found.list_version.clone(),
            cleared_because: None,
            decision_before: None,
            ..alert.clone()
        };
    }
    let found = &hit.found;
    let changes = before.map(|alert| differences(alert, hit)).unwrap_or_default();
    let fresh = Alert {
        alert_id,
        customer_id: *customer_id,
        subject: hit.subject.as_answered(),
        list: found.list.clone(),
        entity_id: found.id.clone(),
        entity_name: found.name.clone(),
        entity_name_kind: found.name_kind,
        entity_type: found.kind,
        score: rounded(found.score),
        features: features(found),
        list_version: found.list_version.clone(),
        status: AlertStatus::Open,
        first_seen_at: before.map_or(now, |alert| alert.first_seen_at),
        last_seen_at: now,
        resolved_by: None,
        resolved_at: None,
        note: before.and_then(|alert| alert.note.clone()),
        cleared_because: None,
        changes,
        compared: hit.compared.clone(),
        decision_before: None,
    };
    match before {
        // Still who was meant: what changed is told, and nobody has to decide again.
        Some(alert) if alert.status == AlertStatus::Confirmed => Alert {
            status: alert.status,
            resolved_by: alert.resolved_by.clone(),
            resolved_at: alert.resolved_at,
            ..fresh
        },
        _ => fresh,
    }
}

/// By field, or that the pair matches again as it did before.
fn differences(alert: &Alert, hit: &Hit<'_>) -> Vec<String> {
    let is_other = |(field, hash): &(&String, &String)| alert.compared.get(*field) != Some(*hash);
    let fields: Vec<String> =
        hit.compared.iter().filter(is_other).map(|(field, _)| field.clone()).collect();
    match fields.is_empty() {
        true => vec!["returned".to_owned()],
        false => fields,
    }
}

fn why_gone(
    alert: &Alert,
    subjects: &[Subject],
    settings: &Settings,
    lists: &Loaded,
) -> ClearedBecause {
    let Some(index) = lists.index(&alert.list) else {
        return ClearedBecause::ListRemoved;
    };
    let is_subject = |subject: &Subject| subject.party_id == alert.subject.party_id;
    if !settings.selects(&alert.list) {
        ClearedBecause::ListNotSelected
    } else if !subjects.iter().any(is_subject) {
        ClearedBecause::SubjectRemoved
    } else if index.entity(&alert.entity_id).is_none() {
        ClearedBecause::EntryRemoved
    } else {
        ClearedBecause::NoLongerMatches
    }
}

fn cleared(alert: &Alert, because: ClearedBecause, now: Timestamp) -> Alert {
    Alert {
        status: AlertStatus::Cleared,
        resolved_by: Some("system".to_owned()),
        resolved_at: Some(now),
        cleared_because: Some(because),
        decision_before: Some(PastDecision {
            status: alert.status,
            resolved_by: alert.resolved_by.clone(),
            resolved_at: alert.resolved_at,
        }),
        ..alert.clone()
    }
}

fn features(found: &Match) -> Value {
    tidy(serde_json::to_value(&found.explanation).unwrap_or_else(|_| json!({})))
}

/// Numbers to four decimals: the rest is noise of the arithmetic.
fn tidy(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| !number.is_u64()) {
            Some(float) => json!((float * 10_000.0).round() / 10_000.0),
            None => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(tidy).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, tidy(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other,
    }
}
