//! A function's process: started with nothing but the environment it is given, as Lambda does.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;
use tempfile::NamedTempFile;

use crate::runtime_api::{Invocation, Moment, RuntimeApi};

/// How often it is looked whether a process has ended by itself.
const LOOK: Duration = Duration::from_millis(250);
/// How much of what it wrote is shown when it fails.
const SHOWN: usize = 2_000;

#[derive(Clone, Copy)]
pub(crate) struct Pid(nix::unistd::Pid);

impl Pid {
    /// All the CPU time that it has used, by all of its threads, also those that are gone: the
    /// `schedstat` of its tasks has not that of the latter, nor what is not booked yet.
    pub(crate) fn cpu(self) -> Option<Duration> {
        let time = ClockId::pid_cpu_clock_id(self.0).and_then(ClockId::now).ok()?;
        Some(Duration::from(time))
    }
}

/// What is started, and with what besides the environment of Lambda.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) file: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Where it is started, if that matters.
    pub(crate) folder: Option<PathBuf>,
}

impl Program {
    /// What a custom runtime is: one file that is run as it is.
    pub(crate) fn bootstrap(file: &Path, environment: BTreeMap<String, String>) -> Program {
        Program { file: file.to_owned(), args: Vec::new(), environment, folder: None }
    }
}

/// Killed when it is dropped.
pub(crate) struct Process {
    pub(crate) spawned: Instant,
    pub(crate) pid: Pid,
    child: Child,
    log: NamedTempFile,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    pub(crate) fn start(program: &Program, api: &RuntimeApi) -> Result<Process> {
        let log = NamedTempFile::new()?;
        let mut command = Command::new(&program.file);
        command
            .args(&program.args)
            .env_clear()
            .envs(&program.environment)
            .env("AWS_LAMBDA_RUNTIME_API", &api.address)
            .stdin(Stdio::null())
            .stdout(log.reopen()?)
            .stderr(log.reopen()?);
        if let Some(folder) = &program.folder {
            command.current_dir(folder);
        }
        let spawned = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("{} does not start", program.file.display()))?;
        let pid = Pid(nix::unistd::Pid::from_raw(i32::try_from(child.id())?));
        api.watch(pid);
        Ok(Process { spawned, pid, child, log })
    }

    /// Until every event is answered.
    pub(crate) async fn finish(
        &mut self,
        api: &RuntimeApi,
        patience: Duration,
    ) -> Result<(Vec<Invocation>, Moment)> {
        let ended = async {
            loop {
                tokio::time::sleep(LOOK).await;
                if let Ok(Some(status)) = self.child.try_wait() {
                    return status;
                }
            }
        };
        let finished = tokio::select! {
            finished = api.finish(patience) => finished,
            status = ended => Err(anyhow::anyhow!("it ended with {status}")),
        };
        finished.with_context(|| format!("its log ends with:\n{}", self.log()))
    }

    /// Asks it to end, and says what it has written.
    pub(crate) fn end(mut self) -> Result<String> {
        kill(self.pid.0, Signal::SIGTERM)?;
        self.child.wait()?;
        Ok(self.log())
    }

    /// The most memory it ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid.0))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|line| line.trim().strip_suffix("kB"));
        let kilobytes: u64 = kilobytes.context("no peak memory")?.trim().parse()?;
        Ok(kilobytes * 1_024)
    }

    fn log(&self) -> String {
        let mut text = String::new();
        let read = File::open(self.log.path())
            .and_then(|mut file| std::io::Read::read_to_string(&mut file, &mut text));
        if read.is_err() {
            return "(not readable)".to_owned();
        }
        let mut start = text.len().saturating_sub(SHOWN);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        text.split_off(start)
    }
}
