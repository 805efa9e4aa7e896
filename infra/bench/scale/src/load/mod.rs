//! How many requests the local server answers, and how fast. A closed loop asks again as soon as it
//! is answered, and shows what the server can do. An open loop asks at a set rate whether or not it
//! is answered, as callers do, and counts the time a request had to wait for its turn: what a closed
//! loop hides. Single routes are measured with oha; the mix with a driver of our own, which no tool
//! has. Both share the machine with the server and its table, so the rates are no capacity of AWS.

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
    /// The local server's binary; without it, it is built in the profile ci
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// oha's binary; without one there, single routes are left out
    #[arg(long, value_name = "FILE", default_value_os_t = oha::installed())]
    oha: PathBuf,
    /// Customers there are before anything is measured
    #[arg(long, default_value_t = 10_000)]
    customers: usize,
    /// How long each of the seven measurements takes
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Requests on their way at once in a closed loop
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// The rate of open loops, in parts of a hundred of what the closed loop reached
    #[arg(long, default_value_t = 50)]
    percent: u32,
    /// What the mix's choices follow from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What one measurement found; milliseconds.
pub(crate) struct Measured {
    pub(crate) rate: f64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) requests: usize,
    /// Answers that were no success, and requests without an answer.
    pub(crate) errors: usize,
}

impl Load {
    pub(crate) async fn run(self) -> Result<()> {
        let local = Local::start(self.server.as_deref()).await?;
        let caller = local.caller.clone();
        let mix = Mix::prepare(caller.clone(), self.customers, self.connections, self.seed).await?;
        let mut rows = Vec::new();
        let mut add = |what: &str, how: String, measured: &Measured| {
            eprintln!("{what}, {how}: {:.0} requests/s", measured.rate);
            rows.push(row(what, how, measured));
        };
        let duration = Duration::from_secs(self.seconds);
        let closed = format!("closed, {} at once", self.connections);
        let open = |rate: f64| format!("open, {rate:.0} a second");
        let share = f64::from(self.percent) / 100.0;
        match self.oha.is_file() {
            false => eprintln!("no oha at {}: {}", self.oha.display(), oha::INSTALL),
            true => {
                for (what, method, path, body) in self.routes(&caller, &mix) {
                    let run = async |rate| {
                        let request = (&method, path.as_str(), body.as_ref());
                        oha::run(&self.oha, &caller, request, duration, self.connections, rate)
                            .await
                    };
                    let measured = run(None).await?;
                    add(what, closed.clone(), &measured);
                    if method == Method::GET {
                        let rate = (measured.rate * share).round();
                        add(what, open(rate), &run(Some(rate)).await?);
                    }
                }
            }
        }
        let found = mix.run(Loop::Closed(self.connections), duration).await?;
        add("mix", closed, &found.all());
        let rate = (found.all().rate * share).round();
        let found = mix.run(Loop::Open(rate), duration).await?;
        add("mix", open(rate), &found.all());
        for (kind, measured) in found.by_kind() {
            rows.push(row(&format!("- {kind}"), String::new(), &measured));
        }
        let head = ["requests", "loop", "requests/s", "median ms", "p99 ms", "p99.9 ms", "errors"];
        println!("{}", table(&head, &rows));
        local.stop().await
    }

    /// What oha asks for: what it is called, method, path, and body.
    fn routes(
        &self,
        caller: &Caller,
        mix: &Mix,
    ) -> Vec<(&'static str, Method, String, Option<serde_json::Value>)> {
        let url = |path: &str| format!("{}{path}", caller.url());
        let new = json!({ "name": "Acme GmbH", "country": "DE", "industry": "Retail" });
        vec![
            ("get customer", Method::GET, url(&mix.one()), None),
            ("list customers", Method::GET, url("/customers"), None),
            ("create customer", Method::POST, url("/customers"), Some(new)),
        ]
    }
}

fn row(what: &str, how: String, measured: &Measured) -> Vec<String> {
    let Measured { rate, median, p99, p999, errors, requests } = measured;
    vec![
        what.to_owned(),
        how,
        format!("{rate:.0}"),
        format!("{median:.2}"),
        format!("{p99:.2}"),
        format!("{p999:.2}"),
        format!("{errors} of {requests}"),
    ]
}
