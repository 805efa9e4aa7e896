//! Scans a table and reports inconsistencies.
//!
//! It compares every item with what the store promises: claims match customers, counters match
//! sessions, summaries match their sources, alerts match monitors, every change has its event, and
//! every item belongs to an existing customer.
//!
//! A table in use changes while it is read. Each apparent inconsistency is therefore read a second
//! time, in one transaction or between two reads of the same version, and reported only if it
//! persists.

mod customer;
mod events;
mod item;
mod key;
mod monitoring;
mod organization;
mod records;
mod references;
mod report;
mod risk;
mod scan;
mod sessions;
mod standalone;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use shared::model::time::Clock;

pub use report::{Report, Rule, Violation};

/// Why a table could not be checked, as one line.
pub type Failure = String;

/// Timeout of one attempt of a call. A page of a scan holds 1 MB and can take long.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of a call with all its attempts.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);

/// Reads the whole table once, rereads what looks inconsistent, and reports what persists.
///
/// # Errors
/// Fails when a call to DynamoDB fails after its retries.
pub async fn scan_table(client: &Client, table: &str, clock: &Clock) -> Result<Report, Failure> {
    scan::Scan::new(&with_long_timeouts(client), table, clock).run().await
}

/// Returns a copy of the client with longer timeouts and more retries than a request has.
pub fn with_long_timeouts(client: &Client) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(10);
    let config = client.config().to_builder().timeout_config(timeouts).retry_config(retries);
    Client::from_conf(config.build())
}
