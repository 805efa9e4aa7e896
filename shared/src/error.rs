//! The one error type: what a caller may read, and apart from it the cause, which is only logged.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A body of nothing but unknown fields must not become an answer many times its size.
const MAX_DETAILS: usize = 100;

/// What went wrong, as a program reads it. `http::status` maps each to a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    ValidationError,
    MalformedJson,
    InvalidCursor,
    BodyTooLarge,
    UnsupportedMediaType,
    Unauthenticated,
    InsufficientPermissions,
    NoTenant,
    CustomerNotFound,
    SessionNotFound,
    OrganizationNotFound,
    AlertNotFound,
    NotMonitored,
    CustomerAlreadyExists,
    CustomerInactive,
    CustomerBlocked,
    CustomerErased,
    RetentionHold,
    InvalidTransition,
    IdempotencyKeyReused,
    RequestInProgress,
    VersionMismatch,
    InternalError,
    StoreUnavailable,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One entry of `details`.
#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    /// A JSON Pointer into the body, `?name` for a query parameter, or a header's name.
    pub field: String,
    pub issue: String,
    #[serde(flatten)]
    pub more: BTreeMap<&'static str, Value>,
}

#[derive(Debug)]
pub struct Error {
    pub code: Code,
    pub message: String,
    pub details: Vec<Detail>,
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

    /// The cause or, without one, the message: what an operator needs to read.
    pub fn reason(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.message)
    }

    pub fn malformed_json(line: usize, column: usize, why: &str) -> Error {
        let message = format!("The body is not valid JSON: {why} at line {line}, column {column}.");
        Error::new(Code::MalformedJson, message)
    }

    pub fn body_too_large(limit: usize) -> Error {
        Error::new(Code::BodyTooLarge, format!("The body is larger than {} KiB.", limit / 1024))
    }

    pub fn unsupported_media_type(accepted: &[&str]) -> Error {
        let message = format!("The Content-Type of the body must be {}.", accepted.join(" or "));
        Error::new(Code::UnsupportedMediaType, message)
    }

    pub fn invalid_cursor() -> Error {
        let message = "This cursor was not made by the same list with the same filters and order.";
        Error::new(Code::InvalidCursor, message).detail(
            "?cursor",
            "does not belong to this list",
            &[],
        )
    }

    pub fn unauthenticated() -> Error {
        let message = "The request carries no verified access token.";
        Error::new(Code::Unauthenticated, message)
    }

    pub fn no_tenant(claim: &str) -> Error {
        let message = format!(
            "The access token names no tenant in its claim `{claim}`: 1 to 128 characters of A-Z a-z 0-9 . _ : @ -"
        );
        Error::new(Code::NoTenant, message)
    }

    pub fn insufficient_permissions(any_of: &[&str]) -> Error {
        let message = format!("This needs one of the permissions {}.", any_of.join(", "));
        Error::new(Code::InsufficientPermissions, message).detail(
            "Authorization",
            "the access token grants none of these permissions",
            &[("permissions", any_of.into())],
        )
    }

    pub fn customer_not_found() -> Error {
        Error::new(Code::CustomerNotFound, "There is no such customer.")
    }

    pub fn session_not_found() -> Error {
        Error::new(Code::SessionNotFound, "There is no such session.")
    }

    pub fn organization_not_found() -> Error {
        Error::new(Code::OrganizationNotFound, "The customer has no organization yet.")
    }

    pub fn alert_not_found() -> Error {
        Error::new(Code::AlertNotFound, "The customer has no such alert.")
    }

    pub fn not_monitored() -> Error {
        Error::new(Code::NotMonitored, "The customer was never monitored.")
    }

    pub fn customer_inactive() -> Error {
        let message = "The customer is inactive: reactivate it first.";
        Error::new(Code::CustomerInactive, message)
    }

    pub fn customer_blocked() -> Error {
        let message = "The customer is blocked: set its status to active first.";
        Error::new(Code::CustomerBlocked, message)
    }

    pub fn customer_erased() -> Error {
        let message = "The customer was erased: what is left of it cannot be changed.";
        Error::new(Code::CustomerErased, message)
    }

    /// `until` is the last day of the hold.
    pub fn retention_hold(until: &str, reason: Option<&str>) -> Error {
        let message = format!("The customer must be kept until {until}.");
        let more = [("retain_until", until.into()), ("retain_reason", reason.into())];
        Error::new(Code::RetentionHold, message).detail("/retain_until", "has not passed", &more)
    }

    pub fn customer_already_exists(field: &str, existing: &impl fmt::Display) -> Error {
        let message = "Another customer has this client_id already.";
        Error::new(Code::CustomerAlreadyExists, message).detail(
            field,
            "is taken",
            &[("customer_id", existing.to_string().into())],
        )
    }

    /// `what` is a customer or a session.
    pub fn invalid_transition(what: &str, from: &str, to: &str, hint: &str) -> Error {
        let message = format!("A {what} cannot go from {from} to {to}{hint}.");
        Error::new(Code::InvalidTransition, message).detail(
            "/status",
            "is not reachable from the current status",
            &[("status", from.into())],
        )
    }

    pub fn session_is_final(status: &str) -> Error {
        let message = format!("The session is {status} and takes no more validations.");
        Error::new(Code::InvalidTransition, message).detail(
            "/validations",
            "cannot be added in the current status",
            &[("status", status.into())],
        )
    }

    pub fn version_mismatch(current: Option<u64>) -> Error {
        let message = match current {
            Some(current) => {
                format!("If-Match does not name the current version, {current}, by a strong tag.")
            }
            None => "If-Match names a version, and there is none yet.".to_owned(),
        };
        let more: Vec<_> = current.map(|current| ("version", current.into())).into_iter().collect();
        let issue = "does not match the current version";
        Error::new(Code::VersionMismatch, message).detail("If-Match", issue, &more)
    }

    pub fn idempotency_key_reused() -> Error {
        let message = "This Idempotency-Key was used for another request in the last 24 hours.";
        Error::new(Code::IdempotencyKeyReused, message)
    }

    pub fn request_in_progress() -> Error {
        let message = "A request with this Idempotency-Key is still running.";
        Error::new(Code::RequestInProgress, message)
    }

    /// The other forms of a resource are there all the same.
    pub fn cannot_be_drawn(why: String) -> Error {
        let mut faults = Faults::default();
        faults.add("Accept", format!("asks for a drawing, and {why}"));
        faults.into()
    }

    pub fn internal(cause: impl Into<String>) -> Error {
        let message = "Something went wrong here. Quote the request id when you report it.";
        Error { cause: Some(cause.into()), ..Error::new(Code::InternalError, message) }
    }

    /// Nobody can be screened now. Why is for the log.
    pub fn lists_unavailable(cause: impl Into<String>) -> Error {
        let message =
            "No watchlist can be read at the moment, so nobody can be screened. Try again.";
        Error { cause: Some(cause.into()), ..Error::new(Code::StoreUnavailable, message) }
    }

    pub fn store_unavailable(cause: impl Into<String>) -> Error {
        let message = "The service is overloaded or its table cannot be reached. Try again.";
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

/// The faults of one request, all of them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Detail>);

impl Faults {
    pub fn add(&mut self, field: impl Into<String>, issue: impl Into<String>) {
        self.0.push(Detail { field: field.into(), issue: issue.into(), more: BTreeMap::new() });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn names(&self, field: &str) -> bool {
        self.0.iter().any(|fault| fault.field == field)
    }
}

impl From<Faults> for Error {
    fn from(faults: Faults) -> Error {
        let all = faults.0.len();
        let message = match (all, faults.0.first()) {
            (1, Some(only)) => format!("The request is not valid: {} {}.", only.field, only.issue),
            (2..=MAX_DETAILS, _) => format!("The request is not valid: {all} faults, see details."),
            _ => format!(
                "The request is not valid: {all} faults, the first {MAX_DETAILS} in details."
            ),
        };
        let details = faults.0.into_iter().take(MAX_DETAILS).collect();
        Error { details, ..Error::new(Code::ValidationError, message) }
    }
}

/// What an error says of itself and its sources. Their `Debug` would show a whole answer of the
/// table, rows and all.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
