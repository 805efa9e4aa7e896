//! Faults of every kind under the SDK, as a seed says: calls that are refused, late, cut off,
//! throttled, answered with an error, done and not answered, or done twice.

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

/// What may become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It leaves a little later.
    Late,
    /// There is no connection.
    Refused,
    /// 400 `ThrottlingException`.
    Throttled,
    /// 400 `ProvisionedThroughputExceededException`.
    Exceeded,
    /// A write meets another one.
    Conflict,
    /// 500 `InternalServerError`.
    Failed,
    /// It does its work, and the connection breaks in the middle of the answer.
    Reset,
    /// It does its work, and there is no answer.
    Lost,
    /// It is delivered twice; the second answer counts.
    Twice,
    /// The connection breaks, and it is delivered all the same: when it has been sent again, its
    /// caller was told to come back, or others have come first.
    Overdue,
}

/// In a thousand calls, on average. A seed has one to three times as many, and of each up to half
/// as many more or fewer.
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
const MOST_LATE: usize = 40;
/// In milliseconds: longer than an attempt of the SDK is waited for.
const MOST_OVERDUE: usize = 3_000;
/// So that the SDK does not wait for a second before its next attempt: in milliseconds.
const RETRY_AFTER: &str = "10";

/// Does what a seed says to every call, once it is let loose.
#[derive(Clone, Debug)]
pub struct Chaos(Arc<State>);

#[derive(Debug)]
struct State {
    is_loose: AtomicBool,
    dice: Mutex<Dice>,
    rates: Vec<(Fault, usize)>,
    done: Mutex<BTreeMap<Fault, usize>>,
    calls: Mutex<usize>,
}

impl Chaos {
    pub fn of(seed: u64) -> Chaos {
        let mut dice = Dice::new(seed);
        let times = 1 + dice.roll(3);
        let rate = |(fault, rate)| (fault, rate * times * (50 + dice.roll(101)) / 100);
        let rates = RATES.map(rate);
        Chaos(Arc::new(State {
            is_loose: AtomicBool::new(false),
            dice: Mutex::new(dice),
            rates: rates.to_vec(),
            done: Mutex::default(),
            calls: Mutex::default(),
        }))
    }

    pub fn let_loose(&self) {
        self.0.is_loose.store(true, Ordering::SeqCst);
    }

    pub fn calm(&self) {
        self.0.is_loose.store(false, Ordering::SeqCst);
    }

    /// What it did, and to how many calls.
    pub fn done(&self) -> (BTreeMap<Fault, usize>, usize) {
        (self.0.done.lock().unwrap().clone(), *self.0.calls.lock().unwrap())
    }

    /// What becomes of this call, and how late it is where it is.
    fn next(&self) -> Option<(Fault, Duration)> {
        if !self.0.is_loose.load(Ordering::SeqCst) {
            return None;
        }
        *self.0.calls.lock().unwrap() += 1;
        let mut dice = self.0.dice.lock().unwrap();
        let mut rest = dice.roll(1_000);
        let late = Duration::from_millis(1 + dice.roll(MOST_LATE) as u64);
        for (fault, rate) in &self.0.rates {
            match rest.checked_sub(*rate) {
                None => {
                    *self.0.done.lock().unwrap().entry(*fault).or_default() += 1;
                    return Some((*fault, late));
                }
                Some(less) => rest = less,
            }
        }
        None
    }
}

impl Interceptor for Chaos {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let Some((fault, late)) = self.next() else { return on.call(request) };
        let on = on.clone();
        HttpConnectorFuture::new(async move {
            match fault {
                Fault::Late => {
                    tokio::time::sleep(late).await;
                    on.call(request).await
                }
                Fault::Refused => Err(broken(io::ErrorKind::ConnectionRefused)),
                Fault::Throttled => Ok(refusal(400, "ThrottlingException", json!({}))),
                Fault::Exceeded => {
                    Ok(refusal(400, "ProvisionedThroughputExceededException", json!({})))
                }
                Fault::Conflict => Ok(conflict(&request)),
                Fault::Failed => Ok(refusal(500, "InternalServerError", json!({}))),
                Fault::Reset => cut(on.call(request).await?).await,
                Fault::Lost => {
                    let _ = on.call(request).await;
                    Err(broken(io::ErrorKind::ConnectionReset))
                }
                Fault::Twice => {
                    if let Some(first) = request.try_clone() {
                        let _ = on.call(first).await;
                    }
                    on.call(request).await
                }
                Fault::Overdue => {
                    tokio::spawn(async move {
                        tokio::time::sleep(late * (MOST_OVERDUE / MOST_LATE) as u32).await;
                        let _ = on.call(request).await;
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

/// An error as the table answers it.
pub fn refusal(status: u16, code: &str, more: Value) -> HttpResponse {
    let mut body = more;
    body["__type"] = json!(format!("com.amazonaws.dynamodb.v20120810#{code}"));
    body["message"] = json!("the table has trouble");
    let body = body.to_string();
    let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), body.into());
    response.headers_mut().insert("x-amz-retry-after", RETRY_AFTER);
    response
}

/// What a write is told that meets another one. A read meets none: it is throttled.
fn conflict(request: &HttpRequest) -> HttpResponse {
    match operation(request) {
        "TransactWriteItems" | "TransactGetItems" => cancelled("TransactionConflict", request),
        "PutItem" | "UpdateItem" | "DeleteItem" => {
            refusal(400, "TransactionConflictException", json!({}))
        }
        _ => refusal(400, "ThrottlingException", json!({})),
    }
}

/// A transaction that is cancelled because of its first item.
fn cancelled(code: &str, request: &HttpRequest) -> HttpResponse {
    let items = body(request)["TransactItems"].as_array().unwrap().len();
    let mut reasons = vec![json!({ "Code": "None" }); items];
    reasons[0] = json!({ "Code": code, "Message": "it is in another one" });
    refusal(400, "TransactionCanceledException", json!({ "CancellationReasons": reasons }))
}

/// The first half of an answer.
async fn cut(answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.try_into_http1x().unwrap().map(reqwest::Body::wrap);
    let body = reqwest::Response::from(body).bytes().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    let half = Half(Some(body.slice(..body.len() / 2)));
    let mut cut = HttpResponse::new(status, SdkBody::from_body_1_x(half));
    *cut.headers_mut() = headers;
    Ok(cut)
}

struct Half(Option<Bytes>);

impl http_body::Body for Half {
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

/// A table with one trouble for every call, switched on and off.
#[derive(Clone, Debug, Default)]
pub struct Overload(Arc<(Mutex<Option<Trouble>>, AtomicUsize)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Every call is throttled, transactions as a whole.
    Throttled,
    /// Every transaction is cancelled, as its first item is throttled.
    Cancelled,
    /// No call is ever answered.
    Hanging,
    /// Every call does its work, and is answered after this time.
    Slow(Duration),
}

impl Overload {
    pub fn set(&self, trouble: Option<Trouble>) {
        *self.0.0.lock().unwrap() = trouble;
        self.0.1.store(0, Ordering::SeqCst);
    }

    /// Calls since it was set.
    pub fn calls(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

impl Interceptor for Overload {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        let trouble = *self.0.0.lock().unwrap();
        let throttled = || refusal(400, "ThrottlingException", json!({}));
        match trouble {
            None => on.call(request),
            Some(Trouble::Throttled) => {
                // As the table answers: when to come back is up to the SDK.
                let mut answer = throttled();
                answer.headers_mut().remove("x-amz-retry-after");
                HttpConnectorFuture::ready(Ok(answer))
            }
            Some(Trouble::Cancelled) if operation(&request) == "TransactWriteItems" => {
                HttpConnectorFuture::ready(Ok(cancelled("ThrottlingError", &request)))
            }
            Some(Trouble::Cancelled) => on.call(request),
            Some(Trouble::Hanging) => HttpConnectorFuture::new(std::future::pending()),
            Some(Trouble::Slow(time)) => {
                let on = on.clone();
                HttpConnectorFuture::new(async move {
                    let answer = on.call(request).await;
                    tokio::time::sleep(time).await;
                    answer
                })
            }
        }
    }
}
