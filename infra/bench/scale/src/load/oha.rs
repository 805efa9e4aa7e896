//! oha, a load generator (github.com/hatoo/oha): one request, over and over.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::Value;
use tokio::process::Command;

use super::Measured;
use crate::api::Caller;

pub(crate) const INSTALL: &str = "cargo install oha --version 1.16.0 --locked \
    --root infra/bench/target/tools";

pub(crate) fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/oha")
}

/// With a rate, an open loop.
pub(crate) async fn run(
    oha: &Path,
    caller: &Caller,
    (method, url, body): (&Method, &str, Option<&Value>),
    duration: Duration,
    connections: usize,
    rate: Option<f64>,
) -> Result<Measured> {
    let mut command = Command::new(oha);
    command.args(["--no-tui", "--output-format", "json"]);
    command.args(["-z", &format!("{}s", duration.as_secs()), "-c", &connections.to_string()]);
    command.args(["-m", method.as_str(), "-H"]);
    command.arg(format!("Authorization: Bearer {}", caller.token()));
    if let Some(body) = body {
        command.args(["-T", "application/json", "-d", &body.to_string()]);
    }
    if let Some(rate) = rate {
        command.args(["-q", &rate.to_string(), "--latency-correction"]);
    }
    let output = command.arg(url).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "oha: {said}");
    let report: Value = serde_json::from_slice(&output.stdout).context("oha's report")?;
    let ms = |percentile: &str| {
        report["latencyPercentiles"][percentile].as_f64().map_or(f64::NAN, |s| s * 1_000.0)
    };
    let count = |of: &Value| -> usize {
        let counts = of.as_object().into_iter().flatten();
        counts.filter_map(|(_, count)| count.as_u64()).map(|count| count as usize).sum()
    };
    let statuses = report["statusCodeDistribution"].as_object().into_iter().flatten();
    let succeeded = statuses.filter(|(status, _)| status.starts_with('2'));
    let succeeded: u64 = succeeded.filter_map(|(_, count)| count.as_u64()).sum();
    let mut unanswered = report["errorDistribution"].clone();
    // What the end of the measurement cut off.
    unanswered.as_object_mut().map(|errors| errors.remove("aborted due to deadline"));
    let requests = count(&report["statusCodeDistribution"]) + count(&unanswered);
    Ok(Measured {
        rate: report["summary"]["requestsPerSec"].as_f64().context("a rate")?,
        median: ms("p50"),
        p99: ms("p99"),
        p999: ms("p99.9"),
        requests,
        errors: requests - succeeded as usize,
    })
}
