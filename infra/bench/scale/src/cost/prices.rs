//! AWS list prices in us-east-1, in USD and without free tiers. They come from the named pages, not
//! from a bill. Prices change: compare them with the pages before you rely on a result.

/// Price of a request to an HTTP API, for the first 300 million requests in a month
/// (aws.amazon.com/api-gateway/pricing).
pub(crate) const HTTP_API: f64 = 1.00 / MILLION;
/// Prices of a request to a function and of a GB-second on arm64 (aws.amazon.com/lambda/pricing).
pub(crate) const LAMBDA_REQUEST: f64 = 0.20 / MILLION;
pub(crate) const LAMBDA_GB_SECOND: f64 = 0.000_013_333_4;
/// Prices of on-demand read and write units in a table of the standard class
/// (aws.amazon.com/dynamodb/pricing/on-demand).
pub(crate) const READ_UNIT: f64 = 0.125 / MILLION;
pub(crate) const WRITE_UNIT: f64 = 0.625 / MILLION;
/// Prices of a custom event on a bus and of a request through a Pipe, each up to 64 KB
/// (aws.amazon.com/eventbridge/pricing).
pub(crate) const BUS_EVENT: f64 = 1.00 / MILLION;
pub(crate) const PIPE_REQUEST: f64 = 0.40 / MILLION;
/// Price of an ingested GB of logs. Storage for a month costs a twentieth of this price
/// (aws.amazon.com/cloudwatch/pricing).
pub(crate) const LOG_GB: f64 = 0.50;
/// Price of a recorded trace (aws.amazon.com/xray/pricing).
pub(crate) const TRACE: f64 = 5.00 / MILLION;

pub(crate) const MILLION: f64 = 1e6;
pub(crate) const GB: f64 = 1e9;

/// Memory of a function in MB, from `MemorySize` in the template. The price is per 1,024 MB.
pub(crate) const MEMORY_MB: f64 = 256.0;
/// Memory in MB at which a function has one whole processor. A function with less memory has a
/// share of one (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
pub(crate) const PROCESSOR_MB: f64 = 1_769.0;
/// Assumed duration of a call to DynamoDB in milliseconds. AWS promises single-digit milliseconds, and
/// 1 to 5 ms are usual.
pub(crate) const TABLE_MS: f64 = 4.0;
/// Share of requests for which X-Ray records a trace. X-Ray's default rule records the first
/// request of each second and 5 percent of the others.
pub(crate) const TRACED: f64 = 0.05;
/// Duration of `ShapeEvents` in milliseconds. The function handles up to ten events at once. The
/// price assumes one event, which is the most expensive case, on a table with few writes.
pub(crate) const SHAPING_MS: f64 = 5.0;

/// A line of the API's access log, in the format of the template.
pub(crate) const ACCESS_LINE: &str = r#"{"request_id":"JKJaXmPLvHcESHA=","time":"1795348800000", "route":"PATCH /kyc/sessions/{session_id}","status":"200","protocol":"HTTP/1.1", "response_length":"1024","latency_ms":"12", "integration_ms":"10", "integration_status":"200", "integration_error":"-", "gateway_error":"-"}"#;
/// The lines that Lambda logs about a request
/// (docs.aws.amazon.com/lambda/latest/dg/rust-logging.html).
pub(crate) const LAMBDA_LINES: &str = "\
START RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95 Version: 12
END RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95
REPORT RequestId: 8f507cfc-0000-4697-b07a-ac58fc914c95\tDuration: 5.92 ms\tBilled Duration: 6 ms\t\
Memory Size: 256 MB\tMax Memory Used: 28 MB\t
XRAY TraceId: 1-5d9d007f-0a8c7fd020000480aed55ef0\tSegmentId: 3d75200001bbe37e\tSampled: true\t
";
