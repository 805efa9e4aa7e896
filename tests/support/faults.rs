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
use local::calls::{self, Interceptor};
use serde_json::Value;
use tokio::sync::Notify;

/// An HTTP client for the SDK whose calls this happens to.
pub fn client(fault: impl Interceptor) -> SharedHttpClient {
    calls::intercepted(calls::default_client(), fault)
}

/// What a call asks for, like `TransactWriteItems`.
pub fn operation(request: &HttpRequest) -> &str {
    request.headers().get("x-amz-target").unwrap_or_default().rsplit('.').next().unwrap_or_default()
}

pub fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap()
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

impl Interceptor for Mortal {
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

impl Interceptor for Gate {
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

impl Interceptor for Tally {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        *self.0.lock().unwrap().entry(operation(&request).to_owned()).or_default() += 1;
        on.call(request)
    }
}

/// A table that reads and writes, but whose transactions all fail, with this status and code.
#[derive(Clone, Copy, Debug)]
pub struct NoTransactions(pub u16, pub &'static str);

impl Interceptor for NoTransactions {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        if operation(&request) != "TransactWriteItems" {
            return on.call(request);
        }
        let body = format!(r#"{{"__type":"{}","message":"the table has trouble"}}"#, self.1);
        let response = HttpResponse::new(StatusCode::try_from(self.0).unwrap(), body.into());
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// Calls, and what they used of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consumed {
    /// By operation.
    pub calls: BTreeMap<String, usize>,
    /// How often a call left while no other was on its way: how often one had to wait for another.
    pub waits: usize,
    /// Read units.
    pub reads: f64,
    /// Write units.
    pub writes: f64,
    /// Events of the audit trail among what was written.
    pub events: usize,
    /// Calls whose answer does not say what they used.
    pub unknown: usize,
}

/// Measures calls: asks the table with each of them what it used.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<(Consumed, usize)>>);

impl Meter {
    /// Since the last time.
    pub fn take(&self) -> Consumed {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }

    fn begin(&self, operation: &str, events: usize) {
        let (consumed, on_their_way) = &mut *self.0.lock().unwrap();
        consumed.events += events;
        *consumed.calls.entry(operation.to_owned()).or_default() += 1;
        consumed.waits += usize::from(*on_their_way == 0);
        *on_their_way += 1;
    }

    fn end(&self, operation: &str, answer: Option<&Value>) {
        let (consumed, on_their_way) = &mut *self.0.lock().unwrap();
        *on_their_way -= 1;
        match answer.and_then(|answer| units(operation, answer)) {
            None => consumed.unknown += 1,
            Some(units) => match operation {
                "GetItem" | "BatchGetItem" | "TransactGetItems" | "Query" | "Scan" => {
                    consumed.reads += units;
                }
                _ => consumed.writes += units,
            },
        }
    }
}

impl Interceptor for Meter {
    fn call(&self, on: &SharedHttpConnector, mut request: HttpRequest) -> HttpConnectorFuture {
        let operation = operation(&request).to_owned();
        let mut body = body(&request);
        let writes = body["TransactItems"].as_array().into_iter().flatten();
        let events = writes.filter(|write| write["Put"]["Item"]["type"]["S"] == "event").count();
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = body.into();
        let (on, meter) = (on.clone(), self.clone());
        HttpConnectorFuture::new(async move {
            meter.begin(&operation, events);
            let answered = on.call(request).await;
            let Ok(answer) = answered else {
                meter.end(&operation, None);
                return answered;
            };
            let (status, headers) = (answer.status(), answer.headers().clone());
            // What reads a body to its end and is at hand here.
            let body = answer.try_into_http1x().unwrap().map(reqwest::Body::wrap);
            let body = reqwest::Response::from(body).bytes().await.unwrap();
            meter.end(&operation, serde_json::from_slice(&body).ok().as_ref());
            let mut answer = HttpResponse::new(status, body.into());
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}

/// The units an answer names. An answer to a write that a condition refused names none, though it
/// is charged as well: by the item that is there, one unit at the least
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html).
fn units(operation: &str, answer: &Value) -> Option<f64> {
    let of = |capacity: &Value| capacity["CapacityUnits"].as_f64();
    match (&answer["ConsumedCapacity"], answer.get("__type")) {
        (Value::Array(tables), _) => tables.iter().map(of).sum(),
        (capacity @ Value::Object(_), _) => of(capacity),
        (_, Some(Value::String(kind))) if kind.ends_with("ConditionalCheckFailedException") => {
            let is_write = ["PutItem", "UpdateItem", "DeleteItem"].contains(&operation);
            is_write.then(|| bytes(&answer["Item"]).div_ceil(1_024).max(1) as f64)
        }
        _ => None,
    }
}

/// The size of an item that units are counted by; sets, which nobody here has, are left out
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html).
fn bytes(item: &Value) -> usize {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), value) {
        ("S", value) => text(value),
        // Two digits a byte, and one more.
        ("N", value) => text(value).div_ceil(2) + 1,
        // In Base64.
        ("B", Value::String(value)) => value.trim_end_matches('=').len() * 3 / 4,
        ("L", Value::Array(values)) => 3 + values.iter().map(|v| 1 + value_bytes(v)).sum::<usize>(),
        ("M", Value::Object(values)) => 3 + values.len() + bytes(value),
        _ => 1,
    }
}
