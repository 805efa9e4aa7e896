//! Writes log lines and metrics as JSON. Each request has one line, which includes the number of
//! DynamoDB calls. Lines contain no personal data and no tokens.

use std::cell::Cell;
use std::future::Future;
use std::io::Write;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime as LineTime};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::Error;

const TARGET: &str = "kyc";
/// Namespace of the metrics: the name of the stack, so that two stacks in one account have separate
/// alarms. No metric is written until [`init`] or [`write_to`] has set the namespace.
static NAMESPACE: OnceLock<String> = OnceLock::new();
const LOCAL_NAMESPACE: &str = "kyc-customers";

/// A function that writes the bytes of a line.
pub type Output = fn(&[u8]);
static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Starts to write log lines to standard error. `namespace` is the namespace of the metrics; `None`
/// selects `kyc-customers`.
pub fn init(namespace: Option<String>) {
    // A line that cannot be written is lost.
    if write_to(namespace, |line| _ = std::io::stderr().write_all(line)) {
        // The message of a panic may quote a value, so only its location is logged.
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(target: TARGET, place, "panic");
        }));
    }
}

/// Starts to write log lines to `output`. `namespace` is the namespace of the metrics; `None`
/// selects `kyc-customers`. Returns `false` when the process already writes log lines.
pub fn write_to(namespace: Option<String>, output: Output) -> bool {
    let _ = NAMESPACE.set(namespace.unwrap_or_else(|| LOCAL_NAMESPACE.to_owned()));
    let _ = OUTPUT.set(output);
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(move || Lines(output));
    // Other crates may log parts of requests at lower levels, so only their errors are written.
    let filter = Targets::new()
        .with_target(TARGET, tracing::Level::INFO)
        .with_default(tracing::Level::ERROR);
    tracing_subscriber::registry().with(layer).with(filter).try_init().is_ok()
}

struct Lines(Output);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        (self.0)(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Collects the data of a request's log line. The logged duration starts when the event arrives.
pub(crate) struct RequestLog {
    function: &'static str,
    version: Option<String>,
    trace_id: Option<String>,
    started: Instant,
    calls: Calls,
}

/// The data of a request's log line that is known when the request ends. It contains ids only.
pub(crate) struct Outcome<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) tenant: Option<&'a str>,
    /// The actor as a UUID, the id of an application, or a pseudonym.
    pub(crate) actor: Option<&'a str>,
    /// The customer that the request is about, whether or not the customer exists.
    pub(crate) customer_id: Option<&'a str>,
    pub(crate) route: Option<&'a str>,
    pub(crate) status: u16,
    pub(crate) error: Option<&'a Error>,
}

impl RequestLog {
    /// Starts the line of a request. `version` is the version of the Lambda function, and `trace` the
    /// tracing header of the invocation.
    pub(crate) fn start(
        function: &'static str,
        version: Option<String>,
        trace: Option<&str>,
    ) -> RequestLog {
        let trace_id = trace.and_then(trace_id).map(str::to_owned);
        RequestLog { function, version, trace_id, started: Instant::now(), calls: Calls::default() }
    }

    pub(crate) fn calls(self, calls: Calls) -> RequestLog {
        RequestLog { calls, ..self }
    }

    pub(crate) fn end(self, outcome: &Outcome<'_>) {
        let Outcome { request_id, tenant, actor, customer_id, route, status, error } = *outcome;
        let code = error.map(|error| error.code.to_string());
        let cause = error.and_then(Error::cause);
        let ms = self.started.elapsed().as_micros() as f64 / 1_000.0;
        let function = self.function;
        let Calls { all: dynamodb_calls, transactions } = self.calls;
        let (function_version, trace_id) = (self.version, self.trace_id);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET, request_id, trace_id, tenant, actor, customer_id, function,
                    function_version, route, status, ms, dynamodb_calls, transactions, code, cause,
                    "request"
                )
            };
        }
        // The alarms count error lines. The only error with a 5xx status and without a cause reports
        // that no watchlist is loaded yet. That is the state of a new stack, so it is not an error line.
        let is_failure = status >= 500 && error.is_none_or(|error| error.cause().is_some());
        if is_failure { line!(error) } else { line!(info) }
    }
}

/// Returns the trace id of a tracing header of X-Ray: its part `Root=`. Returns `None` if the id is
/// malformed, because a caller can send any header.
fn trace_id(header: &str) -> Option<&str> {
    let id = header.split(';').find_map(|part| part.strip_prefix("Root="))?;
    let is_hex = |part: &&str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let parts: Vec<&str> = id.split('-').collect();
    let is_valid = matches!(
        parts.as_slice(),
        ["1", seconds, unique] if is_hex(seconds, 8) && is_hex(unique, 24)
    );
    is_valid.then_some(id)
}

/// Writes an error line that also adds 1 to a CloudWatch metric, which the template's alarms watch.
/// Unless `list` is empty, the metric is also recorded with the dimension `list`. `more` contains
/// further fields of the line.
pub(crate) fn alarm(metric: &str, message: &str, list: &str, more: &Value) {
    emit(("ERROR", message), (metric, "Count", json!(1)), list, more);
}

/// Writes a line with a duration as a CloudWatch metric in hours. `millis` is the duration in
/// milliseconds. `list` has the same meaning as in [`alarm`].
pub(crate) fn hours(metric: &str, message: &str, list: &str, millis: i64) {
    emit(
        ("INFO", message),
        (metric, "None", json!(millis as f64 / 3_600_000.0)),
        list,
        &Value::Null,
    );
}

/// Writes a line in CloudWatch's embedded metric format, if the namespace is set.
fn emit(
    (level, message): (&str, &str),
    (metric, unit, value): (&str, &str, Value),
    list: &str,
    more: &Value,
) {
    let Some(namespace) = NAMESPACE.get() else { return };
    let millis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Lambda treats a line without a timestamp as a line of the level INFO.
    let mut timestamp = String::new();
    let _ = LineTime.format_time(&mut Writer::new(&mut timestamp));
    let dimensions = if list.is_empty() { json!([[]]) } else { json!([["list"], []]) };
    let mut line = json!({
        "timestamp": timestamp,
        "level": level,
        "message": message,
        "_aws": {
            "Timestamp": millis.as_millis() as u64,
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": dimensions,
                "Metrics": [{ "Name": metric, "Unit": unit }],
            }],
        },
    });
    let fields = line.as_object_mut().into_iter();
    for line in fields {
        line.insert(metric.to_owned(), value.clone());
        if !list.is_empty() {
            line.insert("list".to_owned(), json!(list));
        }
        line.extend(more.as_object().cloned().unwrap_or_default());
    }
    // `tracing` cannot write nested fields, so the line goes to the output directly.
    if let Some(output) = OUTPUT.get() {
        output(format!("{line}\n").as_bytes());
    }
}

/// The number of calls of a request to DynamoDB, retries included.
#[derive(Clone, Copy, Default)]
pub(crate) struct Calls {
    all: u32,
    /// The calls that write a transaction. Each change of data is one, and writes its audit event.
    transactions: u32,
}

tokio::task_local! {
    static CALLS: Cell<Calls>;
}

/// Runs the future of a request. Returns its output and its calls to DynamoDB.
pub(crate) async fn count_calls<F: Future>(future: F) -> (F::Output, Calls) {
    let counted = async {
        let output = future.await;
        (output, CALLS.with(Cell::get))
    };
    CALLS.scope(Cell::default(), counted).await
}

/// Counts a call to DynamoDB. A call outside of a request is not counted, for example when a
/// connection is opened in advance.
pub(crate) fn count_call(is_transaction: bool) {
    let _ = CALLS.try_with(|calls| {
        let Calls { all, transactions } = calls.get();
        let transactions = transactions + u32::from(is_transaction);
        calls.set(Calls { all: all + 1, transactions });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_trace_id_is_logged() {
        let id = "1-67891233-abcdef012345678912345678";
        assert_eq!(trace_id(&format!("Root={id};Parent=53995c3f42cd8ad8;Sampled=1")), Some(id));
        assert_eq!(trace_id(&format!("Self=1-2-3;Root={id}")), Some(id));
        for other in ["", id, "Root=", "Root=Ada Lovelace", "Root=1-67891233-abc", "Root=1-2-3-4"] {
            assert_eq!(trace_id(other), None, "{other}");
        }
    }
}
