//! Makes requested checks: of customers whose last check failed or is incomplete.

use std::time::Instant;

use serde_json::json;

use super::worker::{ACTOR, MONITOR_FAILED, NOT_CHECKED, is_late};
use crate::error::{Code, Error};
use crate::model::event::Origin;
use crate::model::rescreen::split_position;
use crate::model::scope::TenantScope;
use crate::monitoring::Monitoring;
use crate::telemetry;

/// Makes the requested checks of a shard until the deadline is near, and returns the number of
/// completed checks. A check that fails stays requested. The checks run one after another: they are
/// not urgent, and a customer that takes long must not keep the table busy.
pub(super) async fn check_pending(
    monitoring: &Monitoring,
    shard: u32,
    deadline: Instant,
) -> Result<u64, Error> {
    let table = &monitoring.table;
    let mut completed = 0;
    for recheck in table.pending_rechecks(shard).await? {
        if is_late(deadline) {
            break;
        }
        let (tenant, customer_id) = split_position(&recheck.position)
            .ok_or_else(|| Error::internal("a requested check names no customer"))?;
        let request_id = monitoring.ids.next(monitoring.clock.now()).to_string();
        let origin = Origin { actor: ACTOR.to_owned(), request_id };
        let scope = TenantScope::new(tenant.clone(), origin);
        match monitoring.recheck(&table.tenant(&scope), &customer_id).await {
            Ok(_) => {
                table.complete_recheck(shard, &recheck).await?;
                completed += 1;
            }
            Err(error) if error.code == Code::StoreUnavailable => return Err(error),
            Err(error) => {
                let (tenant, customer_id) = (tenant.to_string(), customer_id.to_string());
                let details = json!({
                    "shard": shard, "tenant": tenant, "customer_id": customer_id,
                    "why": error.reason(),
                });
                telemetry::alarm(MONITOR_FAILED, NOT_CHECKED, "", &details);
            }
        }
    }
    Ok(completed)
}
