//! Waiting between attempts at a write that lost a race or met a throttled table.

use std::time::{Duration, Instant};

use crate::error::Error;

/// Attempts of a transaction that the table cancels because it is throttled. The SDK repeats a
/// throttled call by itself, but not a cancelled transaction.
const ATTEMPTS: u32 = 3;
/// Longest time spent on a change that keeps losing to concurrent writers.
const RACE_TIME: Duration = Duration::from_secs(8);
/// Pause after the first lost race. Each further pause is three times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// Longest pause. With a hundred concurrent writers most attempts then meet no other writer.
const LONGEST_PAUSE: Duration = Duration::from_millis(300);
/// Pause after the first throttled attempt. Each further pause is longer by the same amount.
const THROTTLED_PAUSE: Duration = Duration::from_millis(100);

/// The reason why the table cancelled a transaction that may succeed when it is repeated.
pub(super) enum Cancelled {
    /// Another transaction touched the same item.
    Conflict,
    /// The table had no capacity.
    Throttled,
}

/// The attempts at one change.
pub struct Attempts {
    started: Instant,
    pause: Duration,
    throttled: u32,
}

impl Default for Attempts {
    fn default() -> Attempts {
        Attempts::new()
    }
}

impl Attempts {
    /// Starts the clock of a change.
    pub fn new() -> Attempts {
        Attempts { started: Instant::now(), pause: FIRST_PAUSE, throttled: 0 }
    }

    /// Waits after losing to a concurrent writer.
    ///
    /// # Errors
    /// `StoreUnavailable` when the change has lost for longer than 8 seconds.
    pub async fn lost(&mut self) -> Result<(), Error> {
        if self.started.elapsed() > RACE_TIME {
            return Err(Error::store_unavailable("a change kept losing to concurrent writers"));
        }
        tokio::time::sleep(jittered(self.pause)).await;
        self.pause = (self.pause * 3).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Waits after the table cancelled a transaction.
    pub(super) async fn cancelled(&mut self, reason: Cancelled) -> Result<(), Error> {
        match reason {
            Cancelled::Conflict => self.lost().await,
            Cancelled::Throttled => self.throttled().await,
        }
    }

    /// A throttled transaction gets three attempts, like any other call. It is not repeated for 8
    /// seconds like a lost race, because a busy table must not get more requests.
    async fn throttled(&mut self) -> Result<(), Error> {
        self.throttled += 1;
        if self.throttled >= ATTEMPTS {
            return Err(Error::store_unavailable("a transaction was throttled"));
        }
        tokio::time::sleep(jittered(THROTTLED_PAUSE * self.throttled)).await;
        Ok(())
    }
}

/// A random duration from half the pause to all of it, so that writers that collided once spread out.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
