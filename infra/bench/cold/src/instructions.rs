//! Counts the instructions of a warm request. The count is the same on all machines of one
//! architecture, regardless of their load.
//!
//! Valgrind counts two runs with different numbers of events. The difference of the counts does not
//! contain the work that a process does only once.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{Process, Program};
use crate::runtime_api::RuntimeApi;
use crate::subject::Subject;

/// Maximum time that a process may take to answer all its events. A program takes about fifty times
/// as long under Valgrind.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Number of events in the shorter run.
const FEW: usize = 10;
/// Number of events in the longer run.
const MANY: usize = 50;
/// Total number of events in both runs.
pub(crate) const EVENTS: usize = FEW + MANY;

/// Checks that Valgrind is installed.
pub(crate) fn check_valgrind() -> Result<()> {
    let run = std::process::Command::new("valgrind").arg("--version").output();
    match run {
        Ok(output) if output.status.success() => Ok(()),
        _ => bail!(
            "Valgrind is not installed: install it (apt-get install valgrind) or pass --no-instructions"
        ),
    }
}

/// Returns the number of instructions per warm request. `events` must contain [`EVENTS`] events.
pub(crate) async fn per_request(subject: &Subject, events: &[Value]) -> Result<u64> {
    let (few, many) =
        events.split_at_checked(FEW).context("too few events to count instructions")?;
    let few_instructions = count(subject, few).await?;
    let many_instructions = count(subject, many).await?;
    let additional_events = u64::try_from(many.len() - few.len())?;
    Ok(many_instructions.saturating_sub(few_instructions) / additional_events)
}

/// Returns the number of instructions that a process executes to start and handle these events.
async fn count(subject: &Subject, events: &[Value]) -> Result<u64> {
    let api = RuntimeApi::start(events).await?;
    let bootstrap = subject.program.file.to_string_lossy().into_owned();
    let options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let mut program = Program {
        file: "/usr/bin/env".into(),
        args: ["valgrind"].iter().chain(&options).map(|arg| (*arg).to_owned()).collect(),
        environment: subject.program.environment.clone(),
        folder: None,
    };
    program.args.push(bootstrap);
    program.args.extend(subject.program.args.iter().cloned());
    if let Ok(path) = std::env::var("PATH") {
        program.environment.insert("PATH".to_owned(), path);
    }
    let mut process = Process::start(&program, &api)?;
    process.finish(&api, TIMEOUT).await.with_context(|| subject.name.clone())?;
    let log = process.end()?;
    let collected = log.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) =
        collected.with_context(|| format!("Valgrind did not print a count:\n{log}"))?;
    Ok(count.trim().parse()?)
}
