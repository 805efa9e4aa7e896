//! `cargo run`: the whole Customers API on one machine.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

mod screening;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use local::data::DataFolder;
use local::events::Sink;
use local::template::Template;
use local::{Failure, Options, Server, TokenRequest, openapi};
use shared::aws::Aws;
use shared::model::time::Clock;
use shared::model::value::TenantId;

use screening::{Evaluate, Name, Watchlists};

/// The Customers API with everything it needs, on this machine.
#[derive(Parser)]
#[command(name = "kyc-customers", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct Serve {
    /// Port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder of the table and the signing key; it survives restarts
    #[arg(long, value_name = "DIR", default_value = ".data")]
    data: PathBuf,
    /// Keep everything in memory and leave nothing behind
    #[arg(long, conflicts_with = "data")]
    memory: bool,
    /// Print events as JSON lines, or post each to a URL
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "-")]
    events: Option<Sink>,
}

#[derive(Subcommand)]
enum Command {
    /// Print an access token for the local server, and nothing else
    Token(Token),
    /// Print the OpenAPI document as YAML
    Openapi,
    /// Screen a name against watchlists, and show why it matches whom
    Screen(Name),
    /// Build indexes of watchlists, and look at what is in them
    #[command(subcommand)]
    Watchlists(Watchlists),
    /// How good and how fast the matching is, on labelled data
    ScreenEval(Evaluate),
    /// Walk a whole table and tell what in it contradicts itself
    Check(Check),
}

#[derive(Args)]
struct Check {
    /// The table
    #[arg(long, value_name = "NAME")]
    table: String,
    /// A DynamoDB-compatible server instead of AWS's
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Token {
    /// The tenant it belongs to
    #[arg(long)]
    tenant: TenantId,
    /// What it allows, like kyc:create,kyc:read
    #[arg(long, value_delimiter = ',', default_value = "kyc:*")]
    permissions: Vec<String>,
    /// How long it is valid, like 90s, 15m, 1h or 7d
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
    expires: Duration,
    /// Who it stands for, in the audit trail
    #[arg(long, default_value = "local-user")]
    subject: String,
    /// The data folder of the server
    #[arg(long, value_name = "DIR", default_value = ".data")]
    data: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Some(Command::Token(token)) => print_token(token),
        Some(Command::Openapi) => print_openapi(),
        Some(Command::Screen(name)) => screening::screen(&name),
        Some(Command::Watchlists(command)) => screening::watchlists(&command),
        Some(Command::ScreenEval(asked)) => screening::evaluate(&asked),
        Some(Command::Check(asked)) => check(asked).await,
        None => serve(cli.serve).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("kyc-customers: {why}");
            ExitCode::FAILURE
        }
    }
}

fn print_token(token: Token) -> Result<(), Failure> {
    let folder = DataFolder::open(&token.data)?;
    if !folder.has_signing_key() {
        let folder = token.data.display();
        eprintln!(
            "note: {folder} had no signing key, so one was made; only a server with --data {folder} takes it"
        );
    }
    let key = folder.signing_key()?;
    let request = TokenRequest {
        tenant: token.tenant.to_string(),
        permissions: token.permissions,
        subject: token.subject,
        lifetime: token.expires,
    };
    println!("{}", key.token(&request, &Template::embedded()?)?);
    Ok(())
}

fn print_openapi() -> Result<(), Failure> {
    print!("{}", openapi::yaml(&Template::embedded()?)?);
    Ok(())
}

async fn check(asked: Check) -> Result<(), Failure> {
    let has_credentials = std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
    let aws = match asked.endpoint.is_some() && !has_credentials {
        true => Aws::elsewhere(),
        false => Aws::from_env().await?,
    };
    let client = shared::aws::dynamodb_client(&aws, asked.endpoint.as_deref());
    let report = local::check::check(&client, &asked.table, &Clock::system()).await?;
    if asked.json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|why| why.to_string())?);
    } else {
        for violation in &report.violations {
            println!("{violation}");
        }
        for (kind, count) in &report.items {
            println!("{count:>12} {kind}");
        }
        if report.restless > 0 {
            println!("{:>12} customers changed all the time: check them again", report.restless);
        }
        println!("{:>12} violations", report.violations.len());
    }
    match report.violations.len() {
        0 => Ok(()),
        some => Err(format!("{some} violations in the table {}", asked.table)),
    }
}

async fn serve(options: Serve) -> Result<(), Failure> {
    shared::telemetry::init(None);
    let data = (!options.memory).then_some(options.data);
    let server = Server::start(Options {
        port: options.port,
        data: data.clone(),
        dynamodb_endpoint: std::env::var("DYNAMODB_ENDPOINT")
            .ok()
            .filter(|endpoint| !endpoint.is_empty()),
        key: None,
        clock: Clock::system(),
        http_client: None,
        environment: environment(),
        lists: None,
        schedules: true,
        events: options.events.clone(),
    })
    .await?;
    let welcome = welcome(&server, data.as_deref())?;
    match options.events {
        // Standard output is for whoever reads the events.
        Some(Sink::Print) => eprintln!("{welcome}"),
        _ => println!("{welcome}"),
    }
    stop_signal().await;
    eprintln!("stopping");
    server.stop().await;
    Ok(())
}

/// Settings that may be set here as they are set in the cloud.
const SETTINGS: [&str; 5] = [
    "WATCHLIST_SOURCES",
    "MAX_SHRINK_PERCENT",
    "MAX_LIST_AGE_HOURS",
    "FETCH_TIMEOUT_SECONDS",
    "MONITOR_SHARDS",
];

/// Without a source of one's own: people and firms that don't exist.
fn environment() -> BTreeMap<String, String> {
    let set = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    let mut environment: BTreeMap<String, String> =
        SETTINGS.iter().filter_map(|name| set(name)).collect();
    environment.entry("WATCHLIST_SOURCES".to_owned()).or_insert_with(local::sample_source);
    environment
}

fn welcome(server: &Server, data: Option<&Path>) -> Result<String, Failure> {
    let (url, key, template) = (server.url(), &server.key, &server.template);
    let (table, endpoint) = (&template.table.name, &server.dynamodb_endpoint);
    let request = TokenRequest {
        tenant: "acme".to_owned(),
        permissions: vec!["kyc:*".to_owned()],
        subject: "local-user".to_owned(),
        lifetime: Duration::from_secs(12 * 3_600),
    };
    let token = key.token(&request, template)?;
    // Another client id at every start, so that the line always creates a customer.
    let client_id = format!("demo-{}", Clock::system().now().seconds());
    let another = match data {
        Some(data) => format!(
            "Another token:\ncargo run -q -- token --tenant acme --permissions kyc:read --data {}\n",
            data.display()
        ),
        None => "In memory the key is this server's alone: there is no other token.\n".to_owned(),
    };
    Ok(format!(
        "Customers API on {url} (OpenAPI: {url}/openapi.json, stop with Ctrl-C)
Its table is {table} on {endpoint}, for other programs on this machine

Token for the tenant acme, valid for 12 hours:
{token}

{another}
Create a customer:
curl -i {url}/customers -H 'Content-Type: application/json' -H 'Authorization: Bearer {token}' -d '{{\"client_id\":\"{client_id}\",\"name\":\"Acme GmbH\",\"country\":\"DE\"}}'
"
    ))
}

#[cfg(unix)]
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    let _ = tokio::signal::ctrl_c().await;
}
