//! A typed answer, and how answers and errors are written.

use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use lambda_http::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::status::status;
use crate::error::{Code, Error};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const NOTHING_RUNS: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// After how many seconds a caller may try again when the table was out of reach.
const RETRY_AFTER_SECONDS: u16 = 1;

/// An answer without its request id: what an idempotency record keeps and replays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Response {
    status: u16,
    /// `data` of a success; the whole `error` object otherwise.
    content: Box<RawValue>,
    etag: Option<String>,
    location: Option<String>,
    #[serde(skip)]
    replayed: bool,
    #[serde(skip)]
    varies_by: Option<&'static str>,
    /// Instead of the envelope: a text of this media type.
    #[serde(skip)]
    document: Option<(&'static str, String)>,
}

impl Response {
    pub fn ok(data: &impl Serialize) -> Result<Response, Error> {
        Response::of(StatusCode::OK, data)
    }

    /// 201 with a `Location` relative to the API.
    pub fn created(data: &impl Serialize, location: String) -> Result<Response, Error> {
        Ok(Response { location: Some(location), ..Response::of(StatusCode::CREATED, data)? })
    }

    fn of(status: StatusCode, content: &impl Serialize) -> Result<Response, Error> {
        let content =
            to_raw_value(content).map_err(|error| Error::internal(format!("response: {error}")))?;
        Ok(Response {
            status: status.as_u16(),
            content,
            etag: None,
            location: None,
            replayed: false,
            varies_by: None,
            document: None,
        })
    }

    /// 200 with a text of this media type instead of the envelope.
    pub fn document(media_type: &'static str, text: String) -> Result<Response, Error> {
        Ok(Response { document: Some((media_type, text)), ..Response::ok(&())? })
    }

    pub fn etag(self, version: u64) -> Response {
        Response { etag: Some(format!("\"{version}\"")), ..self }
    }

    /// The same resource has other forms, chosen by this header.
    pub fn varies_by(self, header: &'static str) -> Response {
        Response { varies_by: Some(header), ..self }
    }

    pub fn replayed(self) -> Response {
        Response { replayed: true, ..self }
    }

    pub fn status(&self) -> u16 {
        self.status
    }

    pub fn of_error(error: &Error) -> Result<Response, Error> {
        let (status, kind) = status(error.code);
        let content = json!({
            "type": kind,
            "code": error.code,
            "message": error.message,
            "details": error.details,
        });
        Response::of(status, &content)
    }

    /// Puts the answer into its envelope and on the wire.
    pub(super) fn write(self, request_id: &str) -> ApiGatewayV2httpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (outcome, key) =
            if status.is_success() { ("success", "data") } else { ("error", "error") };
        let meta = json!({ "request_id": request_id });
        let content = self.content.get();
        let (media_type, body) = self.document.unwrap_or_else(|| {
            let body = format!(r#"{{"status":"{outcome}","{key}":{content},"meta":{meta}}}"#);
            ("application/json", body)
        });

        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = i64::from(status.as_u16());
        response.body = Some(Body::Text(body));
        let headers = &mut response.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        // What a browser is shown stays what it is, and runs and loads nothing.
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING_RUNS));
        // Answers hold personal data: no cache between here and the caller keeps them.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        insert(headers, X_REQUEST_ID, Some(request_id));
        insert(headers, ETAG, self.etag.as_deref());
        insert(headers, LOCATION, self.location.as_deref());
        insert(headers, VARY, self.varies_by);
        match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
            }
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        if self.replayed {
            headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }

    /// For what cannot fail any more.
    pub(super) fn last_resort() -> Response {
        let content = RawValue::from_string(
            r#"{"type":"InternalError","code":"INTERNAL_ERROR","message":"Something went wrong here.","details":[]}"#
                .to_owned(),
        );
        let status = status(Code::InternalError).0.as_u16();
        Response {
            status,
            content: content.unwrap_or_default(),
            etag: None,
            location: None,
            replayed: false,
            varies_by: None,
            document: None,
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}
