//! Defines the report: the violations of rules, and the number of items that were read.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use strum::{Display, IntoStaticStr};

use crate::item::Item;

/// A rule that the items of a table follow.
#[derive(Clone, Copy, Debug, Display, IntoStaticStr, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "&'static str")]
#[strum(serialize_all = "lowercase")]
pub enum Rule {
    /// The id of an alert agrees with its match, its time of resolution agrees with its status, and
    /// its customer has a monitor.
    Alert,
    /// The customer or session that a recorded answer names exists.
    Answer,
    /// An incomplete check has an entry that requests a recheck, and the customer that an entry
    /// names exists.
    Again,
    /// The client id of a customer and its claim refer to each other.
    Claim,
    /// An item names the customer and tenant of its key.
    Customer,
    /// An erasure is complete and left no personal data. An unfinished erasure has an entry.
    Erasure,
    /// A customer has one event per version, in order, and an event without changes per export.
    Events,
    /// An idempotency record has a lease or an answer, and expires.
    Idempotency,
    /// Index attributes agree with the item.
    Index,
    /// The key has a known form and fits the item's type.
    Key,
    /// A token bucket has a time at which it is full again, and does not expire before that time.
    Limit,
    /// Revisions of the lists have consecutive numbers, starting at 1.
    Lists,
    /// The item deserializes.
    Model,
    /// The matches that a monitor knows agree with the alerts, and its subject count equals the
    /// number of its subjects.
    Monitor,
    /// The customer's monitoring summary agrees with its monitor.
    #[strum(serialize = "monitoring summary")]
    MonitoringSummary,
    /// The customer's counter of open alerts equals the number of its open alerts.
    #[strum(serialize = "open alerts")]
    OpenAlerts,
    /// Every replaced version of an organization is kept.
    Organization,
    /// The customer of the item exists.
    Orphan,
    /// The records of passes and the number of shards are valid, and the last finished pass has its
    /// record.
    Pass,
    /// The events, applied in order, produce the customer, its sessions, its alerts and the version
    /// of its organization.
    Replay,
    /// Each risk profile continues from the previous level, and has an event.
    #[strum(serialize = "risk profile")]
    RiskProfile,
    /// The customer's risk summary agrees with its newest profile.
    #[strum(serialize = "risk summary")]
    RiskSummary,
    /// The status of a session agrees with its decision and its completion, and its ids agree with
    /// its key and its customer.
    Session,
    /// The customer's counters agree with its sessions.
    #[strum(serialize = "session counters")]
    SessionCounters,
    /// A session and its pointer refer to each other.
    #[strum(serialize = "session pointer")]
    SessionPointer,
}

impl PartialEq<&str> for Rule {
    fn eq(&self, name: &&str) -> bool {
        <&str>::from(*self) == *name
    }
}

/// An item that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    pub rule: Rule,
    /// Key of the item. An ellipsis replaces the parts that a caller chose.
    pub key: String,
    /// Description of the inconsistency.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.rule, self.key, self.what)
    }
}

/// Result of a scan.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Number of items, by type.
    pub items: BTreeMap<String, u64>,
    /// Number of customers that were not checked, because they changed during every attempt or
    /// were being erased.
    pub restless: u64,
    pub violations: Vec<Violation>,
}

/// Collects violations.
#[derive(Default)]
pub(crate) struct Violations(Vec<Violation>);

impl Violations {
    pub(crate) fn add(&mut self, rule: Rule, item: &Item, what: impl Into<String>) {
        self.0.push(Violation { rule, key: item.printable_key(), what: what.into() });
    }

    /// Adds a violation unless the condition holds.
    pub(crate) fn require(
        &mut self,
        condition: bool,
        rule: Rule,
        item: &Item,
        what: impl FnOnce() -> String,
    ) {
        if !condition {
            self.add(rule, item, what());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the violations in order, without duplicates.
    pub(crate) fn into_sorted(mut self) -> Vec<Violation> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}
