//! One cold start, and many warm requests.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::case;
use crate::event;
use crate::place::Place;
use crate::process::{Process, Program};
use crate::runtime_api::{Invocation, RuntimeApi};

const PATIENCE: Duration = Duration::from_secs(60);
/// How many requests come before those that count.
const WARM_UP: usize = 50;

/// What is measured: a program, and what it must answer.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) program: Program,
    pub(crate) expected: Expected,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Status(u64),
    /// Of a function that answers no HTTP request.
    Anything,
}

impl Expected {
    fn check(self, answer: &Value) -> Result<()> {
        match self {
            Expected::Status(status) => {
                let answered = event::answer(answer).map(|(status, _)| status);
                ensure!(answered == Some(status), "expected {status}, got {answer:.600}");
            }
            Expected::Anything => ensure!(!answer.is_null(), "the answer is no JSON"),
        }
        Ok(())
    }
}

/// From the start of the process to its first answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cold {
    /// From the start to the first poll.
    pub(crate) init: Duration,
    pub(crate) init_cpu: Duration,
    /// From the event to its answer.
    pub(crate) first: Duration,
    /// Between the first poll and the first answer.
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

/// A request when nothing is to be set up any more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Warm {
    /// The median from event to answer.
    pub(crate) wall: Duration,
    /// The mean, with what the runtime does between two requests.
    pub(crate) cpu: Duration,
    /// After all of them.
    pub(crate) peak_memory: u64,
}

async fn cold(subject: &Subject, event: &Value) -> Result<Cold> {
    let (process, invocations) = run(subject, std::slice::from_ref(event)).await?;
    let first = invocations.0.first().context("no answer")?;
    Ok(Cold {
        init: first.polled.at - process.spawned,
        init_cpu: first.polled.cpu,
        first: first.answered.at - first.sent,
        first_cpu: first.answered.cpu - first.polled.cpu,
    })
}

/// So many cold starts of each, by a round of one of each in turn, so that what else the machine does
/// falls on all of them alike.
pub(crate) async fn cold_starts(
    place: &Place,
    subjects: &[(&str, &Subject)],
    rounds: usize,
) -> Result<Vec<Vec<Cold>>> {
    let mut events = Vec::new();
    for (function, _) in subjects {
        events.push(case::events(place, function, rounds).await?.into_iter());
    }
    let mut all = vec![Vec::new(); subjects.len()];
    for round in 0..rounds {
        eprint!("\rcold starts: round {} of {rounds}", round + 1);
        for (((_, subject), events), colds) in subjects.iter().zip(&mut events).zip(&mut all) {
            colds.push(cold(subject, &events.next().context("no event")?).await?);
        }
    }
    eprintln!();
    Ok(all)
}

/// What it answers to one event.
pub(crate) async fn answer(subject: &Subject, event: &Value) -> Result<Value> {
    let (_, (invocations, _)) = run(subject, std::slice::from_ref(event)).await?;
    Ok(invocations.into_iter().next().context("no answer")?.answer)
}

pub(crate) async fn warm(subject: &Subject, events: &[Value]) -> Result<Warm> {
    let (process, (invocations, last)) = run(subject, events).await?;
    let counted = invocations.get(WARM_UP..).filter(|counted| !counted.is_empty());
    let counted = counted.context("not enough events")?;
    let begin = counted.first().context("no answer")?.polled;
    let walls = counted.iter().map(|one| one.answered.at - one.sent).collect();
    let count = u32::try_from(counted.len())?;
    Ok(Warm {
        wall: median(walls),
        cpu: (last.cpu - begin.cpu) / count,
        peak_memory: process.peak_memory()?,
    })
}

/// How many events a measurement of `count` warm requests takes.
pub(crate) fn warm_events(count: usize) -> usize {
    WARM_UP + count
}

type Finished = (Vec<Invocation>, crate::runtime_api::Moment);

async fn run(subject: &Subject, events: &[Value]) -> Result<(Process, Finished)> {
    let api = RuntimeApi::start(events).await?;
    let mut process = Process::start(&subject.program, &api)?;
    let finished = process.finish(&api, PATIENCE).await;
    let finished = finished.with_context(|| subject.name.clone())?;
    for invocation in &finished.0 {
        subject.expected.check(&invocation.answer).with_context(|| subject.name.clone())?;
    }
    Ok((process, finished))
}

pub(crate) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// Of one number of each round.
pub(crate) fn median_of(all: &[Cold], one: impl Fn(&Cold) -> Duration) -> Duration {
    median(all.iter().map(one).collect())
}
