//! `peers`: create, get and list beside the same in what a user would pick instead, on the same
//! machine, table and events. Each peer is written from its documentation, and runs as on Lambda:
//! the start of an interpreter is part of its cold start.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::artifacts::{self, Size};
use crate::case;
use crate::event;
use crate::measure::{self, Cold, Subject, Warm, median_of};
use crate::place::Place;
use crate::process::Program;
use crate::table::{Table, megabytes, milliseconds, ratio};

/// The function, and what the peers call it.
const OPERATIONS: [(&str, &str); 3] =
    [("create-customer", "create"), ("get-customer", "get"), ("list-customers", "list")];
const PAGE: usize = 20;

#[derive(Args)]
pub(crate) struct Options {
    /// Where the functions are, as `cargo build`, `cargo lambda build` or `sam build` left them
    #[arg(long, value_name = "DIR", env = "ARTIFACTS")]
    artifacts: PathBuf,
    /// Where the peers are
    #[arg(long, value_name = "DIR", env = "PEERS")]
    peers: PathBuf,
    /// How many cold starts of each, one after the other in rounds
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: usize,
    /// How many warm requests of each
    #[arg(long, value_name = "N", default_value_t = 300)]
    warm: usize,
}

struct Row {
    operation: &'static str,
    function: &'static str,
    who: &'static str,
    subject: Subject,
    uploaded: Size,
    /// With the language's runtime, which Lambda has ready.
    on_disk: u64,
    cold: Vec<Cold>,
    warm: Option<Warm>,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    ensure!(options.rounds > 0 && options.warm > 0, "nothing is measured in no rounds");
    let peers = options.peers.canonicalize().context("the peers are not built")?;
    let place = Place::open().await?;
    let mut rows = Vec::new();
    for (function, operation) in OPERATIONS {
        let file = artifacts::find(&options.artifacts, function)?;
        let environment = place.environment(Some(function));
        let program = Program::bootstrap(&file, environment);
        rows.push(row(function, operation, "ours", program, artifacts::of_bootstrap(&file)?, 0));
        rows.push(rust(&place, &peers, function, operation)?);
        rows.push(node(&place, &peers, function, operation)?);
        rows.push(python(&place, &peers, function, operation)?);
    }
    for row in &rows {
        check(&place, row).await?;
    }
    let subjects: Vec<_> = rows.iter().map(|row| (row.function, &row.subject)).collect();
    let colds = measure::cold_starts(&place, &subjects, options.rounds).await?;
    for (row, cold) in rows.iter_mut().zip(colds) {
        row.cold = cold;
    }
    for row in &mut rows {
        let count = measure::warm_events(options.warm);
        let events = case::events(&place, row.function, count).await?;
        row.warm = Some(measure::warm(&row.subject, &events).await?);
    }
    print(&rows);
    place.close().await;
    Ok(())
}

fn row(
    function: &'static str,
    operation: &'static str,
    who: &'static str,
    program: Program,
    uploaded: Size,
    runtime: u64,
) -> Row {
    let name = format!("{operation} {who}");
    let subject = Subject { name, program, expected: case::expected(function) };
    let on_disk = uploaded.bytes + runtime;
    Row { operation, function, who, subject, uploaded, on_disk, cold: Vec::new(), warm: None }
}

fn rust(
    place: &Place,
    peers: &Path,
    function: &'static str,
    operation: &'static str,
) -> Result<Row> {
    let file = peers.join("rust").join(format!("peer-{operation}"));
    let mut environment = place.environment(None);
    environment.insert("RUST_LOG".to_owned(), "info".to_owned());
    let size = artifacts::of_bootstrap(&file)?;
    let program = Program::bootstrap(&file, environment);
    Ok(row(function, operation, "Rust, defaults", program, size, 0))
}

fn node(
    place: &Place,
    peers: &Path,
    function: &'static str,
    operation: &'static str,
) -> Result<Row> {
    let package = peers.join("node").join(operation);
    let interface = peers.join("node/node_modules/aws-lambda-ric");
    let node = PathBuf::from(told("node", &["-p", "process.execPath"])?).canonicalize()?;
    let runtime = std::fs::metadata(&node)?.len() + bytes(&interface.join("dist"), &[])?;
    let mut environment = place.environment(None);
    for (name, value) in [
        ("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs20.x"),
        ("LAMBDA_TASK_ROOT", &package.to_string_lossy()),
        ("_HANDLER", "index.handler"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let interface = interface.join("bin/index.mjs").to_string_lossy().into_owned();
    let args = vec![interface, "index.handler".to_owned()];
    let size = artifacts::of_folder(&package)?;
    let program = Program { file: node, args, environment, folder: Some(package) };
    Ok(row(function, operation, "Node", program, size, runtime))
}

fn python(
    place: &Place,
    peers: &Path,
    function: &'static str,
    operation: &'static str,
) -> Result<Row> {
    let (package, platform) = (peers.join("python/package"), peers.join("python/platform"));
    let python = PathBuf::from(told("python3", &["-c", "import sys; print(sys.executable)"])?);
    let library = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let library = PathBuf::from(told("python3", &["-c", library])?);
    let elsewhere = ["config-", "dist-packages", "site-packages", "test"];
    let runtime =
        std::fs::metadata(&python)?.len() + bytes(&library, &elsewhere)? + bytes(&platform, &[])?;
    let mut environment = place.environment(None);
    for (name, value) in [
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11"),
        ("LAMBDA_TASK_ROOT", &package.to_string_lossy()),
        ("PYTHONPATH", &platform.to_string_lossy()),
        ("_HANDLER", "app.handler"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let args = ["-m", "awslambdaric", "app.handler"].map(str::to_owned).to_vec();
    let size = artifacts::of_folder(&package)?;
    let program = Program { file: python, args, environment, folder: Some(package) };
    Ok(row(function, operation, "Python", program, size, runtime))
}

/// What a program prints.
fn told(program: &str, args: &[&str]) -> Result<String> {
    let run = Command::new(program).args(args).output().with_context(|| program.to_owned())?;
    ensure!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    Ok(String::from_utf8(run.stdout)?.trim().to_owned())
}

/// Of a folder's files, without those below names that begin like this.
fn bytes(folder: &Path, without: &[&str]) -> Result<u64> {
    let mut sum = 0;
    for file in artifacts::files(folder)? {
        let first = file.strip_prefix(folder)?.components().next();
        let first = first.map(|first| first.as_os_str().to_string_lossy().into_owned());
        let first = first.unwrap_or_default();
        if !without.iter().any(|begin| first.starts_with(begin)) {
            sum += file.metadata()?.len();
        }
    }
    Ok(sum)
}

/// Whether an answer is what was asked for, and not only of the right status.
async fn check(place: &Place, row: &Row) -> Result<()> {
    let events = case::events(place, row.function, 1).await?;
    let event = events.first().context("no event")?;
    let answer = measure::answer(&row.subject, event).await?;
    let (_, body) = event::answer(&answer).context("no HTTP answer")?;
    let data = &body["data"];
    let asked: Value = serde_json::from_str(event["body"].as_str().unwrap_or("null"))?;
    let is_right = match row.operation {
        "list" => data["items"].as_array().is_some_and(|items| items.len() == PAGE),
        "get" => data["customer_id"] == event["pathParameters"]["id"],
        _ => data["client_id"] == asked["client_id"] && data["customer_id"].is_string(),
    };
    ensure!(is_right, "{} answers {answer:.600}", row.subject.name);
    Ok(())
}

/// What is compared, as numbers.
struct Figures {
    cold: Duration,
    cold_cpu: Duration,
    warm: Duration,
    warm_cpu: Duration,
    memory: u64,
}

impl Row {
    fn figures(&self) -> Option<Figures> {
        let warm = self.warm?;
        Some(Figures {
            cold: median_of(&self.cold, Cold::total),
            cold_cpu: median_of(&self.cold, Cold::total_cpu),
            warm: warm.wall,
            warm_cpu: warm.cpu,
            memory: warm.peak_memory,
        })
    }
}

fn print(rows: &[Row]) {
    let mut table = Table::new(
        2,
        &[
            "operation",
            "who",
            "cold x",
            "CPU x",
            "warm CPU x",
            "memory x",
            "zip x",
            "disk x",
            "cold ms",
            "cold CPU",
            "warm ms",
            "warm CPU",
            "RSS MB",
            "zip MB",
            "disk MB",
        ],
    );
    let mut ours = None;
    for row in rows {
        let Some(theirs) = row.figures() else { continue };
        if row.who == "ours" {
            ours = row.figures().map(|figures| (figures, row.uploaded.zipped, row.on_disk));
        }
        let Some((own, zipped, on_disk)) = &ours else { continue };
        let times = |a: Duration, b: Duration| ratio(a.as_secs_f64(), b.as_secs_f64());
        let share = |a: u64, b: u64| ratio(a as f64, b as f64);
        table.row(vec![
            row.operation.to_owned(),
            row.who.to_owned(),
            times(theirs.cold, own.cold),
            times(theirs.cold_cpu, own.cold_cpu),
            times(theirs.warm_cpu, own.warm_cpu),
            share(theirs.memory, own.memory),
            share(row.uploaded.zipped, *zipped),
            share(row.on_disk, *on_disk),
            milliseconds(theirs.cold),
            milliseconds(theirs.cold_cpu),
            milliseconds(theirs.warm),
            milliseconds(theirs.warm_cpu),
            megabytes(theirs.memory),
            megabytes(row.uploaded.zipped),
            megabytes(row.on_disk),
        ]);
    }
    println!();
    table.print();
    println!();
    println!(
        "x: in ours. zip: what is uploaded; for Node and Python their runtime is not in it, nor boto3,"
    );
    println!(
        "which Lambda has ready. disk: unpacked, with the interpreter, its library and those."
    );
}
