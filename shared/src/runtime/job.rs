//! Jobs: functions that a schedule invokes. A job has a payload and a deadline, but no request and
//! no caller.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Instant;

use futures_util::FutureExt;
use serde_json::Value;

use crate::app::{App, OpenWatchlists};
use crate::error::Error;

/// A job: the name of its binary and the function that runs it.
#[derive(Clone, Copy)]
pub struct Job {
    pub name: &'static str,
    pub run: Run,
    /// `None` for a job that does not screen.
    pub open_watchlists: Option<OpenWatchlists>,
}

pub type Run = for<'a> fn(&'a App, Value, Instant) -> RunFuture<'a>;
pub type RunFuture<'a> = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send + 'a>>;

/// Declares a crate's function as its `JOB`. The job has the name of the crate. A job that
/// screens adds `watchlists`.
#[macro_export]
macro_rules! job {
    ($run:ident) => {
        $crate::job!(@ $run, None);
    };
    ($run:ident, watchlists) => {
        $crate::job!(@ $run, Some($crate::app::open_bucket));
    };
    (@ $run:ident, $open_watchlists:expr) => {
        pub const JOB: $crate::runtime::job::Job = $crate::runtime::job::Job {
            name: env!("CARGO_PKG_NAME"),
            run: |app, payload, deadline| Box::pin($run(app, payload, deadline)),
            open_watchlists: $open_watchlists,
        };
    };
}

/// Runs a job once and returns its result to the invoker. A failure is also logged.
///
/// # Errors
/// The error of the job, or `InternalError` when it panicked.
pub async fn run(app: &App, job: &Job, payload: Value, deadline: Instant) -> Result<Value, Error> {
    let caught = AssertUnwindSafe((job.run)(app, payload, deadline)).catch_unwind().await;
    let result = caught.unwrap_or_else(|_| Err(Error::internal("a job panicked")));
    if let Err(error) = &result {
        let (function, code, cause) = (job.name, error.code.to_string(), error.cause());
        tracing::error!(target: "kyc", function, code, cause, message = "job failed");
    }
    result
}
