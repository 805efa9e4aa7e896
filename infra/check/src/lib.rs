//! Walks the whole table and holds every item against what the store promises: claims match
//! customers, counters match sessions, summaries match their sources, alerts match monitors, every
//! change has its event, and nothing is an orphan.
//!
//! A table that is in use changes while it is read. Whatever seems wrong is therefore looked at once
//! more, as it is at one moment, and told only if it still is.

mod apart;
mod customer;
mod events;
mod item;
mod links;
mod monitoring;
mod organization;
mod risk;
mod sessions;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use serde::Serialize;
use shared::model::time::Clock;

use item::Item;

/// Why a table could not be checked, as one line for a person.
pub type Failure = String;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Violation {
    pub rule: &'static str,
    /// Of the item, without what a caller has written into it.
    pub key: String,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.rule, self.key, self.what)
    }
}

/// What the walk has seen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// By type.
    pub items: BTreeMap<String, u64>,
    /// Customers that changed whenever they were looked at again, or are just being erased: nothing is
    /// said of them.
    pub restless: u64,
    pub violations: Vec<Violation>,
}

/// A page of a scan is 1 MB and may take a while.
const PAGE_TIME: Duration = Duration::from_secs(30);

/// Reads the whole table, once and a little more.
pub async fn check(client: &Client, table: &str, clock: &Clock) -> Result<Report, Failure> {
    walk::Walk::new(&patient(client), table, clock).whole_table().await
}

/// The same client, for whoever has more time than a request.
pub fn patient(client: &Client) -> Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PAGE_TIME);
    let timeouts = timeouts.operation_timeout(PAGE_TIME * 10).build();
    let retries = RetryConfig::standard().with_max_attempts(10);
    let config = client.config().to_builder().timeout_config(timeouts).retry_config(retries);
    Client::from_conf(config.build())
}

/// The violations there are.
#[derive(Default)]
struct Found(Vec<Violation>);

impl Found {
    fn add(&mut self, rule: &'static str, item: &Item, what: impl Into<String>) {
        self.0.push(Violation { rule, key: item.shown(), what: what.into() });
    }

    fn check(
        &mut self,
        holds: bool,
        rule: &'static str,
        item: &Item,
        what: impl FnOnce() -> String,
    ) {
        if !holds {
            self.add(rule, item, what());
        }
    }
}

/// What can be said of an item without any other.
fn is_known(item: &Item, found: &mut Found) {
    match item.place() {
        None => found.add("key", item, "is a key that nothing has"),
        Some(place) if item.text("type") != Some(place.kind()) => {
            found.add("key", item, format!("lies where a {} should", place.kind()));
        }
        Some(_) => apart::check(item, found),
    }
}
