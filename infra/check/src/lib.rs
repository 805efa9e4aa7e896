//! Scans a table and reports inconsistencies.
//!
//! The scan compares every item with the rules of the store: claims match customers, counters match
//! sessions, summaries match their sources, alerts match monitors, every change has its event, and
//! every item belongs to an existing customer.
//!
//! A table in use changes while it is read. The items of each apparent inconsistency are therefore
//! read again, in one transaction or between two reads of the same version. The inconsistency is
//! reported only if it persists.

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

/// Reason why a table could not be checked, as one line.
pub type Failure = String;

/// Timeout of one attempt of a call. A page of a scan holds up to 1 MB and can take long.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Timeout of a call with all its attempts: enough for ten attempts of 30 seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(300);

/// Reads the whole table, rereads the items that look inconsistent, and reports the inconsistencies
/// that persist.
///
/// # Errors
/// Fails when a call to DynamoDB fails after its retries, or when two items change too often to be
/// read together.
pub async fn scan_table(client: &Client, table: &str, clock: &Clock) -> Result<Report, Failure> {
    scan::Scan::new(&with_long_timeouts(client), table, clock).run().await
}

/// Returns a copy of the client with longer timeouts and more retries than a request of the API
/// needs.
pub fn with_long_timeouts(client: &Client) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(10);
    let config = client.config().to_builder().timeout_config(timeouts).retry_config(retries);
    Client::from_conf(config.build())
}
