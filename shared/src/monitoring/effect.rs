//! The effect that a change of a customer or its organization has on the customer's monitor.

use std::sync::Arc;

use super::Monitoring;
use super::check::{Checked, plan_check};
use super::screenings::Screenings;
use super::watchlists::Loaded;
use crate::error::Error;
use crate::model::customer::{Customer, MonitoringStatus, Status, StoredCustomer};
use crate::model::monitor::Monitor;
use crate::model::screened::{Screened, Subject};
use crate::risk_profiles::Sources;
use crate::store::{AlertChange, MonitorChange, TenantTable};

/// A monitor that a change affects, with the action that the change requires.
pub struct Affected {
    action: Action,
    monitor: Monitor,
    screened: Screened,
    /// The lists to check against; `None` when the monitor does not need a check.
    lists: Option<Arc<Loaded>>,
}

impl Affected {
    /// Builds an affected monitor from its parts. Returns `None` when the change does not concern
    /// the monitor.
    #[cfg(test)]
    pub(crate) fn of(
        before: &StoredCustomer,
        after: &StoredCustomer,
        organization_replaced: bool,
        monitor: Monitor,
        screened: Screened,
        lists: Arc<Loaded>,
    ) -> Option<Affected> {
        let action = Action::of(before, after, organization_replaced)?;
        let lists = (action == Action::Check).then_some(lists);
        Some(Affected { action, monitor, screened, lists })
    }

    /// Returns the lists to check the monitor against. Returns `None` when the monitor does not
    /// need a check.
    pub fn into_lists(self) -> Option<Arc<Loaded>> {
        self.lists
    }
}

/// The action on a monitor that a change requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// Only the status of the monitor changes.
    Turn(MonitoringStatus),
    /// The monitor is or becomes active, and its subjects must be screened.
    Check,
}

impl Action {
    /// Determines the action from the customer before and after the change. Returns `None` when
    /// monitoring is off or the change does not concern the monitor.
    fn of(before: &Customer, after: &Customer, organization_replaced: bool) -> Option<Action> {
        let from = before.monitoring.status;
        if from == MonitoringStatus::Off {
            return None;
        }
        let to = match after.status {
            Status::Inactive => MonitoringStatus::Off,
            Status::Blocked => MonitoringStatus::Paused,
            Status::Active => MonitoringStatus::Active,
        };
        let subject_changed =
            Subject::of_customer(&before.profile) != Subject::of_customer(&after.profile);
        if to == MonitoringStatus::Active
            && (from != to || subject_changed || organization_replaced)
        {
            return Some(Action::Check);
        }
        (from != to).then_some(Action::Turn(to))
    }
}

/// Returns whether the affected monitor must be checked. If so, the caller must load the sources of
/// the risk profile.
pub fn needs_check(affected: Option<&Affected>) -> bool {
    affected.is_some_and(|affected| affected.action == Action::Check)
}

impl Monitoring {
    /// Loads the monitor that a change affects, and the current lists if the monitor must be
    /// checked. Returns `None` when the change does not concern a monitor.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `ListsUnavailable` when there is no list or a list cannot be read.
    pub async fn load_affected(
        &self,
        table: &TenantTable<'_>,
        before: &StoredCustomer,
        after: &StoredCustomer,
        organization_replaced: bool,
    ) -> Result<Option<Affected>, Error> {
        let Some(action) = Action::of(before, after, organization_replaced) else {
            return Ok(None);
        };
        let Some((monitor, screened)) = table.monitor(&after.customer_id).await? else {
            return Ok(None);
        };
        let lists = match action {
            Action::Check => Some(self.current_lists().await?),
            Action::Turn(_) => None,
        };
        Ok(Some(Affected { action, monitor, screened, lists }))
    }
}

/// The part of a change that concerns the monitor.
#[derive(Default)]
pub struct Effect {
    /// The monitor after the change, if it changes.
    pub monitor: Option<MonitorChange>,
    /// Alerts that are new or have changed.
    pub alerts: Vec<AlertChange>,
    /// The sources of the risk profile, with the changed alerts.
    pub sources: Option<Sources>,
    /// The follow-up after the commit.
    pub follow_up: FollowUp,
}

/// The follow-up after the commit of a change that may have checked a monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FollowUp {
    /// No follow-up: the monitor was not checked, or the check had no changes to write.
    #[default]
    None,
    /// Check the customer again if the lists have changed since they were loaded.
    RecheckIfListsChanged,
    /// Check the customer again, because the check found more changes than one transaction can
    /// hold.
    Recheck,
}

impl FollowUp {
    /// Returns the follow-up of a check whose result is written.
    pub(super) fn of_check(is_complete: bool) -> FollowUp {
        if is_complete { FollowUp::RecheckIfListsChanged } else { FollowUp::Recheck }
    }
}

/// Plans the effect of a change on a monitor and updates the monitoring summary in `after`. A check
/// requires `sources`, which must contain the new organization if the change replaces it.
///
/// # Errors
/// `ValidationError` when the monitor would get too many matches, `ScreeningTimeout`.
pub fn plan_effect(
    affected: Option<&Affected>,
    before: &StoredCustomer,
    after: &mut StoredCustomer,
    sources: Option<Sources>,
    screenings: &mut Screenings,
) -> Result<Effect, Error> {
    let Some(Affected { action, monitor, screened, lists }) = affected else {
        return Ok(Effect { sources, ..Effect::default() });
    };
    let lists = match (action, lists) {
        (Action::Check, Some(lists)) => lists,
        (Action::Check, None) => return Err(Error::internal("a check has no lists")),
        (Action::Turn(status), _) => {
            let monitor = Some(turned(after, monitor, screened, *status));
            return Ok(Effect { monitor, sources, ..Effect::default() });
        }
    };
    let sources = sources.ok_or_else(|| Error::internal("a check has no sources"))?;
    // The known matches of a paused monitor may be outdated. Without them, the check always counts
    // as news and is written.
    let known = (monitor.status == MonitoringStatus::Active).then_some(screened);
    let active = Monitor { status: MonitoringStatus::Active, ..monitor.clone() };
    let checked = plan_check(after, active, sources, known, lists, "", screenings)?;
    let Checked { monitor, alerts, sources, is_complete, is_news, .. } = checked;
    if !is_news {
        after.monitoring = before.monitoring.clone();
        return Ok(Effect { sources: Some(sources), ..Effect::default() });
    }
    let (monitor, screened) = monitor;
    Ok(Effect {
        monitor: Some(MonitorChange::Put { is_new: false, monitor, screened }),
        alerts,
        sources: Some(sources),
        follow_up: FollowUp::of_check(is_complete),
    })
}

/// Plans the change of a monitor to another status and updates the monitoring summary in `after`.
pub(super) fn turned(
    after: &mut StoredCustomer,
    monitor: &Monitor,
    screened: &Screened,
    status: MonitoringStatus,
) -> MonitorChange {
    after.monitoring.status = status;
    if status == MonitoringStatus::Off {
        after.monitored_until = None;
    }
    let monitor = with_status(monitor, status);
    MonitorChange::Put { is_new: false, monitor, screened: screened.clone() }
}

/// Returns the next version of a monitor, with another status.
pub(super) fn with_status(monitor: &Monitor, status: MonitoringStatus) -> Monitor {
    Monitor { status, version: monitor.version + 1, ..monitor.clone() }
}
