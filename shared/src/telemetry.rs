//! One JSON line per request, and the count of DynamoDB calls in it. No personal data, no token.

use std::cell::Cell;
use std::future::Future;
use std::time::Instant;

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::Error;
use crate::http::Request;

const TARGET: &str = "kyc";

/// Writes JSON lines to standard error, where Lambda and a terminal both pick them up.
pub fn init() {
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(std::io::stderr);
    // Libraries speak only when something is wrong; what they say at other levels may hold requests.
    let filter = Targets::new()
        .with_target(TARGET, tracing::Level::INFO)
        .with_default(tracing::Level::ERROR);
    let installed = tracing_subscriber::registry().with(layer).with(filter).try_init();
    if installed.is_ok() {
        // A panic's message may quote a value; where it happened is enough to find it.
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(target: TARGET, place, "panic");
        }));
    }
}

/// The line of one request, begun when its event arrives.
pub(crate) struct RequestLog {
    function: &'static str,
    started: Instant,
    calls: u32,
}

impl RequestLog {
    pub(crate) fn start(function: &'static str) -> RequestLog {
        RequestLog { function, started: Instant::now(), calls: 0 }
    }

    pub(crate) fn calls(self, calls: u32) -> RequestLog {
        RequestLog { calls, ..self }
    }

    pub(crate) fn end(
        self,
        request_id: &str,
        request: Option<&Request>,
        status: u16,
        error: Option<&Error>,
    ) {
        let tenant = request.and_then(Request::claims).and_then(|claims| claims.tenant.as_ref());
        let tenant = tenant.map(ToString::to_string);
        let route = request.map(Request::route);
        let code = error.map(|error| error.code.to_string());
        let cause = error.and_then(Error::cause);
        let ms = self.started.elapsed().as_micros() as f64 / 1_000.0;
        let (function, dynamodb_calls) = (self.function, self.calls);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET, request_id, tenant, function, route, status, ms, dynamodb_calls, code, cause,
                    "request"
                )
            };
        }
        match status {
            500.. => line!(error),
            _ => line!(info),
        }
    }
}

tokio::task_local! {
    static CALLS: Cell<u32>;
}

/// Runs a request's future and counts the calls to DynamoDB it makes, retries included.
pub(crate) async fn count_calls<F: Future>(future: F) -> (F::Output, u32) {
    let counted = async {
        let output = future.await;
        (output, CALLS.with(Cell::get))
    };
    CALLS.scope(Cell::new(0), counted).await
}

/// Sits in the SDK's client and sees every attempt go out.
#[derive(Debug)]
pub(crate) struct CallCounter;

impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Outside a request, as when a connection is warmed, there is nothing to count for.
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        Ok(())
    }
}
