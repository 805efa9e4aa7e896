//! Reading what a caller sent: every fault of query, headers and body is reported at once.

use lambda_http::http::HeaderMap;
use lambda_http::http::header::{ACCEPT, CONTENT_TYPE, HeaderName, IF_MATCH};
use serde_json::{Map, Value};

use super::precondition::IfMatch;
use super::{accept, json, query};
use crate::error::{Error, Faults};
use crate::model::idempotency::IdempotencyKey;
use crate::model::page::{DEFAULT_LIMIT, MAX_LIMIT, Order, Paging};
use crate::model::value::{one_of, whole_number};

/// The largest body a route takes, but for that of an organization.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// The largest body of an organization.
pub const MAX_ORGANIZATION_BYTES: usize = 512 * 1024;

/// The JSON Pointer of the whole body.
pub const BODY: &str = "";

/// What a body may be called.
pub const JSON: &[&str] = &["application/json"];
/// RFC 7396 names the type; many clients only know the plain one.
pub const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The parts of a request that a handler reads, and the faults found so far.
pub struct Input<'a> {
    headers: &'a HeaderMap,
    body: &'a [u8],
    query: Vec<(String, String)>,
    faults: Faults,
    /// A body that could not be read at all: nothing else is worth saying.
    refusal: Option<Error>,
    takes_body: bool,
}

impl<'a> Input<'a> {
    /// `faults` are those found before, which are reported together with the others.
    pub(super) fn new(
        query: &str,
        headers: &'a HeaderMap,
        body: &'a [u8],
        mut faults: Faults,
    ) -> Input<'a> {
        let query = query::parse(query, &mut faults);
        Input { headers, body, query, faults, refusal: None, takes_body: false }
    }

    /// Reads with `read`, which returns `None` only where it recorded a fault.
    pub fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Error> {
        let value = read(&mut self);
        let faults = self.faults()?;
        if faults.is_empty() {
            value.ok_or_else(|| Error::internal("a value is missing without a fault"))
        } else {
            Err(faults.into())
        }
    }

    /// For a caller that can only validate the body later: the faults so far.
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
        Ok(self.faults)
    }

    /// A query parameter. `None` is absent or, recorded, faulty.
    pub fn query<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let at = self.query.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.query.swap_remove(at);
        parse(&value).map_err(|issue| self.faults.add(format!("?{name}"), issue)).ok()
    }

    /// `order`, `limit` and `cursor` of a list.
    pub fn paging(&mut self) -> Paging {
        let order = self.query("order", one_of::<Order>).unwrap_or(Order::Descending);
        let limit = self.query("limit", |text| whole_number(text, 1..=MAX_LIMIT));
        let cursor = self.query("cursor", |text| Ok(text.to_owned()));
        Paging { order, limit: limit.unwrap_or(DEFAULT_LIMIT), cursor }
    }

    pub fn idempotency_key(&mut self) -> Option<IdempotencyKey> {
        self.header(&IDEMPOTENCY_KEY, "Idempotency-Key", IdempotencyKey::parse)
    }

    pub fn if_match(&mut self) -> IfMatch {
        self.header(&IF_MATCH, IfMatch::HEADER, IfMatch::parse).unwrap_or(IfMatch::Absent)
    }

    /// The form of the answer that the caller likes best.
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

    /// The body as a JSON object of one of these media types. `None` is recorded.
    pub fn object(&mut self, media_types: &[&str]) -> Option<Map<String, Value>> {
        self.object_of(media_types, MAX_BODY_BYTES)
    }

    /// The same, of at most `limit` bytes.
    pub fn object_of(&mut self, media_types: &[&str], limit: usize) -> Option<Map<String, Value>> {
        self.takes_body = true;
        if self.faults.names(BODY) {
            return None; // the event's body could not even be decoded
        }
        match self.json(media_types, limit) {
            Ok(Value::Object(object)) => return Some(object),
            Ok(_) => self.faults.add(BODY, "must be a JSON object"),
            Err(error) => self.refusal = Some(error),
        }
        None
    }

    pub fn faults_mut(&mut self) -> &mut Faults {
        &mut self.faults
    }

    fn json(&self, media_types: &[&str], limit: usize) -> Result<Value, Error> {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|given| is_one_of(given, media_types)) {
            return Err(Error::unsupported_media_type(media_types));
        }
        if self.body.len() > limit {
            return Err(Error::body_too_large(limit));
        }
        json::parse(self.body)
    }
}

/// JSON is UTF-8 (RFC 8259, 8.1), so any other charset is another media type.
fn is_one_of(content_type: &str, media_types: &[&str]) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let known = media_types.iter().any(|known| essence.eq_ignore_ascii_case(known));
    known
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}
