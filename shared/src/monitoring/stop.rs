//! Stops monitors.

use super::effect::turned;
use crate::error::Error;
use crate::model::customer::{MonitoringStatus, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::monitor::{Monitor, MonitorState};
use crate::model::screened::Screened;
use crate::model::time::Timestamp;
use crate::store::{Attempts, Change, MonitorChange, TenantTable};

/// Stops monitoring. The alerts stay as they are. Stopping a stopped monitor changes nothing.
///
/// # Errors
/// `CustomerNotFound`, `NotMonitored`, `CustomerErased`, `StoreUnavailable`.
pub async fn stop(
    table: &TenantTable<'_>,
    id: &CustomerId,
    now: Timestamp,
) -> Result<MonitorState, Error> {
    let mut attempts = Attempts::new();
    loop {
        let customer = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let (monitor, screened) = table.monitor(id).await?.ok_or_else(Error::not_monitored)?;
        let open = customer.monitoring.open_alerts;
        if monitor.status == MonitoringStatus::Off {
            return Ok(MonitorState::of(&monitor, None, open, now));
        }
        let change = plan_stop(customer, &monitor, &screened, now);
        if table.commit(&change, &mut attempts).await? {
            let stopped = Monitor { status: MonitoringStatus::Off, ..monitor };
            return Ok(MonitorState::of(&stopped, None, open, now));
        }
    }
}

/// Plans the end of a monitor, on request or at its `expires_at`.
pub fn plan_stop(
    customer: StoredCustomer,
    monitor: &Monitor,
    screened: &Screened,
    now: Timestamp,
) -> Change {
    let mut after = customer.next_version(now);
    let monitor: MonitorChange = turned(&mut after, monitor, screened, MonitoringStatus::Off);
    Change { monitor: Some(monitor), ..Change::new(EventKind::MonitorStopped, customer, after) }
}
