//! Rescreen passes over all monitored customers: their kinds, their progress and their evidence.
//!
//! Monitored customers are divided into shards. A pass works on one shard at a time. Its progress
//! is one item per kind of pass and shard, and the worker that holds the lease advances it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::AsRefStr;

use super::frequency::PassKind;
use super::id::CustomerId;
use super::time::Timestamp;
use super::value::TenantId;

/// Reason why a pass did not screen a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum SkipReason {
    /// The monitor was already checked with these lists or newer ones.
    CheckedSince,
    /// Monitoring ended at its `expires_at`.
    Expired,
    /// The check failed. The customer is checked again by `resume`.
    Failed,
}

/// Progress of one kind of pass over one shard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Number of writes so far. A worker writes only on top of the step it read.
    pub step: u64,
    /// Id of the worker that holds the lease.
    pub lease_owner: Option<String>,
    /// When the lease ends.
    pub lease_until: Option<Timestamp>,
    /// The pass in progress.
    pub run: Option<Run>,
    /// The last finished pass.
    pub finished: Option<Finished>,
}

/// The last finished pass over a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Id of the pass.
    pub pass_id: String,
    /// Kind of the pass.
    pub pass: PassKind,
    /// Revision of the lists that was screened against.
    pub revision: u64,
    /// Version of the matching model.
    pub model: u32,
    /// Version of each list.
    pub list_versions: BTreeMap<String, String>,
    /// When the pass started.
    pub started_at: Timestamp,
    /// When the pass finished.
    pub finished_at: Timestamp,
}

/// One pass over one shard. When it is finished, it is stored as evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Id of the pass.
    pub pass_id: String,
    /// Kind of the pass.
    pub pass: PassKind,
    /// Number of the shard.
    pub shard: u32,
    /// Revision of the lists that is screened against.
    pub revision: u64,
    /// Earlier revision to compare with: only entries that changed since then are screened.
    /// `None` screens whole lists.
    pub base: Option<u64>,
    /// Version of the matching model.
    pub model: u32,
    /// Version of each list.
    pub list_versions: BTreeMap<String, String>,
    /// When the pass started.
    pub started_at: Timestamp,
    /// When the pass finished; `None` while it is running.
    pub finished_at: Option<Timestamp>,
    /// Position of the last customer that is done.
    pub cursor: Option<String>,
    /// Working time in milliseconds.
    pub worked_ms: u64,
    /// Number of monitors read.
    pub monitors: u64,
    /// Number of subjects screened.
    pub subjects: u64,
    /// Number of matches: pairs of a subject and an entry.
    pub matches: u64,
    /// Number of customers with news.
    pub news: u64,
    /// Number of alerts raised.
    pub raised: u64,
    /// Number of alerts cleared.
    pub cleared: u64,
    /// Number of customers whose news earlier passes missed. Only a reconciliation counts them.
    pub missed: u64,
    /// Number of monitors that were not screened, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
}

/// Position of a customer in the index of monitored customers: `{tenant}#{customer_id}`.
pub fn position(tenant: &TenantId, id: &CustomerId) -> String {
    format!("{tenant}#{id}")
}

/// The tenant and customer of a position; `None` when `position` is malformed.
pub fn split_position(position: &str) -> Option<(TenantId, CustomerId)> {
    let (tenant, id) = position.rsplit_once('#')?;
    Some((tenant.parse().ok()?, CustomerId::parse(id)?))
}
