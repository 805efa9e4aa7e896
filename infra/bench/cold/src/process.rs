//! Runs the process of a function. The process gets only the environment variables of its program,
//! as on Lambda.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

use crate::pid::Pid;
use crate::runtime_api::{Finished, RuntimeApi};

/// Interval between checks that a process is still running, so that an early exit is reported
/// before the timeout.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Maximum number of bytes that an error message quotes from the end of the log.
const MAX_LOG: usize = 2_000;

/// A command with its environment.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) file: PathBuf,
    pub(crate) args: Vec<String>,
    /// Environment variables. `AWS_LAMBDA_RUNTIME_API` is added when the program starts.
    pub(crate) environment: BTreeMap<String, String>,
    /// Working directory, if the program needs a certain one.
    pub(crate) folder: Option<PathBuf>,
}

impl Program {
    /// Returns a program for a custom runtime of Lambda, which is one executable without arguments.
    pub(crate) fn bootstrap(file: &Path, environment: BTreeMap<String, String>) -> Program {
        Program { file: file.to_owned(), args: Vec::new(), environment, folder: None }
    }
}

/// A running process. Dropping it kills the process.
pub(crate) struct Process {
    pub(crate) started: Instant,
    pid: Pid,
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
    /// Starts a program whose events come from `api`.
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
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("{} does not start", program.file.display()))?;
        let pid = Pid::new(child.id())?;
        api.watch(pid);
        Ok(Process { started, pid, child, log })
    }

    /// Waits until the process has answered every event.
    ///
    /// # Errors
    ///
    /// Returns an error with the end of the log if the process ends, reports an error or takes longer
    /// than `timeout`.
    pub(crate) async fn finish(&mut self, api: &RuntimeApi, timeout: Duration) -> Result<Finished> {
        let ended = async {
            loop {
                tokio::time::sleep(POLL_INTERVAL).await;
                if let Ok(Some(status)) = self.child.try_wait() {
                    return status;
                }
            }
        };
        let finished = tokio::select! {
            finished = api.finish(timeout) => finished,
            status = ended => Err(anyhow::anyhow!("the process ended with {status}")),
        };
        finished.with_context(|| format!("the log ends with:\n{}", self.log()))
    }

    /// Sends the process a SIGTERM, waits until it has ended, and returns the end of its log.
    pub(crate) fn end(mut self) -> Result<String> {
        self.pid.terminate()?;
        self.child.wait()?;
        Ok(self.log())
    }

    /// Returns the peak resident memory of the process in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|line| line.trim().strip_suffix("kB"));
        let kilobytes: u64 =
            kilobytes.context("/proc does not contain the peak memory")?.trim().parse()?;
        Ok(kilobytes * 1_024)
    }

    /// Returns the last [`MAX_LOG`] bytes of the log, or a note that the log is not readable.
    fn log(&self) -> String {
        let mut text = String::new();
        let read = File::open(self.log.path())
            .and_then(|mut file| std::io::Read::read_to_string(&mut file, &mut text));
        if read.is_err() {
            return "(the log is not readable)".to_owned();
        }
        let mut start = text.len().saturating_sub(MAX_LOG);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        text.split_off(start)
    }
}
