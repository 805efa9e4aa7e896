//! The deadline of a request. If the table is slow, the caller still gets a 503 in time, and the
//! function does not reach its own time-out.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::error::Error;

tokio::task_local! {
    static DEADLINE: Instant;
}

/// Runs the work of a request for at most `time`, then drops the work and returns
/// `StoreUnavailable`. A transaction that was already sent may still be written, as if the function
/// had died.
pub(crate) async fn within<F: Future>(time: Duration, work: F) -> Result<F::Output, Error> {
    let deadline = Instant::now() + time;
    let result = DEADLINE.scope(deadline, timeout_at(deadline, work)).await;
    result.map_err(|_| deadline_passed())
}

/// Runs work until `rest` before the deadline of the request, then drops the work and returns
/// `StoreUnavailable`. The caller then has `rest` for cleaning up. Outside of a request, the work
/// has no time limit.
pub(crate) async fn leaving<F: Future>(rest: Duration, work: F) -> Result<F::Output, Error> {
    let deadline = DEADLINE.try_with(|deadline| *deadline - rest);
    match deadline {
        Ok(deadline) => timeout_at(deadline, work).await.map_err(|_| deadline_passed()),
        // A job runs outside of a request.
        Err(_) => Ok(work.await),
    }
}

fn deadline_passed() -> Error {
    Error::store_unavailable("the deadline of the request passed")
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::error::Code;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn work_ends_at_the_deadline_or_earlier() {
        let endless = within(SOON, pending::<()>()).await;
        assert_eq!(endless.unwrap_err().code, Code::StoreUnavailable);
        // The work is dropped at once, and the code after it still runs.
        let ended = within(Duration::from_secs(600), async {
            let work = leaving(Duration::from_secs(600), pending::<()>()).await;
            (work.unwrap_err().code, "freed")
        });
        assert_eq!(ended.await.unwrap(), (Code::StoreUnavailable, "freed"));
        assert_eq!(leaving(Duration::from_secs(600), async { 7 }).await.unwrap(), 7);
    }
}
