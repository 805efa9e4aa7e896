//! Measures what grows: `flat` how the API does with more customers, `load` how it does under more
//! callers, `cost` what a million of each request costs. Each prints plain text for the documents.

mod api;
mod cost;
mod flat;
mod load;
mod numbers;
mod seed;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "scale", version, about = "Measures what grows")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Median and p99 of operations with 1,000 to 1,000,000 customers in one tenant
    Flat(flat::Flat),
    /// Requests per second and latencies of the local server, as fast as it can and at a set rate
    Load(load::Load),
    /// What a million requests of each operation cost on AWS, by part
    Cost(cost::Cost),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Flat(flat) => flat.run().await,
        Command::Load(load) => load.run().await,
        Command::Cost(cost) => cost.run().await,
    }
}
