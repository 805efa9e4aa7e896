//! `peers`: compares create, get and list with the same functions in Node, Python and Rust with default
//! crates, on the same machine, table and events.
//!
//! Each peer follows the documentation of its libraries and starts as on Lambda. A cold start of Node
//! or Python therefore includes the start of the interpreter.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use crate::artifacts::{self, Size};
use crate::case;
use crate::event;
use crate::measure::{self, Cold, Warm, median_of};
use crate::process::Program;
use crate::subject::Subject;
use crate::table::{Table, megabytes, milliseconds, ratio};
use crate::test_bed::TestBed;

/// Compared functions: the name of each in the API and in the peers.
const OPERATIONS: [(&str, &str); 3] =
    [("create-customer", "create"), ("get-customer", "get"), ("list-customers", "list")];
/// Number of customers on a page of a list.
const PAGE: usize = 20;

#[derive(Args)]
pub(crate) struct Options {
    /// Folder with the functions that `cargo build`, `cargo lambda build` or `sam build` has built
    #[arg(long, value_name = "DIR", env = "ARTIFACTS")]
    artifacts: PathBuf,
    /// Folder with the peers
    #[arg(long, value_name = "DIR", env = "PEERS")]
    peers: PathBuf,
    /// Number of cold starts of each function; a round has one of each
    #[arg(long, value_name = "N", default_value_t = 20)]
    rounds: usize,
    /// Number of measured warm requests to each function
    #[arg(long, value_name = "N", default_value_t = 300)]
    warm: usize,
}

/// The measurements of one function in one implementation.
struct Row {
    operation: &'static str,
    function: &'static str,
    implementation: &'static str,
    subject: Subject,
    uploaded: Size,
    /// Unpacked size in bytes. Includes the runtime of the language, which Lambda provides.
    on_disk: u64,
    cold: Vec<Cold>,
    warm: Option<Warm>,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    ensure!(options.rounds > 0 && options.warm > 0, "--rounds and --warm must be at least 1");
    let peers = options
        .peers
        .canonicalize()
        .context("the peers are not built: run `infra/bench/run peers`")?;
    let test_bed = TestBed::start().await?;
    let mut rows = Vec::new();
    for (function, operation) in OPERATIONS {
        let file = artifacts::find(&options.artifacts, function)?;
        let environment = test_bed.environment(Some(function));
        let program = Program::bootstrap(&file, environment);
        rows.push(row(
            function,
            operation,
            "ours",
            program,
            artifacts::size_of_bootstrap(&file)?,
            0,
        ));
        rows.push(rust(&test_bed, &peers, function, operation)?);
        rows.push(node(&test_bed, &peers, function, operation)?);
        rows.push(python(&test_bed, &peers, function, operation)?);
    }
    for row in &rows {
        check(&test_bed, row).await?;
    }
    let subjects: Vec<_> = rows.iter().map(|row| (row.function, &row.subject)).collect();
    let colds = measure::cold_starts(&test_bed, &subjects, options.rounds).await?;
    for (row, cold) in rows.iter_mut().zip(colds) {
        row.cold = cold;
    }
    for row in &mut rows {
        let count = measure::warm_events(options.warm);
        let events = case::events(&test_bed, row.function, count).await?;
        row.warm = Some(measure::warm(&row.subject, &events).await?);
    }
    print(&rows);
    test_bed.stop().await;
    Ok(())
}

fn row(
    function: &'static str,
    operation: &'static str,
    implementation: &'static str,
    program: Program,
    uploaded: Size,
    runtime: u64,
) -> Row {
    let name = format!("{operation} {implementation}");
    let subject = Subject { name, program, expected: case::expected(function) };
    let on_disk = uploaded.bytes + runtime;
    Row {
        operation,
        function,
        implementation,
        subject,
        uploaded,
        on_disk,
        cold: Vec::new(),
        warm: None,
    }
}

fn rust(
    test_bed: &TestBed,
    peers: &Path,
    function: &'static str,
    operation: &'static str,
) -> Result<Row> {
    let file = peers.join("rust").join(format!("peer-{operation}"));
    let mut environment = test_bed.environment(None);
    environment.insert("RUST_LOG".to_owned(), "info".to_owned());
    let size = artifacts::size_of_bootstrap(&file)?;
    let program = Program::bootstrap(&file, environment);
    Ok(row(function, operation, "Rust, defaults", program, size, 0))
}

fn node(
    test_bed: &TestBed,
    peers: &Path,
    function: &'static str,
    operation: &'static str,
) -> Result<Row> {
    let package = peers.join("node").join(operation);
    let interface_folder = peers.join("node/node_modules/aws-lambda-ric");
    let node = PathBuf::from(output_of("node", &["-p", "process.execPath"])?).canonicalize()?;
    let runtime =
        std::fs::metadata(&node)?.len() + total_size(&interface_folder.join("dist"), &[])?;
    let mut environment = test_bed.environment(None);
    for (name, value) in [
        ("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs20.x"),
        ("LAMBDA_TASK_ROOT", &package.to_string_lossy()),
        ("_HANDLER", "index.handler"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let interface = interface_folder.join("bin/index.mjs").to_string_lossy().into_owned();
    let args = vec![interface, "index.handler".to_owned()];
    let size = artifacts::size_of_folder(&package)?;
    let program = Program { file: node, args, environment, folder: Some(package) };
    Ok(row(function, operation, "Node", program, size, runtime))
}

fn python(
    test_bed: &TestBed,
    peers: &Path,
    function: &'static str,
    operation: &'static str,
) -> Result<Row> {
    let (package, platform) = (peers.join("python/package"), peers.join("python/platform"));
    let python = PathBuf::from(output_of("python3", &["-c", "import sys; print(sys.executable)"])?);
    let library = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let library = PathBuf::from(output_of("python3", &["-c", library])?);
    let excluded = ["config-", "dist-packages", "site-packages", "test"];
    let runtime = std::fs::metadata(&python)?.len()
        + total_size(&library, &excluded)?
        + total_size(&platform, &[])?;
    let mut environment = test_bed.environment(None);
    for (name, value) in [
        ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11"),
        ("LAMBDA_TASK_ROOT", &package.to_string_lossy()),
        ("PYTHONPATH", &platform.to_string_lossy()),
        ("_HANDLER", "app.handler"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    let args = ["-m", "awslambdaric", "app.handler"].map(str::to_owned).to_vec();
    let size = artifacts::size_of_folder(&package)?;
    let program = Program { file: python, args, environment, folder: Some(package) };
    Ok(row(function, operation, "Python", program, size, runtime))
}

/// Runs a program and returns its trimmed standard output.
fn output_of(program: &str, args: &[&str]) -> Result<String> {
    let run = Command::new(program).args(args).output().with_context(|| program.to_owned())?;
    ensure!(run.status.success(), "{program}: {}", String::from_utf8_lossy(&run.stderr));
    Ok(String::from_utf8(run.stdout)?.trim().to_owned())
}

/// Returns the size of all files in a folder and its subfolders in bytes. Skips the direct entries
/// of the folder whose names begin with an excluded prefix.
fn total_size(folder: &Path, excluded: &[&str]) -> Result<u64> {
    let mut sum = 0;
    for file in artifacts::files(folder)? {
        let relative = file.strip_prefix(folder)?.to_string_lossy();
        if !excluded.iter().any(|prefix| relative.starts_with(prefix)) {
            sum += file.metadata()?.len();
        }
    }
    Ok(sum)
}

/// Checks that the body of an answer contains the created customer, the requested customer or a
/// full page. The measurements check only the status.
async fn check(test_bed: &TestBed, row: &Row) -> Result<()> {
    let events = case::events(test_bed, row.function, 1).await?;
    let event = events.first().context("the function has no event")?;
    let answer = measure::answer(&row.subject, event).await?;
    let (_, body) = event::answer(&answer).context("the answer is not an HTTP answer")?;
    let data = &body["data"];
    let request: Value = serde_json::from_str(event["body"].as_str().unwrap_or("null"))?;
    let is_right = match row.operation {
        "list" => data["items"].as_array().is_some_and(|items| items.len() == PAGE),
        "get" => data["customer_id"] == event["pathParameters"]["id"],
        _ => data["client_id"] == request["client_id"] && data["customer_id"].is_string(),
    };
    ensure!(is_right, "{} answered {answer:.600}", row.subject.name);
    Ok(())
}

/// The figures of a function that the table compares. `cold`, `cold_cpu` and `warm` are medians, and
/// `warm_cpu` is a mean.
struct Figures {
    cold: Duration,
    cold_cpu: Duration,
    warm: Duration,
    warm_cpu: Duration,
    /// Peak memory in bytes.
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
            "implementation",
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
        if row.implementation == "ours" {
            ours = row.figures().map(|figures| (figures, row.uploaded.zipped, row.on_disk));
        }
        let Some((own, zipped, on_disk)) = &ours else { continue };
        let times = |a: Duration, b: Duration| ratio(a.as_secs_f64(), b.as_secs_f64());
        let share = |a: u64, b: u64| ratio(a as f64, b as f64);
        table.row(vec![
            row.operation.to_owned(),
            row.implementation.to_owned(),
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
        "x: multiple of ours. zip: the uploaded package, without what Lambda provides: the runtimes of"
    );
    println!(
        "Node and Python, and boto3. disk: the unpacked package, with the interpreter, its library and these."
    );
}
