//! Checks a monitored customer against the current lists again.

use super::Monitoring;
use super::check::{Checked, plan_check, plan_reassessment};
use super::screenings::Screenings;
use super::stop::plan_stop;
use super::watchlists::Loaded;
use crate::error::Error;
use crate::model::alert::AlertStatus;
use crate::model::customer::{MonitoringStatus, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::monitor::Monitor;
use crate::model::screened::Screened;
use crate::model::time::Timestamp;
use crate::risk_profiles::Sources;
use crate::store::{AlertChange, Attempts, Change, MonitorChange, TenantTable};

/// The result of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rechecked {
    /// Number of alerts raised.
    pub raised: u32,
    /// Number of alerts cleared.
    pub cleared: u32,
    /// Whether a change was written, even one that changes no alert.
    pub written: bool,
}

/// A planned check of a monitored customer.
pub struct RecheckPlan {
    /// The change to commit.
    pub change: Change,
    /// Whether the change contains every alert that the check changes. If not, another check must
    /// follow.
    pub is_complete: bool,
}

impl Monitoring {
    /// Checks a monitored customer against the current lists and writes what has changed. Repeats
    /// the check until all changes are written and the lists are still current. Stops a monitor
    /// that has expired, and ignores a customer without an active monitor.
    ///
    /// # Errors
    /// `ValidationError` (too many matches), `ScreeningTimeout`, `StoreUnavailable`,
    /// `ListsUnavailable` when there is no list or a list cannot be read.
    pub async fn recheck(
        &self,
        table: &TenantTable<'_>,
        id: &CustomerId,
        screenings: &mut Screenings,
    ) -> Result<Rechecked, Error> {
        let mut total = Rechecked::default();
        let mut attempts = Attempts::new();
        loop {
            let lists = self.current_lists().await?;
            let now = self.clock.now();
            // Read the customer first. If anything that is read later belongs to another version of
            // the customer, the commit fails.
            let Some(customer) = table.customer(id).await? else { return Ok(total) };
            let Some((monitor, screened)) = table.monitor(id).await? else { return Ok(total) };
            if monitor.status != MonitoringStatus::Active {
                return Ok(total);
            }
            let plan = if monitor.settings.has_expired(now) {
                let change = plan_stop(customer, &monitor, &screened, now);
                Some(RecheckPlan { change, is_complete: true })
            } else {
                let sources = Sources::load(table, id).await?;
                plan_recheck(customer, monitor, &screened, sources, &lists, now, screenings)?
            };
            let Some(RecheckPlan { change, is_complete }) = plan else { return Ok(total) };
            if !table.commit(&change, &mut attempts).await? {
                continue;
            }
            total.written = true;
            total.raised += moved_to(AlertStatus::Open, &change.alerts);
            total.cleared += moved_to(AlertStatus::Cleared, &change.alerts);
            if is_complete && self.table.revision().await?.revision == lists.revision.revision {
                return Ok(total);
            }
        }
    }
}

/// Plans a check of an active monitor that has not expired. Returns `None` when there is no change
/// to write.
///
/// # Errors
/// `ValidationError` when there are too many matches, `ScreeningTimeout`.
pub fn plan_recheck(
    customer: StoredCustomer,
    monitor: Monitor,
    screened: &Screened,
    sources: Sources,
    lists: &Loaded,
    now: Timestamp,
    screenings: &mut Screenings,
) -> Result<Option<RecheckPlan>, Error> {
    let mut after = customer.next_version(now);
    let checked = plan_check(&mut after, monitor, sources, Some(screened), lists, "", screenings)?;
    let Checked { monitor, alerts, sources, is_complete, is_news, .. } = checked;
    if !is_news {
        return Ok(None);
    }
    let (monitor, screened) = monitor;
    let profile = plan_reassessment(&mut after, &sources, &alerts);
    let change = Change {
        monitor: Some(MonitorChange::Put { is_new: false, monitor, screened }),
        alerts,
        profile,
        ..Change::new(EventKind::MonitorChecked, customer, after)
    };
    Ok(Some(RecheckPlan { change, is_complete }))
}

/// Counts the alerts that are created with this status or change to it.
fn moved_to(status: AlertStatus, alerts: &[AlertChange]) -> u32 {
    let moved = alerts
        .iter()
        .filter(|AlertChange { from, alert }| alert.status == status && *from != Some(status))
        .count();
    u32::try_from(moved).unwrap_or(u32::MAX)
}
