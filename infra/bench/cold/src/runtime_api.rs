//! The Lambda Runtime API, which every function polls for events and posts its answers to. A new
//! one for every process, so that no event gets to the one before.
//!
//! What is measured is taken down here, at the moment a request comes in: not where a task is told
//! of it some time later.

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

use crate::process::Pid;

const DEADLINE: Duration = Duration::from_secs(900);
const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:bench";
const TRACE: &str = "Root=1-65f0c9b2-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0";

/// A moment, and how much CPU the function had used up to then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: Instant,
    pub(crate) cpu: Duration,
}

/// One event: when it was asked for, sent, and answered.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    pub(crate) polled: Moment,
    pub(crate) sent: Instant,
    pub(crate) answered: Moment,
    pub(crate) answer: Value,
}

#[derive(Default)]
struct Inner {
    process: Option<Pid>,
    events: VecDeque<Bytes>,
    /// Of the event that is out.
    out: Option<(Moment, Instant)>,
    done: Vec<Invocation>,
    /// The poll that found no event any more.
    idle: Option<Moment>,
    failed: Option<String>,
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
    /// With all the events that the process will get, so that none waits for the harness.
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

    /// Whose CPU time is taken down.
    pub(crate) fn watch(&self, process: Pid) {
        self.shared.lock().process = Some(process);
    }

    /// Waits until every event is answered and the process asks for another one; the answers, and
    /// that last moment.
    pub(crate) async fn finish(&self, patience: Duration) -> Result<(Vec<Invocation>, Moment)> {
        let all = async {
            loop {
                let changed = self.shared.0.1.notified();
                {
                    let mut inner = self.shared.lock();
                    if let Some(why) = inner.failed.take() {
                        bail!("it reports an error: {why}");
                    }
                    if let Some(idle) = inner.idle {
                        return Ok((std::mem::take(&mut inner.done), idle));
                    }
                }
                changed.await;
            }
        };
        tokio::time::timeout(patience, all).await.context("it does not answer")?
    }
}

async fn next(State(shared): State<Shared>) -> Response<Body> {
    let at = Instant::now();
    let event = {
        let mut inner = shared.lock();
        let polled = Moment { at, cpu: cpu(&inner) };
        match inner.events.pop_front() {
            Some(event) => {
                inner.out = Some((polled, Instant::now()));
                event
            }
            None => {
                inner.idle = Some(polled);
                shared.0.1.notify_one();
                Bytes::new()
            }
        }
    };
    if event.is_empty() {
        // As on Lambda, where a sandbox without an event is frozen.
        std::future::pending::<()>().await;
    }
    let deadline = SystemTime::now() + DEADLINE;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header("lambda-runtime-deadline-ms", deadline.to_string())
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
        if let Some((polled, sent)) = inner.out.take() {
            inner.done.push(Invocation { polled, sent, answered, answer });
        }
    }
    status(StatusCode::ACCEPTED)
}

async fn error(
    State(shared): State<Shared>,
    Path(_id): Path<String>,
    body: Bytes,
) -> Response<Body> {
    failed(&shared, &body)
}

async fn init_error(State(shared): State<Shared>, body: Bytes) -> Response<Body> {
    failed(&shared, &body)
}

fn failed(shared: &Shared, body: &Bytes) -> Response<Body> {
    shared.lock().failed = Some(String::from_utf8_lossy(body).into_owned());
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
