//! What a function may cost: `budget.toml`, which `--update` writes anew from what was measured.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Of any function, whatever the file says.
pub(crate) const MAX_ZIPPED: u64 = 3_500_000;

const PREFACE: &str = "\
# What each function may cost, with head-room: `infra/bench/run budget` fails above it, and
# `infra/bench/run budget --update` writes it anew. Instructions are of one warm request, and hold
# for the one architecture.
";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) functions: BTreeMap<String, Limit>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limit {
    pub(crate) zipped: u64,
    pub(crate) crates: u64,
    /// `None` where they were not counted.
    pub(crate) instructions: Option<u64>,
}

impl Limit {
    /// What was measured, with head-room: more for what changes with every release of a crate.
    pub(crate) fn above(zipped: u64, crates: u64, instructions: Option<u64>) -> Limit {
        let zipped = (zipped + zipped / 20).next_multiple_of(10_000).min(MAX_ZIPPED);
        let instructions = instructions.map(|count| (count + count / 8).next_multiple_of(1_000));
        Limit { zipped, crates: crates + 3, instructions }
    }
}

impl Limits {
    /// Without a file there are none yet.
    pub(crate) fn read(file: &Path) -> Result<Limits> {
        if !file.is_file() {
            return Ok(Limits::default());
        }
        let text = std::fs::read_to_string(file)?;
        toml::from_str(&text).with_context(|| file.display().to_string())
    }

    /// Functions that were not measured keep what they had.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, format!("{PREFACE}{}", toml::to_string(self)?))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_above_what_was_measured_and_survive_their_file() {
        let limit = Limit::above(2_000_001, 150, Some(800_000));
        let expected = Limit { zipped: 2_110_000, crates: 153, instructions: Some(900_000) };
        assert_eq!(limit, expected);
        assert_eq!(Limit::above(3_499_000, 1, None).zipped, MAX_ZIPPED);
        let functions = BTreeMap::from([("get-customer".to_owned(), limit)]);
        let limits = Limits { architecture: "x86_64".to_owned(), functions };
        let text = toml::to_string(&limits).unwrap();
        assert_eq!(toml::from_str::<Limits>(&text).unwrap(), limits);
    }
}
