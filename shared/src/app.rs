//! What a function holds: its settings, the table, the lists, the clock and the ids. Made once, from
//! the environment, before the first request.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;

use crate::aws::{self, Aws};
use crate::model::id::Ids;
use crate::model::time::Clock;
use crate::monitoring::bucket::Bucket;
use crate::monitoring::lists::{Lists, Objects};
use crate::monitoring::source::{self, Source};
use crate::store::{Table, Watching};

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
    /// Another server that speaks S3 instead of AWS's.
    pub s3_endpoint: Option<String>,
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
        // The names that AWS's own tools know, and a shorter one.
        let mut endpoint = |names: &[&str]| {
            let (name, endpoint) = names.iter().find_map(|name| Some((name, set(name)?)))?;
            if url::Url::parse(&endpoint).is_err() {
                wrong.push(format!("{name} is not a URL"));
            }
            Some(endpoint)
        };
        let everywhere = "AWS_ENDPOINT_URL";
        let dynamodb_endpoint =
            endpoint(&["DYNAMODB_ENDPOINT", "AWS_ENDPOINT_URL_DYNAMODB", everywhere]);
        let s3_endpoint = endpoint(&["AWS_ENDPOINT_URL_S3", everywhere]);
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
            s3_endpoint,
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
        let (settings, aws) =
            match (Settings::read(|name| std::env::var(name).ok()), Aws::from_env().await) {
                (Ok(settings), Ok(aws)) => (settings, aws),
                (Err(why), Err(also)) => return Err(format!("{why}; {also}")),
                (Err(why), Ok(_)) | (Ok(_), Err(why)) => return Err(why),
            };
        let client = aws::dynamodb_client(&aws, settings.dynamodb_endpoint.as_deref());
        let endpoint = settings.s3_endpoint.as_deref();
        let bucket = settings.watchlist_bucket.as_deref();
        let bucket = bucket.map(|bucket| Bucket::new(aws, bucket, endpoint));
        let lists = Lists::of(bucket.map(|bucket| Arc::new(bucket) as Arc<dyn Objects>));
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
