//! The effect of a screening on the alerts of a customer. The functions are pure, apart from the
//! time limit of the screening: the same lists, subjects, settings, alerts and time always give the
//! same result.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::screenings::{Found, Screenings, Stopped};
use super::subject::subjects;
use super::watchlists::Loaded;
use crate::error::{Error, Faults};
use crate::model::alert::{
    Alert, AlertStatus, ClearedBecause, ComparedField, PastDecision, StoredAlert, fingerprint,
};
use crate::model::customer::{MonitoringStatus, MonitoringSummary, StoredCustomer};
use crate::model::id::{AlertId, CustomerId};
use crate::model::monitor::{Monitor, Settings, rounded};
use crate::model::risk::{RiskProfile, Trigger};
use crate::model::screened::{KnownMatch, Screened, Subject};
use crate::model::time::Timestamp;
use crate::risk_profiles::{Sources, plan_profile};
use crate::store::AlertChange;
use screening::index::Index;
use screening::score::DEFAULT_MIN_SCORE;
use screening::{Match, Screener};

/// Largest number of matches of a customer, over all subjects. The item of the monitor must hold
/// all matches, and people must be able to review the alerts.
const MAX_MATCHES: usize = 2_000;
/// Largest number of alerts that change in one transaction. DynamoDB allows 100 items, and the
/// other items of the change also need room.
const MAX_CHANGES: usize = 80;

/// A subject that matches an entry.
pub struct Hit<'s> {
    /// The subject.
    pub subject: &'s Subject,
    /// The entry. Equal subjects share it.
    pub found: Arc<Found>,
}

impl Hit<'_> {
    /// Returns the match in the form that is stored with the monitor.
    pub fn known(&self) -> KnownMatch {
        KnownMatch {
            subject: self.subject.key().to_owned(),
            list: self.found.entry.list.clone(),
            entity: self.found.entry.id.clone(),
            fingerprint: fingerprint(&self.found.compared),
        }
    }

    fn alert_id(&self, customer: &CustomerId) -> AlertId {
        let entry = &self.found.entry;
        AlertId::of(customer, self.subject.key(), &entry.list, &entry.id)
    }
}

/// Screens all subjects and returns the matches in the lists that the settings select.
///
/// # Errors
/// `TooManyMatches` when there are more than 2,000, `OutOfTime`.
pub fn hits<'s>(
    subjects: &'s [Subject],
    settings: &Settings,
    screener: &mut Screener<'_>,
    screenings: &mut Screenings,
) -> Result<Vec<Hit<'s>>, Stopped> {
    let selects = |entry: &Match| settings.selects(&entry.list);
    let matches =
        screenings.screen(subjects, screener, min_score(settings), MAX_MATCHES, selects)?;
    Ok(matches.into_iter().map(|(subject, found)| Hit { subject, found }).collect())
}

/// Returns the minimum score to screen with. Settings store four decimals, so the rounded default
/// stands for the exact [`DEFAULT_MIN_SCORE`].
fn min_score(settings: &Settings) -> f32 {
    if settings.min_score == rounded(DEFAULT_MIN_SCORE) {
        DEFAULT_MIN_SCORE
    } else {
        settings.min_score as f32
    }
}

/// The effect of a screening on the alerts of a customer.
pub struct Screening {
    /// Alerts that are new or have changed, at most 80.
    pub changed: Vec<StoredAlert>,
    /// Number of alerts that the screening opens, including alerts that did not fit into `changed`.
    pub raised: u32,
    /// Number of alerts that are open after all changes.
    pub open: u32,
    /// The subjects, and the matches that have an up-to-date alert once `changed` is written.
    pub screened: Screened,
    /// Whether `changed` contains every change.
    pub is_complete: bool,
    /// Number of matches by list. A match is a pair of a subject and an entry.
    pub matches: BTreeMap<String, u32>,
}

/// Screens all subjects against `lists` and determines how the matches change the alerts.
///
/// # Errors
/// `TooManyMatches` when there are more than 2,000, `OutOfTime`.
pub fn screen_all(
    customer: &CustomerId,
    subjects: Vec<Subject>,
    settings: &Settings,
    alerts: &[StoredAlert],
    lists: &Loaded,
    now: Timestamp,
    screenings: &mut Screenings,
) -> Result<Screening, Stopped> {
    let mut screener = Screener::new(lists.indexes.iter().map(AsRef::<Index>::as_ref));
    screenings.begin(lists, min_score(settings));
    let hits = hits(&subjects, settings, &mut screener, screenings)?;
    let by_id: BTreeMap<AlertId, &StoredAlert> =
        alerts.iter().map(|alert| (alert.alert_id, alert)).collect();
    let (mut changed, mut known) = (Vec::new(), Vec::new());
    let (mut raised, mut open, mut is_complete) = (0, 0, true);
    let mut matches: BTreeMap<String, u32> = BTreeMap::new();
    let mut matching = BTreeSet::new();
    for hit in &hits {
        *matches.entry(hit.found.entry.list.clone()).or_default() += 1;
        let id = hit.alert_id(customer);
        matching.insert(id);
        let before = by_id.get(&id).copied();
        let after = alert_of(before, hit, id, customer, now);
        open += u32::from(after.status == AlertStatus::Open);
        if before == Some(&after) {
            known.push(hit.known());
            continue;
        }
        let was_open = before.is_some_and(|alert| alert.status == AlertStatus::Open);
        raised += u32::from(after.status == AlertStatus::Open && !was_open);
        if changed.len() >= MAX_CHANGES {
            is_complete = false;
            continue;
        }
        known.push(hit.known());
        changed.push(after);
    }
    let unmatched = alerts.iter().filter(|alert| {
        alert.status != AlertStatus::Cleared && !matching.contains(&alert.alert_id)
    });
    for alert in unmatched {
        if changed.len() >= MAX_CHANGES {
            is_complete = false;
            break;
        }
        let because = why_unmatched(alert, &subjects, settings, lists);
        changed.push(cleared(alert, because, now));
    }
    known.sort();
    drop(hits);
    let screened = Screened { subjects, known };
    Ok(Screening { changed, raised, open, screened, is_complete, matches })
}

/// The planned result of a check, for the next version of the customer.
pub struct Checked {
    /// The monitor after the check, with its subjects and known matches.
    pub monitor: (Monitor, Screened),
    /// Alerts that are new or have changed.
    pub alerts: Vec<AlertChange>,
    /// The sources of the risk profile, with the alerts as they are after the check.
    pub sources: Sources,
    /// Number of alerts that the check opens, including alerts that did not fit into `alerts`.
    pub raised: u32,
    /// Number of open alerts after all changes.
    pub open: u32,
    /// Whether `alerts` contains every change. If not, another transaction must follow.
    pub is_complete: bool,
    /// Number of matches by list. A match is a pair of a subject and an entry.
    pub matches: BTreeMap<String, u32>,
    /// Whether the check must be written: an alert, the subjects or the known matches have changed,
    /// or this check or the last one is incomplete.
    pub is_news: bool,
}

/// Plans a check: screens the subjects of the customer and updates the monitoring summary in
/// `after`. `known` contains the stored subjects and matches of the monitor. `None` means that
/// there are none or that they may be outdated; the result is then always news. `field` is the
/// field that the error names when there are too many matches.
///
/// # Errors
/// `ValidationError` when there are more than 2,000 matches, `ScreeningTimeout`.
pub fn plan_check(
    after: &mut StoredCustomer,
    monitor: Monitor,
    sources: Sources,
    known: Option<&Screened>,
    lists: &Loaded,
    field: &str,
    screenings: &mut Screenings,
) -> Result<Checked, Error> {
    let now = after.updated_at;
    let settings = monitor.settings.clone();
    let subjects = subjects(after, sources.organization.as_ref(), settings.include_related);
    let count = u32::try_from(subjects.len()).unwrap_or(u32::MAX);
    let screening = screen_all(
        &after.customer_id,
        subjects,
        &settings,
        &sources.alerts,
        lists,
        now,
        screenings,
    );
    let Screening { changed, raised, open, screened, is_complete, matches } =
        screening.map_err(|reason| refusal(reason, count, field))?;
    let was_complete = monitor.list_revision != 0;
    let is_news = !changed.is_empty() || !is_complete || !was_complete || known != Some(&screened);
    let status_before = |id: &AlertId| {
        sources.alerts.iter().find(|alert| alert.alert_id == *id).map(|alert| alert.status)
    };
    let alerts: Vec<AlertChange> = changed
        .into_iter()
        .map(|alert| AlertChange { from: status_before(&alert.alert_id), alert })
        .collect();
    let sources = sources.with_alerts(alerts.iter().map(|change| &change.alert));
    let selected = lists.revision.lists.iter().filter(|(name, _)| settings.selects(name));
    let list_versions: BTreeMap<String, String> =
        selected.map(|(name, list)| (name.clone(), list.version.clone())).collect();
    after.monitoring = MonitoringSummary {
        status: MonitoringStatus::Active,
        lists: list_versions.keys().cloned().collect(),
        check_frequency: Some(settings.check_frequency),
        last_checked_at: Some(now),
        open_alerts: open_alerts(&sources.alerts),
    };
    after.monitored_until = settings.expires_at;
    let monitor = Monitor {
        version: monitor.version + 1,
        subjects: count,
        last_checked_at: now,
        list_revision: if is_complete { lists.revision.revision } else { 0 },
        list_versions,
        ..monitor
    };
    let monitor = (monitor, screened);
    Ok(Checked { monitor, alerts, sources, raised, open, is_complete, matches, is_news })
}

/// Returns the error of a check whose screening ended early. `subjects` is the number of subjects of
/// the customer.
fn refusal(reason: Stopped, subjects: u32, field: &str) -> Error {
    if reason == Stopped::OutOfTime {
        return Error::screening_timeout(subjects);
    }
    // Without a field, the fault is about the whole body, so the text says that the matches are
    // those of the customer's monitor.
    let subject = if field.is_empty() { "with its monitor " } else { "" };
    let mut faults = Faults::default();
    faults.add(
        field,
        format!(
            "{subject}would produce more than {MAX_MATCHES} matches, which is the limit. Raise \
             min_score or stop monitoring."
        ),
    );
    faults.into()
}

/// Plans a new risk profile if the status of an alert changes to or from `open` or `confirmed`: the
/// profile takes only these two into account. Returns `None` otherwise.
pub(super) fn plan_reassessment(
    after: &mut StoredCustomer,
    sources: &Sources,
    alerts: &[AlertChange],
) -> Option<RiskProfile> {
    let counts = |status| matches!(status, AlertStatus::Open | AlertStatus::Confirmed);
    let has_moved = alerts.iter().any(|AlertChange { from, alert }| {
        *from != Some(alert.status) && (counts(alert.status) || from.is_some_and(counts))
    });
    has_moved.then(|| plan_profile(after, sources, Trigger::Monitoring))
}

pub(super) fn open_alerts(alerts: &[StoredAlert]) -> u32 {
    let open = alerts.iter().filter(|alert| alert.status == AlertStatus::Open).count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// Returns the alert of a match after the screening. An alert that is not cleared stays as it is if
/// no compared field has changed. Otherwise, the alert is restored, updated or created.
fn alert_of(
    before: Option<&StoredAlert>,
    hit: &Hit<'_>,
    alert_id: AlertId,
    customer_id: &CustomerId,
    now: Timestamp,
) -> StoredAlert {
    let unchanged = before.filter(|alert| alert.compared == hit.found.compared);
    if let Some(alert) = unchanged.filter(|alert| alert.status != AlertStatus::Cleared) {
        return alert.clone();
    }
    // The alert was cleared and the same match is back, for example because a list is selected
    // again. The earlier decision stands, unless the entry had been removed from the list.
    if let Some(alert) = unchanged
        && alert.cleared_because != Some(ClearedBecause::EntryRemoved)
        && let Some(decision) = &alert.decision_before
    {
        return restored(alert, decision, hit, now);
    }
    let mut fresh = new_alert(hit, alert_id, customer_id, now);
    if let Some(alert) = before {
        fresh.version = alert.version + 1;
        fresh.first_seen_at = alert.first_seen_at;
        fresh.note = alert.note.clone();
        fresh.changes = differences(alert, hit);
        if alert.status == AlertStatus::Confirmed {
            // The match has been confirmed, so the decision stands. The alert shows what has
            // changed.
            fresh.status = alert.status;
            fresh.resolved_by = alert.resolved_by.clone();
            fresh.resolved_at = alert.resolved_at;
        }
    }
    fresh
}

/// Returns a cleared alert to the status and decision that it had before it was cleared.
fn restored(
    alert: &StoredAlert,
    decision: &PastDecision,
    hit: &Hit<'_>,
    now: Timestamp,
) -> StoredAlert {
    let mut restored = alert.clone();
    restored.version += 1;
    restored.status = decision.status;
    restored.resolved_by = decision.resolved_by.clone();
    restored.resolved_at = decision.resolved_at;
    restored.last_seen_at = now;
    restored.list_version = hit.found.entry.list_version.clone();
    restored.cleared_because = None;
    restored.decision_before = None;
    restored
}

/// Creates an open alert at version 1 for a match. If the match had an alert before, the caller
/// takes over its history.
fn new_alert(
    hit: &Hit<'_>,
    alert_id: AlertId,
    customer_id: &CustomerId,
    now: Timestamp,
) -> StoredAlert {
    let entry = &hit.found.entry;
    let alert = Alert {
        alert_id,
        customer_id: *customer_id,
        subject: hit.subject.as_answered(),
        list: entry.list.clone(),
        entity_id: entry.id.clone(),
        entity_name: entry.name.clone(),
        entity_name_kind: entry.name_kind,
        entity_type: entry.kind,
        score: rounded(entry.score),
        features: features(entry),
        list_version: entry.list_version.clone(),
        status: AlertStatus::Open,
        version: 1,
        first_seen_at: now,
        last_seen_at: now,
        resolved_by: None,
        resolved_at: None,
        note: None,
        cleared_because: None,
        changes: Vec::new(),
    };
    StoredAlert { alert, compared: hit.found.compared.clone(), decision_before: None }
}

/// Returns the names of the compared fields that changed. Returns `returned` if none has changed:
/// the alert was cleared and the same match is back.
fn differences(alert: &StoredAlert, hit: &Hit<'_>) -> Vec<String> {
    let changed =
        |(field, hash): &(&ComparedField, &String)| alert.compared.get(*field) != Some(*hash);
    let fields: Vec<String> = hit
        .found
        .compared
        .iter()
        .filter(changed)
        .map(|(field, _)| field.as_ref().to_owned())
        .collect();
    if fields.is_empty() { vec!["returned".to_owned()] } else { fields }
}

/// Returns the reason why an alert has no match any more.
fn why_unmatched(
    alert: &StoredAlert,
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

fn cleared(alert: &StoredAlert, because: ClearedBecause, now: Timestamp) -> StoredAlert {
    let mut cleared = alert.clone();
    cleared.decision_before = Some(PastDecision {
        status: alert.status,
        resolved_by: alert.resolved_by.clone(),
        resolved_at: alert.resolved_at,
    });
    cleared.version += 1;
    cleared.status = AlertStatus::Cleared;
    cleared.resolved_by = Some("system".to_owned());
    cleared.resolved_at = Some(now);
    cleared.cleared_because = Some(because);
    cleared
}

/// Returns the explanation of a score as an alert shows it.
#[expect(clippy::expect_used, reason = "an explanation always serializes")]
fn features(entry: &Match) -> Value {
    let explanation = serde_json::to_value(&entry.explanation)
        .expect("an explanation serializes because its map keys are strings");
    four_decimals(explanation)
}

/// Rounds every fraction to four decimals. Further digits are rounding errors.
fn four_decimals(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| !number.is_u64()) {
            Some(float) => json!((float * 10_000.0).round() / 10_000.0),
            None => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(four_decimals).collect(),
        Value::Object(fields) => {
            let rounded = fields.into_iter().map(|(name, value)| (name, four_decimals(value)));
            Value::Object(rounded.collect::<Map<_, _>>())
        }
        other => other,
    }
}
