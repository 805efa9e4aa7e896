//! `screen-eval`: how good and how fast the matching is, on anybody's labelled data.

use std::fs::File;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use local::Failure;
use serde::Serialize;
use serde_json::json;
use shared::screening::eval::{self, Labelled, Report, Separation, Shares};
use shared::screening::index::Index;

use super::progress::Progress;
use super::{Against, counted, json};

#[derive(Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    against: Against,
    #[command(flatten)]
    data: Data,
    /// Compare the columns `birth_date` and `country` of --queries as well, not the names alone
    #[arg(long, requires = "queries")]
    context: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Data {
    /// Labelled queries: a CSV with kind, category, query, expected_ids and maybe schema
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// Names that nobody should match: a CSV with full_name or name, or its first column
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Pairs of names: a CSV with name1, name2 and is_match; needs no list
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

pub(crate) fn evaluate(asked: &Evaluate) -> Result<(), Failure> {
    match &asked.data {
        Data { queries: Some(file), .. } => queries(asked, file),
        Data { names: Some(file), .. } => names(asked, file),
        Data { pairs: Some(file), .. } => pairs(asked, file),
        Data { .. } => Err("one of --queries, --names and --pairs is needed".to_owned()),
    }
}

fn read<T>(
    file: &Path,
    read: impl FnOnce(File) -> Result<Vec<T>, csv::Error>,
) -> Result<Vec<T>, Failure> {
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let opened = File::open(file).map_err(|error| failed(&error))?;
    let rows = read(opened).map_err(|error| failed(&error))?;
    if rows.is_empty() { Err(failed(&"has no rows")) } else { Ok(rows) }
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a Report,
    queries: usize,
    queries_per_second: f64,
    threads: usize,
}

fn queries(asked: &Evaluate, file: &Path) -> Result<(), Failure> {
    let rows = read(file, eval::read_queries)?;
    let indexes = asked.against.indexes()?;
    let lists: Vec<&Index> = indexes.iter().collect();
    let progress = Progress::of("queries", Some(rows.len() as u64));
    let report = eval::evaluate(&lists, &rows, asked.against.threshold, asked.context, |done| {
        progress.at(done as u64);
    });
    drop(progress);
    let (queries_per_second, threads) = throughput(rows.len(), || screen_all(&lists, &rows, asked));
    if asked.json {
        let queries = rows.len();
        return json(&Told { report: &report, queries, queries_per_second, threads });
    }
    print_shares(&report.shares);
    println!("\nclass                                share");
    for (class, share) in &report.classes {
        println!("{class:<34} {:>6}", percent(*share));
    }
    println!("\nthreshold  recall  random hits  hard hits");
    for shares in report.sweep.iter().step_by(5) {
        println!(
            "{:>9.2}  {:>6}  {:>11}  {:>9}",
            shares.threshold,
            percent(shares.recall),
            percent(shares.random_negative_hits),
            percent(shares.hard_negative_hits)
        );
    }
    println!(
        "\n{} queries a second on {threads} threads, from the text to the explained matches",
        counted(queries_per_second as u64)
    );
    Ok(())
}

fn screen_all(lists: &[&Index], rows: &[Labelled], asked: &Evaluate) {
    eval::run(lists, rows, asked.against.threshold, asked.context);
}

fn print_shares(shares: &Shares) {
    println!("at {:.2}", shares.threshold);
    println!("recall                {:>6}", percent(shares.recall));
    println!("random negative hits  {:>6}", percent(shares.random_negative_hits));
    println!("hard negative hits    {:>6}", percent(shares.hard_negative_hits));
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Long enough that neither the clock nor a cold cache shows.
const MEASURED: Duration = Duration::from_secs(2);

/// How many a second `work` does on every core there is, when it does `count` in a call.
fn throughput(count: usize, work: impl Fn() + Sync) -> (f64, usize) {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    work();
    let begun = Instant::now();
    let rounds: usize = thread::scope(|scope| {
        let one = || {
            let mut rounds = 0;
            while begun.elapsed() < MEASURED {
                work();
                rounds += 1;
            }
            rounds
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    });
    ((rounds * count) as f64 / begun.elapsed().as_secs_f64(), threads)
}

fn names(asked: &Evaluate, file: &Path) -> Result<(), Failure> {
    let names = read(file, eval::read_names)?;
    let indexes = asked.against.indexes()?;
    let lists: Vec<&Index> = indexes.iter().collect();
    let threshold = asked.against.threshold;
    let progress = Progress::of("names", Some(names.len() as u64));
    let rate = eval::alert_rate(&lists, &names, threshold, |done| progress.at(done as u64));
    drop(progress);
    if asked.json {
        return json(&json!({ "threshold": threshold, "names": names.len(), "alert_rate": rate }));
    }
    let count = counted(names.len() as u64);
    println!("{:.3} % of {count} names alert at {threshold:.2}", rate * 100.0);
    Ok(())
}

fn pairs(asked: &Evaluate, file: &Path) -> Result<(), Failure> {
    let pairs = read(file, eval::read_pairs)?;
    let sweep = eval::separate(&pairs);
    let best = sweep.iter().max_by(|a, b| a.f1.total_cmp(&b.f1)).copied().unwrap_or_default();
    let asked_for = |one: &&Separation| one.threshold >= asked.against.threshold;
    let at = sweep.iter().find(asked_for).copied().unwrap_or_default();
    if asked.json {
        return json(&json!({ "pairs": pairs.len(), "best": best, "at": at, "sweep": sweep }));
    }
    for (what, one) in [("best", best), ("asked", at)] {
        println!(
            "{what:<5} F1 {:.3} at {:.2}: precision {}, recall {}",
            one.f1,
            one.threshold,
            percent(one.precision),
            percent(one.recall)
        );
    }
    Ok(())
}
