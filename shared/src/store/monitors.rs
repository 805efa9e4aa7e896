//! Monitors and alerts: beside their customer, and changed with it in one transaction.
//!
//! Whoever writes a monitor reads the current revision of the lists before and after. If it moved
//! in between, the customer is checked again; if the process dies there, the pass over the newer
//! revision sees the monitor, as it begins only after every function that could still write with
//! the older one has ended.

use std::sync::Arc;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::TenantTable;
use super::call::{Outcome, Rule, Write};
use super::change::{Change, Race};
use super::cursor::Scope;
use super::customers::{IS_NEW, IS_THERE};
use super::expression::Expression;
use super::idempotency::Replay;
use super::item::{self, Item};
use super::keys;
use super::page::{Page, behind, written};
use super::passes::again_item;
use super::risk::Sources;
use crate::error::{Error, Faults};
use crate::http::{Paging, Response};
use crate::model::alert::{Alert, AlertStatus, Decision};
use crate::model::customer::{Customer, MonitoringStatus, MonitoringSummary, Status};
use crate::model::event::EventKind;
use crate::model::id::{AlertId, CustomerId};
use crate::model::monitor::{ListResult, Monitor, MonitorState, Settings, Started};
use crate::model::organization::Organization;
use crate::model::risk::Trigger;
use crate::model::time::Timestamp;
use crate::monitoring::check::{Watched, outcome};
use crate::monitoring::lists::Loaded;
use crate::monitoring::subject::{Subject, subjects};

/// Far more than the subjects of the largest organization have.
const MAX_WATCHED_BYTES: usize = 8 * 1024 * 1024;
/// Of all subjects of a customer: nobody could look at more, and its monitor is one item.
const MAX_MATCHES: u32 = 2_000;
/// Holds for every item, there or not.
const ALWAYS: &str = "attribute_exists(pk) OR attribute_not_exists(pk)";
/// Of miniz, 0 to 10.
const COMPRESSION_LEVEL: u8 = 6;

/// What a change writes of a customer's monitor and alerts.
pub(super) struct Watch {
    pub(super) monitor: Option<(bool, Monitor, Watched)>,
    /// Each with the status it had; `None` where it is new.
    pub(super) alerts: Vec<(Option<AlertStatus>, Alert)>,
}

impl Watch {
    /// For the event. Names of subjects and entries stay out: the alert has them.
    pub(super) fn changes(&self) -> Map<String, Value> {
        let of = |(from, alert): &(Option<AlertStatus>, Alert)| {
            json!({
                "alert_id": alert.alert_id,
                "subject": { "kind": alert.subject.kind, "party_id": alert.subject.party_id },
                "list": alert.list,
                "list_version": alert.list_version,
                "entity_id": alert.entity_id,
                "entity_type": alert.entity_type,
                "score": alert.score,
                "status": { "from": from, "to": alert.status },
                "cleared_because": alert.cleared_because,
                "changes": alert.changes,
            })
        };
        let alerts: Vec<Value> = self.alerts.iter().map(of).collect();
        let alerts = (!alerts.is_empty()).then(|| ("alerts".to_owned(), Value::Array(alerts)));
        alerts.into_iter().collect()
    }
}

/// A check of a customer at its next version.
struct Checked {
    watch: Watch,
    sources: Sources,
    /// New, or open again.
    raised: u32,
    /// Alerts, when all of it is written.
    open: u32,
    complete: bool,
    results: Vec<ListResult>,
    /// Whether there is anything to write at all.
    is_news: bool,
}

/// What became of a check that a pass asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rechecked {
    pub raised: u32,
    pub cleared: u32,
    pub written: bool,
}

impl TenantTable<'_> {
    /// Starts monitoring, or changes it, and checks at once. `answer` is told whether it is new.
    pub async fn start_monitor(
        &self,
        id: &CustomerId,
        settings: &Settings,
        now: Timestamp,
        replay: Option<Replay>,
        answer: impl Fn(&Started, bool) -> Result<Response, Error>,
    ) -> Result<Response, Error> {
        let mut race = Race::start();
        loop {
            let lists = self.table.lists().await?;
            let customer = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
            customer.takes_sessions()?;
            check_lists(settings, &lists)?;
            let (before, sources) = try_join(self.monitor(id), self.sources(id)).await?;
            let before = before.map(|(monitor, _)| monitor);
            let was_active = before.as_ref().filter(|monitor| monitor.is_active(now));
            let mut after = customer.next_version(now);
            let monitor = Monitor {
                customer_id: *id,
                status: MonitoringStatus::Active,
                settings: settings.clone(),
                subjects: 0,
                started_at: was_active.map_or(after.updated_at, |monitor| monitor.started_at),
                last_checked_at: after.updated_at,
                list_revision: 0,
                list_versions: Default::default(),
                shard: self.shard(id),
            };
            let is_new = was_active.is_none();
            let monitor = (before.is_some(), monitor);
            let checked = self.check(&mut after, monitor, sources, None, &lists, "/min_score")?;
            let Checked { watch, sources, raised, open, complete, results, .. } = checked;
            let state = match &watch.monitor {
                Some((_, monitor, _)) => MonitorState::of(monitor, None, open, now),
                None => return Err(Error::internal("a monitor was started and is not there")),
            };
            let started = Started {
                subjects_checked: state.subjects,
                matches: results.iter().map(|result| result.matches).sum(),
                new_matches: raised,
                results_by_list: results,
                state,
            };
            let kind = if is_new { EventKind::MonitorStarted } else { EventKind::MonitorChanged };
            let profile = self.reassess(&mut after, &sources, &watch);
            let change =
                Change { watch: Some(watch), profile, ..Change::new(kind, &customer, after) };
            let mut writes = self.writes_of(&change)?;
            let response = answer(&started, is_new)?;
            self.keep_answer(replay.as_ref(), &response, &mut writes)?;
            let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
                self.check_again(id, complete.then_some(&*lists)).await?;
                return Ok(response);
            };
            if refused.take(Rule::Answer).is_some() {
                return Err(Error::request_in_progress());
            }
            refused.overtaken()?;
            race.lost().await?;
        }
    }

    /// Stops monitoring. Its alerts stay as they are.
    pub async fn stop_monitor(
        &self,
        id: &CustomerId,
        now: Timestamp,
    ) -> Result<MonitorState, Error> {
        let mut race = Race::start();
        loop {
            let customer = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
            let (monitor, watched) = self.monitor(id).await?.ok_or_else(Error::not_monitored)?;
            let open = customer.monitoring.open_alerts;
            if monitor.status == MonitoringStatus::Off {
                return Ok(MonitorState::of(&monitor, None, open, now));
            }
            let mut after = customer.next_version(now);
            let stopped = turned(&mut after, monitor, MonitoringStatus::Off);
            let state = MonitorState::of(&stopped, None, open, now);
            let watch = Watch { monitor: Some((true, stopped, watched)), alerts: Vec::new() };
            let change = Change::new(EventKind::MonitorStopped, &customer, after);
            let change = Change { watch: Some(watch), ..change };
            let Outcome::Refused(mut refused) = self.transact(&self.writes_of(&change)?).await?
            else {
                return Ok(state);
            };
            refused.overtaken()?;
            race.lost().await?;
        }
    }

    /// The monitor as it stands, with the last pass over it.
    pub async fn monitor_state(
        &self,
        id: &CustomerId,
        now: Timestamp,
    ) -> Result<MonitorState, Error> {
        let (customer, monitor) = try_join(self.customer(id), self.monitor(id)).await?;
        let customer = customer.ok_or_else(Error::customer_not_found)?;
        let (monitor, _) = monitor.ok_or_else(Error::not_monitored)?;
        let last_pass = match monitor.status {
            MonitoringStatus::Active => {
                self.table.last_pass(&monitor, &self.keys.monitored_customer(id)).await?
            }
            MonitoringStatus::Paused | MonitoringStatus::Off => None,
        };
        Ok(MonitorState::of(&monitor, last_pass, customer.monitoring.open_alerts, now))
    }

    /// Checks a monitored customer against the current lists and writes what is news, if there is
    /// any. Doing it twice changes nothing.
    pub async fn recheck(&self, id: &CustomerId) -> Result<Rechecked, Error> {
        let mut done = Rechecked::default();
        let mut race = Race::start();
        loop {
            let lists = self.table.lists().await?;
            let now = self.table.clock.now();
            // First the customer: what is read behind it belongs to its version, or is refused.
            let Some(customer) = self.customer(id).await? else { return Ok(done) };
            let Some((monitor, watched)) = self.monitor(id).await? else { return Ok(done) };
            if monitor.status != MonitoringStatus::Active {
                return Ok(done);
            }
            let mut after = customer.next_version(now);
            let (mut raised, mut cleared) = (0, 0);
            let (change, is_complete) = if monitor.settings.has_expired(now) {
                let stopped = turned(&mut after, monitor, MonitoringStatus::Off);
                let watch = Watch { monitor: Some((true, stopped, watched)), alerts: Vec::new() };
                let change = Change::new(EventKind::MonitorStopped, &customer, after);
                (Change { watch: Some(watch), ..change }, true)
            } else {
                let sources = self.sources(id).await?;
                let checked =
                    self.check(&mut after, (true, monitor), sources, Some(&watched), &lists, "")?;
                if !checked.is_news {
                    return Ok(done);
                }
                let Checked { watch, sources, complete, .. } = checked;
                let moved = |to: AlertStatus| {
                    let is_moved = |(from, alert): &&(Option<AlertStatus>, Alert)| {
                        alert.status == to && *from != Some(to)
                    };
                    let moved = watch.alerts.iter().filter(is_moved).count();
                    u32::try_from(moved).unwrap_or(u32::MAX)
                };
                (raised, cleared) = (moved(AlertStatus::Open), moved(AlertStatus::Cleared));
                let profile = self.reassess(&mut after, &sources, &watch);
                let change = Change::new(EventKind::MonitorChecked, &customer, after);
                (Change { watch: Some(watch), profile, ..change }, complete)
            };
            match self.transact(&self.writes_of(&change)?).await? {
                Outcome::Done => {
                    done.written = true;
                    done.raised += raised;
                    done.cleared += cleared;
                    if is_complete
                        && self.table.revision().await?.revision == lists.revision.revision
                    {
                        return Ok(done);
                    }
                }
                Outcome::Refused(mut refused) => {
                    refused.overtaken()?;
                    race.lost().await?;
                }
            }
        }
    }

    /// After a change that was checked against `lists`: once more if they moved meanwhile, or if
    /// not everything found its place in one transaction.
    pub(super) async fn check_again(
        &self,
        id: &CustomerId,
        lists: Option<&Loaded>,
    ) -> Result<(), Error> {
        let current = self.table.revision().await?.revision;
        if lists.is_none_or(|lists| lists.revision.revision != current) {
            self.recheck(id).await?;
        }
        Ok(())
    }

    /// What a change of the customer means for its monitor. The lists are those it was checked
    /// against, where it had to be.
    pub(super) async fn watch_change(
        &self,
        before: &Customer,
        after: &mut Customer,
        organization: Option<&Organization>,
        sources: &mut Option<Sources>,
    ) -> Result<Option<(Watch, Option<CheckedAgainst>)>, Error> {
        let status = before.monitoring.status;
        let screened =
            Subject::of_customer(&before.profile) != Subject::of_customer(&after.profile);
        let to = match after.status {
            _ if status == MonitoringStatus::Off => return Ok(None),
            Status::Inactive => MonitoringStatus::Off,
            Status::Blocked => MonitoringStatus::Paused,
            Status::Active => MonitoringStatus::Active,
        };
        let checks =
            to == MonitoringStatus::Active && (status != to || screened || organization.is_some());
        if !checks && status == to {
            return Ok(None);
        }
        let id = after.customer_id;
        let Some((monitor, watched)) = self.monitor(&id).await? else {
            return Ok(None);
        };
        if !checks {
            let monitor = turned(after, monitor, to);
            let watch = Watch { monitor: Some((true, monitor, watched)), alerts: Vec::new() };
            return Ok(Some((watch, None)));
        }
        let lists = self.table.lists().await?;
        let known = match sources.take() {
            Some(sources) => sources,
            None => self.sources(&id).await?,
        };
        let known = match organization {
            Some(organization) => known.with_organization(organization),
            None => known,
        };
        let was_active = (monitor.status == MonitoringStatus::Active).then_some(&watched);
        let monitor = Monitor { status: MonitoringStatus::Active, ..monitor };
        let checked = self.check(after, (true, monitor), known, was_active, &lists, "")?;
        let Checked { watch, sources: checked_sources, complete, is_news, .. } = checked;
        *sources = Some(checked_sources);
        if !is_news {
            after.monitoring = before.monitoring.clone();
            return Ok(None);
        }
        Ok(Some((watch, Some(CheckedAgainst { lists, complete }))))
    }

    /// Screens the customer's subjects and works out what that changes. `known` is what the
    /// monitor had kept, where that still counts; `field` what a fault names.
    fn check(
        &self,
        after: &mut Customer,
        (exists, monitor): (bool, Monitor),
        sources: Sources,
        known: Option<&Watched>,
        lists: &Loaded,
        field: &str,
    ) -> Result<Checked, Error> {
        let now = after.updated_at;
        let settings = monitor.settings.clone();
        let who = subjects(after, sources.organization.as_ref(), settings.include_related);
        let count = u32::try_from(who.len()).unwrap_or(u32::MAX);
        let id = after.customer_id;
        let found = outcome(&id, who, &settings, &sources.alerts, lists, now);
        let matches: u32 = found.matches.values().sum();
        if matches > MAX_MATCHES {
            let mut faults = Faults::default();
            faults.add(
                field,
                format!(
                    "gives the customer's monitor {matches} matches, and {MAX_MATCHES} are the \
                     most: raise its min_score, or stop it first"
                ),
            );
            return Err(faults.into());
        }
        let selected = lists.revision.lists.iter().filter(|(name, _)| settings.selects(name));
        let results = selected.map(|(name, list)| ListResult {
            list: name.clone(),
            version: list.version.clone(),
            date: list.date.clone(),
            matches: found.matches.get(name).copied().unwrap_or(0),
            refreshed_at: list.checked_at,
            stale: self.table.is_stale(list, now),
        });
        let results: Vec<ListResult> = results.collect();
        let was_complete = monitor.list_revision != 0;
        let is_news = !found.changed.is_empty()
            || !found.complete
            || !was_complete
            || known != Some(&found.watched);
        let status_of = |id: &AlertId| {
            sources.alerts.iter().find(|alert| alert.alert_id == *id).map(|alert| alert.status)
        };
        let alerts: Vec<(Option<AlertStatus>, Alert)> =
            found.changed.iter().map(|alert| (status_of(&alert.alert_id), alert.clone())).collect();
        let sources = sources.with_alerts(&found.changed);
        let monitor = Monitor {
            subjects: count,
            last_checked_at: now,
            list_revision: if found.complete { lists.revision.revision } else { 0 },
            list_versions: results.iter().map(|r| (r.list.clone(), r.version.clone())).collect(),
            ..monitor
        };
        after.monitoring = MonitoringSummary {
            status: MonitoringStatus::Active,
            lists: results.iter().map(|result| result.list.clone()).collect(),
            check_frequency: Some(settings.check_frequency.into_str().to_owned()),
            last_checked_at: Some(now),
            open_alerts: open_alerts(&sources.alerts),
        };
        after.monitored_until = settings.expires_at;
        Ok(Checked {
            watch: Watch { monitor: Some((exists, monitor, found.watched)), alerts },
            sources,
            raised: found.raised,
            open: found.open,
            complete: found.complete,
            results,
            is_news,
        })
    }

    /// The risk profile, where alerts changed that it looks at.
    fn reassess(
        &self,
        after: &mut Customer,
        sources: &Sources,
        watch: &Watch,
    ) -> Option<crate::model::risk::RiskProfile> {
        let counts =
            |status: AlertStatus| matches!(status, AlertStatus::Open | AlertStatus::Confirmed);
        let moved = watch.alerts.iter().any(|(from, alert)| {
            *from != Some(alert.status) && (counts(alert.status) || from.is_some_and(counts))
        });
        moved.then(|| self.assess(after, sources, Trigger::Monitoring))
    }

    /// Decides about an alert: who, when and why are kept with it.
    pub async fn decide_alert(
        &self,
        id: &CustomerId,
        alert_id: &AlertId,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Alert, Error> {
        let mut race = Race::start();
        loop {
            let customer = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
            let sources = self.sources(id).await?;
            let before = sources.alerts.iter().find(|alert| alert.alert_id == *alert_id);
            let before = before.ok_or_else(Error::alert_not_found)?.clone();
            let mut after = customer.next_version(now);
            let actor = &self.caller.origin().actor;
            let decided = before.decided(decision, actor, after.updated_at)?;
            if decided == before {
                return Ok(before);
            }
            let sources = sources.with_alerts(std::slice::from_ref(&decided));
            after.monitoring.open_alerts = open_alerts(&sources.alerts);
            let alerts = vec![(Some(before.status), decided.clone())];
            let watch = Watch { monitor: None, alerts };
            let profile = self.reassess(&mut after, &sources, &watch);
            let change = Change::new(EventKind::AlertDecided, &customer, after);
            let change = Change { watch: Some(watch), profile, ..change };
            let Outcome::Refused(mut refused) = self.transact(&self.writes_of(&change)?).await?
            else {
                return Ok(decided);
            };
            refused.overtaken()?;
            race.lost().await?;
        }
    }

    /// The alerts of a customer, in the order of their ids.
    pub async fn alerts(
        &self,
        customer: &CustomerId,
        status: Option<AlertStatus>,
        paging: &Paging,
    ) -> Result<Page<Box<RawValue>>, Error> {
        let scope = Scope::new(self.caller, "alerts", &(customer, status, paging.order))?;
        let position = paging.cursor.as_ref().map(|cursor| scope.open(cursor)).transpose()?;
        let after = position.map(|id| AlertId::parse(&id).ok_or_else(Error::invalid_cursor));
        let after = after.transpose()?;
        let start = after.map(|id| self.keys.alert(customer, &id));
        let (partition, prefix) = self.keys.alerts(customer);
        let filter = |e: &mut Expression| {
            status.map(|status| format!("{} = {}", e.name("status"), e.text(status.into_str())))
        };
        let listing = self.listing((partition, prefix), start, filter, paging.order, scope);
        let row = |item| written(&item::model::<Alert>(item)?);
        let position_of = |item: &Item| behind(prefix, item);
        let page = listing.page(paging.limit, row, position_of).await?;
        // Only an empty list may be that of nobody.
        if page.count == 0 && self.customer(customer).await?.is_none() {
            return Err(Error::customer_not_found());
        }
        Ok(page)
    }

    pub(super) async fn monitor(
        &self,
        id: &CustomerId,
    ) -> Result<Option<(Monitor, Watched)>, Error> {
        let item = self.get(self.keys.monitor(id).attributes()).await?;
        item.map(|item| Ok((item::model(item.clone())?, watched(&item)?))).transpose()
    }

    pub(super) fn watch_writes(
        &self,
        after: &Customer,
        watch: &Watch,
    ) -> Result<Vec<Write>, Error> {
        let id = &after.customer_id;
        let mut writes = Vec::new();
        if let Some((exists, monitor, watched)) = &watch.monitor {
            let item = self.monitor_item(monitor, watched)?;
            let condition = if *exists { IS_THERE } else { IS_NEW };
            writes.push(self.put(Rule::Monitor, self.keys.monitor(id), item, condition)?);
            if monitor.status == MonitoringStatus::Active && monitor.list_revision == 0 {
                // Should nobody live to write the rest.
                writes.push(self.ask_again(monitor.shard, id, after.updated_at)?);
            }
        }
        for (before, alert) in &watch.alerts {
            let condition = if before.is_some() { IS_THERE } else { IS_NEW };
            let key = self.keys.alert(id, &alert.alert_id);
            writes.push(self.put(Rule::Alert, key, alert_item(alert)?, condition)?);
        }
        Ok(writes)
    }

    fn ask_again(&self, shard: u32, id: &CustomerId, now: Timestamp) -> Result<Write, Error> {
        let customer = self.keys.monitored_customer(id);
        let item = again_item(shard, &customer, now);
        self.put(Rule::Monitor, keys::again(shard, &customer), item, ALWAYS)
    }

    fn monitor_item(&self, monitor: &Monitor, watched: &Watched) -> Result<Item, Error> {
        let mut item = item::typed("monitor", monitor)?;
        let json = serde_json::to_vec(watched)
            .map_err(|error| Error::internal(format!("subjects: {error}")))?;
        let deflated = Blob::new(compress_to_vec(&json, COMPRESSION_LEVEL));
        item.insert("watched".to_owned(), AttributeValue::B(deflated));
        if monitor.status == MonitoringStatus::Active {
            let partition = keys::monitored(monitor.settings.check_frequency, monitor.shard);
            let customer = self.keys.monitored_customer(&monitor.customer_id);
            item.insert("monitored_pk".to_owned(), AttributeValue::S(partition));
            item.insert("monitored_sk".to_owned(), AttributeValue::S(customer));
        }
        Ok(item)
    }

    /// Which part of the monitored customers this one belongs to.
    fn shard(&self, id: &CustomerId) -> u32 {
        let digest = Sha256::digest(self.keys.monitored_customer(id));
        let number = digest.first_chunk().copied().map_or(0, u32::from_le_bytes);
        number % self.table.watching.shards.max(1)
    }
}

/// The lists a change was checked against.
pub(super) struct CheckedAgainst {
    lists: Arc<Loaded>,
    complete: bool,
}

impl CheckedAgainst {
    /// `None` where more than one transaction is needed.
    pub(super) fn lists(&self) -> Option<&Loaded> {
        self.complete.then_some(&*self.lists)
    }
}

/// What a pass reads of a monitor.
pub(super) fn watched(item: &Item) -> Result<Watched, Error> {
    let unreadable = || Error::internal("a monitor's subjects do not read");
    let deflated = item.get("watched").and_then(|value| value.as_b().ok());
    let deflated = deflated.ok_or_else(unreadable)?;
    let json = decompress_to_vec_with_limit(deflated.as_ref(), MAX_WATCHED_BYTES);
    // The parser's message may quote a name.
    let watched = json.ok().and_then(|json| serde_json::from_slice(&json).ok());
    watched.ok_or_else(unreadable)
}

/// With what the API does not show.
pub(super) fn alert_item(alert: &Alert) -> Result<Item, Error> {
    let mut item = item::typed("alert", alert)?;
    item.insert("compared".to_owned(), AttributeValue::M(item::attributes(&alert.compared)?));
    if let Some(decision) = &alert.decision_before {
        let decision = item::attributes(decision)?;
        item.insert("decision_before".to_owned(), AttributeValue::M(decision));
    }
    Ok(item)
}

fn turned(after: &mut Customer, monitor: Monitor, status: MonitoringStatus) -> Monitor {
    after.monitoring.status = status;
    if status == MonitoringStatus::Off {
        after.monitored_until = None;
    }
    Monitor { status, ..monitor }
}

fn open_alerts(alerts: &[Alert]) -> u32 {
    let open = alerts.iter().filter(|alert| alert.status == AlertStatus::Open).count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

fn check_lists(settings: &Settings, lists: &Loaded) -> Result<(), Error> {
    let mut faults = Faults::default();
    let loaded: Vec<&str> = lists.revision.lists.keys().map(String::as_str).collect();
    for (i, list) in settings.lists.iter().flatten().enumerate() {
        if !loaded.contains(&list.as_str()) {
            let issue = format!("is not a loaded list: these are {}", loaded.join(", "));
            faults.add(format!("/lists/{i}"), issue);
        }
    }
    if settings.lists.as_ref().is_some_and(Vec::is_empty) {
        faults.add("/lists", "must name a list; leave it out for all of them");
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}
