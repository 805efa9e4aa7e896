//! Runs the requested checks: those of customers whose last check failed or is incomplete.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::json;

use super::worker::{ACTOR, MONITOR_FAILED, NOT_CHECKED, is_late, time_left};
use crate::error::{Code, Error};
use crate::model::event::Origin;
use crate::model::scope::TenantScope;
use crate::model::value::TenantId;
use crate::monitoring::{Monitoring, Screenings};
use crate::store::Recheck;
use crate::telemetry;

/// Time limit of the screening in a requested check. It is far above the time limit in a pass, so
/// that a customer that did not fit into a pass is screened here.
const SCREENING_TIME: Duration = Duration::from_secs(300);

/// While other tenants wait, a tenant gets at most one part in this number of the run's time.
const TENANT_PART: u32 = 4;

/// The result of the requested checks.
pub(super) struct Checks {
    /// Number of completed checks.
    pub(super) completed: u64,
    /// Shards whose requests could not be read or processed, with the error.
    pub(super) failed: BTreeMap<u32, Error>,
}

/// A request and its shard.
struct Pending {
    shard: u32,
    recheck: Recheck,
}

/// Makes the requested checks of all these shards until the deadline is near. The tenants take
/// turns, each with its oldest request first. A tenant that has used its part of the time waits
/// until the other tenants are done. A check that fails stays requested and raises an alarm. If the
/// table or the lists are not available, the other requests of the shard are left to the next run.
/// The checks run one after another: they are not urgent, and several slow checks at once would
/// keep the table busy.
pub(super) async fn check_pending(
    monitoring: &Monitoring,
    shards: &[u32],
    deadline: Instant,
) -> Checks {
    let mut checks = Checks { completed: 0, failed: BTreeMap::new() };
    let mut requests = Vec::new();
    for shard in shards {
        match read(monitoring, *shard).await {
            Ok(of_shard) => requests.extend(of_shard),
            Err(error) => _ = checks.failed.insert(*shard, error),
        }
    }
    let limit = deadline.saturating_duration_since(Instant::now()) / TENANT_PART;
    let mut queue = Queue::new(requests, limit);
    while let Some(pending) = queue.next() {
        if is_late(deadline) {
            break;
        }
        if checks.failed.contains_key(&pending.shard) {
            continue;
        }
        let started = Instant::now();
        match check(monitoring, &pending, deadline).await {
            Ok(is_completed) => checks.completed += u64::from(is_completed),
            Err(error) => _ = checks.failed.insert(pending.shard, error),
        }
        queue.add_time(&pending.recheck.tenant, started.elapsed());
    }
    checks
}

/// Reads the requests of a shard, and reports those that are malformed.
async fn read(monitoring: &Monitoring, shard: u32) -> Result<Vec<Pending>, Error> {
    let mut requests = Vec::new();
    for recheck in monitoring.table.pending_rechecks(shard).await? {
        match recheck {
            Ok(recheck) => requests.push(Pending { shard, recheck }),
            Err(error) => alarm(shard, None, &error),
        }
    }
    Ok(requests)
}

/// Makes a requested check. Returns whether it is completed.
///
/// # Errors
/// `StoreUnavailable` or `ListsUnavailable`. Any other failure is reported as an alarm.
async fn check(
    monitoring: &Monitoring,
    Pending { shard, recheck }: &Pending,
    deadline: Instant,
) -> Result<bool, Error> {
    let table = &monitoring.table;
    let request_id = monitoring.ids.next(monitoring.clock.now()).to_string();
    let origin = Origin { actor: ACTOR.to_owned(), request_id };
    let scope = TenantScope::new(recheck.tenant.clone(), origin);
    let mut screenings = Screenings::within(&monitoring.clock, SCREENING_TIME, time_left(deadline));
    let tenant = table.tenant(&scope);
    match monitoring.recheck(&tenant, &recheck.customer_id, &mut screenings).await {
        Ok(_) => {
            table.complete_recheck(*shard, recheck).await?;
            return Ok(true);
        }
        Err(error) if error.is_unavailable() => return Err(error),
        Err(error) => {
            if error.code == Code::ScreeningTimeout {
                // The new request is the latest, so the next run makes the other requested checks
                // first.
                table.request_recheck(*shard, &recheck.position).await?;
            }
            alarm(*shard, Some(recheck), &error);
        }
    }
    Ok(false)
}

/// The order of the requests. The tenants take turns.
struct Queue {
    requests: VecDeque<Pending>,
    /// Requests of tenants that have used their time.
    postponed: VecDeque<Pending>,
    /// Time that a tenant gets while other tenants wait.
    limit: Duration,
    used: BTreeMap<TenantId, Duration>,
}

impl Queue {
    fn new(mut requests: Vec<Pending>, limit: Duration) -> Queue {
        requests.sort_by(|a, b| a.recheck.requested_at.cmp(&b.recheck.requested_at));
        let mut counts: BTreeMap<TenantId, u64> = BTreeMap::new();
        let turn = |pending: Pending| {
            let count = counts.entry(pending.recheck.tenant.clone()).or_default();
            *count += 1;
            (*count, pending)
        };
        let mut turns: Vec<(u64, Pending)> = requests.into_iter().map(turn).collect();
        // The sort is stable, so the older of two requests with the same turn stays first.
        turns.sort_by_key(|(turn, _)| *turn);
        let requests = turns.into_iter().map(|(_, pending)| pending).collect();
        Queue { requests, postponed: VecDeque::new(), limit, used: BTreeMap::new() }
    }

    fn next(&mut self) -> Option<Pending> {
        while let Some(pending) = self.requests.pop_front() {
            let used = self.used.get(&pending.recheck.tenant);
            if used.is_none_or(|used| *used < self.limit) {
                return Some(pending);
            }
            self.postponed.push_back(pending);
        }
        self.postponed.pop_front()
    }

    /// Adds the time that a check of a tenant took.
    fn add_time(&mut self, tenant: &TenantId, time: Duration) {
        *self.used.entry(tenant.clone()).or_default() += time;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::hour;
    use crate::model::id::{CustomerId, Ids};

    fn pending(tenant: &str, at: u32) -> Pending {
        let tenant: TenantId = tenant.parse().unwrap();
        let recheck = Recheck {
            tenant,
            customer_id: CustomerId::new(Ids::default().next(hour(0))),
            position: String::new(),
            requested_at: at.to_string(),
        };
        Pending { shard: 0, recheck }
    }

    /// Returns the tenants and times of the requests in their order. Each check takes this time.
    fn order(mut queue: Queue, time: Duration) -> Vec<String> {
        let mut order = Vec::new();
        while let Some(Pending { recheck, .. }) = queue.next() {
            queue.add_time(&recheck.tenant, time);
            order.push(format!("{}{}", recheck.tenant, recheck.requested_at));
        }
        order
    }

    fn requests() -> Vec<Pending> {
        [("a", 3), ("b", 5), ("a", 1), ("a", 2), ("b", 6), ("c", 4)]
            .map(|(tenant, at)| pending(tenant, at))
            .into()
    }

    #[test]
    fn tenants_take_turns_each_with_its_oldest_request_first() {
        let queue = Queue::new(requests(), Duration::from_secs(100));
        assert_eq!(order(queue, Duration::ZERO), ["a1", "c4", "b5", "a2", "b6", "a3"]);
    }

    #[test]
    fn a_tenant_that_has_used_its_time_waits_for_the_others() {
        let mut queue = Queue::new(requests(), Duration::from_secs(100));
        queue.add_time(&"a".parse().unwrap(), Duration::from_secs(100));
        assert_eq!(order(queue, Duration::ZERO), ["c4", "b5", "b6", "a1", "a2", "a3"]);
    }
}
