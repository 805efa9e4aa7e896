//! Functions that a schedule starts: no request, no caller, but a deadline.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Instant;

use futures_util::FutureExt;
use serde_json::Value;

use crate::app::App;
use crate::error::Error;

/// The name of its binary, and what it does with a payload before its deadline.
#[derive(Clone, Copy)]
pub struct Job {
    pub name: &'static str,
    pub run: Run,
}

pub type Run = for<'a> fn(&'a App, Value, Instant) -> Done<'a>;
pub type Done<'a> = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send + 'a>>;

/// Names a crate's handler as its `JOB`: the binary has the name of the crate.
#[macro_export]
macro_rules! job {
    ($run:ident) => {
        pub const JOB: $crate::job::Job = $crate::job::Job {
            name: env!("CARGO_PKG_NAME"),
            run: |app, payload, deadline| Box::pin($run(app, payload, deadline)),
        };
    };
}

/// Runs a job once. What it answers is for whoever invoked it; why it failed is in the log.
pub async fn run(app: &App, job: &Job, payload: Value, deadline: Instant) -> Result<Value, Error> {
    let done = AssertUnwindSafe((job.run)(app, payload, deadline)).catch_unwind().await;
    let done = done.unwrap_or_else(|_| Err(Error::internal("a job panicked")));
    if let Err(error) = &done {
        let (function, code, cause) = (job.name, error.code.to_string(), error.cause());
        tracing::error!(target: "kyc", function, code, cause, message = "job failed");
    }
    done
}
