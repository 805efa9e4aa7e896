//! The lease of a pass over a shard: the exclusive right to advance it.

use std::time::Duration;

use crate::error::Error;
use crate::model::id::Ids;
use crate::model::rescreen::{Finished, Progress, Run};
use crate::model::time::{Clock, Timestamp};
use crate::store::Table;

/// Minimum age of a revision before a pass screens against it. Within this time, every function
/// that still writes with older lists ends and the index `monitored` catches up. A pass over a
/// revision therefore sees every monitor that was written with an older revision.
pub const GRACE: Duration = Duration::from_secs(60);
/// Lease duration. A worker that has not renewed its lease for this long is presumed dead.
const LEASE: Duration = Duration::from_secs(90);

/// A lease on a pass over a shard. A write succeeds only if the stored step is the last step of
/// this lease, so a worker whose lease was taken over can no longer write.
pub(super) struct Lease {
    table: Table,
    clock: Clock,
    owner: String,
    step: u64,
    last_finished: Option<Finished>,
    /// The pass. The next write stores it.
    pub(super) run: Run,
}

impl Lease {
    /// Returns a unique name for a worker.
    pub(super) fn owner(ids: &Ids, now: Timestamp) -> String {
        ids.next(now).to_string()
    }

    /// Takes the lease if the stored progress is still `before`. Returns `None` when another worker
    /// was faster.
    pub(super) async fn take(
        table: &Table,
        clock: &Clock,
        owner: &str,
        before: Option<&Progress>,
        run: Run,
    ) -> Result<Option<Lease>, Error> {
        let mut lease = Lease {
            table: table.clone(),
            clock: clock.clone(),
            owner: owner.to_owned(),
            step: before.map_or(0, |before| before.step),
            last_finished: before.and_then(|before| before.finished.clone()),
            run,
        };
        let until = Some(lease.end());
        let is_taken = lease.put(before.map(|before| before.step), until).await?;
        Ok(is_taken.then_some(lease))
    }

    /// Stores the pass and extends the lease. Returns `false` when another worker has taken over.
    pub(super) async fn renew(&mut self) -> Result<bool, Error> {
        let until = Some(self.end());
        self.put(Some(self.step), until).await
    }

    /// Stores the pass and ends the lease, so that the next worker does not have to wait. Returns
    /// `false` when another worker has taken over.
    pub(super) async fn release(&mut self) -> Result<bool, Error> {
        self.put(Some(self.step), None).await
    }

    /// Stores the evidence of the pass, then marks the pass as finished and ends the lease. Returns
    /// `false` when another worker has taken over.
    pub(super) async fn finish(&mut self) -> Result<bool, Error> {
        let finished_at = self.clock.now();
        self.run.finished_at = Some(finished_at);
        self.table.put_evidence(&self.run).await?;
        let run = &self.run;
        let progress = Progress {
            step: self.step + 1,
            lease_owner: None,
            lease_until: None,
            run: None,
            finished: Some(Finished {
                pass_id: run.pass_id.clone(),
                pass: run.pass,
                revision: run.revision,
                model: run.model,
                list_versions: run.list_versions.clone(),
                started_at: run.started_at,
                finished_at,
            }),
        };
        self.table.put_progress(run.pass, run.shard, Some(self.step), &progress).await
    }

    async fn put(&mut self, before: Option<u64>, until: Option<Timestamp>) -> Result<bool, Error> {
        self.step = before.unwrap_or(0) + 1;
        let progress = Progress {
            step: self.step,
            lease_owner: Some(self.owner.clone()),
            lease_until: until,
            run: Some(self.run.clone()),
            finished: self.last_finished.clone(),
        };
        self.table.put_progress(self.run.pass, self.run.shard, before, &progress).await
    }

    /// Returns the time at which a lease that is taken or renewed now ends.
    fn end(&self) -> Timestamp {
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.clock.now().millis() + lease)
    }
}
