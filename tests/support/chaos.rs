//! Injects faults into the SDK's calls to the table. A seed decides which calls are delayed,
//! refused, throttled, answered with an error, cut off, executed without an answer, or executed
//! twice. [`Overload`] makes the whole table throttle, hang or respond slowly.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::Frame;
use local::calls::Interceptor;
use serde_json::{Value, json};

use crate::Dice;
use crate::faults::{body, operation};

/// A fault of a single call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The call is sent after a short delay.
    Late,
    /// The connection is refused.
    Refused,
    /// The answer is 400 `ThrottlingException`.
    Throttled,
    /// The answer is 400 `ProvisionedThroughputExceededException`.
    Exceeded,
    /// The answer reports a conflict with another transaction. A call that cannot conflict is
    /// throttled instead.
    Conflict,
    /// The answer is 500 `InternalServerError`.
    Failed,
    /// The call is executed, but the connection breaks in the middle of the answer.
    Reset,
    /// The call is executed, but the answer is lost.
    Lost,
    /// The call is executed twice, and the second answer is returned.
    Twice,
    /// The connection breaks, but the call is executed up to 3 s later. Before that, the SDK may
    /// resend it, the API may answer with a 503, and other writes may take effect.
    Overdue,
}

/// Average number of faults in 1,000 calls. A seed multiplies all rates by the same factor of 1, 2
/// or 3, and then each rate by its own factor of 0.5 to 1.5.
const RATES: [(Fault, usize); 10] = [
    (Fault::Late, 20),
    (Fault::Refused, 4),
    (Fault::Throttled, 12),
    (Fault::Exceeded, 8),
    (Fault::Conflict, 12),
    (Fault::Failed, 6),
    (Fault::Reset, 5),
    (Fault::Lost, 8),
    (Fault::Twice, 15),
    (Fault::Overdue, 6),
];
/// Maximum delay of [`Fault::Late`] in milliseconds.
const MOST_LATE: usize = 40;
/// Maximum delay of [`Fault::Overdue`] in milliseconds. This delay exceeds the SDK's timeout for
/// one attempt.
const MOST_OVERDUE: usize = 3_000;
/// Header `x-amz-retry-after` of an injected answer: the delay in milliseconds before the SDK's
/// next attempt. Without this header, the SDK would wait for up to a second.
const RETRY_AFTER: &str = "10";

/// Injects the faults of a seed between [`Chaos::let_loose`] and [`Chaos::calm`].
#[derive(Clone, Debug)]
pub struct Chaos(Arc<State>);

#[derive(Debug)]
struct State {
    is_active: AtomicBool,
    dice: Mutex<Dice>,
    rates: Vec<(Fault, usize)>,
    injected: Mutex<BTreeMap<Fault, usize>>,
    calls: Mutex<usize>,
}

impl Chaos {
    /// Draws the rates of a seed. No faults are injected before [`Chaos::let_loose`].
    pub fn of(seed: u64) -> Chaos {
        let mut dice = Dice::new(seed);
        let factor = 1 + dice.roll(3);
        let rates = RATES.map(|(fault, rate)| (fault, rate * factor * (50 + dice.roll(101)) / 100));
        Chaos(Arc::new(State {
            is_active: AtomicBool::new(false),
            dice: Mutex::new(dice),
            rates: rates.to_vec(),
            injected: Mutex::default(),
            calls: Mutex::default(),
        }))
    }

    /// Starts injecting faults.
    pub fn let_loose(&self) {
        self.0.is_active.store(true, Ordering::SeqCst);
    }

    /// Stops injecting faults.
    pub fn calm(&self) {
        self.0.is_active.store(false, Ordering::SeqCst);
    }

    /// Returns how often each fault was injected, and the number of calls between
    /// [`Chaos::let_loose`] and [`Chaos::calm`].
    pub fn done(&self) -> (BTreeMap<Fault, usize>, usize) {
        (self.0.injected.lock().unwrap().clone(), *self.0.calls.lock().unwrap())
    }

    /// Draws the fault of the next call, and a delay of up to [`MOST_LATE`] ms. Returns `None` if
    /// the call gets no fault or faults are not being injected.
    fn draw(&self) -> Option<(Fault, Duration)> {
        if !self.0.is_active.load(Ordering::SeqCst) {
            return None;
        }
        *self.0.calls.lock().unwrap() += 1;
        let mut dice = self.0.dice.lock().unwrap();
        let mut remainder = dice.roll(1_000);
        let delay = Duration::from_millis(1 + dice.roll(MOST_LATE) as u64);
        for (fault, rate) in &self.0.rates {
            match remainder.checked_sub(*rate) {
                None => {
                    *self.0.injected.lock().unwrap().entry(*fault).or_default() += 1;
                    return Some((*fault, delay));
                }
                Some(less) => remainder = less,
            }
        }
        None
    }
}

impl Interceptor for Chaos {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let Some((fault, delay)) = self.draw() else { return next.call(request) };
        let next = next.clone();
        HttpConnectorFuture::new(async move {
            match fault {
                Fault::Late => {
                    tokio::time::sleep(delay).await;
                    next.call(request).await
                }
                Fault::Refused => Err(broken(io::ErrorKind::ConnectionRefused)),
                Fault::Throttled => Ok(refusal(400, "ThrottlingException", json!({}))),
                Fault::Exceeded => {
                    Ok(refusal(400, "ProvisionedThroughputExceededException", json!({})))
                }
                Fault::Conflict => Ok(conflict(&request)),
                Fault::Failed => Ok(refusal(500, "InternalServerError", json!({}))),
                Fault::Reset => cut(next.call(request).await?).await,
                Fault::Lost => {
                    let _ = next.call(request).await;
                    Err(broken(io::ErrorKind::ConnectionReset))
                }
                Fault::Twice => {
                    if let Some(first) = request.try_clone() {
                        let _ = next.call(first).await;
                    }
                    next.call(request).await
                }
                Fault::Overdue => {
                    tokio::spawn(async move {
                        tokio::time::sleep(delay * (MOST_OVERDUE / MOST_LATE) as u32).await;
                        let _ = next.call(request).await;
                    });
                    Err(broken(io::ErrorKind::ConnectionReset))
                }
            }
        })
    }
}

fn broken(kind: io::ErrorKind) -> ConnectorError {
    ConnectorError::io(io::Error::from(kind).into())
}

/// Returns an error response as DynamoDB sends it. Its body has the members of `fields` in addition
/// to the type and the message.
pub fn refusal(status: u16, code: &str, fields: Value) -> HttpResponse {
    let mut body = fields;
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{code}"));
    body["message"] = json!("injected by a test");
    let status = StatusCode::try_from(status).unwrap();
    let mut response = HttpResponse::new(status, body.to_string().into());
    response.headers_mut().insert("x-amz-retry-after", RETRY_AFTER);
    response
}

/// Returns the answer to a call that conflicts with another transaction. Operations that do not
/// report conflicts are throttled instead.
fn conflict(request: &HttpRequest) -> HttpResponse {
    match operation(request) {
        "TransactWriteItems" | "TransactGetItems" => cancelled("TransactionConflict", request),
        "PutItem" | "UpdateItem" | "DeleteItem" => {
            refusal(400, "TransactionConflictException", json!({}))
        }
        _ => refusal(400, "ThrottlingException", json!({})),
    }
}

/// Returns the answer to a transaction that is canceled with `code` as the reason of its first
/// item.
fn cancelled(code: &str, request: &HttpRequest) -> HttpResponse {
    let items = body(request)["TransactItems"].as_array().unwrap().len();
    let mut reasons = vec![json!({ "Code": "None" }); items];
    reasons[0] = json!({ "Code": code, "Message": "injected by a test" });
    refusal(400, "TransactionCanceledException", json!({ "CancellationReasons": reasons }))
}

/// Returns the answer with a body that breaks off in the middle. Returns an error if the whole body
/// cannot be read.
async fn cut(answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let whole = answer.try_into_http1x().unwrap().map(reqwest::Body::wrap);
    let bytes = reqwest::Response::from(whole)
        .bytes()
        .await
        .map_err(|error| ConnectorError::io(error.into()))?;
    let half = BrokenBody(Some(bytes.slice(..bytes.len() / 2)));
    let mut answer = HttpResponse::new(status, SdkBody::from_body_1_x(half));
    *answer.headers_mut() = headers;
    Ok(answer)
}

/// A body that yields some bytes and then the error of a reset connection.
struct BrokenBody(Option<Bytes>);

impl http_body::Body for BrokenBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(io::ErrorKind::ConnectionReset.into()),
        }))
    }
}

/// Overloads the table. While a [`Trouble`] is set, it applies to every call.
#[derive(Clone, Debug, Default)]
pub struct Overload(Arc<Load>);

#[derive(Debug, Default)]
struct Load {
    trouble: Mutex<Option<Trouble>>,
    calls: AtomicUsize,
}

/// The behaviour of an overloaded table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Every call is throttled, and a transaction is throttled as a whole.
    Throttled,
    /// Every writing transaction is canceled because its first item is throttled. Other calls
    /// succeed.
    Cancelled,
    /// Calls are never answered.
    Hanging,
    /// Every call is executed at once, but its answer is delayed by this time.
    Slow(Duration),
}

impl Overload {
    /// Sets or clears the trouble, and resets the number of calls to 0.
    pub fn set(&self, trouble: Option<Trouble>) {
        *self.0.trouble.lock().unwrap() = trouble;
        self.0.calls.store(0, Ordering::SeqCst);
    }

    /// Returns the number of calls since the trouble was set or cleared.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }
}

impl Interceptor for Overload {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let trouble = *self.0.trouble.lock().unwrap();
        match trouble {
            None => next.call(request),
            Some(Trouble::Throttled) => {
                // DynamoDB does not send this header. Without it, the SDK chooses the delay.
                let mut answer = refusal(400, "ThrottlingException", json!({}));
                answer.headers_mut().remove("x-amz-retry-after");
                HttpConnectorFuture::ready(Ok(answer))
            }
            Some(Trouble::Cancelled) if operation(&request) == "TransactWriteItems" => {
                HttpConnectorFuture::ready(Ok(cancelled("ThrottlingError", &request)))
            }
            Some(Trouble::Cancelled) => next.call(request),
            Some(Trouble::Hanging) => HttpConnectorFuture::new(std::future::pending()),
            Some(Trouble::Slow(time)) => {
                let next = next.clone();
                HttpConnectorFuture::new(async move {
                    let answer = next.call(request).await;
                    tokio::time::sleep(time).await;
                    answer
                })
            }
        }
    }
}
