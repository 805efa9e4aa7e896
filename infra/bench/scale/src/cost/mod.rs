//! Calculates the price of a million requests of each operation, and the parts of the price.
//!
//! The operations come from the test of round trips. The price follows from the calls and units of
//! an operation, and from the time that the operation takes on this machine.

mod prices;

/// The operations, and the code that measures them.
#[path = "../../../../../tests/api/round_trips/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "this is the module of a test, without the assertions"
)]
mod round_trips;

use anyhow::{Result, ensure};
use api_tests::faults::Consumed;
use api_tests::log::watch;
use clap::Args;

use crate::numbers::{median, table};
use prices::*;
use round_trips::{Bench, ROWS, Row};

#[derive(Args)]
pub(crate) struct Cost {
    /// Number of measurements per operation
    #[arg(long, default_value_t = 30)]
    times: usize,
}

/// Number of unmeasured requests at the start. They open connections and fill caches.
const WARM_UP: usize = 5;

/// The measurements of one operation.
struct Operation {
    name: &'static str,
    consumed: Consumed,
    /// Median time of a whole request to a warm process on this machine, in milliseconds. It
    /// includes the gateway, the handler and the embedded store.
    ms: f64,
    /// Median size of the lines that the function logs, in bytes.
    log_bytes: f64,
}

/// Price of one request by part, in USD.
struct Price {
    duration: f64,
    reads: f64,
    writes: f64,
    events: f64,
    logs: f64,
}

impl Cost {
    pub(crate) async fn run(self) -> Result<()> {
        let bench = Bench::start().await;
        let mut operations = Vec::new();
        for (number, row) in ROWS.iter().enumerate() {
            operations.push(self.measure(&bench, number, row).await?);
        }
        print(&operations);
        Ok(())
    }

    async fn measure(&self, bench: &Bench, number: usize, row: &Row) -> Result<Operation> {
        let (mut ms, mut log_bytes, mut consumed) = (Vec::new(), Vec::new(), Consumed::default());
        for round in 0..WARM_UP + self.times {
            let prepared = bench.prepare(row, &format!("tenant-{number}-{round}")).await;
            let log_start = watch().bytes();
            let started = std::time::Instant::now();
            let answer = bench.call(row, &prepared).await;
            let elapsed_ms = started.elapsed().as_secs_f64() * 1_000.0;
            ensure!(answer.status == row.status, "{} answered {}", row.what, answer.text);
            consumed = bench.meter.take();
            if round >= WARM_UP {
                ms.push(elapsed_ms);
                log_bytes.push((watch().bytes() - log_start) as f64);
            }
        }
        Ok(Operation { name: row.what, consumed, ms: median(&ms), log_bytes: median(&log_bytes) })
    }
}

impl Operation {
    /// Estimates the billed duration in whole milliseconds. It is the sum of two times: the assumed
    /// wait for the table, and the time measured on this machine, scaled to the processor share of
    /// a function. The measured time includes the store and the gateway, so the estimate is too
    /// high.
    fn billed_ms(&self) -> f64 {
        let waiting = self.consumed.waits as f64 * TABLE_MS;
        (waiting + self.ms * PROCESSOR_MB / MEMORY_MB).ceil()
    }

    fn price(&self) -> Price {
        let gb_seconds = |ms: f64| ms / 1_000.0 * MEMORY_MB / 1_024.0;
        let shaping = LAMBDA_REQUEST + gb_seconds(SHAPING_MS) * LAMBDA_GB_SECOND;
        let bytes = self.log_bytes + (ACCESS_LINE.len() + LAMBDA_LINES.len()) as f64;
        Price {
            duration: gb_seconds(self.billed_ms()) * LAMBDA_GB_SECOND,
            reads: self.consumed.reads * READ_UNIT,
            writes: self.consumed.writes * WRITE_UNIT,
            events: self.consumed.events as f64 * (BUS_EVENT + PIPE_REQUEST + shaping),
            logs: bytes / GB * LOG_GB,
        }
    }
}

impl Price {
    /// Returns the sum of all parts and of the fixed prices of a request: HTTP API, invocation and
    /// trace.
    fn total(&self) -> f64 {
        let Price { duration, reads, writes, events, logs } = self;
        let fixed = HTTP_API + LAMBDA_REQUEST + TRACED * TRACE;
        fixed + duration + reads + writes + events + logs
    }
}

fn print(operations: &[Operation]) {
    let measured = operations.iter().map(|operation| {
        let Operation { name, consumed, ms, log_bytes } = operation;
        let calls = consumed.calls.iter().map(|(call, times)| format!("{times} {call}"));
        vec![
            (*name).to_owned(),
            calls.collect::<Vec<_>>().join(", "),
            consumed.waits.to_string(),
            consumed.reads.to_string(),
            consumed.writes.to_string(),
            consumed.events.to_string(),
            format!("{ms:.2}"),
            format!("{log_bytes:.0}"),
        ]
    });
    let head =
        ["operation", "calls", "waits", "reads", "writes", "events", "measured ms", "log bytes"];
    println!("{}", table(&head, &measured.collect::<Vec<_>>()));

    let usd = |price: f64| format!("{:.2}", price * MILLION);
    let costs = operations.iter().map(|operation| {
        let price = operation.price();
        vec![
            operation.name.to_owned(),
            usd(price.total()),
            usd(HTTP_API),
            usd(LAMBDA_REQUEST),
            format!("{} ({:.0} ms)", usd(price.duration), operation.billed_ms()),
            usd(price.reads),
            usd(price.writes),
            usd(price.events),
            usd(price.logs),
            usd(TRACED * TRACE),
        ]
    });
    let head = [
        "USD per million",
        "total",
        "HTTP API",
        "Lambda",
        "Lambda duration",
        "reads",
        "writes",
        "events",
        "logs",
        "X-Ray",
    ];
    println!("{}", table(&head, &costs.collect::<Vec<_>>()));
}
