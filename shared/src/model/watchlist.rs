//! Which watchlists are current.

use std::collections::BTreeMap;

use screening::score::MODEL_VERSION;
use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The set of lists that every customer is screened against from some moment on. It is one item of
/// the table, so that all lists of it become current in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Number of the revision, from 1. It grows by one when the version of any list changes.
    pub revision: u64,
    /// When the revision became current.
    pub since: Timestamp,
    /// Version of the matching model. Scores of two models are not comparable.
    pub model: u32,
    /// The lists, by name.
    pub lists: BTreeMap<String, ListVersion>,
}

/// One version of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListVersion {
    /// Digest of the content: equal entries have equal versions.
    pub version: String,
    /// Name of the index in the bucket.
    pub object: String,
    /// Number of entries.
    pub entities: u64,
    /// Number of names, dates, countries and identifiers in all entries.
    #[serde(default)]
    pub parts: BTreeMap<String, u64>,
    /// Date of publication, `YYYY-MM-DD`, if the list contains one.
    pub date: Option<String>,
    /// When the index was built.
    pub built_at: Timestamp,
    /// When the source was last read, changed or not.
    pub checked_at: Timestamp,
    /// SHA-256 of the files that the index was built from.
    pub source: String,
}

impl Revision {
    /// The revision before any list is loaded: number 0, without lists.
    pub fn none() -> Revision {
        Revision {
            revision: 0,
            since: Timestamp::from_millis(0),
            model: MODEL_VERSION,
            lists: BTreeMap::new(),
        }
    }

    /// The version of each list, as results and evidence name them.
    pub fn versions(&self) -> BTreeMap<String, String> {
        self.lists.iter().map(|(name, list)| (name.clone(), list.version.clone())).collect()
    }
}
