//! The instrument behind `infra/bench/run`: starts functions as Lambda does, on this machine, and
//! says what that costs. There is no cloud in it: the Runtime API, DynamoDB and S3 are stood in for
//! on loopback, the latter two behind TLS, so that what is compared is the function's own work.

mod artifacts;
mod budget;
mod case;
mod crates;
mod event;
mod instructions;
mod limits;
mod measure;
mod peers;
mod place;
mod process;
mod runtime_api;
mod s3;
mod store;
mod table;
mod tls;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "infra/bench/run", about = "What the functions cost, measured on this machine")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every function beside hellos that do nothing, held to budget.toml.
    Budget(budget::Options),
    /// Create, get and list beside the same in Python, Node and Rust with AWS's defaults.
    Peers(peers::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Budget(options) => budget::run(options).await,
        Command::Peers(options) => peers::run(options).await,
    }
}
