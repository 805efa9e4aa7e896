//! Runs oha, a load generator (github.com/hatoo/oha) that repeats one request.

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

/// Returns the path where [`INSTALL`] installs oha.
pub(crate) fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/oha")
}

/// Measures a request with oha. With a `rate` in requests per second, the loop is open; without
/// one, it is closed.
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
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "oha failed: {errors}");
    let report: Value =
        serde_json::from_slice(&output.stdout).context("the report of oha is not JSON")?;
    let ms = |percentile: &str| {
        report["latencyPercentiles"][percentile].as_f64().map_or(f64::NAN, |s| s * 1_000.0)
    };
    let sum = |distribution: &Value| -> usize {
        let counts = distribution.as_object().into_iter().flatten();
        counts.filter_map(|(_, count)| count.as_u64()).map(|count| count as usize).sum()
    };
    let statuses = report["statusCodeDistribution"].as_object().into_iter().flatten();
    let successes: u64 = statuses
        .filter(|(status, _)| status.starts_with('2'))
        .filter_map(|(_, count)| count.as_u64())
        .sum();
    let mut unanswered = report["errorDistribution"].clone();
    // oha reports the requests that it canceled at the end of the measurement as errors.
    unanswered.as_object_mut().map(|errors| errors.remove("aborted due to deadline"));
    let requests = sum(&report["statusCodeDistribution"]) + sum(&unanswered);
    Ok(Measured {
        rate: report["summary"]["requestsPerSec"]
            .as_f64()
            .context("the report of oha has no rate")?,
        median: ms("p50"),
        p99: ms("p99"),
        p999: ms("p99.9"),
        requests,
        errors: requests - successes as usize,
    })
}
