//! The current watchlists, their versions and the revision that combines them.

use std::collections::BTreeMap;

use screening::score::MODEL_VERSION;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// A set of list versions that customers are screened against. All versions are stored in one item
/// of the table, so they become current at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Number of the revision, from 1. It grows by one when a list gets another version, is added
    /// or is removed, and when the matching model changes.
    pub revision: u64,
    /// Time at which the revision became current.
    pub since: Timestamp,
    /// Version of the matching model. Scores of two models are not comparable.
    pub model: u32,
    /// The lists, by name.
    pub lists: BTreeMap<String, ListVersion>,
}

/// One version of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListVersion {
    /// Digest of the entries. Lists with equal entries have the same version.
    pub version: String,
    /// Name of the object in the bucket that contains the index.
    pub object: String,
    /// Number of entries.
    pub entities: u64,
    /// Number of `names`, `dates`, `countries` and `identifiers` in all entries, by these keys.
    #[serde(default)]
    pub parts: BTreeMap<String, u64>,
    /// Memory in bytes that the index and its screening need. `None` in a version that an older
    /// release stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Date of publication, `YYYY-MM-DD`, if the list contains one.
    pub date: Option<String>,
    /// Time at which the index was built.
    pub built_at: Timestamp,
    /// Time at which the source was last read, even if its content had not changed.
    pub checked_at: Timestamp,
    /// SHA-256 of the files that the index was built from.
    pub source: String,
}

impl Revision {
    /// Returns the revision before any list is loaded: number 0, without lists.
    pub fn none() -> Revision {
        Revision {
            revision: 0,
            since: Timestamp::from_millis(0),
            model: MODEL_VERSION,
            lists: BTreeMap::new(),
        }
    }

    /// Returns the version of each list, by name. Results of checks and records of passes contain
    /// these versions.
    pub fn versions(&self) -> BTreeMap<String, String> {
        self.lists.iter().map(|(name, list)| (name.clone(), list.version.clone())).collect()
    }
}
