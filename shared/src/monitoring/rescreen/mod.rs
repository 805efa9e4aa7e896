//! Rescreen passes over all monitored customers, shard by shard.
//!
//! A pass only looks for news, such as a new match. A customer with news is checked again, and the
//! check is committed like any other change of the customer. Concurrent changes are therefore
//! neither lost nor repeated.
//!
//! The progress of a pass over a shard is one item. Only the worker that holds the [`lease`] of the
//! shard writes the progress, step by step. A worker whose lease was taken over notices at its next
//! step and stops. An interrupted pass continues from its last step. It is safe to repeat the work
//! after that step, because a customer that was already checked has no more news.

mod lease;
mod look;
mod pending;
mod target;
mod worker;

#[cfg(test)]
mod tests;

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Monitoring;
use crate::error::Error;
use crate::model::frequency::PassKind;
use crate::model::rescreen::Run;
use crate::model::time::Timestamp;
use crate::telemetry;
use worker::Worker;

pub use lease::GRACE;

/// The payload with which a schedule invokes the function.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The pass to start, or `resume`.
    pub pass: Command,
    /// The shards to work on; all of them if absent.
    pub shards: Option<Vec<u32>>,
}

/// A pass to start, or `resume`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Start [`PassKind::OnUpdate`].
    OnUpdate,
    /// Start [`PassKind::Daily`].
    Daily,
    /// Start [`PassKind::Weekly`].
    Weekly,
    /// Start [`PassKind::Reconcile`].
    Reconcile,
    /// Continue every unfinished pass and run the requested checks.
    Resume,
}

impl Command {
    fn passes(self) -> &'static [PassKind] {
        match self {
            Command::OnUpdate => &[PassKind::OnUpdate],
            Command::Daily => &[PassKind::Daily],
            Command::Weekly => &[PassKind::Weekly],
            Command::Reconcile => &[PassKind::Reconcile],
            Command::Resume => {
                &[PassKind::OnUpdate, PassKind::Daily, PassKind::Weekly, PassKind::Reconcile]
            }
        }
    }
}

/// The outcome of the work on a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::AsRefStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ShardOutcome {
    /// The pass over the shard is finished.
    Finished,
    /// The function came close to its deadline. A later run starts or continues the pass.
    Stopped,
    /// Another worker has taken over the lease.
    Overtaken,
    /// Another worker holds the lease.
    Busy,
    /// No pass is needed: the lists have not changed since the last `on_update` pass, there are no
    /// lists, or `resume` found no unfinished pass.
    NothingNew,
    /// The lists are so new that a function may still write with older lists. A later run starts
    /// the pass.
    Waiting,
    /// An error ended the work.
    Failed,
}

/// The report on one pass over one shard.
#[derive(Clone, Debug, Serialize)]
pub struct ShardReport {
    /// Kind of the pass.
    pub pass: PassKind,
    /// Number of the shard.
    pub shard: u32,
    /// The outcome of the work.
    pub outcome: ShardOutcome,
    /// The pass, if the worker had the lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// Cause of a failure.
    #[serde(rename = "why", skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Time at which the unfinished pass started, even if another worker has it; `None` if no pass
    /// is unfinished.
    #[serde(skip)]
    unfinished_since: Option<Timestamp>,
}

impl ShardReport {
    fn new(pass: PassKind, shard: u32, outcome: ShardOutcome) -> ShardReport {
        ShardReport { pass, shard, outcome, run: None, reason: None, unfinished_since: None }
    }

    fn failed(pass: PassKind, shard: u32, error: &Error) -> ShardReport {
        let reason = Some(error.reason().to_owned());
        ShardReport { reason, ..ShardReport::new(pass, shard, ShardOutcome::Failed) }
    }

    fn log(&self) {
        let ShardReport { pass, shard, outcome, run, reason, .. } = self;
        let (pass, outcome, why) = (pass.as_ref(), outcome.as_ref(), reason);
        match run {
            Some(run) => {
                let Run { pass_id, revision, base, monitors, subjects, matches, .. } = run;
                let Run { news, raised, cleared, missed, worked_ms, .. } = run;
                let skipped: u64 = run.skipped.values().sum();
                tracing::info!(
                    target: "kyc", pass, shard, outcome, pass_id, revision, base, monitors,
                    subjects, matches, news, raised, cleared, missed, skipped, worked_ms, why, "pass"
                );
            }
            None if why.is_some() => {
                tracing::error!(target: "kyc", pass, shard, outcome, why, "pass");
            }
            None => tracing::info!(target: "kyc", pass, shard, outcome, "pass"),
        }
    }
}

/// Works on the requested passes, one shard after another, until all are done or the deadline is
/// near. Skips a shard that another worker has. Returns a report for each pass and shard, and the
/// number of customers that were checked on request.
///
/// # Errors
/// `StoreUnavailable` when the number of shards cannot be read, or `InternalError` when a shard
/// failed. All other shards are tried first.
pub async fn rescreen(
    monitoring: &Monitoring,
    request: &Request,
    deadline: Instant,
) -> Result<Value, Error> {
    let shards = match &request.shards {
        Some(shards) => shards.clone(),
        None => (0..monitoring.table.shards(monitoring.shards).await?).collect(),
    };
    let mut worker = Worker::new(monitoring, request.pass != Command::Resume, deadline);
    let mut reports = Vec::new();
    for pass in request.pass.passes() {
        for shard in &shards {
            let report = worker.work_on(*pass, *shard).await;
            report.log();
            reports.push(report);
        }
    }
    let mut checked_again = 0;
    if request.pass == Command::Resume {
        let checks = pending::check_pending(monitoring, &shards, deadline).await;
        checked_again = checks.completed;
        let failed = checks.failed.iter();
        reports.extend(
            failed.map(|(shard, error)| ShardReport::failed(PassKind::OnUpdate, *shard, error)),
        );
        report_oldest(monitoring, &reports);
    }
    let failed: Vec<&ShardReport> =
        reports.iter().filter(|report| report.outcome == ShardOutcome::Failed).collect();
    if let Some(first) = failed.first() {
        let reason = first.reason.as_deref().unwrap_or("unknown");
        let count = failed.len();
        return Err(Error::internal(format!("{count} shards failed, the first with: {reason}")));
    }
    Ok(json!({ "shards": reports, "checked_again": checked_again }))
}

/// Emits the age of the oldest unfinished pass as a metric in hours, or 0 when there is none.
fn report_oldest(monitoring: &Monitoring, reports: &[ShardReport]) {
    let oldest = reports.iter().filter_map(|report| report.unfinished_since).min();
    let now = monitoring.clock.now().millis();
    let age = oldest.map_or(0, |oldest| now.saturating_sub(oldest.millis()));
    telemetry::hours("UnfinishedPassHours", "unfinished passes", "", age);
}
