//! Faults under the SDK: HTTP clients for the table that end a process between two calls, hold a
//! call back, or count.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use local::calls::{self, OnTheWay};
use tokio::sync::Notify;

/// An HTTP client for the SDK whose calls this happens to.
pub fn client(fault: impl OnTheWay) -> SharedHttpClient {
    calls::client(calls::plain(), fault)
}

/// Calls, counted from when it is armed.
#[derive(Clone, Debug, Default)]
struct Counter {
    armed: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Counter {
    /// The number of this call; `None` before it is armed.
    fn next(&self) -> Option<usize> {
        let armed = self.armed.load(Ordering::SeqCst);
        armed.then(|| self.calls.fetch_add(1, Ordering::SeqCst))
    }
}

/// Where a process ends, counted in calls to the table from when it is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The call with this number never leaves.
    Before(usize),
    /// The call with this number does its work, and its answer is lost.
    After(usize),
}

/// Lets calls through until its end comes. After that nothing leaves any more and nothing is
/// answered: for its caller the process is gone.
#[derive(Clone, Debug)]
pub struct Mortal {
    end: End,
    counter: Counter,
    ended: Arc<Notify>,
}

impl Mortal {
    pub fn new(end: End) -> Mortal {
        Mortal { end, counter: Counter::default(), ended: Arc::default() }
    }

    /// Counts from now on.
    pub fn arm(&self) {
        self.counter.armed.store(true, Ordering::SeqCst);
    }

    /// Returns when the end has come.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl OnTheWay for Mortal {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let (end, is_after) = match self.end {
            End::Before(end) => (end, false),
            End::After(end) => (end, true),
        };
        let Some(call) = self.counter.next().filter(|call| *call >= end) else {
            return on.call(request);
        };
        let does_its_work = is_after && call == end;
        let (on, ended) = (on.clone(), self.ended.clone());
        HttpConnectorFuture::new(async move {
            if does_its_work {
                let _ = on.call(request).await;
            }
            ended.notify_one();
            std::future::pending().await
        })
    }
}

/// Holds one call back, before it leaves, until it is let go.
#[derive(Clone, Debug)]
pub struct Gate {
    at: usize,
    counter: Counter,
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

impl Gate {
    /// At the call with this number, counted from when it is armed.
    pub fn at(call: usize) -> Gate {
        let (reached, released) = (Arc::default(), Arc::default());
        Gate { at: call, counter: Counter::default(), reached, released }
    }

    pub fn arm(&self) {
        self.counter.armed.store(true, Ordering::SeqCst);
    }

    /// Returns when the call stands at the gate.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl OnTheWay for Gate {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        if self.counter.next() != Some(self.at) {
            return on.call(request);
        }
        let (on, gate) = (on.clone(), self.clone());
        HttpConnectorFuture::new(async move {
            gate.reached.notify_one();
            gate.released.notified().await;
            on.call(request).await
        })
    }
}

/// Counts calls by operation.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<String, usize>>>);

impl Tally {
    pub fn reset(&self) {
        self.0.lock().unwrap().clear();
    }

    pub fn calls(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap().clone()
    }
}

impl OnTheWay for Tally {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        *self.0.lock().unwrap().entry(operation).or_default() += 1;
        on.call(request)
    }
}

/// A table that reads and writes, but whose transactions all fail, with this status and code.
#[derive(Clone, Copy, Debug)]
pub struct NoTransactions(pub u16, pub &'static str);

impl OnTheWay for NoTransactions {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if !target.ends_with("TransactWriteItems") {
            return on.call(request);
        }
        let body = format!(r#"{{"__type":"{}","message":"the table has trouble"}}"#, self.1);
        let response = HttpResponse::new(StatusCode::try_from(self.0).unwrap(), body.into());
        HttpConnectorFuture::ready(Ok(response))
    }
}
