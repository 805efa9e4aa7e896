//! Measures how the API scales: `flat` with the number of customers, `load` with the number of
//! concurrent requests. `cost` calculates the price of a million requests. Each command prints
//! Markdown tables.

mod api;
mod cost;
mod flat;
mod load;
mod numbers;
mod seed;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "scale", version, about = "Measures how the API scales")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure median and p99 of operations with 1,000 to 1,000,000 customers in one tenant
    Flat(flat::Flat),
    /// Measure requests per second and latency of the local server, at the maximum and at a fixed rate
    Load(load::Load),
    /// Calculate the price of a million requests of each operation on AWS, by part
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
