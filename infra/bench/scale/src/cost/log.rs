//! The log as the functions write it, to standard error, which is a file for the time being: its
//! length is what a request logs.

use std::fs::File;
use std::os::fd::OwnedFd;

use anyhow::Result;
use nix::unistd::{dup, dup2_stderr};

pub(crate) struct Log {
    file: File,
    seen: u64,
    /// Where standard error led to.
    before: OwnedFd,
}

impl Log {
    pub(crate) fn open() -> Result<Log> {
        let file = tempfile::tempfile()?;
        let before = dup(std::io::stderr())?;
        dup2_stderr(&file)?;
        shared::telemetry::init(None);
        Ok(Log { file, seen: 0, before })
    }

    /// How much was logged since the last time.
    pub(crate) fn bytes(&mut self) -> Result<u64> {
        let length = self.file.metadata()?.len();
        Ok(length - std::mem::replace(&mut self.seen, length))
    }

    pub(crate) fn close(self) -> Result<()> {
        Ok(dup2_stderr(self.before)?)
    }
}
