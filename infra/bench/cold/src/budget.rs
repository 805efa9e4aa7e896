//! `budget`: measures every function and compares it with two minimal functions and with its limits.
//!
//! Sizes, crates and instructions above a limit are errors. Times depend on the machine, so they are
//! only shown.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::artifacts::{self, Size};
use crate::case::{self, HELLO_HTTP, HELLO_RUNTIME};
use crate::crates::Tree;
use crate::instructions;
use crate::limits::{Limit, Limits, max_zipped};
use crate::measure::{self, Cold, Warm, median_of};
use crate::process::Program;
use crate::subject::Subject;
use crate::table::{Table, megabytes, microseconds, milliseconds};
use crate::test_bed::TestBed;

/// Target for the time from start to first answer, as a multiple of the same time of `hello-http`
/// (`docs/adr/0001-tls-and-http-client.md`).
const MAX_COLD_RATIO: f64 = 3.5;
/// Target for the CPU time of [`FIRST_CPU_FUNCTION`] between the first poll and the first answer.
const MAX_FIRST_CPU: Duration = Duration::from_micros(700);
/// A function that sends one GetItem over TLS.
const FIRST_CPU_FUNCTION: &str = "get-customer";

const LIMITS: &str = "infra/bench/cold/budget.toml";

#[derive(Args)]
pub(crate) struct Options {
    /// Folder with the functions that `cargo build`, `cargo lambda build` or `sam build` has built
    #[arg(long, value_name = "DIR", env = "ARTIFACTS")]
    artifacts: PathBuf,
    /// Folder with the minimal functions
    #[arg(long, value_name = "DIR", env = "HELLOS")]
    hellos: PathBuf,
    /// Measure only these functions, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Number of cold starts of each function; a round has one of each
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: usize,
    /// Number of measured warm requests to each function
    #[arg(long, value_name = "N", default_value_t = 200)]
    warm: usize,
    /// Do not count instructions, which needs Valgrind
    #[arg(long)]
    no_instructions: bool,
    /// Write the measured values with a margin to budget.toml
    #[arg(long)]
    update: bool,
}

/// The measurements of one function.
struct Row {
    subject: Subject,
    is_hello: bool,
    size: Size,
    crates: u64,
    cold: Vec<Cold>,
    warm: Option<Warm>,
    instructions: Option<u64>,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    ensure!(options.rounds > 0 && options.warm > 0, "--rounds and --warm must be at least 1");
    if !options.no_instructions {
        instructions::check_valgrind()?;
    }
    let test_bed = TestBed::start().await?;
    let mut faults = Vec::new();
    let mut rows = rows(&options, &test_bed, &mut faults)?;
    measure(&options, &test_bed, &mut rows).await?;
    print(&rows, &test_bed);
    test_bed.stop().await;

    let mut limits = Limits::read(Path::new(LIMITS))?;
    if options.update {
        update(&mut limits, &rows)?;
    } else {
        check(&limits, &rows, &mut faults);
    }
    if !faults.is_empty() {
        bail!("over budget:\n  {}", faults.join("\n  "));
    }
    println!("within budget");
    Ok(())
}

/// Returns a row for each selected function and for both minimal functions, with the figures that
/// do not need a running process. Adds an error message for each banned crate.
fn rows(options: &Options, test_bed: &TestBed, faults: &mut Vec<String>) -> Result<Vec<Row>> {
    let is_unknown = |name: &&String| !test_bed.functions().any(|function| function == **name);
    if let Some(unknown) = options.only.iter().find(is_unknown) {
        bail!("--only must name functions of template.yaml; {unknown} is not one of them");
    }
    let is_selected =
        |name: &&str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut names: Vec<&str> = test_bed.functions().filter(is_selected).collect();
    names.sort_unstable();
    let mut rows = Vec::new();
    for name in [HELLO_RUNTIME, HELLO_HTTP].into_iter().chain(names) {
        let is_hello = [HELLO_RUNTIME, HELLO_HTTP].contains(&name);
        let folder = if is_hello { &options.hellos } else { &options.artifacts };
        let manifest = if is_hello { "infra/bench/Cargo.toml" } else { "Cargo.toml" };
        let file = artifacts::find(folder, name)?;
        let tree = Tree::of(manifest, name)?;
        for banned in tree.banned() {
            faults.push(format!("{name} depends on {banned}, which is banned"));
        }
        let environment = test_bed.environment(Some(name).filter(|_| !is_hello));
        rows.push(Row {
            size: artifacts::size_of_bootstrap(&file)?,
            subject: Subject {
                name: name.to_owned(),
                program: Program::bootstrap(&file, environment),
                expected: case::expected(name),
            },
            is_hello,
            crates: tree.count(),
            cold: Vec::new(),
            warm: None,
            instructions: None,
        });
    }
    Ok(rows)
}

async fn measure(options: &Options, test_bed: &TestBed, rows: &mut [Row]) -> Result<()> {
    let subjects: Vec<_> =
        rows.iter().map(|row| (row.subject.name.as_str(), &row.subject)).collect();
    let colds = measure::cold_starts(test_bed, &subjects, options.rounds).await?;
    for (row, cold) in rows.iter_mut().zip(colds) {
        row.cold = cold;
    }
    for row in rows.iter_mut() {
        let name = &row.subject.name;
        let events = case::events(test_bed, name, measure::warm_events(options.warm)).await?;
        row.warm = Some(measure::warm(&row.subject, &events).await?);
        if !options.no_instructions {
            eprintln!("counting instructions of {name}");
            let events = case::events(test_bed, name, instructions::EVENTS).await?;
            row.instructions = Some(instructions::per_request(&row.subject, &events).await?);
        }
    }
    Ok(())
}

fn total(row: &Row) -> Duration {
    median_of(&row.cold, Cold::total)
}

fn first_cpu(row: &Row) -> Duration {
    median_of(&row.cold, |cold| cold.first_cpu)
}

/// Returns the median time from start to first answer, divided by the median of `hello-http`. Returns
/// 0 if `hello-http` was not measured.
fn cold_ratio(rows: &[Row], row: &Row) -> f64 {
    let hello = rows.iter().find(|row| row.subject.name == HELLO_HTTP);
    hello.map_or(0.0, |hello| total(row).as_secs_f64() / total(hello).as_secs_f64())
}

fn print(rows: &[Row], test_bed: &TestBed) {
    let mut table = Table::new(
        1,
        &[
            "function",
            "x hello",
            "cold ms",
            "cold CPU",
            "init ms",
            "init CPU",
            "first ms",
            "first CPU",
            "warm us",
            "warm CPU",
            "kinstr",
            "RSS MB",
            "zip MB",
            "MB",
            "crates",
        ],
    );
    for row in rows {
        let cold = |one: fn(&Cold) -> Duration| milliseconds(median_of(&row.cold, one));
        let warm = row.warm.as_ref();
        table.row(vec![
            row.subject.name.clone(),
            format!("{:.2}", cold_ratio(rows, row)),
            cold(Cold::total),
            cold(Cold::total_cpu),
            cold(|cold| cold.init),
            cold(|cold| cold.init_cpu),
            cold(|cold| cold.first),
            milliseconds(first_cpu(row)),
            warm.map_or("-".to_owned(), |warm| microseconds(warm.wall)),
            warm.map_or("-".to_owned(), |warm| microseconds(warm.cpu)),
            row.instructions.map_or("-".to_owned(), |count| (count / 1_000).to_string()),
            warm.map_or("-".to_owned(), |warm| megabytes(warm.peak_memory)),
            megabytes(row.size.zipped),
            megabytes(row.size.bytes),
            row.crates.to_string(),
        ]);
    }
    println!();
    table.print();
    println!();
    println!(
        "The functions trust the {} certificate authorities of this machine.",
        test_bed.authority.bundle_size
    );
    print_targets(rows);
}

/// Prints whether the measured times reach their targets.
fn print_targets(rows: &[Row]) {
    let functions: Vec<&Row> = rows.iter().filter(|row| !row.is_hello).collect();
    let too_slow: Vec<String> = (functions.iter())
        .filter(|row| cold_ratio(rows, row) > MAX_COLD_RATIO)
        .map(|row| format!("{} {:.2}", row.subject.name, cold_ratio(rows, row)))
        .collect();
    let verdict = if too_slow.is_empty() {
        "met".to_owned()
    } else {
        format!("not met by {}", too_slow.join(", "))
    };
    println!(
        "Target: at most {MAX_COLD_RATIO} x {HELLO_HTTP} from start to first answer: {verdict}"
    );
    if let Some(row) = functions.iter().find(|row| row.subject.name == FIRST_CPU_FUNCTION) {
        let cpu = first_cpu(row);
        println!(
            "Target: at most {} ms CPU between first poll and first answer of {FIRST_CPU_FUNCTION}: {}, {} ms",
            milliseconds(MAX_FIRST_CPU),
            if cpu <= MAX_FIRST_CPU { "met" } else { "not met" },
            milliseconds(cpu),
        );
    }
}

/// Adds an error message for each value above its limit, and for each function without limits.
/// Compares instructions only if the limits were measured on this architecture.
fn check(limits: &Limits, rows: &[Row], faults: &mut Vec<String>) {
    let is_comparable = limits.architecture == std::env::consts::ARCH;
    if !is_comparable {
        println!("Instructions are not compared: {LIMITS} has those of {:?}.", limits.architecture);
    }
    for row in rows.iter().filter(|row| !row.is_hello) {
        let name = &row.subject.name;
        let max_zipped = max_zipped(name);
        if row.size.zipped > max_zipped {
            faults.push(format!(
                "{name} has {} bytes zipped; the limit is {max_zipped}",
                row.size.zipped
            ));
        }
        let Some(limit) = limits.functions.get(name) else {
            faults.push(format!("{name} is not in {LIMITS}: run with --update to add it"));
            continue;
        };
        let max_instructions = limit.instructions.filter(|_| is_comparable);
        for (unit, measured, limit) in [
            ("bytes zipped", Some(row.size.zipped), Some(limit.zipped)),
            ("crates", Some(row.crates), Some(limit.crates)),
            ("instructions per request", row.instructions, max_instructions),
        ] {
            if let (Some(measured), Some(limit)) = (measured, limit)
                && measured > limit
            {
                faults.push(format!("{name} has {measured} {unit}; the limit is {limit}"));
            }
        }
    }
}

/// Replaces the limits of the measured functions. Keeps a function's old limit for instructions if
/// its instructions were not counted. Drops all old limits if they come from another architecture.
fn update(limits: &mut Limits, rows: &[Row]) -> Result<()> {
    if limits.architecture != std::env::consts::ARCH {
        *limits = Limits { architecture: std::env::consts::ARCH.to_owned(), ..Limits::default() };
    }
    for row in rows.iter().filter(|row| !row.is_hello) {
        let previous = limits.functions.get(&row.subject.name);
        let previous_instructions = previous.and_then(|limit| limit.instructions);
        let mut limit =
            Limit::above(&row.subject.name, row.size.zipped, row.crates, row.instructions);
        limit.instructions = limit.instructions.or(previous_instructions);
        limits.functions.insert(row.subject.name.clone(), limit);
    }
    limits.write(Path::new(LIMITS))?;
    println!("wrote {LIMITS}");
    Ok(())
}
