//! Implements the command `check`, which scans a table and reports inconsistencies.

use std::path::PathBuf;

use ::check::{Report, scan_table};
use clap::Args;
use local::data::DataFolder;
use local::{Failure, TableAccess};
use shared::aws::{Aws, Client};
use shared::model::time::Clock;

use crate::output::out;

#[derive(Args)]
pub(crate) struct Check {
    /// Name of the table
    #[arg(long, value_name = "NAME", required_unless_present = "data")]
    table: Option<String>,
    /// Endpoint of a DynamoDB-compatible server to use instead of AWS
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Data folder of a running server, whose table is scanned
    #[arg(long, value_name = "DIR", conflicts_with_all = ["table", "endpoint"])]
    data: Option<PathBuf>,
    /// Print the whole report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(options: Check) -> Result<(), Failure> {
    let (client, table) = connect(&options).await?;
    let report = scan_table(&client, &table, &Clock::system()).await?;
    if options.json {
        out!("{}", serde_json::to_string_pretty(&report).map_err(|why| why.to_string())?);
    } else {
        print_report(&report);
    }
    match report.violations.len() {
        0 => Ok(()),
        count => Err(format!("the table {table} has {count} violations")),
    }
}

/// Returns the name of the table, and a client for the server that contains it.
async fn connect(options: &Check) -> Result<(Client, String), Failure> {
    let (access, table) = match (&options.data, &options.table) {
        (Some(folder), _) => {
            let (access, table) = DataFolder::read_access(folder)?;
            (Some(access), table)
        }
        (None, Some(table)) => (options.endpoint.as_ref().map(TableAccess::to), table.clone()),
        (None, None) => return Err("pass --table NAME or --data DIR".to_owned()),
    };
    let aws = match &access {
        Some(access) => access.aws().await?,
        None => Aws::from_env().await?,
    };
    let endpoint = access.as_ref().map(|access| access.endpoint.as_str());
    Ok((shared::aws::dynamodb_client(&aws, endpoint), table))
}

fn print_report(report: &Report) {
    for violation in &report.violations {
        out!("{violation}");
    }
    for (item_type, count) in &report.items {
        out!("{count:>12} {item_type}");
    }
    if report.restless > 0 {
        out!(
            "{:>12} customers were not checked because they kept changing: run the check again",
            report.restless
        );
    }
    out!("{:>12} violations", report.violations.len());
}
