//! Implements the command `screen-eval`, which measures the accuracy and speed of screening on
//! labelled data.

use std::fs::File;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use local::Failure;
use serde::Serialize;
use serde_json::json;
use shared::screening::eval::{self, Report, Separation, Shares};
use shared::screening::index::Index;

use super::indexes::Against;
use super::output::{count, print_json};
use super::progress::Progress;
use crate::output::out;

/// Duration of a measurement of the throughput. It is long enough to make the resolution of the
/// clock and a cold cache insignificant.
const MEASURING_TIME: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    against: Against,
    #[command(flatten)]
    data: Data,
    /// Also compare the columns birth_date and country of --queries, not only names
    #[arg(long, requires = "queries")]
    context: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Data {
    /// Labelled queries: a CSV with kind, category, query, expected_ids and optionally schema
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// Names that should not match: a CSV with full_name or name, else its first column
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Pairs of names: a CSV with name1, name2 and is_match; uses no list
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

pub(crate) fn run(options: &Evaluate) -> Result<(), Failure> {
    match &options.data {
        Data { queries: Some(file), .. } => evaluate_queries(options, file),
        Data { names: Some(file), .. } => evaluate_names(options, file),
        Data { pairs: Some(file), .. } => evaluate_pairs(options, file),
        Data { .. } => Err("pass one of --queries, --names and --pairs".to_owned()),
    }
}

/// Reads the rows of a file. A file without rows is an error.
fn read_rows<T>(
    file: &Path,
    parse: impl FnOnce(File) -> Result<Vec<T>, csv::Error>,
) -> Result<Vec<T>, Failure> {
    let failure = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let input = File::open(file).map_err(|error| failure(&error))?;
    let rows = parse(input).map_err(|error| failure(&error))?;
    if rows.is_empty() { Err(failure(&"has no rows")) } else { Ok(rows) }
}

#[derive(Serialize)]
struct QueriesReport<'a> {
    #[serde(flatten)]
    report: &'a Report,
    queries: usize,
    queries_per_second: f64,
    threads: usize,
}

fn evaluate_queries(options: &Evaluate, file: &Path) -> Result<(), Failure> {
    let rows = read_rows(file, eval::read_queries)?;
    let indexes = options.against.indexes()?;
    let lists: Vec<&Index> = indexes.iter().collect();
    let (threshold, context) = (options.against.threshold, options.context);
    let progress = Progress::start("queries", Some(rows.len() as u64));
    let report =
        eval::evaluate(&lists, &rows, threshold, context, |done| progress.set(done as u64));
    drop(progress);
    let screen_all = || {
        eval::run(&lists, &rows, threshold, context);
    };
    let (queries_per_second, threads) = throughput(rows.len(), screen_all);
    if options.json {
        let queries = rows.len();
        return print_json(&QueriesReport {
            report: &report,
            queries,
            queries_per_second,
            threads,
        });
    }
    print_shares(&report.shares);
    out!("\nclass                                share");
    for (class, share) in &report.classes {
        out!("{class:<34} {:>6}", percent(*share));
    }
    out!("\nthreshold  recall  random hits  hard hits");
    for shares in report.sweep.iter().step_by(5) {
        out!(
            "{:>9.2}  {:>6}  {:>11}  {:>9}",
            shares.threshold,
            percent(shares.recall),
            percent(shares.random_negative_hits),
            percent(shares.hard_negative_hits)
        );
    }
    out!(
        "\n{} queries per second on {threads} threads, from the text to the explained matches",
        count(queries_per_second as u64)
    );
    Ok(())
}

fn print_shares(shares: &Shares) {
    out!("threshold               {:.2}", shares.threshold);
    out!("recall                {:>6}", percent(shares.recall));
    out!("random negative hits  {:>6}", percent(shares.random_negative_hits));
    out!("hard negative hits    {:>6}", percent(shares.hard_negative_hits));
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Runs `work` repeatedly on all cores for [`MEASURING_TIME`]. Returns the number of items processed
/// per second, and the number of threads. Each call of `work` processes `items` items.
fn throughput(items: usize, work: impl Fn() + Sync) -> (f64, usize) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    work();
    let start = Instant::now();
    let count_rounds = || {
        let mut rounds = 0;
        while start.elapsed() < MEASURING_TIME {
            work();
            rounds += 1;
        }
        rounds
    };
    let rounds: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(count_rounds)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_default()).sum()
    });
    ((rounds * items) as f64 / start.elapsed().as_secs_f64(), threads)
}

fn evaluate_names(options: &Evaluate, file: &Path) -> Result<(), Failure> {
    let names = read_rows(file, eval::read_names)?;
    let indexes = options.against.indexes()?;
    let lists: Vec<&Index> = indexes.iter().collect();
    let threshold = options.against.threshold;
    let progress = Progress::start("names", Some(names.len() as u64));
    let rate = eval::alert_rate(&lists, &names, threshold, |done| progress.set(done as u64));
    drop(progress);
    if options.json {
        return print_json(
            &json!({ "threshold": threshold, "names": names.len(), "alert_rate": rate }),
        );
    }
    let names = count(names.len() as u64);
    out!("{:.3} % of {names} names have a match at {threshold:.2}", rate * 100.0);
    Ok(())
}

fn evaluate_pairs(options: &Evaluate, file: &Path) -> Result<(), Failure> {
    let pairs = read_rows(file, eval::read_pairs)?;
    let sweep = eval::separate(&pairs);
    let best = sweep.iter().max_by(|a, b| a.f1.total_cmp(&b.f1)).copied().unwrap_or_default();
    let is_at_threshold = |one: &&Separation| one.threshold >= options.against.threshold;
    let at = sweep.iter().find(is_at_threshold).copied().unwrap_or_default();
    if options.json {
        return print_json(
            &json!({ "pairs": pairs.len(), "best": best, "at": at, "sweep": sweep }),
        );
    }
    for (label, one) in [("best", best), ("given", at)] {
        out!(
            "{label:<5} F1 {:.3} at {:.2}: precision {}, recall {}",
            one.f1,
            one.threshold,
            percent(one.precision),
            percent(one.recall)
        );
    }
    Ok(())
}
