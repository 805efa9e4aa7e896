//! What a function holds: its settings, the table, the lists, the clock and the ids. Made once, from
//! the environment, before the first request.

use std::time::Duration;

use aws_sdk_dynamodb::Client;

use crate::model::id::Ids;
use crate::model::time::Clock;
use crate::monitoring::lists::Lists;
use crate::monitoring::source::{self, Source};
use crate::store::{self, Table, Watching};

/// What the template sets for every function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub table_name: String,
    /// The claim that names the tenant; `None`: `custom:tenant_id`, else `tenant_id`.
    pub tenant_claim: Option<String>,
    /// Another DynamoDB-compatible server instead of AWS's.
    pub dynamodb_endpoint: Option<String>,
    /// The bucket that indexes of watchlists lie in.
    pub watchlist_bucket: Option<String>,
    /// Where watchlists come from.
    pub watchlist_sources: Vec<Source>,
    /// How much smaller a list may become from one version to the next, in percent of its entries.
    pub max_shrink_percent: u32,
    /// After how long a list whose source was not read is called stale.
    pub max_list_age: Duration,
    /// How long one file of a source may take.
    pub fetch_timeout: Duration,
    /// How many parts the monitored customers are divided into.
    pub monitor_shards: u32,
}

impl Settings {
    /// Reads every setting through `get` and reports all that are wrong together.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let set = |name: &str| {
            get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let mut wrong = Vec::new();
        let table_name = set("TABLE_NAME").unwrap_or_else(|| {
            wrong.push("TABLE_NAME is not set".to_owned());
            String::new()
        });
        let dynamodb_endpoint = set("DYNAMODB_ENDPOINT");
        if dynamodb_endpoint.as_ref().is_some_and(|endpoint| url::Url::parse(endpoint).is_err()) {
            wrong.push("DYNAMODB_ENDPOINT is not a URL".to_owned());
        }
        let watchlist_sources = match set("WATCHLIST_SOURCES").map(|text| source::read(&text)) {
            None => Vec::new(),
            Some(Ok(sources)) => sources,
            Some(Err(why)) => {
                wrong.push(format!("WATCHLIST_SOURCES: {why}"));
                Vec::new()
            }
        };
        let mut number = |name: &str, default: u32, range: std::ops::RangeInclusive<u32>| {
            let Some(text) = set(name) else { return default };
            text.parse().ok().filter(|number| range.contains(number)).unwrap_or_else(|| {
                wrong.push(format!("{name} is not from {} to {}", range.start(), range.end()));
                default
            })
        };
        let max_shrink_percent = number("MAX_SHRINK_PERCENT", 20, 0..=100);
        let max_list_age = number("MAX_LIST_AGE_HOURS", 48, 1..=8_760);
        let fetch_timeout = number("FETCH_TIMEOUT_SECONDS", 120, 1..=600);
        let monitor_shards = number("MONITOR_SHARDS", 4, 1..=1_024);
        if !wrong.is_empty() {
            return Err(wrong.join("; "));
        }
        Ok(Settings {
            table_name,
            tenant_claim: set("TENANT_CLAIM"),
            dynamodb_endpoint,
            watchlist_bucket: set("WATCHLIST_BUCKET"),
            watchlist_sources,
            max_shrink_percent,
            max_list_age: Duration::from_secs(u64::from(max_list_age) * 3_600),
            fetch_timeout: Duration::from_secs(u64::from(fetch_timeout)),
            monitor_shards,
        })
    }
}

pub struct App {
    pub settings: Settings,
    pub table: Table,
    pub clock: Clock,
    pub ids: Ids,
}

impl App {
    pub async fn from_env() -> Result<App, String> {
        let settings = Settings::read(|name| std::env::var(name).ok())?;
        let client = store::client(settings.dynamodb_endpoint.as_deref()).await;
        let lists = Lists::of_bucket(settings.watchlist_bucket.clone());
        Ok(App::new(settings, client, Clock::system(), lists))
    }

    pub fn new(settings: Settings, client: Client, clock: Clock, lists: Lists) -> App {
        let ids = Ids::default();
        let watching = Watching {
            lists,
            shards: settings.monitor_shards,
            max_list_age: settings.max_list_age,
        };
        let name = settings.table_name.clone();
        let table = Table::new(client, name, ids.clone(), clock.clone(), watching);
        App { settings, table, clock, ids }
    }
}
