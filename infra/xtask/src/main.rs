//! Implements `cargo xtask`, the commands for contributors.
#![allow(clippy::print_stderr, reason = "this is a command")]

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use xtask::new_route::{Method, Route};
use xtask::prose::Checker;
use xtask::{commands, imports, new_route, repository};

/// Commands for contributors to this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a change before a commit: format, lints, unit tests, imports, prose (about a minute)
    Quick,
    /// Run every check of continuous integration (about 45 minutes)
    Check,
    /// Update infra/openapi.yaml from the code
    Openapi(Openapi),
    /// Add a route: create its function and list it in every place
    NewRoute(NewRoute),
    /// Check which module uses which, and print the graph
    Imports(Imports),
    /// Count stilted constructions in comments, documents and messages
    Prose(Prose),
}

#[derive(Args)]
struct Openapi {
    /// Only compare, and fail if the file is out of date
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
struct NewRoute {
    /// GET, POST, PUT, PATCH or DELETE
    method: Method,
    /// Path as the template writes it, like /customers/{id}/notes
    path: String,
    /// Name of the function, like list-notes
    name: String,
}

#[derive(Args)]
struct Imports {
    /// Print only the violations
    #[arg(long)]
    summary: bool,
}

#[derive(Args)]
struct Prose {
    /// Files or folders to check; the whole repository by default
    paths: Vec<PathBuf>,
    /// Print only the totals
    #[arg(long)]
    summary: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Quick => commands::quick(&repository::root()?),
        Command::Check => commands::check(&repository::root()?),
        Command::Openapi(arguments) => commands::openapi(&repository::root()?, arguments.check),
        Command::NewRoute(arguments) => add_route(&arguments),
        Command::Imports(arguments) => check_imports(&arguments),
        Command::Prose(arguments) => check_prose(&arguments),
    }
}

fn add_route(arguments: &NewRoute) -> Result<(), String> {
    let root = repository::root()?;
    let route = Route::new(arguments.method, &arguments.path, &arguments.name)?;
    let mut text = String::new();
    for path in new_route::create(&root, &route)? {
        text.push_str(&format!("wrote {}\n", path.display()));
    }
    for manifest in commands::update_locks(&root) {
        text.push_str(&format!("The lock file of {manifest} is out of date; build there once.\n"));
    }
    text.push_str(&format!("\nLeft to do for {route}:\n{}", new_route::remaining_work(&route)));
    print(&text)
}

fn check_imports(arguments: &Imports) -> Result<(), String> {
    let imports = imports::check(&repository::root()?)?;
    let mut text = if arguments.summary { String::new() } else { imports.graph };
    for violation in &imports.violations {
        text.push_str(&format!("{violation}\n"));
    }
    print(&text)?;
    match imports.violations.len() {
        0 => print("no violations of the import rules\n"),
        count => Err(format!("{count} violations of the import rules")),
    }
}

fn check_prose(arguments: &Prose) -> Result<(), String> {
    // Files outside the repository can be checked, too.
    let root = repository::root().unwrap_or_default();
    let paths = if arguments.paths.is_empty() {
        vec![repository::root()?]
    } else {
        arguments.paths.clone()
    };
    let report = Checker::new().check(&root, &paths)?;
    let mut text = String::new();
    if !arguments.summary {
        for hit in &report.hits {
            text.push_str(&format!("{hit}\n"));
        }
    }
    text.push_str(&format!("{report}\n"));
    print(&text)
}

/// Writes a text to standard output. A closed pipe is not an error, because a reader such as `head`
/// may close standard output early.
fn print(text: &str) -> Result<(), String> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("output: {error}")),
        _ => Ok(()),
    }
}
