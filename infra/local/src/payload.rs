//! Converts an HTTP request to the event of an HTTP API (payload format 2.0), and the function's
//! answer to an HTTP response.

use std::collections::BTreeMap;
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::routes::Match;

/// Returns the event of a request. All claims must be strings. A route without an authorizer has no
/// claims.
pub(crate) fn event(
    parts: &Parts,
    body: &Bytes,
    route_match: &Match<'_>,
    claims: Option<Map<String, Value>>,
    request_id: &str,
) -> Value {
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let query = parts.uri.query().unwrap_or_default();
    let header = |name: &HeaderName| parts.headers.get(name).map(text).unwrap_or_default();
    let host = header(&HOST);
    let domain = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_match.route.key(),
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(parts),
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": header(&USER_AGENT),
            },
            "requestId": request_id,
            "routeKey": route_match.route.key(),
            "stage": "$default",
            "time": clf_time(now.as_secs()),
            "timeEpoch": now.as_millis() as u64,
        },
        "isBase64Encoded": false,
    });
    let context = event.get_mut("requestContext").and_then(Value::as_object_mut);
    if let (Some(claims), Some(context)) = (claims, context) {
        let authorizer = json!({ "jwt": { "claims": claims, "scopes": null } });
        context.insert("authorizer".to_owned(), authorizer);
    }
    // API Gateway omits members that are empty.
    let mut set = |name: &str, value: Value| {
        event.as_object_mut().map(|event| event.insert(name.to_owned(), value))
    };
    if !route_match.parameters.is_empty() {
        set("pathParameters", json!(route_match.parameters));
    }
    if !query.is_empty() {
        set(
            "queryStringParameters",
            json!(join_values(form_urlencoded::parse(query.as_bytes()).into_owned())),
        );
    }
    let cookies: Vec<String> = parts.headers.get_all(COOKIE).iter().map(text).collect();
    if !cookies.is_empty() {
        let cookies: Vec<&str> = cookies.iter().flat_map(|cookies| cookies.split("; ")).collect();
        set("cookies", json!(cookies));
    }
    if !body.is_empty() {
        match std::str::from_utf8(body).ok().filter(|_| is_text(&header(&CONTENT_TYPE))) {
            Some(body) => set("body", body.into()),
            None => {
                set("isBase64Encoded", true.into());
                set("body", STANDARD.encode(body).into())
            }
        };
    }
    event
}

/// Formats a time as API Gateway does, for example `22/Nov/2026:10:30:00 +0000`.
fn clf_time(seconds: u64) -> String {
    let layout =
        format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    let time =
        i64::try_from(seconds).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    time.and_then(|time| time.format(&layout).ok()).unwrap_or_default()
}

/// Returns whether an HTTP API passes a body of this type on as text. Bodies of other types are
/// encoded in Base64.
fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"]
            .contains(&essence.as_str())
}

fn headers(parts: &Parts) -> BTreeMap<String, String> {
    let named = parts.headers.iter().filter(|(name, _)| **name != COOKIE);
    let mut headers =
        join_values(named.map(|(name, value)| (name.as_str().to_owned(), text(value))));
    let port = headers.get("host").and_then(|host| Some(host.rsplit_once(':')?.1.to_owned()));
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1".to_owned()),
        ("x-forwarded-port", port.unwrap_or_else(|| "80".to_owned())),
        ("x-forwarded-proto", "http".to_owned()),
    ] {
        headers.insert(name.to_owned(), value);
    }
    headers
}

/// Joins the values of each name with commas, in their order.
fn join_values(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        let entry = values.entry(name);
        entry.and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
    }
    values
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Converts the answer of a function to an HTTP response. Returns `None` if the answer is not
/// valid; API Gateway would then answer 500.
pub(crate) fn response(answer: &str) -> Option<Response<Body>> {
    let answer: Answer = serde_json::from_str(answer).ok()?;
    let body = answer.body.unwrap_or_default();
    let body =
        if answer.is_base64_encoded { STANDARD.decode(body).ok()? } else { body.into_bytes() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).ok()?;
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        response.headers_mut().insert(name, HeaderValue::from_str(value).ok()?);
    }
    for cookie in &answer.cookies {
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_str(cookie).ok()?);
    }
    Some(response)
}
