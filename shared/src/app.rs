//! Settings and wiring. A function builds its `App` from the environment, once, before the first
//! request.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::auth::{Caller, ClaimNames};
use crate::aws::bucket::Bucket;
use crate::aws::{self, Aws, Client};
use crate::model::id::Ids;
use crate::model::limit::{RateLimit, RateLimits};
use crate::model::retention::RetentionYears;
use crate::model::time::Clock;
use crate::monitoring::Monitoring;
use crate::monitoring::capacity::FunctionMemory;
use crate::monitoring::source::{LocalServers, Sources};
use crate::monitoring::watchlists::{Objects, Watchlists};
use crate::store::{Table, TenantTable};

/// Settings that the template passes to every function as environment variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name of the DynamoDB table.
    pub table_name: String,
    /// Names of the claims with the tenant and the permissions.
    pub claims: ClaimNames,
    /// Version of the Lambda function, which every log line of a request contains.
    pub function_version: Option<String>,
    /// Memory of this function in MB. Lambda sets it; `None` elsewhere.
    pub own_memory: Option<u32>,
    /// URL of a DynamoDB-compatible server to use instead of AWS.
    pub dynamodb_endpoint: Option<String>,
    /// Name of the bucket with the watchlist indexes.
    pub watchlist_bucket: Option<String>,
    /// URL of an S3-compatible server to use instead of AWS.
    pub s3_endpoint: Option<String>,
    /// Sources of the watchlists.
    pub watchlist_sources: Sources,
    /// Largest share, in percent, that a list may lose of its entries, names, dates, countries or
    /// identifiers from one version to the next.
    pub max_shrink_percent: u32,
    /// Age above which a list is stale. The age is the time since the list's source was last read.
    pub max_list_age: Duration,
    /// Time limit for fetching one file of a source.
    pub fetch_timeout: Duration,
    /// Memory of the functions that open lists.
    pub function_memory: FunctionMemory,
    /// Number of shards that monitored customers are divided into.
    pub monitor_shards: u32,
    /// Rate limits for each tenant.
    pub rate_limits: RateLimits,
    /// Retention period of a customer, which begins with its deactivation.
    pub retention_years: RetentionYears,
}

impl Settings {
    /// Reads every setting through `get`, which returns the value of an environment variable.
    ///
    /// # Errors
    /// Returns a text that names every setting that is missing or malformed.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let value = |name: &str| {
            get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let mut faults = Vec::new();
        let table_name = value("TABLE_NAME").unwrap_or_else(|| {
            faults.push("TABLE_NAME is not set".to_owned());
            String::new()
        });
        // AWS's own tools also read the variables that start with `AWS_`. `DYNAMODB_ENDPOINT` is
        // specific to this service. The first variable that is set takes precedence.
        let mut endpoint = |names: &[&str]| {
            let (name, endpoint) = names.iter().find_map(|name| Some((name, value(name)?)))?;
            if url::Url::parse(&endpoint).is_err() {
                faults.push(format!("{name} is not a URL"));
            }
            Some(endpoint)
        };
        let all_services = "AWS_ENDPOINT_URL";
        let dynamodb_endpoint =
            endpoint(&["DYNAMODB_ENDPOINT", "AWS_ENDPOINT_URL_DYNAMODB", all_services]);
        let s3_endpoint = endpoint(&["AWS_ENDPOINT_URL_S3", all_services]);
        let watchlist_sources = match value("WATCHLIST_SOURCES").map(|text| Sources::parse(&text)) {
            None => Sources::Given(Vec::new()),
            Some(Ok(sources)) => sources,
            Some(Err(error)) => {
                faults.push(format!("WATCHLIST_SOURCES: {error}"));
                Sources::Given(Vec::new())
            }
        };
        let mut number = |name: &str, default: u32, range: std::ops::RangeInclusive<u32>| {
            let Some(text) = value(name) else { return default };
            text.parse().ok().filter(|number| range.contains(number)).unwrap_or_else(|| {
                faults.push(format!("{name} is not from {} to {}", range.start(), range.end()));
                default
            })
        };
        let max_shrink_percent = number("MAX_SHRINK_PERCENT", 20, 0..=100);
        let max_list_age = number("MAX_LIST_AGE_HOURS", 48, 1..=8_760);
        let fetch_timeout = number("FETCH_TIMEOUT_SECONDS", 120, 1..=600);
        let function_memory = FunctionMemory {
            requests: number("MEMORY_SIZE", 256, 1..=10_240),
            jobs: number("RESCREEN_MEMORY_SIZE", 1_769, 1..=10_240),
        };
        let own_memory = match number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0, 1..=u32::MAX) {
            0 => None,
            memory => Some(memory),
        };
        let monitor_shards = number("MONITOR_SHARDS", 4, 1..=1_024);
        let retention_years = RetentionYears(number("RETENTION_YEARS", 5, 0..=100));
        // A rate of 0 means that the class has no limit.
        let mut rate_limit = |rate: &str, burst: &str| {
            let (rate, burst) = (number(rate, 0, 0..=1_000), number(burst, 100, 1..=10_000));
            (rate > 0).then_some(RateLimit { rate, burst })
        };
        let rate_limits = RateLimits {
            read: rate_limit("TENANT_READ_RATE", "TENANT_READ_BURST"),
            write: rate_limit("TENANT_WRITE_RATE", "TENANT_WRITE_BURST"),
            heavy: rate_limit("TENANT_HEAVY_RATE", "TENANT_HEAVY_BURST"),
        };
        if !faults.is_empty() {
            return Err(faults.join("; "));
        }
        Ok(Settings {
            table_name,
            claims: ClaimNames {
                tenant: value("TENANT_CLAIM"),
                permissions: value("PERMISSIONS_CLAIM"),
                scope_prefix: value("SCOPE_PREFIX"),
            },
            function_version: value("AWS_LAMBDA_FUNCTION_VERSION"),
            own_memory,
            dynamodb_endpoint,
            watchlist_bucket: value("WATCHLIST_BUCKET"),
            s3_endpoint,
            watchlist_sources,
            max_shrink_percent,
            max_list_age: Duration::from_secs(u64::from(max_list_age) * 3_600),
            fetch_timeout: Duration::from_secs(u64::from(fetch_timeout)),
            function_memory,
            monitor_shards,
            rate_limits,
            retention_years,
        })
    }
}

/// Everything that a function needs, built once per sandbox.
pub struct App {
    /// The configuration from the template.
    pub settings: Settings,
    /// The DynamoDB table.
    pub table: Table,
    /// The lists and settings of monitoring.
    pub monitoring: Monitoring,
    /// Whether lists may come from a server on this machine. This is not a setting, so that a
    /// deployed function cannot allow it.
    pub local_servers: LocalServers,
    /// The clock.
    pub clock: Clock,
    /// The source of ids.
    pub ids: Ids,
}

/// Opens the watchlist indexes. Only functions that use watchlists pass an `OpenWatchlists` to
/// [`App::from_env`], so only their binaries contain the S3 client, which adds 1 MB to the zipped
/// package.
pub type OpenWatchlists = fn(Aws, &Settings) -> Watchlists;

/// Opens the bucket that `settings` names, without a call to S3. If `settings` names no bucket, the
/// function fails only when it uses the bucket.
pub fn open_bucket(aws: Aws, settings: &Settings) -> Watchlists {
    let bucket = settings.watchlist_bucket.as_deref();
    let bucket = bucket.map(|name| Bucket::new(aws, name, settings.s3_endpoint.as_deref()));
    Watchlists::of(bucket.map(|bucket| Arc::new(bucket) as Arc<dyn Objects>))
}

impl App {
    /// Builds the app from the environment. `open_watchlists` is `None` for a function that does
    /// not use watchlists.
    ///
    /// # Errors
    /// Returns a text that names every setting that is missing or malformed, including
    /// `AWS_REGION`.
    pub async fn from_env(open_watchlists: Option<OpenWatchlists>) -> Result<App, String> {
        let (settings, aws) =
            match (Settings::read(|name| std::env::var(name).ok()), Aws::from_env().await) {
                (Ok(settings), Ok(aws)) => (settings, aws),
                (Err(error), Err(other)) => return Err(format!("{error}; {other}")),
                (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error),
            };
        let client = aws::dynamodb_client(&aws, settings.dynamodb_endpoint.as_deref());
        let watchlists =
            open_watchlists.map_or_else(|| Watchlists::of(None), |open| open(aws, &settings));
        Ok(App::new(settings, client, Clock::system(), watchlists))
    }

    /// Builds the app from its parts.
    pub fn new(settings: Settings, client: Client, clock: Clock, watchlists: Watchlists) -> App {
        let ids = Ids::default();
        let table = Table::new(client, settings.table_name.clone(), ids.clone(), clock.clone());
        let monitoring = Monitoring {
            table: table.clone(),
            watchlists: watchlists.within(settings.own_memory),
            shards: settings.monitor_shards,
            max_list_age: settings.max_list_age,
            clock: clock.clone(),
            ids: ids.clone(),
        };
        App { settings, table, monitoring, local_servers: LocalServers::Refused, clock, ids }
    }

    /// Returns access to the rows of the caller's tenant.
    pub fn tenant<'a>(&'a self, caller: &'a Caller) -> TenantTable<'a> {
        self.table.tenant(caller.scope())
    }
}

impl Objects for Bucket {
    fn get<'a>(&'a self, object: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(Bucket::get(self, object))
    }

    fn put<'a>(&'a self, object: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(Bucket::put(self, object, bytes))
    }
}
