//! Stops monitors.

use super::effect::{turned, with_status};
use crate::error::Error;
use crate::model::answer::Answer;
use crate::model::customer::{MonitoringStatus, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::monitor::{Monitor, MonitorState};
use crate::model::screened::Screened;
use crate::model::time::Timestamp;
use crate::store::{Attempts, Change, MonitorChange, Replay, StoredAnswer, TenantTable};

/// Stops monitoring. The alerts stay as they are. Stopping a stopped monitor has no effect.
/// `check_version` checks the request's precondition against the version of the monitor. `answer`
/// builds the answer to the request from the state of the monitor.
///
/// # Errors
/// `CustomerNotFound`, `NotMonitored`, the error of `check_version`, `CustomerErased`,
/// `RequestInProgress`, `StoreUnavailable`.
pub async fn stop(
    table: &TenantTable<'_>,
    id: &CustomerId,
    check_version: impl Fn(u64) -> Result<(), Error>,
    now: Timestamp,
    replay: Option<Replay>,
    answer: impl Fn(&MonitorState) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let mut attempts = Attempts::new();
    loop {
        let customer = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let (monitor, screened) = table.monitor(id).await?.ok_or_else(Error::not_monitored)?;
        check_version(monitor.version)?;
        let open = customer.monitoring.open_alerts;
        if monitor.status == MonitoringStatus::Off {
            let answer = answer(&MonitorState::of(&monitor, None, open, now))?;
            return table.unchanged(replay.as_ref(), answer).await;
        }
        let mut change = plan_stop(customer, &monitor, &screened, now);
        let stopped = with_status(&monitor, MonitoringStatus::Off);
        let answer = answer(&MonitorState::of(&stopped, None, open, now))?;
        change.answer = StoredAnswer::of(replay.as_ref(), &answer);
        if table.commit(&change, &mut attempts).await? {
            return Ok(answer);
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
