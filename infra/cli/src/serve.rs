//! Starts the server and prints how to use it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use local::data::{DataFolder, LOG};
use local::events::Sink;
use local::{Failure, Options, Server, TableAccess, TokenRequest};
use shared::model::time::Clock;

use crate::log::{self, Destination};
use crate::output::{note, out};

#[derive(Args)]
pub(crate) struct Serve {
    /// Port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder of the table, the signing key and the log; it survives restarts
    #[arg(long, value_name = "DIR", default_value = ".data")]
    data: PathBuf,
    /// Keep everything in memory and leave no files
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// Print events as JSON lines, or post each to a URL
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "-")]
    events: Option<Sink>,
    /// Append log lines to a file
    ///
    /// Without this option, log lines go to standard error. If standard error is the terminal that
    /// shows the start text, they go to server.log in the data folder instead, and with --memory they
    /// are discarded.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

impl Serve {
    /// Returns whether standard output is reserved for events. The start text then goes to standard
    /// error.
    fn prints_events(&self) -> bool {
        matches!(self.events, Some(Sink::Print))
    }

    fn log_destination(&self) -> Destination {
        let stderr_shows_start_text = std::io::stderr().is_terminal()
            && (self.prints_events() || std::io::stdout().is_terminal());
        match &self.log {
            Some(file) => Destination::File(file.clone()),
            None if !stderr_shows_start_text => Destination::Stderr,
            None if self.memory => Destination::Nowhere,
            None => Destination::File(self.data.join(LOG)),
        }
    }
}

/// Environment variables that the server passes to the functions as settings.
const SETTINGS: [&str; 7] = [
    "WATCHLIST_SOURCES",
    "MAX_SHRINK_PERCENT",
    "MAX_LIST_AGE_HOURS",
    "FETCH_TIMEOUT_SECONDS",
    "MONITOR_SHARDS",
    "MEMORY_SIZE",
    "RESCREEN_MEMORY_SIZE",
];

pub(crate) async fn run(options: Serve) -> Result<(), Failure> {
    let log_destination = options.log_destination();
    log::start(&log_destination);
    if options.log.is_some() {
        log::open_file()?;
    }
    let dynamodb_endpoint =
        std::env::var("DYNAMODB_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    let server = Server::start(Options {
        port: options.port,
        data: (!options.memory).then(|| options.data.clone()),
        table: dynamodb_endpoint.map(TableAccess::to),
        key: None,
        clock: Clock::system(),
        http_client: None,
        environment: environment(),
        lists: None,
        schedules: true,
        events: options.events.clone(),
    })
    .await?;
    // This call can create the default log file, because the server has created the data folder.
    log::open_file()?;
    let text = start_text(&server, &options, &log_destination)?;
    // A script may stop the server as soon as it has read the start text, so signals are handled
    // before the text is printed.
    let stop = stop_signal()?;
    if options.prints_events() {
        note!("{text}");
    } else {
        out!("{text}");
    }
    stop.await;
    note!("stopping");
    server.stop().await;
    Ok(())
}

/// Returns the settings from the environment. Without `WATCHLIST_SOURCES`, the sample watchlist is
/// loaded.
fn environment() -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = SETTINGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .collect();
    environment.entry("WATCHLIST_SOURCES".to_owned()).or_insert_with(local::sample_source);
    environment
}

/// Returns the start text: the address of the server, the address of the OpenAPI document, a token,
/// a curl line, and more.
///
/// Scripts read three lines: the line that starts with `Customers API on`, the line of the token,
/// and the line that starts with `curl`.
fn start_text(
    server: &Server,
    options: &Serve,
    log_destination: &Destination,
) -> Result<String, Failure> {
    let (url, template) = (server.url(), &server.template);
    let request = TokenRequest {
        tenant: "acme".to_owned(),
        permissions: vec!["kyc:*".to_owned()],
        subject: "local-user".to_owned(),
        lifetime: Duration::from_secs(12 * 3_600),
    };
    let token = server.key.token(&request, template)?;
    // Each start has a different client id, so the curl line always creates a customer.
    let client_id = format!("demo-{}", Clock::system().now().seconds());
    let mut text = format!(
        "Customers API on {url} (Ctrl-C stops it)
OpenAPI document: {url}/openapi.json

Token for the tenant acme, valid for 12 hours:
{token}

Create a customer:
curl -i {url}/customers -H 'Content-Type: application/json' -H 'Authorization: Bearer {token}' -d '{{\"client_id\":\"{client_id}\",\"name\":\"Acme GmbH\",\"country\":\"DE\"}}'

"
    );
    let another_token = if options.memory {
        "not available with --memory".to_owned()
    } else {
        let data = options.data.display();
        format!("cargo run -q -- token --tenant acme --permissions kyc:read --data {data}")
    };
    let (table, endpoint) = (&template.table.name, &server.table.endpoint);
    let access_key = match &server.table.access_key {
        Some(key) if !options.memory => {
            format!("{} (also in {})", key.id(), DataFolder::access_file(&options.data).display())
        }
        _ => server.access_key.id().to_owned(),
    };
    let log = match log_destination {
        Destination::Stderr => "standard error".to_owned(),
        Destination::File(path) => path.display().to_string(),
        Destination::Nowhere => "off (--log FILE writes one)".to_owned(),
    };
    for (label, value) in [
        ("Another token", another_token),
        ("Table", format!("{table} on {endpoint} (DynamoDB API)")),
        ("Access key", access_key),
        ("Log", log),
    ] {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<14} {value}", format!("{label}:"));
    }
    Ok(text)
}

/// Installs handlers for Ctrl-C and the signal SIGTERM. The returned future resolves when one
/// arrives, also if it arrives before the future is polled.
///
/// # Errors
/// Fails when a handler cannot be installed.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let handle = |kind| signal(kind).map_err(|error| format!("signals cannot be handled: {error}"));
    let mut interrupt = handle(SignalKind::interrupt())?;
    let mut terminate = handle(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that resolves when Ctrl-C is pressed.
#[cfg(not(unix))]
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
