//! Implements the command `check`, which scans a table and reports inconsistencies.

use ::check::{Report, scan_table};
use clap::Args;
use local::Failure;
use shared::aws::Aws;
use shared::model::time::Clock;

use crate::output::out;

#[derive(Args)]
pub(crate) struct Check {
    /// Name of the table
    #[arg(long, value_name = "NAME")]
    table: String,
    /// Endpoint of a DynamoDB-compatible server to use instead of AWS
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Print the whole report as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(options: Check) -> Result<(), Failure> {
    let has_credentials = std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
    let aws = if options.endpoint.is_some() && !has_credentials {
        Aws::elsewhere()
    } else {
        Aws::from_env().await?
    };
    let client = shared::aws::dynamodb_client(&aws, options.endpoint.as_deref());
    let report = scan_table(&client, &options.table, &Clock::system()).await?;
    if options.json {
        out!("{}", serde_json::to_string_pretty(&report).map_err(|why| why.to_string())?);
    } else {
        print_report(&report);
    }
    match report.violations.len() {
        0 => Ok(()),
        count => Err(format!("the table {} has {count} violations", options.table)),
    }
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
