//! What a million requests of each operation cost, by part: from the calls and units of the test of
//! round trips, which this runs the operations of, and from the milliseconds they take here.

mod prices;

/// The operations, and what measures them.
#[path = "../../../../../tests/api/round_trips/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "a test, of which this needs all but what it asserts"
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
    /// How often each operation is measured
    #[arg(long, default_value_t = 30)]
    times: usize,
}

/// Not measured: the first ones open connections and fill caches.
const WARM_UP: usize = 5;

/// One operation, as it was measured.
struct Operation {
    what: &'static str,
    consumed: Consumed,
    /// Of the whole request: front door, handler and embedded store, one after another, on a warm
    /// process of this machine.
    ms: f64,
    /// Of the line it logs.
    log_bytes: f64,
}

/// USD of one request.
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
        for (i, row) in ROWS.iter().enumerate() {
            operations.push(self.measure(&bench, i, row).await?);
        }
        print(&operations);
        Ok(())
    }

    async fn measure(&self, bench: &Bench, number: usize, row: &Row) -> Result<Operation> {
        let (mut ms, mut log_bytes, mut consumed) = (Vec::new(), Vec::new(), Consumed::default());
        for time in 0..WARM_UP + self.times {
            let given = bench.prepare(row, &format!("tenant-{number}-{time}")).await;
            let logged = watch().bytes();
            let started = std::time::Instant::now();
            let answer = bench.call(row, &given).await;
            let took = started.elapsed().as_secs_f64() * 1_000.0;
            ensure!(answer.status == row.status, "{}: {}", row.what, answer.text);
            consumed = bench.meter.take();
            if time >= WARM_UP {
                ms.push(took);
                log_bytes.push((watch().bytes() - logged) as f64);
            }
        }
        let (ms, log_bytes) = (median(&ms), median(&log_bytes));
        Ok(Operation { what: row.what, consumed, ms, log_bytes })
    }
}

impl Operation {
    /// What Lambda would bill, in whole milliseconds: the table's answers, waited for, and what was
    /// measured here, on the share of a processor that a function has. The store and the front door
    /// are no part of a function, so this is more than it is.
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
    /// With what every request costs alike.
    fn total(&self) -> f64 {
        let Price { duration, reads, writes, events, logs } = self;
        let alike = HTTP_API + LAMBDA_REQUEST + TRACED * TRACE;
        alike + duration + reads + writes + events + logs
    }
}

fn print(operations: &[Operation]) {
    let measured = operations.iter().map(|operation| {
        let Operation { what, consumed, ms, log_bytes } = operation;
        let calls = consumed.calls.iter().map(|(call, times)| format!("{times} {call}"));
        vec![
            (*what).to_owned(),
            calls.collect::<Vec<_>>().join(", "),
            consumed.waits.to_string(),
            consumed.reads.to_string(),
            consumed.writes.to_string(),
            consumed.events.to_string(),
            format!("{ms:.2}"),
            format!("{log_bytes:.0}"),
        ]
    });
    let head = ["operation", "calls", "waits", "reads", "writes", "events", "ms here", "log bytes"];
    println!("{}", table(&head, &measured.collect::<Vec<_>>()));

    let usd = |price: f64| format!("{:.2}", price * MILLION);
    let costs = operations.iter().map(|operation| {
        let price = operation.price();
        vec![
            operation.what.to_owned(),
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
        "USD a million",
        "together",
        "HTTP API",
        "Lambda",
        "its duration",
        "reads",
        "writes",
        "events",
        "logs",
        "X-Ray",
    ];
    println!("{}", table(&head, &costs.collect::<Vec<_>>()));
}
