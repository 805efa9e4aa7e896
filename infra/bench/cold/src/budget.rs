//! `budget`: what every function costs, beside hellos that do nothing, and whether that is within
//! its limits. Sizes, crates and instructions are held to them; times depend on the machine and are
//! only shown.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::artifacts::{self, Size};
use crate::case::{self, HELLO_HTTP, HELLO_RUNTIME};
use crate::crates::Tree;
use crate::instructions;
use crate::limits::{Limit, Limits, MAX_ZIPPED};
use crate::measure::{self, Cold, Subject, Warm, median_of};
use crate::place::Place;
use crate::process::Program;
use crate::table::{Table, megabytes, microseconds, milliseconds};

/// From start to first answer, in hellos.
const COLD_BAR: f64 = 3.5;
/// One GetItem over TLS, between the first poll and the first answer.
const FIRST_CPU_BAR: Duration = Duration::from_micros(700);
const FIRST_CPU_FUNCTION: &str = "get-customer";

const LIMITS: &str = "infra/bench/cold/budget.toml";

#[derive(Args)]
pub(crate) struct Options {
    /// Where the functions are, as `cargo build`, `cargo lambda build` or `sam build` left them
    #[arg(long, value_name = "DIR", env = "ARTIFACTS")]
    artifacts: PathBuf,
    /// Where the hellos are
    #[arg(long, value_name = "DIR", env = "HELLOS")]
    hellos: PathBuf,
    /// Only these functions, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// How many cold starts of each, one after the other in rounds
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: usize,
    /// How many warm requests of each
    #[arg(long, value_name = "N", default_value_t = 200)]
    warm: usize,
    /// Leave out what takes Valgrind
    #[arg(long)]
    no_instructions: bool,
    /// Write budget.toml anew from what is measured
    #[arg(long)]
    update: bool,
}

/// All that is known of one program.
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
    ensure!(options.rounds > 0 && options.warm > 0, "nothing is measured in no rounds");
    if !options.no_instructions {
        instructions::is_possible()?;
    }
    let place = Place::open().await?;
    let mut faults = Vec::new();
    let mut rows = rows(&options, &place, &mut faults)?;
    measure(&options, &place, &mut rows).await?;
    print(&rows, &place);
    place.close().await;

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

/// The programs, and what there is to say of them without starting them.
fn rows(options: &Options, place: &Place, faults: &mut Vec<String>) -> Result<Vec<Row>> {
    let unknown = options.only.iter().find(|name| !place.functions().any(|known| known == **name));
    if let Some(unknown) = unknown {
        bail!("{unknown} is no function of the template");
    }
    let wanted =
        |name: &&str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut names: Vec<&str> = place.functions().filter(wanted).collect();
    names.sort_unstable();
    let mut rows = Vec::new();
    for name in [HELLO_RUNTIME, HELLO_HTTP].into_iter().chain(names) {
        let is_hello = [HELLO_RUNTIME, HELLO_HTTP].contains(&name);
        let folder = if is_hello { &options.hellos } else { &options.artifacts };
        let manifest = if is_hello { "infra/bench/Cargo.toml" } else { "Cargo.toml" };
        let file = artifacts::find(folder, name)?;
        let tree = Tree::of(manifest, name)?;
        for banned in tree.banned() {
            faults.push(format!("{name} has {banned} in its tree"));
        }
        let environment = place.environment(Some(name).filter(|_| !is_hello));
        rows.push(Row {
            size: artifacts::of_bootstrap(&file)?,
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

async fn measure(options: &Options, place: &Place, rows: &mut [Row]) -> Result<()> {
    let subjects: Vec<_> =
        rows.iter().map(|row| (row.subject.name.as_str(), &row.subject)).collect();
    let colds = measure::cold_starts(place, &subjects, options.rounds).await?;
    for (row, cold) in rows.iter_mut().zip(colds) {
        row.cold = cold;
    }
    for row in rows.iter_mut() {
        let name = &row.subject.name;
        let events = case::events(place, name, measure::warm_events(options.warm)).await?;
        row.warm = Some(measure::warm(&row.subject, &events).await?);
        if !options.no_instructions {
            eprintln!("instructions of {name}");
            let events = case::events(place, name, instructions::EVENTS).await?;
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

/// In cold starts of the hello.
fn times_hello(rows: &[Row], row: &Row) -> f64 {
    let hello = rows.iter().find(|row| row.subject.name == HELLO_HTTP);
    hello.map_or(0.0, |hello| total(row).as_secs_f64() / total(hello).as_secs_f64())
}

fn print(rows: &[Row], place: &Place) {
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
            format!("{:.2}", times_hello(rows, row)),
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
        "{} certificate authorities are trusted, as in a sandbox of Lambda",
        place.authority.trusted
    );
    bars(rows);
}

/// What is wished for of times, and what they are.
fn bars(rows: &[Row]) {
    let functions: Vec<&Row> = rows.iter().filter(|row| !row.is_hello).collect();
    let slow: Vec<String> = (functions.iter())
        .filter(|row| times_hello(rows, row) > COLD_BAR)
        .map(|row| format!("{} {:.2}", row.subject.name, times_hello(rows, row)))
        .collect();
    let verdict =
        if slow.is_empty() { "met".to_owned() } else { format!("not by {}", slow.join(", ")) };
    println!("from start to first answer at most {COLD_BAR} x {HELLO_HTTP}: {verdict}");
    if let Some(row) = functions.iter().find(|row| row.subject.name == FIRST_CPU_FUNCTION) {
        let cpu = first_cpu(row);
        println!(
            "{FIRST_CPU_FUNCTION}, CPU between first poll and first answer at most {} ms: {}, {} ms",
            milliseconds(FIRST_CPU_BAR),
            if cpu <= FIRST_CPU_BAR { "met" } else { "not met" },
            milliseconds(cpu),
        );
    }
}

fn check(limits: &Limits, rows: &[Row], faults: &mut Vec<String>) {
    let is_comparable = limits.architecture == std::env::consts::ARCH;
    if !is_comparable {
        println!("instructions are not compared: {LIMITS} is of {:?}", limits.architecture);
    }
    for row in rows.iter().filter(|row| !row.is_hello) {
        let name = &row.subject.name;
        if row.size.zipped > MAX_ZIPPED {
            faults.push(format!("{name} has {} bytes zipped, over {MAX_ZIPPED}", row.size.zipped));
        }
        let Some(limit) = limits.functions.get(name) else {
            faults.push(format!("{name} is not in {LIMITS}: run with --update"));
            continue;
        };
        let limited = limit.instructions.filter(|_| is_comparable);
        for (what, measured, limit) in [
            ("bytes zipped", Some(row.size.zipped), Some(limit.zipped)),
            ("crates", Some(row.crates), Some(limit.crates)),
            ("instructions per request", row.instructions, limited),
        ] {
            if let (Some(measured), Some(limit)) = (measured, limit)
                && measured > limit
            {
                faults.push(format!("{name} has {measured} {what}, over {limit}"));
            }
        }
    }
}

/// What was not measured this time stays as it is.
fn update(limits: &mut Limits, rows: &[Row]) -> Result<()> {
    if limits.architecture != std::env::consts::ARCH {
        *limits = Limits { architecture: std::env::consts::ARCH.to_owned(), ..Limits::default() };
    }
    for row in rows.iter().filter(|row| !row.is_hello) {
        let before = limits.functions.get(&row.subject.name);
        let kept = before.and_then(|limit| limit.instructions);
        let mut limit = Limit::above(row.size.zipped, row.crates, row.instructions);
        limit.instructions = limit.instructions.or(kept);
        limits.functions.insert(row.subject.name.clone(), limit);
    }
    limits.write(Path::new(LIMITS))?;
    println!("{LIMITS} is written");
    Ok(())
}
