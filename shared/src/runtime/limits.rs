//! Limits the requests of a tenant. If the settings contain no limit, the table is not called.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::app::App;
use crate::error::Error;
use crate::http::Request;
use crate::model::limit::{Quota, RouteClass};
use crate::telemetry;

/// Time limit for taking a token. It equals the time limit for one attempt at a call to the table,
/// so a slow table delays a request only a little.
const TOKEN_TIME: Duration = Duration::from_secs(1);
/// Name of the metric that counts requests that were admitted without a token.
const LIMIT_SKIPPED: &str = "LimitSkipped";

/// Takes a token for a request. Returns the state of the bucket, or `None` if the request has no
/// limit. A request without a verified tenant has none, because its handler refuses it.
///
/// If the table fails or does not answer in time, the request is admitted. The limit protects
/// tenants from each other, not data from a caller, and a slow table must not turn into an outage
/// of every route. Requests that the table cannot serve get a 503 anyway. A bucket that DynamoDB
/// throttles is different: its tenant sends too many requests, so the request is refused.
pub(super) async fn take_token(app: &App, request: &Request) -> Option<Quota> {
    let class = RouteClass::of(request.route());
    let limit = app.settings.rate_limits.of(class)?;
    let caller = request.caller().ok()?;
    let table = app.tenant(&caller);
    // Boxed, because the future of a call to the table is large and every request would hold it.
    let token = Box::pin(table.take_token(class, limit));
    let error = match timeout(TOKEN_TIME, token).await {
        Ok(Ok(quota)) => return Some(quota),
        Ok(Err(error)) => error,
        Err(_) => Error::store_unavailable("a token bucket did not answer in time"),
    };
    let details = json!({
        "tenant": caller.tenant().to_string(), "class": class.as_ref(), "why": error.reason(),
    });
    telemetry::alarm(LIMIT_SKIPPED, "a request was admitted without a token", "", &details);
    None
}
