//! Builds the events that an HTTP API sends to a function. They have payload format 2.0 and contain
//! the claims from the JWT authorizer.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// A captured event. All events are modified copies of it.
const CAPTURED: &str = include_str!("../../../../tests/events/get-customers.json");

/// Returns the event of a request by a user who has all permissions in the tenant. `route` is a
/// route key such as `GET /customers/{id}`, and `path` contains the values of its parameters.
pub(crate) fn http(
    tenant: &str,
    route: &str,
    path: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Value> {
    let (method, template) = route.split_once(' ').context("a route key must have a space")?;
    let mut raw_path = template.to_owned();
    let mut parameters = Map::new();
    for (name, value) in path {
        raw_path = raw_path.replace(&format!("{{{name}}}"), value);
        parameters.insert((*name).to_owned(), json!(value));
    }
    let mut event: Value = serde_json::from_str(CAPTURED)?;
    event["routeKey"] = json!(route);
    event["rawPath"] = json!(raw_path);
    let context = &mut event["requestContext"];
    context["routeKey"] = json!(route);
    context["http"]["method"] = json!(method);
    context["http"]["path"] = json!(raw_path);
    let claims = &mut context["authorizer"]["jwt"]["claims"];
    claims["tenant_id"] = json!(tenant);
    claims["permissions"] = json!("[kyc:*]");
    if !parameters.is_empty() {
        event["pathParameters"] = Value::Object(parameters);
    }
    if let Some(body) = body {
        let body = body.to_string();
        event["headers"]["content-type"] = json!("application/json");
        event["headers"]["content-length"] = json!(body.len().to_string());
        event["body"] = json!(body);
    }
    Ok(event)
}

/// Returns the status and the JSON body of an HTTP function's answer. The body is null if it is
/// absent or not JSON. Returns `None` if the answer has no status.
pub(crate) fn answer(answer: &Value) -> Option<(u64, Value)> {
    let status = answer.get("statusCode")?.as_u64()?;
    let body = answer.get("body").and_then(Value::as_str).unwrap_or("null");
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}
