//! Limits and pauses for repeating a transaction that lost a race or was throttled.

use std::time::{Duration, Instant};

use crate::error::Error;

/// Number of attempts at a transaction that the table cancels because the table is throttled. The
/// SDK retries a throttled call, but not a cancelled transaction.
const ATTEMPTS: u32 = 3;
/// Longest time spent on a change that keeps losing to concurrent writers.
const RACE_TIME: Duration = Duration::from_secs(8);
/// Pause after the first lost race. Each further pause is three times as long, up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// Longest pause after a lost race. It is long enough that most attempts do not collide, even with
/// a hundred concurrent writers.
const LONGEST_PAUSE: Duration = Duration::from_millis(300);
/// Pause after the first throttled attempt. Each further pause is 100 ms longer.
const THROTTLED_PAUSE: Duration = Duration::from_millis(100);

/// The reason why the table cancelled a transaction. With either reason, a repetition may succeed.
pub(super) enum Cancelled {
    /// Another transaction touched the same item.
    Conflict,
    /// The table had no capacity left.
    Throttled,
}

/// Counts the attempts at one change and waits between them.
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
    /// Starts the clock for a change.
    pub fn new() -> Attempts {
        Attempts { started: Instant::now(), pause: FIRST_PAUSE, throttled: 0 }
    }

    /// Waits after losing to a concurrent writer.
    ///
    /// # Errors
    /// `StoreUnavailable` when more than 8 seconds have passed since the clock was started.
    pub async fn lost(&mut self) -> Result<(), Error> {
        if self.started.elapsed() > RACE_TIME {
            return Err(Error::store_unavailable("a change kept losing to concurrent writers"));
        }
        tokio::time::sleep(jittered(self.pause)).await;
        self.pause = (self.pause * 3).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Waits after the table cancelled a transaction. Returns an error when the limit for this
    /// reason is reached.
    pub(super) async fn cancelled(&mut self, reason: Cancelled) -> Result<(), Error> {
        match reason {
            Cancelled::Conflict => self.lost().await,
            Cancelled::Throttled => self.throttled().await,
        }
    }

    /// Waits after a throttled attempt. The third attempt is the last. A lost race is repeated for
    /// 8 seconds, but a busy table must not get that many requests.
    async fn throttled(&mut self) -> Result<(), Error> {
        self.throttled += 1;
        if self.throttled >= ATTEMPTS {
            return Err(Error::store_unavailable("a transaction was throttled"));
        }
        tokio::time::sleep(jittered(THROTTLED_PAUSE * self.throttled)).await;
        Ok(())
    }
}

/// Returns a random duration between half the pause and the whole pause, so that writers that
/// collided do not collide again.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
