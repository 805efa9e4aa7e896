//! The error type of the API.
//!
//! An [`Error`] carries the texts that the caller reads and, separately, a cause that is only
//! logged. It becomes an HTTP response at the very end, in `http`: the layers below work with
//! codes, not with status codes.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Maximum number of entries in `details`. Without a limit, a body of unknown fields would produce
/// an answer many times its size.
const MAX_DETAILS: usize = 100;

/// The machine-readable code of an error. `http::status` maps each code to its status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// A field, query parameter or header is not valid. `details` lists every fault.
    ValidationError,
    /// The body is not valid JSON.
    MalformedJson,
    /// The cursor does not belong to this list, its filters and its order.
    InvalidCursor,
    /// The body exceeds the limit of the route.
    BodyTooLarge,
    /// The `Content-Type` of the body is not accepted by the route.
    UnsupportedMediaType,
    /// The request has no verified access token.
    Unauthenticated,
    /// The access token does not grant a permission that the route needs.
    InsufficientPermissions,
    /// The access token does not contain a valid tenant.
    NoTenant,
    /// The customer does not exist in the tenant of the caller.
    CustomerNotFound,
    /// The session does not exist in the tenant of the caller.
    SessionNotFound,
    /// The customer does not have an organization.
    OrganizationNotFound,
    /// The customer does not have an alert with this id.
    AlertNotFound,
    /// The customer does not have a monitor.
    NotMonitored,
    /// Another customer of the tenant has the same `client_id`.
    CustomerAlreadyExists,
    /// The customer is inactive and accepts no sessions and no monitoring.
    CustomerInactive,
    /// The customer is blocked and accepts no sessions and no monitoring.
    CustomerBlocked,
    /// The personal data of the customer was erased. Its tombstone cannot change.
    CustomerErased,
    /// The customer must be retained and cannot be erased yet.
    RetentionHold,
    /// The requested status is not reachable from the current status.
    InvalidTransition,
    /// The `Idempotency-Key` was used for a different request.
    IdempotencyKeyReused,
    /// Another request with the same `Idempotency-Key` is in progress.
    RequestInProgress,
    /// `If-Match` does not match the current version.
    VersionMismatch,
    /// The service failed. The cause is logged.
    InternalError,
    /// A dependency is not available. The request can be repeated.
    StoreUnavailable,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One entry of `details`: a fault and the place where it is.
#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    /// A JSON Pointer (RFC 6901) into the body, `?name` for a query parameter, or the name of a
    /// header. The empty pointer is the whole body.
    pub field: String,
    /// The rule that the field breaks. It continues a sentence that starts with the field:
    /// "must be ...".
    pub issue: String,
    /// Further members for programs, such as `version` or `customer_id`.
    #[serde(flatten)]
    pub more: BTreeMap<&'static str, Value>,
}

/// An error of the API.
#[derive(Debug)]
pub struct Error {
    /// The code that a program reads.
    pub code: Code,
    /// The text that a person reads. It must not contain personal data.
    pub message: String,
    /// The faults of the request, at most 100.
    pub details: Vec<Detail>,
    /// The reason of a failure of the service, for the log.
    cause: Option<String>,
}

impl Error {
    fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), details: Vec::new(), cause: None }
    }

    fn detail(mut self, field: &str, issue: &str, more: &[(&'static str, Value)]) -> Error {
        let more = more.iter().cloned().collect();
        self.details.push(Detail { field: field.to_owned(), issue: issue.to_owned(), more });
        self
    }

    /// The cause, for the log only. It must not contain personal data.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The cause for an operator; the message if there is no cause.
    pub fn reason(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.message)
    }

    /// Reports a body that does not parse at this position. Lines start at 1.
    pub fn malformed_json(line: usize, column: usize, why: &str) -> Error {
        let message = format!("The body is not valid JSON: {why} at line {line}, column {column}.");
        Error::new(Code::MalformedJson, message)
    }

    /// Reports a body larger than `limit`, in bytes.
    pub fn body_too_large(limit: usize) -> Error {
        Error::new(Code::BodyTooLarge, format!("The body must be at most {} KiB.", limit / 1024))
    }

    /// Reports a body that does not have one of the `accepted` media types.
    pub fn unsupported_media_type(accepted: &[&str]) -> Error {
        let message = format!("The Content-Type of the body must be {}.", accepted.join(" or "));
        Error::new(Code::UnsupportedMediaType, message)
    }

    /// Reports a cursor that was not issued for this list with these filters and this order.
    pub fn invalid_cursor() -> Error {
        let message = "The cursor is not valid for this list, these filters and this order. Start \
                       again without a cursor.";
        Error::new(Code::InvalidCursor, message).detail(
            "?cursor",
            "must come from the previous page of the same list, with the same filters and order",
            &[],
        )
    }

    /// Reports an event without claims that API Gateway has verified.
    pub fn unauthenticated() -> Error {
        let message = "The request has no verified access token. Send one in the Authorization \
                       header.";
        Error::new(Code::Unauthenticated, message)
    }

    /// Reports a token whose claim of the tenant is missing or malformed.
    pub fn no_tenant(claim: &str) -> Error {
        let message = format!(
            "The access token has no valid tenant in its claim `{claim}`. The tenant must be 1 to \
             128 characters of A-Z a-z 0-9 . _ : @ -"
        );
        Error::new(Code::NoTenant, message)
    }

    /// Reports a token that grants none of these permissions. Any one of them is enough.
    pub fn insufficient_permissions(any_of: &[&str]) -> Error {
        let message = format!("The access token must grant {}.", any_of.join(" or "));
        Error::new(Code::InsufficientPermissions, message).detail(
            "Authorization",
            "must carry an access token with one of the listed permissions",
            &[("permissions", any_of.into())],
        )
    }

    /// Reports a missing customer. A customer of another tenant is reported in the same words.
    pub fn customer_not_found() -> Error {
        Error::new(Code::CustomerNotFound, "The customer does not exist in this tenant.")
    }

    /// Reports a missing session. A session of another tenant is reported in the same words.
    pub fn session_not_found() -> Error {
        Error::new(Code::SessionNotFound, "The session does not exist in this tenant.")
    }

    /// Reports that the customer exists and has no organization.
    pub fn organization_not_found() -> Error {
        let message = "The customer has no organization. Create it with PUT \
                       /customers/{id}/organization.";
        Error::new(Code::OrganizationNotFound, message)
    }

    /// Reports that the customer exists and has no alert with this id.
    pub fn alert_not_found() -> Error {
        let message = "The customer has no alert with this id. List its alerts with GET \
                       /customers/{id}/alerts.";
        Error::new(Code::AlertNotFound, message)
    }

    /// Reports that the customer exists and has no monitor, not even one that is off.
    pub fn not_monitored() -> Error {
        let message = "The customer has no monitor. Start monitoring with POST \
                       /customers/{id}/monitor.";
        Error::new(Code::NotMonitored, message)
    }

    /// Reports that the customer is inactive and accepts no sessions and no monitoring.
    pub fn customer_inactive() -> Error {
        let message = "The customer is inactive. Set its status to active first.";
        Error::new(Code::CustomerInactive, message)
    }

    /// Reports that the customer is blocked and accepts no sessions and no monitoring.
    pub fn customer_blocked() -> Error {
        let message = "The customer is blocked. Set its status to active first.";
        Error::new(Code::CustomerBlocked, message)
    }

    /// Reports that the customer is a tombstone, which cannot change.
    pub fn customer_erased() -> Error {
        let message = "The customer was erased. It can be read, but not changed.";
        Error::new(Code::CustomerErased, message)
    }

    /// Reports that the customer cannot be erased yet. `until` is the last day of the hold.
    pub fn retention_hold(until: &str, reason: Option<&str>) -> Error {
        let message = format!(
            "The customer must be retained until {until}, including that day. Erase it afterwards."
        );
        let more = [("retain_until", until.into()), ("retain_reason", reason.into())];
        Error::new(Code::RetentionHold, message).detail(
            "/retain_until",
            "must be in the past",
            &more,
        )
    }

    /// Reports that the `client_id` in `field` belongs to the customer `existing`.
    pub fn customer_already_exists(field: &str, existing: &impl fmt::Display) -> Error {
        let message = "Another customer already has this client_id. Its id is in details.";
        Error::new(Code::CustomerAlreadyExists, message).detail(
            field,
            "must be unique within the tenant",
            &[("customer_id", existing.to_string().into())],
        )
    }

    /// Reports that a customer, session or alert (`what`) cannot change its status from `from` to
    /// `to`. `hint` is empty, or continues the sentence with what the caller can do.
    pub fn invalid_transition(what: &str, from: &str, to: &str, hint: &str) -> Error {
        let message = format!("A {what} cannot change from {from} to {to}{hint}.");
        Error::new(Code::InvalidTransition, message).detail(
            "/status",
            "must be reachable from the current status",
            &[("status", from.into())],
        )
    }

    /// Reports that a session with a final status accepts no validations.
    pub fn session_is_final(status: &str) -> Error {
        let message = format!(
            "The session is {status} and accepts no more validations. Create a new session."
        );
        Error::new(Code::InvalidTransition, message).detail(
            "/validations",
            "must not be added in the current status",
            &[("status", status.into())],
        )
    }

    /// Reports that `If-Match` does not contain the current version, or that the resource does not
    /// exist yet (`None`).
    pub fn version_mismatch(current: Option<u64>) -> Error {
        let message = match current {
            Some(current) => format!(
                "If-Match must contain the current version, \"{current}\", as a strong entity tag. \
                 Read the resource again before you repeat the change."
            ),
            None => {
                "If-Match must not be given, because the resource does not exist yet.".to_owned()
            }
        };
        let more: Vec<_> = current.map(|current| ("version", current.into())).into_iter().collect();
        let issue = "must match the current version";
        Error::new(Code::VersionMismatch, message).detail("If-Match", issue, &more)
    }

    /// Reports a key that belongs to a request with other content.
    pub fn idempotency_key_reused() -> Error {
        let message = "This Idempotency-Key was used for a different request in the last 24 hours. \
                       Use a new key.";
        Error::new(Code::IdempotencyKeyReused, message)
    }

    /// Reports that the first request with the key has not ended.
    pub fn request_in_progress() -> Error {
        let message = "A request with this Idempotency-Key is still in progress. Try again later.";
        Error::new(Code::RequestInProgress, message)
    }

    /// Reports a structure that cannot be drawn. It is still available in the other media types.
    pub fn cannot_be_drawn(why: String) -> Error {
        let mut faults = Faults::default();
        let issue = format!("must not ask for a drawing, because {why}; ask for JSON or Mermaid");
        faults.add("Accept", issue);
        faults.into()
    }

    /// Reports a failure of the service. `cause` is for the log and must not contain personal data.
    pub fn internal(cause: impl Into<String>) -> Error {
        let message = "An internal error occurred. Quote the request id when you report it.";
        Error { cause: Some(cause.into()), ..Error::new(Code::InternalError, message) }
    }

    /// Reports that a customer cannot be screened, because the watchlists cannot be read. `cause`
    /// is for the log.
    pub fn lists_unavailable(cause: impl Into<String>) -> Error {
        let message = "The watchlists cannot be read at the moment. Try again later.";
        Error { cause: Some(cause.into()), ..Error::new(Code::StoreUnavailable, message) }
    }

    /// Reports that the table cannot be reached or throttles, or that a change lost against others
    /// too often. `cause` is for the log.
    pub fn store_unavailable(cause: impl Into<String>) -> Error {
        let message =
            "The service is overloaded or its database cannot be reached. Try again later.";
        Error { cause: Some(cause.into()), ..Error::new(Code::StoreUnavailable, message) }
    }
}

/// Shows what a caller may read. The cause stays out: see [`Error::cause`].
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Collects the faults of one request, so that all of them are reported together.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Detail>);

impl Faults {
    /// Records that `field` breaks a rule. `issue` continues a sentence that starts with the field.
    pub fn add(&mut self, field: impl Into<String>, issue: impl Into<String>) {
        self.0.push(Detail { field: field.into(), issue: issue.into(), more: BTreeMap::new() });
    }

    /// Returns whether the request has no fault so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a fault of this field is recorded.
    pub fn names(&self, field: &str) -> bool {
        self.0.iter().any(|fault| fault.field == field)
    }
}

impl From<Faults> for Error {
    fn from(faults: Faults) -> Error {
        let count = faults.0.len();
        let message = match faults.0.as_slice() {
            [only] => {
                let place = if only.field.is_empty() { "the body" } else { &only.field };
                format!("The request is not valid: {place} {}.", only.issue)
            }
            _ if count <= MAX_DETAILS => {
                format!("The request is not valid. details lists its {count} faults.")
            }
            _ => format!(
                "The request is not valid. details lists the first {MAX_DETAILS} of its {count} \
                 faults."
            ),
        };
        let details = faults.0.into_iter().take(MAX_DETAILS).collect();
        Error { details, ..Error::new(Code::ValidationError, message) }
    }
}

/// Returns the message of an error and of its sources, joined by `: `. `Debug` is not used because
/// it would show whole rows of the table.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
