//! Serves the Lambda Runtime API. A function polls it for events and posts its answers to it. Every
//! process gets its own server, so that an earlier process cannot receive its events.
//!
//! The request handlers record the times themselves. A task that they notified would record them
//! too late.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::pid::Pid;

/// Time limit of an invocation, which the function gets as a deadline. It is Lambda's maximum, so
/// that a function never stops work early.
const DEADLINE: Duration = Duration::from_secs(900);
const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:bench";
const TRACE: &str = "Root=1-65f0c9b2-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0";

/// A point in time, and the CPU time that the function had used at that point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) cpu: Duration,
}

/// An event that the function has answered.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// Time at which the function polled for the event.
    pub(crate) polled: Moment,
    pub(crate) sent: Instant,
    pub(crate) answered: Moment,
    pub(crate) answer: Value,
}

/// The result of a process that has answered every event.
pub(crate) struct Finished {
    pub(crate) invocations: Vec<Invocation>,
    /// The poll after the last answer.
    pub(crate) last_poll: Moment,
}

#[derive(Default)]
struct Inner {
    process: Option<Pid>,
    events: VecDeque<Bytes>,
    /// Times at which the function polled for the current event and at which the event was sent.
    pending: Option<(Moment, Instant)>,
    invocations: Vec<Invocation>,
    /// The poll that arrived after all events had been sent.
    last_poll: Option<Moment>,
    /// The last error that the function has reported.
    error: Option<String>,
}

#[derive(Clone, Default)]
struct Shared(Arc<(Mutex<Inner>, Notify)>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct RuntimeApi {
    pub(crate) address: String,
    shared: Shared,
    serving: JoinHandle<()>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl RuntimeApi {
    /// Starts a server that holds all events from the start, so that the process never waits for
    /// one.
    pub(crate) async fn start(events: &[Value]) -> Result<RuntimeApi> {
        let shared = Shared::default();
        shared.lock().events = events.iter().map(|event| Bytes::from(event.to_string())).collect();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(RuntimeApi { address, shared, serving })
    }

    /// Sets the process whose CPU time is recorded.
    pub(crate) fn watch(&self, process: Pid) {
        self.shared.lock().process = Some(process);
    }

    /// Waits until the process has answered every event and polls for another one. Returns an error
    /// if the process reports one or takes longer than `timeout`.
    pub(crate) async fn finish(&self, timeout: Duration) -> Result<Finished> {
        let finished = async {
            loop {
                let changed = self.shared.0.1.notified();
                {
                    let mut inner = self.shared.lock();
                    if let Some(error) = inner.error.take() {
                        bail!("the process reports an error: {error}");
                    }
                    if let Some(last_poll) = inner.last_poll {
                        let invocations = std::mem::take(&mut inner.invocations);
                        return Ok(Finished { invocations, last_poll });
                    }
                }
                changed.await;
            }
        };
        let result = tokio::time::timeout(timeout, finished).await;
        result.with_context(|| format!("the process did not finish within {timeout:?}"))?
    }
}

async fn next(State(shared): State<Shared>) -> Response<Body> {
    let at = Instant::now();
    let event = {
        let mut inner = shared.lock();
        let polled = Moment { at, cpu: cpu(&inner) };
        match inner.events.pop_front() {
            Some(event) => {
                inner.pending = Some((polled, Instant::now()));
                event
            }
            None => {
                inner.last_poll = Some(polled);
                shared.0.1.notify_one();
                Bytes::new()
            }
        }
    };
    if event.is_empty() {
        // This poll is never answered. Lambda freezes a sandbox in the same situation.
        std::future::pending::<()>().await;
    }
    let deadline = (SystemTime::now() + DEADLINE).duration_since(UNIX_EPOCH);
    let deadline_ms = deadline.unwrap_or_default().as_millis();
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header("lambda-runtime-deadline-ms", deadline_ms.to_string())
        .header("lambda-runtime-invoked-function-arn", ARN)
        .header("lambda-runtime-trace-id", TRACE)
        .body(Body::from(event));
    response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn response(
    State(shared): State<Shared>,
    Path(_id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    let at = Instant::now();
    {
        let mut inner = shared.lock();
        let answered = Moment { at, cpu: cpu(&inner) };
        let answer = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if let Some((polled, sent)) = inner.pending.take() {
            inner.invocations.push(Invocation { polled, sent, answered, answer });
        }
    }
    status(StatusCode::ACCEPTED)
}

async fn error(
    State(shared): State<Shared>,
    Path(_id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    report_error(&shared, &body)
}

async fn init_error(State(shared): State<Shared>, body: Bytes) -> Response<Body> {
    report_error(&shared, &body)
}

fn report_error(shared: &Shared, body: &Bytes) -> Response<Body> {
    shared.lock().error = Some(String::from_utf8_lossy(body).into_owned());
    shared.0.1.notify_one();
    status(StatusCode::ACCEPTED)
}

fn cpu(inner: &Inner) -> Duration {
    inner.process.and_then(|process| process.cpu()).unwrap_or_default()
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::from(r#"{"status":"OK"}"#));
    *response.status_mut() = status;
    response
}
