//! The limits of each function, which are stored in `budget.toml`. `--update` writes the file from
//! measured values.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Maximum size of a function's zipped package, in bytes (`docs/adr/0001-tls-and-http-client.md`).
const MAX_ZIPPED: u64 = 3_500_000;
/// Maximum size of the zipped package of a function with the S3 client, in bytes
/// (`docs/adr/0002-s3-client.md`).
const MAX_ZIPPED_WITH_S3: u64 = 4_500_000;
/// The functions that contain the S3 client.
const WITH_S3: [&str; 5] =
    ["monitor-customer", "put-organization", "refresh-watchlists", "rescreen", "update-customer"];

const PREFACE: &str = "\
# Limits of each function, with a margin above the measured values. `infra/bench/run budget` fails if
# a function exceeds one, and `infra/bench/run budget --update` writes this file. `zipped` is in
# bytes, and `instructions` per warm request on `architecture`.
";

/// Limits of all functions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// Architecture on which the instructions were counted, such as `x86_64`.
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) functions: BTreeMap<String, Limit>,
}

/// Limits of one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Limit {
    /// Size of the zipped package in bytes.
    pub(crate) zipped: u64,
    /// Number of crates in the dependency tree.
    pub(crate) crates: u64,
    /// Instructions of one warm request. `None` if they were not counted.
    pub(crate) instructions: Option<u64>,
}

/// Returns the maximum size of a function's zipped package in bytes. `budget.toml` cannot raise this
/// maximum.
pub(crate) fn max_zipped(function: &str) -> u64 {
    if WITH_S3.contains(&function) { MAX_ZIPPED_WITH_S3 } else { MAX_ZIPPED }
}

impl Limit {
    /// Adds a margin to measured values: 5 percent to the size, 3 crates, and one eighth to the
    /// instructions, which change with every release of a crate. The size is at most [`max_zipped`].
    pub(crate) fn above(
        function: &str,
        zipped: u64,
        crates: u64,
        instructions: Option<u64>,
    ) -> Limit {
        let zipped = (zipped + zipped / 20).next_multiple_of(10_000).min(max_zipped(function));
        let instructions = instructions.map(|count| (count + count / 8).next_multiple_of(1_000));
        Limit { zipped, crates: crates + 3, instructions }
    }
}

impl Limits {
    /// Reads the limits from a file. A missing file contains no limits.
    pub(crate) fn read(file: &Path) -> Result<Limits> {
        if !file.is_file() {
            return Ok(Limits::default());
        }
        let text = std::fs::read_to_string(file)?;
        toml::from_str(&text).with_context(|| file.display().to_string())
    }

    /// Writes the limits to a file.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, format!("{PREFACE}{}", toml::to_string(self)?))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_a_margin_and_survive_a_round_trip() {
        let limit = Limit::above("get-customer", 2_000_001, 150, Some(800_000));
        let expected = Limit { zipped: 2_110_000, crates: 153, instructions: Some(900_000) };
        assert_eq!(limit, expected);
        assert_eq!(Limit::above("get-customer", 3_499_000, 1, None).zipped, MAX_ZIPPED);
        assert_eq!(Limit::above("rescreen", 4_499_000, 1, None).zipped, MAX_ZIPPED_WITH_S3);
        let functions = BTreeMap::from([("get-customer".to_owned(), limit)]);
        let limits = Limits { architecture: "x86_64".to_owned(), functions };
        let text = toml::to_string(&limits).unwrap();
        assert_eq!(toml::from_str::<Limits>(&text).unwrap(), limits);
    }
}
