//! `cargo xtask`: commands for contributors.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::prose::Checker;
use xtask::{imports, repository};

/// Commands for contributors to this repository.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Count stilted constructions in comments, documents and messages
    Prose(Prose),
    /// Check which module uses which, and print the graph
    Imports(Imports),
}

#[derive(clap::Args)]
struct Prose {
    /// Files or folders to check; the whole repository by default
    paths: Vec<PathBuf>,
    /// Print only the totals
    #[arg(long)]
    summary: bool,
}

#[derive(clap::Args)]
struct Imports {
    /// Print only the violations
    #[arg(long)]
    summary: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Prose(arguments) => prose(&arguments),
        Command::Imports(arguments) => check_imports(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn prose(arguments: &Prose) -> Result<(), String> {
    let paths = if arguments.paths.is_empty() {
        vec![repository::root()?]
    } else {
        arguments.paths.clone()
    };
    let root = repository::root().unwrap_or_default();
    let report = Checker::new().check(&root, &paths)?;
    if !arguments.summary {
        for hit in &report.hits {
            println!("{hit}");
        }
        println!();
    }
    println!("{report}");
    Ok(())
}

fn check_imports(arguments: &Imports) -> Result<(), String> {
    let imports = imports::check(&repository::root()?)?;
    if !arguments.summary {
        println!("{}", imports.graph);
    }
    for violation in &imports.violations {
        println!("{violation}");
    }
    match imports.violations.len() {
        0 => Ok(()),
        count => Err(format!("{count} violations of the import rules")),
    }
}
