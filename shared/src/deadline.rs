//! The time of a request: however slow the table is, and however many calls a request makes, its
//! caller is told in time to come back, and the function does not run out of its own.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::error::Error;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs a request's work for so long. What it was at is dropped then: a transaction that has left may
/// still be written, as when a function dies.
pub(crate) async fn within<F: Future>(time: Duration, work: F) -> Result<F::Output, Error> {
    let deadline = Instant::now() + time;
    let done = DEADLINE.scope(deadline, timeout_at(deadline, work)).await;
    done.map_err(|_| over())
}

/// Runs work that leaves so much of the request's time for what has to come after it.
pub(crate) async fn leaving<F: Future>(rest: Duration, work: F) -> Result<F::Output, Error> {
    let deadline = DEADLINE.try_with(|deadline| *deadline - rest);
    match deadline {
        Ok(deadline) => timeout_at(deadline, work).await.map_err(|_| over()),
        // A job has no request's time.
        Err(_) => Ok(work.await),
    }
}

fn over() -> Error {
    Error::store_unavailable("the time of the request is over")
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::error::Code;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn work_ends_with_its_time_and_leaves_some_of_it() {
        let endless = within(SOON, pending::<()>()).await;
        assert_eq!(endless.unwrap_err().code, Code::StoreUnavailable);
        // What comes after the work has its time still.
        let ended = within(Duration::from_secs(600), async {
            let work = leaving(Duration::from_secs(600), pending::<()>()).await;
            (work.unwrap_err().code, "freed")
        });
        assert_eq!(ended.await.unwrap(), (Code::StoreUnavailable, "freed"));
        assert_eq!(leaving(Duration::from_secs(600), async { 7 }).await.unwrap(), 7);
    }
}
