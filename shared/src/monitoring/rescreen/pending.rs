//! Runs the requested checks: those of customers whose last check failed or is incomplete.

use std::time::{Duration, Instant};

use serde_json::json;

use super::worker::{ACTOR, MONITOR_FAILED, NOT_CHECKED, is_late, time_left};
use crate::error::{Code, Error};
use crate::model::event::Origin;
use crate::model::scope::TenantScope;
use crate::monitoring::{Monitoring, Screenings};
use crate::store::Recheck;
use crate::telemetry;

/// Time limit of the screening in a requested check. It is far above the time limit in a pass, so
/// that a customer that did not fit into a pass is screened here.
const SCREENING_TIME: Duration = Duration::from_secs(300);

/// Makes the requested checks of a shard until the deadline is near, and returns the number of
/// completed checks. Starts with the oldest of the requests that it reads. A check that fails stays
/// requested and raises an alarm. If the table or the lists are not available, returns the error.
/// The checks run one after another: they are not urgent, and several slow checks at once would
/// keep the table busy.
pub(super) async fn check_pending(
    monitoring: &Monitoring,
    shard: u32,
    deadline: Instant,
) -> Result<u64, Error> {
    let table = &monitoring.table;
    let mut completed = 0;
    let mut pending = table.pending_rechecks(shard).await?;
    let requested_at = |recheck: &Recheck| recheck.requested_at.clone();
    pending.sort_by_key(|recheck| recheck.as_ref().ok().map(requested_at));
    for recheck in pending {
        if is_late(deadline) {
            break;
        }
        let recheck = match recheck {
            Ok(recheck) => recheck,
            Err(error) => {
                alarm(shard, None, &error);
                continue;
            }
        };
        let request_id = monitoring.ids.next(monitoring.clock.now()).to_string();
        let origin = Origin { actor: ACTOR.to_owned(), request_id };
        let scope = TenantScope::new(recheck.tenant.clone(), origin);
        let mut screenings =
            Screenings::within(&monitoring.clock, SCREENING_TIME, time_left(deadline));
        let tenant = table.tenant(&scope);
        match monitoring.recheck(&tenant, &recheck.customer_id, &mut screenings).await {
            Ok(_) => {
                table.complete_recheck(shard, &recheck).await?;
                completed += 1;
            }
            Err(error) if error.is_unavailable() => return Err(error),
            Err(error) => {
                if error.code == Code::ScreeningTimeout {
                    // The new request is the latest, so the next run makes the other requested
                    // checks first.
                    table.request_recheck(shard, &recheck.position).await?;
                }
                alarm(shard, Some(&recheck), &error);
            }
        }
    }
    Ok(completed)
}

/// Reports a customer that could not be checked. The request for the check stays stored. `recheck`
/// is `None` when the request itself is malformed.
fn alarm(shard: u32, recheck: Option<&Recheck>, error: &Error) {
    let tenant = recheck.map(|recheck| recheck.tenant.to_string());
    let customer_id = recheck.map(|recheck| recheck.customer_id.to_string());
    let details = json!({
        "shard": shard, "tenant": tenant, "customer_id": customer_id, "why": error.reason(),
    });
    telemetry::alarm(MONITOR_FAILED, NOT_CHECKED, "", &details);
}
