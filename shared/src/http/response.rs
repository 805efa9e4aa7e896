//! Writes answers and errors as responses of API Gateway.

use lambda_http::Body;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, LOCATION, RETRY_AFTER, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use lambda_http::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::precondition::IfNoneMatch;
use super::request::Request;
use super::status::status;
use crate::error::{Code, Error};
use crate::model::answer::Answer;
use crate::model::limit::Quota;

/// Members of an answer to a change that every caller gets. A caller without `kyc:read` gets no
/// other members. The tenant's own ids are not part of it, because they can identify a person.
pub const RECEIPT: [&str; 5] = ["customer_id", "session_id", "alert_id", "version", "status"];

/// Members of a detail of an error that every caller gets, in addition to [`RECEIPT`].
const DETAIL: [&str; 3] = ["field", "issue", "permissions"];

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
// Headers of draft-ietf-httpapi-ratelimit-headers-06, the last version of the draft that has one
// header for each value. Most clients read these.
const RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const RATELIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Content security policy of every response. Browsers must not run scripts or load resources from
/// a response. An SVG drawing uses presentation attributes instead of a style sheet, so it needs no
/// exception.
const NOTHING_RUNS: &str = "default-src 'none'; sandbox";

/// Number of hexadecimal digits of a digest in an entity tag: 32 bits.
const DIGEST_DIGITS: usize = 8;

/// The answer of a handler and the headers that only some answers have.
#[derive(Clone, Debug)]
pub struct Response {
    answer: Answer,
    replayed: bool,
    varies_by: Option<&'static str>,
    /// Number of seconds that the caller should wait before it repeats the request.
    retry_after: Option<u32>,
    /// Value of `Accept-Encoding`: the content coding that a request may have.
    accept_encoding: Option<&'static str>,
    quota: Option<Quota>,
    /// Media type and text of a document, which is sent instead of the envelope.
    document: Option<(&'static str, String)>,
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Response {
        Response {
            answer,
            replayed: false,
            varies_by: None,
            retry_after: None,
            accept_encoding: None,
            quota: None,
            document: None,
        }
    }
}

impl Response {
    /// Makes a response with status 200 and `data` in the envelope.
    ///
    /// # Errors
    /// `InternalError` if `data` does not serialize.
    pub fn ok(data: &impl Serialize) -> Result<Response, Error> {
        Response::new(StatusCode::OK, data)
    }

    /// Makes a response with status 201, `data` in the envelope, and a `Location` relative to the
    /// API.
    ///
    /// # Errors
    /// `InternalError` if `data` does not serialize.
    pub fn created(data: &impl Serialize, location: String) -> Result<Response, Error> {
        let mut response = Response::new(StatusCode::CREATED, data)?;
        response.answer.location = Some(location);
        Ok(response)
    }

    fn new(status: StatusCode, content: &impl Serialize) -> Result<Response, Error> {
        let content =
            to_raw_value(content).map_err(|error| Error::internal(format!("response: {error}")))?;
        let status = status.as_u16();
        Ok(Answer { status, content, etag: None, location: None }.into())
    }

    /// Makes a response with status 200 and a text of this media type instead of the envelope.
    ///
    /// # Errors
    /// `InternalError` if the response cannot be written, which would be a bug.
    pub fn document(media_type: &'static str, text: String) -> Result<Response, Error> {
        Ok(Response { document: Some((media_type, text)), ..Response::ok(&())? })
    }

    /// Sets the entity tag of the response to the version in quotes.
    pub fn etag(mut self, version: u64) -> Response {
        self.answer.etag = Some(format!("\"{version}\""));
        self
    }

    /// Sets the entity tag of a response whose content can change without a new version, to the
    /// version and a digest of the content.
    pub fn live_etag(mut self, version: u64) -> Response {
        let content = match &self.document {
            Some((_, text)) => text,
            None => self.answer.content.get(),
        };
        let digest = hex::encode(Sha256::digest(content));
        let digest: String = digest.chars().take(DIGEST_DIGITS).collect();
        self.answer.etag = Some(format!("\"{version}-{digest}\""));
        self
    }

    /// Returns a response with status 304 and no content if the caller already has this response,
    /// and this response otherwise.
    pub fn unless_known(mut self, known: &IfNoneMatch) -> Response {
        if self.answer.etag.as_ref().is_some_and(|etag| known.matches(etag)) {
            self.answer.status = StatusCode::NOT_MODIFIED.as_u16();
        }
        self
    }

    /// Sets `Vary`, because another value of the request's `header` could select another form of
    /// the resource.
    pub fn varies_by(self, header: &'static str) -> Response {
        Response { varies_by: Some(header), ..self }
    }

    /// Sets the status and the location to those of an earlier answer to the same request.
    pub fn with_outcome_of(mut self, earlier: &Answer) -> Response {
        self.answer.status = earlier.status;
        self.answer.location.clone_from(&earlier.location);
        self
    }

    /// Marks the response as the repetition of an earlier one, with the header
    /// `Idempotent-Replayed`.
    pub fn replayed(self) -> Response {
        Response { replayed: true, ..self }
    }

    /// Reduces the response to a change for a caller that may not read. The `data` keeps only ids,
    /// the version and the status. Each of the `details` of an error also keeps its field, issue
    /// and permissions.
    pub(crate) fn into_receipt(self) -> Response {
        let Ok(mut content) = serde_json::from_str::<Value>(self.answer.content.get()) else {
            return Response::last_resort();
        };
        let is_error = self.answer.status >= StatusCode::BAD_REQUEST.as_u16();
        let details = content.get_mut("details").and_then(Value::as_array_mut);
        if is_error {
            let is_kept = |name: &str| RECEIPT.contains(&name) || DETAIL.contains(&name);
            for detail in details.into_iter().flatten().filter_map(Value::as_object_mut) {
                detail.retain(|name, _| is_kept(name));
            }
        } else if let Some(data) = content.as_object_mut() {
            data.retain(|name, _| RECEIPT.contains(&name.as_str()));
        }
        match to_raw_value(&content) {
            Ok(content) => {
                Response { answer: Answer { content, ..self.answer }, document: None, ..self }
            }
            Err(_) => Response::last_resort(),
        }
    }

    /// Adds the state of the caller's token bucket to the headers.
    pub(crate) fn quota(self, quota: Option<Quota>) -> Response {
        Response { quota, ..self }
    }

    /// Returns the HTTP status code.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Returns the part of the response that an idempotency record stores.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Returns the part of the response that an idempotency record stores.
    pub fn into_answer(self) -> Answer {
        self.answer
    }

    /// Makes the response to an error, without its cause.
    ///
    /// # Errors
    /// `InternalError` if the details do not serialize.
    pub fn of_error(error: &Error) -> Result<Response, Error> {
        let (status, kind) = status(error.code);
        let content = json!({
            "type": kind,
            "code": error.code,
            "message": error.message,
            "details": error.details,
        });
        let encoding_refused = error.code == Code::UnsupportedContentEncoding;
        let accept_encoding = encoding_refused.then_some("identity");
        let response = Response::new(status, &content)?;
        Ok(Response { retry_after: error.retry_after, accept_encoding, ..response })
    }

    /// Writes the response in its envelope, or its document without one, and adds the headers. The
    /// response to a HEAD request has the same headers and no body.
    pub(crate) fn write(
        self,
        request_id: &str,
        request: Option<&Request>,
    ) -> ApiGatewayV2httpResponse {
        let status =
            StatusCode::from_u16(self.answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (outcome, key) =
            if status.is_success() { ("success", "data") } else { ("error", "error") };
        let meta = json!({ "request_id": request_id });
        let content = self.answer.content.get();
        let (media_type, body) = self.document.unwrap_or_else(|| {
            let body = format!(r#"{{"status":"{outcome}","{key}":{content},"meta":{meta}}}"#);
            ("application/json", body)
        });

        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = i64::from(status.as_u16());
        let headers = &mut response.headers;
        if status != StatusCode::NOT_MODIFIED {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            response.body =
                Some(Body::Text(body)).filter(|_| !request.is_some_and(Request::is_head));
        }
        // A browser must not guess another media type, and must not run scripts or load resources.
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING_RUNS));
        // Responses contain personal data, so caches must not store them.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        insert(headers, X_REQUEST_ID, Some(request_id));
        insert(headers, ETAG, self.answer.etag.as_deref());
        let base_path = request.map(Request::base_path).unwrap_or_default();
        let location = self.answer.location.map(|location| format!("{base_path}{location}"));
        insert(headers, LOCATION, location.as_deref());
        insert(headers, VARY, self.varies_by);
        insert(headers, ACCEPT_ENCODING, self.accept_encoding);
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(quota) = self.quota {
            let policy = format!("{};w={}", quota.limit, quota.window);
            headers.insert(RATELIMIT_LIMIT, HeaderValue::from(quota.limit));
            headers.insert(RATELIMIT_REMAINING, HeaderValue::from(quota.remaining));
            headers.insert(RATELIMIT_RESET, HeaderValue::from(quota.reset));
            insert(headers, RATELIMIT_POLICY, Some(&policy));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.replayed {
            headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }

    /// Makes a fixed response with status 500. It is used if the response to an error cannot be
    /// made.
    pub(crate) fn last_resort() -> Response {
        let content = RawValue::from_string(
            r#"{"type":"InternalError","code":"INTERNAL_ERROR","message":"An internal error occurred.","details":[]}"#
                .to_owned(),
        );
        let status = status(Code::InternalError).0.as_u16();
        let content = content.unwrap_or_default();
        Answer { status, content, etag: None, location: None }.into()
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}
