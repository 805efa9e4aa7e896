//! Reads the query, the headers and the body of a request, and reports all faults at once.

use lambda_http::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
};
use lambda_http::http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::precondition::{IfMatch, IfNoneMatch};
use super::{accept, json, query};
use crate::error::{Error, Faults};
use crate::model::idempotency::IdempotencyKey;
use crate::model::page::{DEFAULT_LIMIT, MAX_LIMIT, Order, Paging};
use crate::model::value::{one_of, whole_number};

/// Maximum size of a body in bytes: 256 KiB. The body of an organization can be larger.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Maximum size of the body of an organization in bytes: 512 KiB.
pub const MAX_ORGANIZATION_BYTES: usize = 512 * 1024;

/// JSON Pointer to the whole body.
pub const BODY: &str = "";

/// Media types that are accepted for a JSON body.
pub const JSON: &[&str] = &["application/json"];
/// Media types that are accepted for a merge patch. RFC 7396 defines the first; many clients
/// support only the second.
pub const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// UTF-8 byte order mark. Some tools on Windows write it at the start of every text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Headers with a precondition. Each is refused if the handler did not read it. Otherwise a caller
/// could believe that a change is protected although it is not.
const PRECONDITIONS: [(HeaderName, &str, &str); 4] = [
    (IF_MATCH, IfMatch::HEADER, NO_USE),
    (IF_NONE_MATCH, IfNoneMatch::HEADER, NO_USE),
    (IF_MODIFIED_SINCE, "If-Modified-Since", NO_TIMES),
    (IF_UNMODIFIED_SINCE, "If-Unmodified-Since", NO_TIMES),
];
const NO_USE: &str = "has no meaning for this request; leave it out";
const NO_TIMES: &str = "is not supported; use the version in If-Match or If-None-Match";

/// The parts of a request that a handler reads, and the faults that were recorded so far.
pub struct Input<'a> {
    headers: &'a HeaderMap,
    body: &'a [u8],
    query: Vec<(String, String)>,
    faults: Faults,
    /// Error of a body that could not be read. It is reported instead of all other faults.
    refusal: Option<Error>,
    takes_body: bool,
    /// Preconditions that were read.
    conditions: Vec<HeaderName>,
}

impl<'a> Input<'a> {
    /// Parses the query. `faults` contains the faults of the event, which are reported together
    /// with the faults of the query, the headers and the body.
    pub(super) fn new(
        query: &str,
        headers: &'a HeaderMap,
        body: &'a [u8],
        mut faults: Faults,
    ) -> Input<'a> {
        let query = query::parse(query, &mut faults);
        let conditions = Vec::new();
        Input { headers, body, query, faults, refusal: None, takes_body: false, conditions }
    }

    /// Reads the request with `read`, which must return `None` only if it recorded a fault. A query
    /// parameter or a body that `read` did not read is a fault.
    ///
    /// # Errors
    /// `ValidationError` with every fault, or the error of a body that could not be read.
    /// `InternalError` if `read` returned `None` without a fault.
    pub fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Error> {
        let value = read(&mut self);
        let faults = self.faults()?;
        if faults.is_empty() {
            value.ok_or_else(|| Error::internal("a value is missing without a fault"))
        } else {
            Err(faults.into())
        }
    }

    /// Returns the recorded faults, for a handler that can validate the body only later. A query
    /// parameter or a body that was not read is also a fault.
    ///
    /// # Errors
    /// Returns the error of a body that could not be read.
    pub fn faults(mut self) -> Result<Faults, Error> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        if !self.takes_body && !self.body.is_empty() {
            self.faults.add(BODY, "must be empty for this request");
        }
        for (name, _) in self.query {
            let name: String = name.chars().take(100).collect();
            self.faults.add(format!("?{name}"), "is not a parameter of this request");
        }
        for (header, field, issue) in &PRECONDITIONS {
            if self.headers.contains_key(header) && !self.conditions.contains(header) {
                self.faults.add(*field, *issue);
            }
        }
        Ok(self.faults)
    }

    /// Reads a query parameter. Returns `None` if it is absent, and `None` with a recorded fault if
    /// it is not valid.
    pub fn query<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let at = self.query.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.query.swap_remove(at);
        parse(&value).map_err(|issue| self.faults.add(format!("?{name}"), issue)).ok()
    }

    /// Reads `order`, `limit` and `cursor` of a list. The defaults are descending order, 20 rows
    /// and the first page.
    pub fn paging(&mut self) -> Paging {
        let order = self.query("order", one_of::<Order>).unwrap_or(Order::Descending);
        let limit = self.query("limit", |text| whole_number(text, 1..=MAX_LIMIT));
        let cursor = self.query("cursor", |text| Ok(text.to_owned()));
        Paging { order, limit: limit.unwrap_or(DEFAULT_LIMIT), cursor }
    }

    /// Reads `Idempotency-Key`. Returns `None` if it is absent, and `None` with a recorded fault if
    /// it is not valid.
    pub fn idempotency_key(&mut self) -> Option<IdempotencyKey> {
        self.header(&IDEMPOTENCY_KEY, "Idempotency-Key", IdempotencyKey::parse)
    }

    /// Reads `If-Match`. A malformed header is recorded as a fault and treated as absent.
    pub fn if_match(&mut self) -> IfMatch {
        self.conditions.push(IF_MATCH);
        self.header(&IF_MATCH, IfMatch::HEADER, IfMatch::parse).unwrap_or(IfMatch::Absent)
    }

    /// Reads `If-None-Match` of a read. A malformed header is recorded as a fault and treated as
    /// absent.
    pub fn if_none_match(&mut self) -> IfNoneMatch {
        self.conditions.push(IF_NONE_MATCH);
        let known = self.header(&IF_NONE_MATCH, IfNoneMatch::HEADER, IfNoneMatch::parse);
        known.unwrap_or(IfNoneMatch::Absent)
    }

    /// Reads `If-None-Match` of a change, and records a fault if it is not `*`. Returns `true` for
    /// `*`: the resource must not exist yet.
    pub fn creates_only(&mut self) -> bool {
        let known = self.if_none_match();
        if matches!(known, IfNoneMatch::Tags(_)) {
            self.faults.add(IfNoneMatch::HEADER, "must be *; use If-Match to name a version");
        }
        known == IfNoneMatch::Any
    }

    /// Returns the media type in `offered` that the caller prefers, or `None` if `offered` is
    /// empty.
    pub fn accept<'o>(&self, offered: &[&'o str]) -> Option<&'o str> {
        let ranges = self.headers.get_all(ACCEPT).iter();
        let ranges: Vec<&str> = ranges.filter_map(|value| value.to_str().ok()).collect();
        accept::preferred(&ranges.join(","), offered)
    }

    fn header<T>(
        &mut self,
        header: &HeaderName,
        field: &str,
        parse: fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.headers.get(header)?;
        let parsed =
            value.to_str().map_err(|_| "must be printable ASCII".to_owned()).and_then(parse);
        parsed.map_err(|issue| self.faults.add(field, issue)).ok()
    }

    /// Reads the body as a JSON object of at most 256 KiB, with one of these media types. Returns
    /// `None` if the body is faulty; the fault is recorded.
    pub fn object(&mut self, media_types: &[&str]) -> Option<Map<String, Value>> {
        self.object_of(media_types, MAX_BODY_BYTES)
    }

    /// Reads the body as [`Input::object`] does, or an empty object if there is no body. The media
    /// type of an empty body does not matter.
    pub fn object_or_empty(&mut self, media_types: &[&str]) -> Option<Map<String, Value>> {
        if self.body.is_empty() && !self.faults.names(BODY) {
            return Some(Map::new());
        }
        self.object(media_types)
    }

    /// Reads the body as a JSON object of at most `limit` bytes, with one of these media types.
    /// Returns `None` if the body is faulty; the fault is recorded.
    pub fn object_of(&mut self, media_types: &[&str], limit: usize) -> Option<Map<String, Value>> {
        self.takes_body = true;
        if self.faults.names(BODY) {
            return None; // The base64 encoding of the body is not valid.
        }
        match self.json(media_types, limit) {
            Ok(Value::Object(object)) => return Some(object),
            Ok(_) => self.faults.add(BODY, "must be a JSON object"),
            Err(error) => self.refusal = Some(error),
        }
        None
    }

    /// Returns the recorded faults, so that the caller can add others.
    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    fn json(&self, media_types: &[&str], limit: usize) -> Result<Value, Error> {
        if !self.headers.get_all(CONTENT_ENCODING).iter().all(is_identity) {
            return Err(Error::unsupported_content_encoding());
        }
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|given| is_one_of(given, media_types)) {
            return Err(Error::unsupported_media_type(media_types));
        }
        if self.body.len() > limit {
            return Err(Error::body_too_large(limit));
        }
        json::parse(self.body.strip_prefix(BOM).unwrap_or(self.body))
    }
}

/// Returns whether a `Content-Encoding` leaves the body as it is: `identity`, or no coding at all.
fn is_identity(value: &HeaderValue) -> bool {
    let mut codings = value.to_str().unwrap_or("?").split(',').map(str::trim);
    codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
}

/// Returns whether a content type is one of the media types. JSON is always UTF-8 (RFC 8259, 8.1),
/// so a content type with another charset is not accepted. `utf8` is a common misspelling.
fn is_one_of(content_type: &str, media_types: &[&str]) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = media_types.iter().any(|known| essence.eq_ignore_ascii_case(known));
    known
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                let charset = value.trim_matches('"');
                charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
            }
            _ => true,
        })
}
