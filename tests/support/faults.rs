//! Intercepts calls to the table. The interceptors simulate the death of a process between two
//! calls, hold back a call, fail transactions, or count and measure calls.

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

/// Returns an HTTP client for the SDK whose calls pass through `fault`.
pub fn client(fault: impl Interceptor) -> SharedHttpClient {
    calls::intercepted(calls::default_client(), fault)
}

/// Returns the operation of a call, for example `TransactWriteItems`.
pub fn operation(request: &HttpRequest) -> &str {
    request.headers().get("x-amz-target").unwrap_or_default().rsplit('.').next().unwrap_or_default()
}

/// Returns the body of a call as JSON.
pub fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap()
}

/// Counts calls after it is armed.
#[derive(Clone, Debug, Default)]
struct Counter {
    is_armed: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
}

impl Counter {
    fn arm(&self) {
        self.is_armed.store(true, Ordering::SeqCst);
    }

    /// Returns the number of this call, starting at 0, or `None` if the counter is not armed.
    fn count(&self) -> Option<usize> {
        let is_armed = self.is_armed.load(Ordering::SeqCst);
        is_armed.then(|| self.calls.fetch_add(1, Ordering::SeqCst))
    }
}

/// The point at which a process dies. Calls to the table are numbered from 0, starting when the
/// process is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The process dies before it sends the call with this number.
    Before(usize),
    /// The call with this number is executed, but the process dies before the answer arrives.
    After(usize),
}

/// Simulates a process that dies. Later calls are neither sent nor answered.
#[derive(Clone, Debug)]
pub struct Mortal {
    end: End,
    counter: Counter,
    ended: Arc<Notify>,
}

impl Mortal {
    /// Prepares a process that dies at `end`. All calls pass until [`Mortal::arm`].
    pub fn new(end: End) -> Mortal {
        Mortal { end, counter: Counter::default(), ended: Arc::default() }
    }

    /// Starts to count calls.
    pub fn arm(&self) {
        self.counter.arm();
    }

    /// Waits until the process has reached its end.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl Interceptor for Mortal {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let (end, is_after) = match self.end {
            End::Before(end) => (end, false),
            End::After(end) => (end, true),
        };
        let Some(call) = self.counter.count().filter(|call| *call >= end) else {
            return next.call(request);
        };
        let is_executed = is_after && call == end;
        let (next, ended) = (next.clone(), self.ended.clone());
        HttpConnectorFuture::new(async move {
            if is_executed {
                let _ = next.call(request).await;
            }
            ended.notify_one();
            std::future::pending().await
        })
    }
}

/// Holds back one call before it is sent, until the test releases it.
#[derive(Clone, Debug)]
pub struct Gate {
    at: usize,
    counter: Counter,
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

impl Gate {
    /// Returns a gate for the call with this number. The first call after arming is number 0.
    pub fn at(call: usize) -> Gate {
        let (reached, released) = (Arc::default(), Arc::default());
        Gate { at: call, counter: Counter::default(), reached, released }
    }

    /// Starts to count calls.
    pub fn arm(&self) {
        self.counter.arm();
    }

    /// Waits until the call has reached the gate.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets the held call continue.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl Interceptor for Gate {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        if self.counter.count() != Some(self.at) {
            return next.call(request);
        }
        let (next, gate) = (next.clone(), self.clone());
        HttpConnectorFuture::new(async move {
            gate.reached.notify_one();
            gate.released.notified().await;
            next.call(request).await
        })
    }
}

/// Counts calls by operation.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<String, usize>>>);

impl Tally {
    /// Sets all counts to 0.
    pub fn reset(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Returns the number of calls by operation.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap().clone()
    }
}

impl Interceptor for Tally {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        *self.0.lock().unwrap().entry(operation(&request).to_owned()).or_default() += 1;
        next.call(request)
    }
}

/// Fails every writing transaction with an HTTP status and an error code. Passes on other calls.
#[derive(Clone, Copy, Debug)]
pub struct NoTransactions(pub u16, pub &'static str);

impl Interceptor for NoTransactions {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let NoTransactions(status, code) = self;
        if operation(&request) != "TransactWriteItems" {
            return next.call(request);
        }
        let body = format!(r#"{{"__type":"{code}","message":"injected by a test"}}"#);
        let response = HttpResponse::new(StatusCode::try_from(*status).unwrap(), body.into());
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// The number of calls to the table, and the capacity that the calls consumed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consumed {
    /// Number of calls by operation.
    pub calls: BTreeMap<String, usize>,
    /// Number of calls that were sent while no other call was pending, which is the number of
    /// consecutive round trips that the caller waits for.
    pub waits: usize,
    /// Consumed read units.
    pub reads: f64,
    /// Consumed write units.
    pub writes: f64,
    /// Number of audit events written.
    pub events: usize,
    /// Number of calls whose answer does not contain the consumed capacity.
    pub unknown: usize,
}

/// Measures the capacity that calls consume. Adds `ReturnConsumedCapacity` to each call, so that
/// the answers report the capacity.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<(Consumed, usize)>>);

impl Meter {
    /// Returns the consumption since the previous call of this function, or since the start.
    pub fn take(&self) -> Consumed {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }

    fn begin(&self, operation: &str, events: usize) {
        let (consumed, pending) = &mut *self.0.lock().unwrap();
        consumed.events += events;
        *consumed.calls.entry(operation.to_owned()).or_default() += 1;
        consumed.waits += usize::from(*pending == 0);
        *pending += 1;
    }

    fn end(&self, operation: &str, answer: Option<&Value>) {
        let (consumed, pending) = &mut *self.0.lock().unwrap();
        *pending -= 1;
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
    fn call(&self, next: &SharedHttpConnector, mut request: HttpRequest) -> HttpConnectorFuture {
        let operation = operation(&request).to_owned();
        let mut content = body(&request);
        let writes = content["TransactItems"].as_array().into_iter().flatten();
        let is_event = |put: &Value| put["Item"]["type"]["S"] == "event";
        let events = writes.filter(|write| is_event(&write["Put"])).count();
        let events = events + usize::from(is_event(&content));
        content["ReturnConsumedCapacity"] = "TOTAL".into();
        let text = content.to_string();
        request.headers_mut().insert("content-length", text.len().to_string());
        *request.body_mut() = text.into();
        let (next, meter) = (next.clone(), self.clone());
        HttpConnectorFuture::new(async move {
            meter.begin(&operation, events);
            let result = next.call(request).await;
            let Ok(answer) = result else {
                meter.end(&operation, None);
                return result;
            };
            let (status, headers) = (answer.status(), answer.headers().clone());
            // Read the body with `reqwest`, which is already a dependency.
            let response = answer.try_into_http1x().unwrap().map(reqwest::Body::wrap);
            let bytes = reqwest::Response::from(response).bytes().await.unwrap();
            meter.end(&operation, serde_json::from_slice(&bytes).ok().as_ref());
            let mut answer = HttpResponse::new(status, bytes.into());
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}

/// Returns the consumed units in an answer, or `None` if the answer does not contain them. If the
/// condition of a single write fails, the answer contains no units, but the write is charged for
/// the size of the existing item, at least one unit
/// (docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html).
fn units(operation: &str, answer: &Value) -> Option<f64> {
    let capacity_units = |capacity: &Value| capacity["CapacityUnits"].as_f64();
    match (&answer["ConsumedCapacity"], answer.get("__type")) {
        (Value::Array(tables), _) => tables.iter().map(capacity_units).sum(),
        (capacity @ Value::Object(_), _) => capacity_units(capacity),
        (_, Some(Value::String(kind))) if kind.ends_with("ConditionalCheckFailedException") => {
            let is_write = ["PutItem", "UpdateItem", "DeleteItem"].contains(&operation);
            is_write.then(|| bytes(&answer["Item"]).div_ceil(1_024).max(1) as f64)
        }
        _ => None,
    }
}

/// Returns the size in bytes of an item, from which DynamoDB calculates units. Does not support
/// sets, because the table contains none
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
        // A number takes one byte per two digits, and one more byte.
        ("N", value) => text(value).div_ceil(2) + 1,
        // The value is in Base64, which encodes 3 bytes as 4 characters.
        ("B", Value::String(value)) => value.trim_end_matches('=').len() * 3 / 4,
        ("L", Value::Array(values)) => 3 + values.iter().map(|v| 1 + value_bytes(v)).sum::<usize>(),
        ("M", Value::Object(values)) => 3 + values.len() + bytes(value),
        _ => 1,
    }
}
