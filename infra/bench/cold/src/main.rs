//! Starts functions on this machine as Lambda does, and measures them. `infra/bench/run` runs this
//! program.
//!
//! The program does not use AWS. The Lambda Runtime API, DynamoDB and S3 are replaced by local
//! servers on the loopback interface, the last two with TLS. The measured time is therefore the
//! function's own work.

mod artifacts;
mod budget;
mod case;
mod crates;
mod event;
mod instructions;
mod limits;
mod measure;
mod peers;
mod pid;
mod process;
mod runtime_api;
mod s3;
mod store;
mod subject;
mod table;
mod test_bed;
mod tls;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "infra/bench/run", about = "Measures the functions on this machine")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare every function with two minimal functions, and check the limits of budget.toml
    Budget(budget::Options),
    /// Compare create, get and list with peers in Python, Node, and Rust with the defaults of AWS's
    /// crates
    Peers(peers::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Budget(options) => budget::run(options).await,
        Command::Peers(options) => peers::run(options).await,
    }
}
