//! A worker takes the lease of a shard, screens the monitors and checks the customers that have
//! news.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, stream};
use screening::score::MODEL_VERSION;
use serde_json::json;

use super::lease::{GRACE, Lease};
use super::look::{LookOutcome, Screeners, look};
use super::target::Target;
use super::{ShardOutcome, ShardReport};
use crate::error::{Code, Error};
use crate::model::event::Origin;
use crate::model::frequency::PassKind;
use crate::model::rescreen::{Finished, Run, SkipReason};
use crate::model::scope::TenantScope;
use crate::model::time::Timestamp;
use crate::model::watchlist::Revision;
use crate::monitoring::{Monitoring, Rechecked, Screenings};
use crate::store::Monitored;
use crate::telemetry;

/// The actor of changes that a pass makes.
pub(super) const ACTOR: &str = "rescreen";
/// Name of the metric that counts customers that could not be checked.
pub(super) const MONITOR_FAILED: &str = "MonitorFailed";
/// Message of the log line about a customer that could not be checked.
pub(super) const NOT_CHECKED: &str = "a monitored customer was not checked";
/// Time after which the progress is written again, even in the middle of a page, so that the lease
/// does not end.
const STEP: Duration = Duration::from_secs(15);
/// Time before a function's deadline in which it does not start new work. It leaves time to finish
/// the current chunk or check and to store the progress.
const MARGIN: Duration = Duration::from_secs(20);
/// Time limit of the screening of one customer in a pass. A structure of 500 ordinary parties takes
/// a small part of it. A customer that reaches the limit is checked by `resume`, so that the other
/// customers of the shard do not wait.
const CUSTOMER_TIME: Duration = Duration::from_secs(5);
/// Number of customers with news that are checked concurrently.
const CONCURRENT_CHECKS: usize = 8;
/// Largest number of monitors that are screened before the worker checks the time again.
const CHUNK: usize = 200;
/// Time after which the worker screens no further monitors before it checks the time again.
const CHUNK_TIME: Duration = Duration::from_secs(2);
/// Time reserved before the deadline of a function to write the result of a check.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// Name of the metric that counts customers that reached [`CUSTOMER_TIME`].
const OUT_OF_TIME: &str = "CustomerOutOfTime";

/// Returns whether less than [`MARGIN`] is left before the deadline.
pub(super) fn is_late(deadline: Instant) -> bool {
    Instant::now() + MARGIN > deadline
}

/// Returns the time until screening must end so that its result can still be written.
pub(super) fn time_left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).saturating_sub(WRITE_TIME)
}

pub(super) struct Worker<'a> {
    monitoring: &'a Monitoring,
    owner: String,
    /// Whether the worker starts new passes. Otherwise it only continues unfinished passes.
    starts: bool,
    deadline: Instant,
    /// Loaded targets, by the revision to screen against and the revision to compare with.
    targets: BTreeMap<(u64, Option<u64>), Arc<Target>>,
}

/// The result of trying to take a lease.
enum Taken {
    Lease(Box<Lease>),
    /// The outcome without a lease, and the start time of the unfinished pass that another worker
    /// has, if there is one.
    Not(ShardOutcome, Option<Timestamp>),
}

impl<'a> Worker<'a> {
    pub(super) fn new(monitoring: &'a Monitoring, starts: bool, deadline: Instant) -> Worker<'a> {
        let owner = Lease::owner(&monitoring.ids, monitoring.clock.now());
        Worker { monitoring, owner, starts, deadline, targets: BTreeMap::new() }
    }

    /// Starts or continues a pass over a shard and reports the outcome. An error becomes the
    /// outcome `Failed` with its reason.
    pub(super) async fn work_on(&mut self, pass: PassKind, shard: u32) -> ShardReport {
        let report = |outcome| ShardReport::new(pass, shard, outcome);
        if is_late(self.deadline) {
            return report(ShardOutcome::Stopped);
        }
        let mut lease = match self.take(pass, shard).await {
            Ok(Taken::Lease(lease)) => lease,
            Ok(Taken::Not(outcome, unfinished_since)) => {
                return ShardReport { unfinished_since, ..report(outcome) };
            }
            Err(error) => return ShardReport::failed(pass, shard, &error),
        };
        let outcome = self.advance(&mut lease).await;
        let run = lease.run;
        let unfinished_since = Some(run.started_at);
        match outcome {
            Ok(ShardOutcome::Finished) => {
                ShardReport { run: Some(run), ..report(ShardOutcome::Finished) }
            }
            Ok(outcome) => ShardReport { run: Some(run), unfinished_since, ..report(outcome) },
            Err(error) => ShardReport {
                run: Some(run),
                unfinished_since,
                ..ShardReport::failed(pass, shard, &error)
            },
        }
    }

    /// Takes the lease of a shard if there is a pass to start or to continue and no other worker
    /// has it.
    async fn take(&self, pass: PassKind, shard: u32) -> Result<Taken, Error> {
        let Monitoring { table, clock, .. } = self.monitoring;
        let progress = table.progress(pass, shard).await?;
        let now = clock.now();
        let unfinished = progress.as_ref().and_then(|progress| progress.run.clone());
        // A pass that another release started with another matching model starts again from the
        // beginning.
        let is_outdated = unfinished.as_ref().is_some_and(|run| run.model != MODEL_VERSION);
        let unfinished = unfinished.filter(|_| !is_outdated);
        let lease_until = progress.as_ref().and_then(|progress| progress.lease_until);
        if lease_until.is_some_and(|until| until > now) {
            let since = unfinished.map(|run| run.started_at);
            return Ok(Taken::Not(ShardOutcome::Busy, since));
        }
        let run = match unfinished {
            Some(run) => run,
            None if !self.starts && !is_outdated => {
                return Ok(Taken::Not(ShardOutcome::NothingNew, None));
            }
            None => {
                let finished = progress.as_ref().and_then(|progress| progress.finished.as_ref());
                match self.next_run(pass, shard, finished, now).await? {
                    Ok(run) => run,
                    Err(outcome) => return Ok(Taken::Not(outcome, None)),
                }
            }
        };
        let started_at = run.started_at;
        match Lease::take(table, clock, &self.owner, progress.as_ref(), run).await? {
            Some(lease) => Ok(Taken::Lease(Box::new(lease))),
            None => Ok(Taken::Not(ShardOutcome::Busy, Some(started_at))),
        }
    }

    /// Returns the next pass over a shard, or the outcome when no pass can start now. If the lists
    /// are too new, an `on_update` pass does not start, and any other pass waits for the grace
    /// period to end.
    async fn next_run(
        &self,
        pass: PassKind,
        shard: u32,
        finished: Option<&Finished>,
        now: Timestamp,
    ) -> Result<Result<Run, ShardOutcome>, Error> {
        let revision = self.monitoring.table.revision().await?;
        // Only an `on_update` pass compares the lists with those of the last pass of its kind, and
        // only if the last pass had the same matching model.
        let comparable = finished
            .filter(|last| pass == PassKind::OnUpdate && last.model == MODEL_VERSION)
            .map(|last| last.revision);
        if revision.lists.is_empty() || comparable == Some(revision.revision) {
            return Ok(Err(ShardOutcome::NothingNew));
        }
        let age = now.millis().saturating_sub(revision.since.millis());
        let grace = i64::try_from(GRACE.as_millis()).unwrap_or(i64::MAX);
        if age <= grace {
            // An `on_update` pass is scheduled again soon. The other passes are not, so they wait
            // for the grace period to end.
            if pass == PassKind::OnUpdate {
                return Ok(Err(ShardOutcome::Waiting));
            }
            let rest = Duration::from_millis((grace - age).unsigned_abs() + 1);
            tokio::time::sleep(rest).await;
        }
        Ok(Ok(self.new_run(pass, shard, &revision, comparable)))
    }

    fn new_run(&self, pass: PassKind, shard: u32, revision: &Revision, base: Option<u64>) -> Run {
        let started_at = self.monitoring.clock.now();
        let pass_id = self.monitoring.ids.next(started_at).to_string();
        Run::new(pass_id, pass, shard, revision, base, MODEL_VERSION, started_at)
    }

    /// Advances the pass until it is finished, the deadline is near or another worker takes over.
    async fn advance(&mut self, lease: &mut Lease) -> Result<ShardOutcome, Error> {
        let (pass, shard) = (lease.run.pass, lease.run.shard);
        let started = Instant::now();
        let worked_before = lease.run.worked_ms;
        let target = self.target_of(lease).await?;
        let mut screeners = Screeners::of(&target);
        let mut stored_at = Instant::now();
        loop {
            let table = &self.monitoring.table;
            let after = lease.run.cursor.clone();
            let page = table.monitored(pass.frequency(), shard, after.as_deref(), None).await?;
            let mut rows = page.rows.into_iter().peekable();
            while rows.peek().is_some() {
                self.screen_chunk(&mut lease.run, &target, &mut screeners, &mut rows).await?;
                let worked = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                lease.run.worked_ms = worked_before.saturating_add(worked);
                if is_late(self.deadline) {
                    return stop(lease).await;
                }
                if stored_at.elapsed() > STEP {
                    if !lease.renew().await? {
                        return Ok(ShardOutcome::Overtaken);
                    }
                    stored_at = Instant::now();
                }
            }
            let Some(end) = page.end else { break };
            lease.run.cursor = Some(end);
            if is_late(self.deadline) {
                return stop(lease).await;
            }
            if !lease.renew().await? {
                return Ok(ShardOutcome::Overtaken);
            }
            stored_at = Instant::now();
        }
        let is_finished = lease.finish().await?;
        Ok(if is_finished { ShardOutcome::Finished } else { ShardOutcome::Overtaken })
    }

    /// Returns the target of the pass. If the lists of the pass cannot be opened and newer lists
    /// are current, the pass starts again with the current lists, so that lost lists do not block
    /// the pass.
    async fn target_of(&mut self, lease: &mut Lease) -> Result<Arc<Target>, Error> {
        let error = match self.load_target(&lease.run).await {
            Err(error) if error.is_unavailable() => error,
            result => return result,
        };
        let revision = self.monitoring.table.revision().await?;
        if revision.revision == lease.run.revision {
            return Err(error);
        }
        lease.run = self.new_run(lease.run.pass, lease.run.shard, &revision, None);
        self.load_target(&lease.run).await
    }

    async fn load_target(&mut self, run: &Run) -> Result<Arc<Target>, Error> {
        let key = (run.revision, run.base);
        if let Some(target) = self.targets.get(&key) {
            return Ok(target.clone());
        }
        let target = Arc::new(Target::load(self.monitoring, run).await?);
        self.targets.insert(key, target.clone());
        Ok(target)
    }

    /// Screens some of the next monitors, checks the customers that have news, and then advances
    /// the cursor.
    async fn screen_chunk(
        &self,
        run: &mut Run,
        target: &Target,
        screeners: &mut Screeners<'_>,
        rows: impl Iterator<Item = Result<Monitored, Error>>,
    ) -> Result<(), Error> {
        let Chunk { with_news, out_of_time, last } = self.find_news(run, target, screeners, rows);
        for row in &out_of_time {
            self.postpone(run, row).await?;
        }
        self.check_all(run, &with_news).await?;
        if last.is_some() {
            run.cursor = last;
        }
        Ok(())
    }

    /// Screens at most [`CHUNK`] of the next monitors in memory. Stops earlier if there are enough
    /// customers to check or [`CHUNK_TIME`] has passed.
    fn find_news(
        &self,
        run: &mut Run,
        target: &Target,
        screeners: &mut Screeners<'_>,
        rows: impl Iterator<Item = Result<Monitored, Error>>,
    ) -> Chunk {
        let started = Instant::now();
        let now = self.monitoring.clock.now();
        let mut chunk = Chunk { with_news: Vec::new(), out_of_time: Vec::new(), last: None };
        for row in rows.take(CHUNK) {
            match row {
                Ok(row) => self.look_at(run, target, screeners, row, now, &mut chunk),
                // A malformed row has no position, so a check of its customer cannot be requested.
                Err(error) => report_failure(run, None, &error),
            }
            if chunk.with_news.len() == CONCURRENT_CHECKS || started.elapsed() > CHUNK_TIME {
                break;
            }
        }
        chunk
    }

    fn look_at(
        &self,
        run: &mut Run,
        target: &Target,
        screeners: &mut Screeners<'_>,
        row: Monitored,
        now: Timestamp,
        chunk: &mut Chunk,
    ) {
        run.monitors += 1;
        chunk.last = Some(row.position.clone());
        let mut screenings = self.screenings();
        let look = look(run, target, &row, screeners, &mut screenings, now);
        run.subjects += look.subjects;
        run.matches += look.matches;
        match look.outcome {
            LookOutcome::Same => {}
            LookOutcome::News => chunk.with_news.push(row),
            LookOutcome::OutOfTime => chunk.out_of_time.push(row),
            LookOutcome::Skipped(reason) => {
                *run.skipped.entry(reason).or_default() += 1;
                if reason == SkipReason::Expired {
                    chunk.with_news.push(row);
                }
            }
        }
    }

    /// Starts the screenings of one customer in a pass.
    fn screenings(&self) -> Screenings {
        Screenings::within(&self.monitoring.clock, CUSTOMER_TIME, time_left(self.deadline))
    }

    /// Requests a check of a customer that reached the time limit of a pass. The pass counts the
    /// customer as failed. The request is stored before the cursor advances, so that no customer is
    /// lost.
    async fn postpone(&self, run: &mut Run, row: &Monitored) -> Result<(), Error> {
        self.monitoring.table.request_recheck(run.shard, &row.position).await?;
        *run.skipped.entry(SkipReason::Failed).or_default() += 1;
        let details = json!({
            "pass_id": run.pass_id, "shard": run.shard, "tenant": row.tenant.to_string(),
            "customer_id": row.customer_id.to_string(),
        });
        telemetry::alarm(OUT_OF_TIME, "a customer reached its time limit in a pass", "", &details);
        Ok(())
    }

    async fn check_all(&self, run: &mut Run, rows: &[Monitored]) -> Result<(), Error> {
        let checks: Vec<_> =
            rows.iter().map(|row| self.check_one(&run.pass_id, row).boxed()).collect();
        let results: Vec<_> =
            stream::iter(checks).buffer_unordered(CONCURRENT_CHECKS).collect().await;
        let mut missed = 0;
        for (row, result) in results {
            match result {
                Ok(Rechecked { raised, cleared, written }) => {
                    run.news += u64::from(written);
                    run.raised += u64::from(raised);
                    run.cleared += u64::from(cleared);
                    missed += u64::from(raised + cleared > 0);
                }
                // The table or the lists cannot be reached, so the next customer would fail too.
                Err(error) if error.is_unavailable() => return Err(error),
                Err(error) if error.code == Code::ScreeningTimeout => {
                    self.postpone(run, row).await?;
                }
                Err(error) => {
                    // The check is requested before the cursor advances, so that no customer is
                    // lost. `resume` repeats the check until it succeeds.
                    self.monitoring.table.request_recheck(run.shard, &row.position).await?;
                    report_failure(run, Some(row), &error);
                }
            }
        }
        if run.pass == PassKind::Reconcile && missed > 0 && self.was_covered(run).await? {
            run.missed += missed;
            let details =
                json!({ "pass_id": run.pass_id, "shard": run.shard, "customers": missed });
            telemetry::alarm("MatchesMissed", "a pass had missed matches", "", &details);
        }
        Ok(())
    }

    async fn check_one<'r>(
        &self,
        pass_id: &str,
        row: &'r Monitored,
    ) -> (&'r Monitored, Result<Rechecked, Error>) {
        let origin = Origin { actor: ACTOR.to_owned(), request_id: pass_id.to_owned() };
        let scope = TenantScope::new(row.tenant.clone(), origin);
        let table = self.monitoring.table.tenant(&scope);
        let mut screenings = self.screenings();
        (row, self.monitoring.recheck(&table, &row.customer_id, &mut screenings).await)
    }

    /// Returns whether the reconciliation screens against the current revision and an `on_update`
    /// pass over this revision has finished. If so, that pass missed the news that the
    /// reconciliation finds.
    async fn was_covered(&self, run: &Run) -> Result<bool, Error> {
        let table = &self.monitoring.table;
        let progress = table.progress(PassKind::OnUpdate, run.shard).await?;
        let finished = progress.and_then(|progress| progress.finished);
        let is_covered = finished.is_some_and(|last| last.revision >= run.revision);
        Ok(is_covered && table.revision().await?.revision == run.revision)
    }
}

/// The result of screening some monitors in memory.
struct Chunk {
    /// The monitors whose customers must be checked.
    with_news: Vec<Monitored>,
    /// The monitors whose screening reached the time limit.
    out_of_time: Vec<Monitored>,
    /// Position of the last well-formed row; `None` if there is none.
    last: Option<String>,
}

/// Stores the progress and gives up the lease.
async fn stop(lease: &mut Lease) -> Result<ShardOutcome, Error> {
    let is_stored = lease.release().await?;
    Ok(if is_stored { ShardOutcome::Stopped } else { ShardOutcome::Overtaken })
}

/// Counts and reports a customer that could not be checked. The pass continues with the other
/// customers. `row` is `None` when the row itself is malformed.
fn report_failure(run: &mut Run, row: Option<&Monitored>, error: &Error) {
    *run.skipped.entry(SkipReason::Failed).or_default() += 1;
    let customer = row.map(|row| row.customer_id.to_string());
    let tenant = row.map(|row| row.tenant.to_string());
    let details = json!({
        "pass_id": run.pass_id, "shard": run.shard, "tenant": tenant, "customer_id": customer,
        "why": error.reason(),
    });
    telemetry::alarm(MONITOR_FAILED, NOT_CHECKED, "", &details);
}
