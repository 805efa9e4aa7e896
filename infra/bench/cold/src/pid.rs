//! Reads the CPU time of a process, and ends a process.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;

#[derive(Clone, Copy)]
pub(crate) struct Pid(nix::unistd::Pid);

impl Pid {
    /// Converts the id that `std::process::Child::id` returns. Returns an error if the id is too
    /// large for the operating system's type.
    pub(crate) fn new(id: u32) -> Result<Pid> {
        Ok(Pid(nix::unistd::Pid::from_raw(i32::try_from(id)?)))
    }

    /// Returns the CPU time that all threads of the process have used, including ended threads.
    /// Returns `None` if the system does not provide it.
    ///
    /// The `schedstat` files of the threads are not used, because they lack the time of ended threads
    /// and the time since the scheduler last updated them.
    pub(crate) fn cpu(self) -> Option<Duration> {
        let time = ClockId::pid_cpu_clock_id(self.0).and_then(ClockId::now).ok()?;
        Some(Duration::from(time))
    }

    /// Sends the process a SIGTERM.
    pub(crate) fn terminate(self) -> Result<()> {
        Ok(kill(self.0, Signal::SIGTERM)?)
    }
}

impl Display for Pid {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
