//! Reads the state of a monitor.

use futures_util::future::try_join;

use crate::error::Error;
use crate::model::customer::MonitoringStatus;
use crate::model::id::CustomerId;
use crate::model::monitor::{LastPass, Monitor, MonitorState};
use crate::model::rescreen::Finished;
use crate::model::time::Timestamp;
use crate::store::TenantTable;

/// Returns the state of a monitor. For an active monitor, it includes the last pass that screened
/// the monitor, if a pass has done so since the last check.
///
/// # Errors
/// `CustomerNotFound`, `NotMonitored`, `StoreUnavailable`.
pub async fn state(
    table: &TenantTable<'_>,
    id: &CustomerId,
    now: Timestamp,
) -> Result<MonitorState, Error> {
    let (customer, monitor) = try_join(table.customer(id), table.monitor(id)).await?;
    let customer = customer.ok_or_else(Error::customer_not_found)?;
    let (monitor, _) = monitor.ok_or_else(Error::not_monitored)?;
    let passes = match monitor.status {
        MonitoringStatus::Active => table.finished_passes(&monitor).await?.unwrap_or_default(),
        MonitoringStatus::Paused | MonitoringStatus::Off => Vec::new(),
    };
    let last_pass = last_pass(&monitor, passes);
    Ok(MonitorState::of(&monitor, last_pass, customer.monitoring.open_alerts, now))
}

/// Returns the pass that finished last among the passes that started after the monitor's own last
/// check, or `None` if there is none. A pass that started earlier may not have seen the monitor.
pub(super) fn last_pass(monitor: &Monitor, passes: Vec<Finished>) -> Option<LastPass> {
    let last = passes
        .into_iter()
        .filter(|pass| pass.started_at > monitor.last_checked_at)
        .max_by_key(|pass| pass.finished_at)?;
    Some(LastPass {
        pass_id: last.pass_id,
        frequency: last.pass,
        list_versions: last.list_versions,
        finished_at: last.finished_at,
    })
}
