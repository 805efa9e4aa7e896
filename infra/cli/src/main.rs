//! The command `kyc-customers`: runs the Customers API on this machine, and has tools for its
//! watchlists and tables.

mod check;
mod log;
mod output;
mod screening;
mod serve;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use local::template::Template;
use local::{Failure, openapi};

use output::note;
use screening::evaluate::Evaluate;
use screening::name::Screen;
use screening::watchlists::Watchlists;
use serve::Serve;
use token::Token;

/// Run the Customers API on this machine
///
/// Without a command, it starts the API with its table and its schedules, and prints how to use it.
#[derive(Parser)]
#[command(name = "kyc-customers", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print an access token for the local server, and nothing else
    Token(Token),
    /// Print the OpenAPI document as YAML
    Openapi,
    /// Screen a name against watchlists and explain each match
    Screen(Screen),
    /// Build, inspect and compare indexes of watchlists
    #[command(subcommand)]
    Watchlists(Watchlists),
    /// Measure the accuracy and speed of screening on labelled data
    ScreenEval(Evaluate),
    /// Scan a table and report inconsistencies
    Check(check::Check),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::Token(options)) => token::run(options),
        Some(Command::Openapi) => print_openapi(),
        Some(Command::Screen(options)) => screening::name::run(&options),
        Some(Command::Watchlists(command)) => screening::watchlists::run(&command),
        Some(Command::ScreenEval(options)) => screening::evaluate::run(&options),
        Some(Command::Check(options)) => check::run(options).await,
        None => serve::run(cli.serve).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            note!("kyc-customers: {why}");
            ExitCode::FAILURE
        }
    }
}

fn print_openapi() -> Result<(), Failure> {
    output::print(format_args!("{}", openapi::yaml(&Template::embedded()?)?));
    Ok(())
}
