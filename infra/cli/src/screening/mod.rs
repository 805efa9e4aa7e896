//! Watchlists from the command line: what it takes to build, look at and try them.

mod evaluate;
mod name;
mod progress;
mod watchlists;

use std::path::{Path, PathBuf};

use clap::Args;
use local::{Failure, SAMPLE};
use shared::screening::import;
use shared::screening::index::Index;
use shared::screening::lists::Input;
use shared::screening::score::DEFAULT_MIN_SCORE;

pub(crate) use evaluate::{Evaluate, evaluate};
pub(crate) use name::{Name, screen};
pub(crate) use watchlists::{Watchlists, watchlists};

/// Against what, and from which score on.
#[derive(Args)]
struct Against {
    /// A built index; may be given more than once. Without any: a sample of made-up names
    #[arg(long = "list", value_name = "FILE")]
    lists: Vec<PathBuf>,
    /// The score from which a match counts, above 0 and up to 1
    #[arg(long, value_name = "SCORE", default_value_t = DEFAULT_MIN_SCORE, value_parser = threshold)]
    threshold: f32,
}

impl Against {
    fn indexes(&self) -> Result<Vec<Index>, Failure> {
        if self.lists.is_empty() {
            return Ok(vec![sample()?]);
        }
        self.lists.iter().map(|file| open(file)).collect()
    }
}

fn threshold(text: &str) -> Result<f32, String> {
    let score = text.parse().ok().filter(|score| *score > 0.0 && *score <= 1.0);
    score.ok_or_else(|| "must be a number above 0 and up to 1".to_owned())
}

fn open(file: &Path) -> Result<Index, Failure> {
    Index::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

/// People and firms that don't exist, so that there is something to try.
fn sample() -> Result<Index, Failure> {
    let file = Input { name: "sample.csv", read: Box::new(SAMPLE.as_bytes()) };
    let imported = import("sample", None, vec![file], |_| ());
    let index = Index::open(imported.map_err(|why| why.to_string())?.index);
    index.map_err(|why| why.to_string())
}

fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    println!("{text}");
    Ok(())
}

/// `13,827`.
fn counted(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}
