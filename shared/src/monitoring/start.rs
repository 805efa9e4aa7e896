//! Starts and changes monitors.

use std::time::Duration;

use futures_util::future::try_join;
use sha2::{Digest, Sha256};

use super::check::{Checked, plan_check, plan_reassessment};
use super::screenings::Screenings;
use super::watchlists::Loaded;
use super::{FollowUp, Monitoring};
use crate::error::{Error, Faults};
use crate::model::answer::Answer;
use crate::model::customer::{MonitoringStatus, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::monitor::{ListResult, Monitor, MonitorState, Settings, Started};
use crate::model::rescreen::position;
use crate::model::time::Timestamp;
use crate::model::value::TenantId;
use crate::model::watchlist::ListVersion;
use crate::risk_profiles::Sources;
use crate::store::Attempts;
use crate::store::{Change, MonitorChange, Replay, StoredAnswer, TenantTable};

/// A planned start or change of a monitor.
pub struct StartPlan {
    /// The change to commit.
    pub change: Change,
    /// The state of the monitor and the result of the check, as the API returns them.
    pub started: Started,
    /// Whether the customer was not monitored before: the monitor did not exist, or was off, paused
    /// or expired.
    pub is_new: bool,
    /// The follow-up after the commit.
    pub follow_up: FollowUp,
}

/// The state that a start is planned from.
pub struct StartState<'a> {
    /// The customer.
    pub customer: StoredCustomer,
    /// The customer's monitor, if there ever was one.
    pub monitor: Option<Monitor>,
    /// The sources of the customer's risk profile.
    pub sources: Sources,
    /// The current lists.
    pub lists: &'a Loaded,
    /// Number of shards that monitored customers are divided into.
    pub shards: u32,
    /// Age above which a list is stale.
    pub max_list_age: Duration,
}

/// Starts or changes monitoring and screens the customer at once. `answer` builds the answer to the
/// request from the result and from [`StartPlan::is_new`]. `check_version` checks the request's
/// precondition against the version of the monitor, which is `None` if there is no monitor.
///
/// # Errors
/// `CustomerNotFound`, `CustomerErased`, `CustomerBlocked`, `CustomerInactive`, `ValidationError`
/// (unknown list, too many matches), the error of `check_version`, `RequestInProgress`,
/// `ScreeningTimeout`, `StoreUnavailable`, `ListsUnavailable` when there is no list or a list
/// cannot be read.
pub async fn start(
    monitoring: &Monitoring,
    table: &TenantTable<'_>,
    id: &CustomerId,
    settings: &Settings,
    check_version: impl Fn(Option<u64>) -> Result<(), Error>,
    replay: Option<Replay>,
    answer: impl Fn(&Started, bool) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let mut attempts = Attempts::new();
    let mut screenings = Screenings::of_request(&monitoring.clock);
    loop {
        let lists = monitoring.current_lists().await?;
        let customer = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        check_start(&customer, settings, &lists)?;
        let (monitor, sources) = try_join(table.monitor(id), Sources::load(table, id)).await?;
        let monitor = monitor.map(|(monitor, _)| monitor);
        check_version(monitor.as_ref().map(|monitor| monitor.version))?;
        let state = StartState {
            customer,
            monitor,
            sources,
            lists: &lists,
            shards: monitoring.shards,
            max_list_age: monitoring.max_list_age,
        };
        let mut plan = plan_start(state, settings, monitoring.clock.now(), &mut screenings)?;
        let answer = answer(&plan.started, plan.is_new)?;
        plan.change.answer = StoredAnswer::of(replay.as_ref(), &answer);
        if table.commit(&plan.change, &mut attempts).await? {
            monitoring.follow_up(table, id, plan.follow_up, Some(lists), &mut screenings).await?;
            return Ok(answer);
        }
    }
}

/// Checks that a customer can be monitored with these settings.
///
/// # Errors
/// `CustomerErased`, `CustomerBlocked`, `CustomerInactive`, or `ValidationError` when a list is not
/// loaded or the selection of lists is empty.
pub(super) fn check_start(
    customer: &StoredCustomer,
    settings: &Settings,
    lists: &Loaded,
) -> Result<(), Error> {
    customer.takes_sessions()?;
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

/// Plans the start or change of a monitor and its check, with a new risk profile if the check
/// requires one.
///
/// # Errors
/// `ValidationError` when there are too many matches, `ScreeningTimeout`.
pub fn plan_start(
    state: StartState<'_>,
    settings: &Settings,
    now: Timestamp,
    screenings: &mut Screenings,
) -> Result<StartPlan, Error> {
    let StartState { customer, monitor: before, sources, lists, shards, max_list_age } = state;
    let active_since =
        before.as_ref().filter(|monitor| monitor.is_active(now)).map(|monitor| monitor.started_at);
    let mut after = customer.next_version(now);
    let monitor = Monitor {
        customer_id: customer.customer_id,
        status: MonitoringStatus::Active,
        version: before.as_ref().map_or(0, |monitor| monitor.version),
        settings: settings.clone(),
        subjects: 0,
        started_at: active_since.unwrap_or(after.updated_at),
        last_checked_at: after.updated_at,
        list_revision: 0,
        list_versions: Default::default(),
        shard: shard_of(&customer.tenant_id, &customer.customer_id, shards),
    };
    let checked = plan_check(&mut after, monitor, sources, None, lists, "/min_score", screenings)?;
    let Checked { monitor, alerts, sources, raised, open, is_complete, matches, .. } = checked;
    let (monitor, screened) = monitor;
    let state = MonitorState::of(&monitor, None, open, now);
    let result = |(name, list): (&String, &ListVersion)| ListResult {
        list: name.clone(),
        version: list.version.clone(),
        date: list.date.clone(),
        matches: matches.get(name).copied().unwrap_or(0),
        refreshed_at: list.checked_at,
        stale: is_stale(list, max_list_age, after.updated_at),
    };
    let selected = lists.revision.lists.iter().filter(|(name, _)| settings.selects(name));
    let started = Started {
        subjects_checked: state.subjects,
        matches: matches.values().sum(),
        new_matches: raised,
        results_by_list: selected.map(result).collect(),
        state,
    };
    let is_new = active_since.is_none();
    let kind = if is_new { EventKind::MonitorStarted } else { EventKind::MonitorChanged };
    let profile = plan_reassessment(&mut after, &sources, &alerts);
    let change = Change {
        monitor: Some(MonitorChange::Put { is_new: before.is_none(), monitor, screened }),
        alerts,
        profile,
        ..Change::new(kind, customer, after)
    };
    Ok(StartPlan { change, started, is_new, follow_up: FollowUp::of_check(is_complete) })
}

/// Returns whether the source of a list was last read more than `max_age` ago.
fn is_stale(list: &ListVersion, max_age: Duration, now: Timestamp) -> bool {
    let age = now.millis().saturating_sub(list.checked_at.millis());
    u128::from(age.max(0).unsigned_abs()) > max_age.as_millis()
}

/// Returns the shard of a customer. The shard is derived from a hash, so that all shards have about
/// the same size.
#[expect(clippy::expect_used, reason = "the length of a digest is fixed")]
fn shard_of(tenant: &TenantId, id: &CustomerId, shards: u32) -> u32 {
    let digest = Sha256::digest(position(tenant, id));
    let first = digest.first_chunk().expect("SHA-256 has 4 bytes because it has 32");
    u32::from_le_bytes(*first) % shards.max(1)
}
