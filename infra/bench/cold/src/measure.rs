//! Measures cold starts and warm requests.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::case;
use crate::process::Process;
use crate::runtime_api::{Finished, RuntimeApi};
use crate::subject::Subject;
use crate::test_bed::TestBed;

/// Maximum time that a process may take to answer all its events.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Number of unmeasured requests at the start, which fill caches.
const WARM_UP: usize = 50;

/// One cold start, from the start of the process to its first answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cold {
    /// Time from the start of the process to the first poll.
    pub(crate) init: Duration,
    /// CPU time from the start of the process to the first poll.
    pub(crate) init_cpu: Duration,
    /// Time from the event to its answer.
    pub(crate) first: Duration,
    /// CPU time between the first poll and the first answer.
    pub(crate) first_cpu: Duration,
}

impl Cold {
    pub(crate) fn total(&self) -> Duration {
        self.init + self.first
    }

    pub(crate) fn total_cpu(&self) -> Duration {
        self.init_cpu + self.first_cpu
    }
}

/// Measurements of requests to a process after its first [`WARM_UP`] requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Warm {
    /// Median time from event to answer.
    pub(crate) wall: Duration,
    /// Mean CPU time of a request, including the work of the Lambda runtime until the next request.
    pub(crate) cpu: Duration,
    /// Peak memory after all requests, in bytes.
    pub(crate) peak_memory: u64,
}

async fn cold(subject: &Subject, event: &Value) -> Result<Cold> {
    let (process, finished) = run(subject, std::slice::from_ref(event)).await?;
    let first = finished.invocations.first().context("the process did not answer")?;
    Ok(Cold {
        init: first.polled.at - process.started,
        init_cpu: first.polled.cpu,
        first: first.answered.at - first.sent,
        first_cpu: first.answered.cpu - first.polled.cpu,
    })
}

/// Measures `rounds` cold starts of each subject. A round contains one cold start of each subject,
/// so that other load on the machine affects all subjects equally.
pub(crate) async fn cold_starts(
    test_bed: &TestBed,
    subjects: &[(&str, &Subject)],
    rounds: usize,
) -> Result<Vec<Vec<Cold>>> {
    let mut events = Vec::new();
    for (function, _) in subjects {
        events.push(case::events(test_bed, function, rounds).await?.into_iter());
    }
    let mut results = vec![Vec::new(); subjects.len()];
    for round in 0..rounds {
        eprint!("\rcold starts: round {} of {rounds}", round + 1);
        for (((_, subject), events), colds) in subjects.iter().zip(&mut events).zip(&mut results) {
            let event = events.next().context("there are fewer events than rounds")?;
            colds.push(cold(subject, &event).await?);
        }
    }
    eprintln!();
    Ok(results)
}

/// Starts a process with one event, and returns the checked answer.
pub(crate) async fn answer(subject: &Subject, event: &Value) -> Result<Value> {
    let (_, finished) = run(subject, std::slice::from_ref(event)).await?;
    let first = finished.invocations.into_iter().next();
    Ok(first.context("the process did not answer")?.answer)
}

/// Measures warm requests. `events` must contain [`warm_events`] events.
pub(crate) async fn warm(subject: &Subject, events: &[Value]) -> Result<Warm> {
    let (process, finished) = run(subject, events).await?;
    let measured = finished.invocations.get(WARM_UP..).unwrap_or_default();
    let begin = measured.first().context("there are too few events")?.polled;
    let walls = measured.iter().map(|invocation| invocation.answered.at - invocation.sent);
    Ok(Warm {
        wall: median(walls.collect()),
        cpu: (finished.last_poll.cpu - begin.cpu) / u32::try_from(measured.len())?,
        peak_memory: process.peak_memory()?,
    })
}

/// Returns the number of events that a measurement of `count` warm requests needs.
pub(crate) fn warm_events(count: usize) -> usize {
    WARM_UP + count
}

/// Runs a process until it has answered all events, and checks the answers.
async fn run(subject: &Subject, events: &[Value]) -> Result<(Process, Finished)> {
    let api = RuntimeApi::start(events).await?;
    let mut process = Process::start(&subject.program, &api)?;
    let finished = process.finish(&api, TIMEOUT).await.with_context(|| subject.name.clone())?;
    for invocation in &finished.invocations {
        subject.check(&invocation.answer)?;
    }
    Ok((process, finished))
}

pub(crate) fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

/// Returns the median of the durations that `figure` selects, one from each cold start.
pub(crate) fn median_of(colds: &[Cold], figure: impl Fn(&Cold) -> Duration) -> Duration {
    median(colds.iter().map(figure).collect())
}
