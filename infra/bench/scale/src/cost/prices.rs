//! What AWS charges: list prices of us-east-1 in USD, without free tiers. Compare them with the pages
//! that are named before relying on a sum: prices change, and nothing here was on a bill.

/// HTTP API, the first 300 million requests a month (aws.amazon.com/api-gateway/pricing).
pub(crate) const HTTP_API: f64 = 1.00 / MILLION;
/// A request of a function, and a GB-second on arm64 (aws.amazon.com/lambda/pricing).
pub(crate) const LAMBDA_REQUEST: f64 = 0.20 / MILLION;
pub(crate) const LAMBDA_GB_SECOND: f64 = 0.000_013_333_4;
/// Units on demand, in a table of the standard class (aws.amazon.com/dynamodb/pricing/on-demand).
pub(crate) const READ_UNIT: f64 = 0.125 / MILLION;
pub(crate) const WRITE_UNIT: f64 = 0.625 / MILLION;
/// A custom event on a bus, and a request through a Pipe, each up to 64 KB
/// (aws.amazon.com/eventbridge/pricing).
pub(crate) const BUS_EVENT: f64 = 1.00 / MILLION;
pub(crate) const PIPE_REQUEST: f64 = 0.40 / MILLION;
/// A GB of logs taken in; keeping them is a twentieth of it (aws.amazon.com/cloudwatch/pricing).
pub(crate) const LOG_GB: f64 = 0.50;
/// A recorded trace (aws.amazon.com/xray/pricing).
pub(crate) const TRACE: f64 = 5.00 / MILLION;

pub(crate) const MILLION: f64 = 1e6;
pub(crate) const GB: f64 = 1e9;

/// Of a function, as the template's `MemorySize` has it; the price is by 1,024 MB.
pub(crate) const MEMORY_MB: f64 = 256.0;
/// With so much memory a function has one whole processor, with less its share of one
/// (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
pub(crate) const PROCESSOR_MB: f64 = 1_769.0;
/// How long DynamoDB may take with a call that others wait for. Assumed: AWS promises a time of one
/// digit, and 1 to 5 ms are usual.
pub(crate) const TABLE_MS: f64 = 4.0;
/// X-Ray's default rule records the first request of a second and one in twenty of the others.
pub(crate) const TRACED: f64 = 0.05;
/// `ShapeEvents` takes up to ten events at once, in a few milliseconds. Here it has one event: the
/// dearest case, that of a quiet table.
pub(crate) const SHAPING_MS: f64 = 5.0;

/// The line of the API's access log, in the template's format.
pub(crate) const ACCESS_LINE: &str = r#"{"request_id":"JKJaXmPLvHcESHA=","time":"1795348800000", "route":"PATCH /kyc/sessions/{session_id}","status":"200","protocol":"HTTP/1.1", "response_length":"1024","latency_ms":"12", "integration_ms":"10", "integration_status":"200", "integration_error":"-", "gateway_error":"-"}"#;
/// Lambda's own lines about a request: docs.aws.amazon.com/lambda/latest/dg/rust-logging.html.
pub(crate) const LAMBDA_LINES: &str = "\
START RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95 Version: 12
END RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95
REPORT RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95\tDuration: 5.92 ms\tBilled Duration: 6 ms\t\
Memory Size: 256 MB\tMax Memory Used: 28 MB\t
XRAY TraceId: 1-5d9d007f-0a8c7fd020000480aed55ef0\tSegmentId: 3d75200001bbe37e\tSampled: true\t
";
