//! Instructions per warm request, which say the same on every machine of a kind, however busy: two
//! runs under Valgrind with different numbers of events, so that what happens once cancels.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::measure::Subject;
use crate::process::{Process, Program};
use crate::runtime_api::RuntimeApi;

/// Everything takes some fifty times as long.
const PATIENCE: Duration = Duration::from_secs(600);
const FEW: usize = 10;
const MANY: usize = 50;
/// How many events both runs take together.
pub(crate) const EVENTS: usize = FEW + MANY;

pub(crate) fn is_possible() -> Result<()> {
    let run = std::process::Command::new("valgrind").arg("--version").output();
    match run {
        Ok(output) if output.status.success() => Ok(()),
        _ => bail!(
            "valgrind is not there: install it (apt-get install valgrind), or pass --no-instructions"
        ),
    }
}

pub(crate) async fn per_request(subject: &Subject, events: &[Value]) -> Result<u64> {
    let (few, many) = events.split_at_checked(FEW).context("not enough events")?;
    let few_took = counted(subject, few).await?;
    let many_took = counted(subject, many).await?;
    let more = u64::try_from(many.len() - few.len())?;
    Ok(many_took.saturating_sub(few_took) / more)
}

async fn counted(subject: &Subject, events: &[Value]) -> Result<u64> {
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
    process.finish(&api, PATIENCE).await.with_context(|| subject.name.clone())?;
    let log = process.end()?;
    let collected = log.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = collected.with_context(|| format!("Valgrind counted nothing:\n{log}"))?;
    Ok(count.trim().parse()?)
}
