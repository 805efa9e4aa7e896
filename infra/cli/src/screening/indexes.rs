//! Opens the indexes against which a command screens.

use std::path::{Path, PathBuf};

use clap::Args;
use local::{Failure, SAMPLE};
use shared::screening::import;
use shared::screening::index::Index;
use shared::screening::lists::Input;
use shared::screening::score::DEFAULT_MIN_SCORE;

#[derive(Args)]
pub(crate) struct Against {
    /// Index to screen against; can occur more than once. Without it: a sample of invented names
    #[arg(long = "list", value_name = "FILE")]
    pub(crate) lists: Vec<PathBuf>,
    /// Minimum score of a match, above 0 and up to 1
    #[arg(long, value_name = "SCORE", default_value_t = DEFAULT_MIN_SCORE, value_parser = threshold)]
    pub(crate) threshold: f32,
}

impl Against {
    pub(crate) fn indexes(&self) -> Result<Vec<Index>, Failure> {
        if self.lists.is_empty() {
            return Ok(vec![sample()?]);
        }
        self.lists.iter().map(|file| open(file)).collect()
    }
}

pub(crate) fn open(file: &Path) -> Result<Index, Failure> {
    Index::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn threshold(text: &str) -> Result<f32, String> {
    let score = text.parse().ok().filter(|score| *score > 0.0 && *score <= 1.0);
    score.ok_or_else(|| "must be a number above 0 and up to 1".to_owned())
}

/// Builds an index of the sample list in memory.
fn sample() -> Result<Index, Failure> {
    let file = Input { name: "sample.csv", read: Box::new(SAMPLE.as_bytes()) };
    let import = import("sample", None, vec![file], |_| ()).map_err(|why| why.to_string())?;
    Index::open(import.index).map_err(|why| why.to_string())
}
