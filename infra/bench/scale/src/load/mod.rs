//! Measures the throughput and the latency of the local server.
//!
//! A closed loop sends the next request as soon as the previous one is answered, and shows the
//! maximum rate. An open loop sends requests at a fixed rate, as independent callers do. Its
//! latencies include the time that a request waits to be sent, which a closed loop hides.
//!
//! Single routes are measured with oha. The mix of requests has its own driver, because existing
//! tools cannot send it. oha and the driver share the machine with the server and its table, so the
//! rates do not show the capacity on AWS.

mod mix;
mod oha;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use reqwest::Method;
use serde_json::json;

use crate::api::Caller;
use crate::numbers::table;
use mix::{Loop, Mix};
use server::Local;

#[derive(Args)]
pub(crate) struct Load {
    /// Binary of the local server; by default, it is built with the profile `ci`
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Binary of oha; if it does not exist, single routes are not measured
    #[arg(long, value_name = "FILE", default_value_os_t = oha::installed())]
    oha: PathBuf,
    /// Number of customers that are created before the measurements
    #[arg(long, default_value_t = 10_000)]
    customers: usize,
    /// Duration of each of the seven measurements in seconds
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Number of concurrent requests in a closed loop
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Rate of an open loop, as a percentage of the rate of the closed loop
    #[arg(long, default_value_t = 50)]
    percent: u32,
    /// Seed of the random choices of the mix
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The result of a measurement. Latencies are in milliseconds.
pub(crate) struct Measured {
    /// Requests per second.
    pub(crate) rate: f64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) requests: usize,
    /// Number of requests without a successful answer, including those without any answer.
    pub(crate) errors: usize,
}

impl Load {
    pub(crate) async fn run(self) -> Result<()> {
        let local = Local::start(self.server.as_deref()).await?;
        let caller = local.caller.clone();
        let mix = Mix::prepare(caller.clone(), self.customers, self.connections, self.seed).await?;
        let mut rows = Vec::new();
        let mut add = |requests: &str, mode: String, measured: &Measured| {
            eprintln!("{requests}, {mode}: {:.0} requests/s", measured.rate);
            rows.push(row(requests, mode, measured));
        };
        let duration = Duration::from_secs(self.seconds);
        let closed = format!("closed, {} concurrent", self.connections);
        let open = |rate: f64| format!("open, {rate:.0} per second");
        let share = f64::from(self.percent) / 100.0;
        if self.oha.is_file() {
            for (name, method, url, body) in routes(&caller, &mix) {
                let run = async |rate| {
                    let request = (&method, url.as_str(), body.as_ref());
                    oha::run(&self.oha, &caller, request, duration, self.connections, rate).await
                };
                let measured = run(None).await?;
                add(name, closed.clone(), &measured);
                if method == Method::GET {
                    let rate = (measured.rate * share).round();
                    add(name, open(rate), &run(Some(rate)).await?);
                }
            }
        } else {
            eprintln!("oha is not at {}; to install it: {}", self.oha.display(), oha::INSTALL);
        }
        let closed_loop = mix.run(Loop::Closed(self.connections), duration).await?.all();
        add("mix", closed, &closed_loop);
        let rate = (closed_loop.rate * share).round();
        let open_loop = mix.run(Loop::Open(rate), duration).await?;
        add("mix", open(rate), &open_loop.all());
        for (kind, measured) in open_loop.by_kind() {
            rows.push(row(&format!("- {kind}"), String::new(), &measured));
        }
        let head = ["requests", "loop", "requests/s", "median ms", "p99 ms", "p99.9 ms", "errors"];
        println!("{}", table(&head, &rows));
        local.stop().await
    }
}

/// Returns the requests that oha sends: name, method, URL and body.
fn routes(
    caller: &Caller,
    mix: &Mix,
) -> Vec<(&'static str, Method, String, Option<serde_json::Value>)> {
    let url = |path: &str| format!("{}{path}", caller.url());
    let new_customer = json!({ "name": "Acme GmbH", "country": "DE", "industry": "Retail" });
    vec![
        ("get customer", Method::GET, url(&mix.customer_path()), None),
        ("list customers", Method::GET, url("/customers"), None),
        ("create customer", Method::POST, url("/customers"), Some(new_customer)),
    ]
}

fn row(requests: &str, mode: String, measured: &Measured) -> Vec<String> {
    let Measured { rate, median, p99, p999, errors, requests: total } = measured;
    vec![
        requests.to_owned(),
        mode,
        format!("{rate:.0}"),
        format!("{median:.2}"),
        format!("{p99:.2}"),
        format!("{p999:.2}"),
        format!("{errors} of {total}"),
    ]
}
