//! Types for the rescreen passes over all monitored customers: progress, evidence, and the reasons
//! why a pass skips a monitor.
//!
//! Monitored customers are divided into shards, and a pass works on one shard at a time. One item
//! stores the progress of one kind of pass over one shard. Only the worker that holds the lease on
//! the item advances the pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::AsRefStr;

use super::frequency::PassKind;
use super::id::CustomerId;
use super::time::Timestamp;
use super::value::TenantId;
use super::watchlist::Revision;

/// Reason why a pass did not screen a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum SkipReason {
    /// The monitor was already checked against newer lists or, in a pass over changed entries,
    /// against the same lists.
    CheckedSince,
    /// Monitoring has passed its `expires_at`. The pass turns it off.
    Expired,
    /// The check failed, and `resume` checks the customer again. Also counts malformed items, which
    /// cannot be checked again.
    Failed,
}

/// Progress of one kind of pass over one shard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Number of writes so far. A worker writes only if the stored step is the one that it last
    /// read or wrote.
    pub step: u64,
    /// Id of the worker that holds the lease, or `None` if the lease was released.
    pub lease_owner: Option<String>,
    /// Time at which the lease ends.
    pub lease_until: Option<Timestamp>,
    /// The pass in progress, or `None` if the last pass is finished.
    pub run: Option<Run>,
    /// The last finished pass, or `None` if no pass has finished.
    pub finished: Option<Finished>,
}

/// Result of the last finished pass over a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Id of the pass.
    pub pass_id: String,
    /// Kind of the pass.
    pub pass: PassKind,
    /// Revision of the lists that the pass screened against.
    pub revision: u64,
    /// Version of the matching model.
    pub model: u32,
    /// Version of each list.
    pub list_versions: BTreeMap<String, String>,
    /// Time at which the pass started.
    pub started_at: Timestamp,
    /// Time at which the pass finished.
    pub finished_at: Timestamp,
}

/// One pass over one shard. A finished pass is stored as evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Id of the pass.
    pub pass_id: String,
    /// Kind of the pass.
    pub pass: PassKind,
    /// Number of the shard.
    pub shard: u32,
    /// Revision of the lists that the pass screens against.
    pub revision: u64,
    /// Earlier revision of the lists. The pass screens only against entries that changed since that
    /// revision. `None` means that it screens against whole lists.
    pub base: Option<u64>,
    /// Version of the matching model.
    pub model: u32,
    /// Version of each list.
    pub list_versions: BTreeMap<String, String>,
    /// Time at which the pass started.
    pub started_at: Timestamp,
    /// Time at which the pass finished, or `None` while it is running.
    pub finished_at: Option<Timestamp>,
    /// Position of the last customer that the pass has handled, as [`position`] writes it.
    pub cursor: Option<String>,
    /// Time that all workers together have spent on the pass, in milliseconds.
    pub worked_ms: u64,
    /// Number of monitors read.
    pub monitors: u64,
    /// Number of subjects screened.
    pub subjects: u64,
    /// Number of matches: pairs of a subject and an entry.
    pub matches: u64,
    /// Number of customers whose check found and stored a change.
    pub news: u64,
    /// Number of alerts that were opened, including decided or cleared ones that were opened again.
    pub raised: u64,
    /// Number of alerts that were cleared.
    pub cleared: u64,
    /// Number of customers whose alerts a reconciliation opened or cleared although an earlier pass
    /// had covered the same revision. Always 0 for other kinds of passes.
    pub missed: u64,
    /// Number of monitors that were not screened, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
}

impl Run {
    /// Creates a pass against a revision of the lists. It has not read a monitor yet.
    pub fn new(
        pass_id: String,
        pass: PassKind,
        shard: u32,
        revision: &Revision,
        base: Option<u64>,
        model: u32,
        started_at: Timestamp,
    ) -> Run {
        Run {
            pass_id,
            pass,
            shard,
            revision: revision.revision,
            base,
            model,
            list_versions: revision.versions(),
            started_at,
            finished_at: None,
            cursor: None,
            worked_ms: 0,
            monitors: 0,
            subjects: 0,
            matches: 0,
            news: 0,
            raised: 0,
            cleared: 0,
            missed: 0,
            skipped: BTreeMap::new(),
        }
    }
}

/// Returns the position of a customer in the index of monitored customers:
/// `{tenant}#{customer_id}`.
pub fn position(tenant: &TenantId, id: &CustomerId) -> String {
    format!("{tenant}#{id}")
}

/// Returns the tenant and the customer of a position, or `None` if the position is malformed.
pub fn split_position(position: &str) -> Option<(TenantId, CustomerId)> {
    let (tenant, id) = position.rsplit_once('#')?;
    Some((tenant.parse().ok()?, CustomerId::parse(id)?))
}
