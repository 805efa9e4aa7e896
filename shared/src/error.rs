//! The error type of the API and the faults of a request.
//!
//! An [`Error`] contains the texts that the caller reads and a separate cause that is only logged.
//! The module `http` converts an error into a response. The layers below `http` work with error
//! codes and do not know status codes.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// Maximum number of entries in `details`. Without this limit, a body with many unknown fields
/// would cause an answer many times the size of the body.
const MAX_DETAILS: usize = 100;
/// JSON Pointer to the field with the reason to erase a customer before its retention has ended.
const OVERRIDE_REASON: &str = "/override_reason";

/// Machine-readable code of an error. `http::status` maps each code to a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// A field, query parameter or header is not valid. `details` lists the faults, at most 100.
    ValidationError,
    /// The body is not valid JSON.
    MalformedJson,
    /// The cursor does not belong to this list, its filters and its order.
    InvalidCursor,
    /// The body exceeds the limit of the route.
    BodyTooLarge,
    /// The `Content-Type` of the body is not accepted by the route.
    UnsupportedMediaType,
    /// The body is compressed or encoded in another way.
    UnsupportedContentEncoding,
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
    /// Another customer of the tenant has the same `client_id`. `details` contains the id of that
    /// customer.
    CustomerAlreadyExists,
    /// The customer is inactive and accepts no sessions and no monitoring.
    CustomerInactive,
    /// The customer is blocked and accepts no sessions and no monitoring.
    CustomerBlocked,
    /// The personal data of the customer was erased. The remaining tombstone cannot change.
    CustomerErased,
    /// The customer must be retained until `retain_until` and cannot be erased yet.
    RetentionHold,
    /// The customer is not inactive, so its retention period has not begun. Without a reason to
    /// override the period, it cannot be erased.
    CustomerNotInactive,
    /// The retention period of the customer has not ended. Without a reason to override the period,
    /// it cannot be erased yet.
    RetentionPeriod,
    /// The requested status is not reachable from the current status.
    InvalidTransition,
    /// The `Idempotency-Key` was used for a different request in the last 24 hours.
    IdempotencyKeyReused,
    /// Another request with the same `Idempotency-Key` is in progress.
    RequestInProgress,
    /// `If-Match` or `If-None-Match` does not allow the change of the current version.
    VersionMismatch,
    /// The tenant sent more requests of a class of routes than its limit allows.
    TooManyRequests,
    /// The customer could not be screened within the time limit of a request. The request had no
    /// effect.
    ScreeningTimeout,
    /// The service failed. The cause is logged.
    InternalError,
    /// The database is not available, or a change lost too many times against concurrent changes.
    /// The request can be repeated.
    StoreUnavailable,
    /// The customer must be screened, but no watchlist is loaded yet or one cannot be read. The
    /// request can be repeated.
    ListsUnavailable,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One entry of `details`: a fault and its place in the request.
#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    /// Place of the fault: a JSON Pointer (RFC 6901) into the body, `?name` for a query parameter,
    /// or the name of a header. The empty pointer is the whole body.
    pub field: String,
    /// The rule that the field breaks, as the end of a sentence that starts with the field: "must
    /// be ...".
    pub issue: String,
    /// Further members for programs, such as `version` or `customer_id`.
    #[serde(flatten)]
    pub more: BTreeMap<&'static str, Value>,
}

/// An error that the API returns.
#[derive(Debug)]
pub struct Error {
    /// Code of the error, for programs.
    pub code: Code,
    /// Explanation of the error, for people. It must not contain personal data.
    pub message: String,
    /// Faults of the request, or facts about the refusal. At most 100 entries.
    pub details: Vec<Detail>,
    /// Number of seconds that the caller should wait before it repeats the request, if a repetition
    /// may succeed.
    pub retry_after: Option<u32>,
    /// Cause of a failure of the service, for the log.
    cause: Option<String>,
}

impl Error {
    fn new(code: Code, message: impl Into<String>) -> Error {
        let retry_after = match code {
            Code::StoreUnavailable => Some(1),
            Code::ScreeningTimeout | Code::ListsUnavailable => Some(60),
            _ => None,
        };
        Error { code, message: message.into(), details: Vec::new(), retry_after, cause: None }
    }

    fn detail(mut self, field: &str, issue: &str, more: &[(&'static str, Value)]) -> Error {
        let more = more.iter().cloned().collect();
        self.details.push(Detail { field: field.to_owned(), issue: issue.to_owned(), more });
        self
    }

    /// Returns the cause of a failure of the service, for the log only. The cause must not contain
    /// personal data.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// Returns whether the same request can succeed later, when the database and the watchlists are
    /// available.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.code, Code::StoreUnavailable | Code::ListsUnavailable)
    }

    /// Returns the cause or, if there is none, the message. The text is for an operator.
    pub fn reason(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.message)
    }

    /// Reports a body that is not valid JSON. `line` is counted from 1, and `why` is the reason.
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

    /// Reports a body with a `Content-Encoding` other than `identity`.
    pub fn unsupported_content_encoding() -> Error {
        let message = "The body must not have a Content-Encoding. Send it uncompressed.";
        Error::new(Code::UnsupportedContentEncoding, message)
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

    /// Reports a request without claims that API Gateway has verified.
    pub fn unauthenticated() -> Error {
        let message = "The request has no verified access token. Send one in the Authorization \
                       header.";
        Error::new(Code::Unauthenticated, message)
    }

    /// Reports a token that is not an access token, such as an ID token.
    pub fn not_an_access_token() -> Error {
        let message = "The token is not an access token: its claim `token_use` must be `access`. \
                       Send the access token instead.";
        Error::new(Code::Unauthenticated, message)
    }

    /// Reports a token without a valid tenant. `claim` is the name of the claim that must contain
    /// the tenant, or several names joined by `or`.
    pub fn no_tenant(claim: &str) -> Error {
        let message = format!(
            "The access token has no valid tenant in its claim `{claim}`. The tenant must be 1 to \
             128 characters of A-Z a-z 0-9 . _ : @ -"
        );
        Error::new(Code::NoTenant, message)
    }

    /// Reports a token that grants none of the permissions in `any_of`. Any one of them would be
    /// enough.
    pub fn insufficient_permissions(any_of: &[&str]) -> Error {
        let message = format!("The access token must grant {}.", any_of.join(" or "));
        Error::new(Code::InsufficientPermissions, message).detail(
            "Authorization",
            "must carry an access token with one of the listed permissions",
            &[("permissions", any_of.into())],
        )
    }

    /// Reports that the customer does not exist. A customer of another tenant causes the same
    /// error.
    pub fn customer_not_found() -> Error {
        Error::new(Code::CustomerNotFound, "The customer does not exist in this tenant.")
    }

    /// Reports that the session does not exist. A session of another tenant causes the same error.
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

    /// Reports that the customer exists and has no monitor. A monitor that is off does not
    /// cause this error.
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

    /// Reports that the customer was erased and cannot change.
    pub fn customer_erased() -> Error {
        let message = "The customer was erased. It can be read, but not changed.";
        Error::new(Code::CustomerErased, message)
    }

    /// Reports that the customer cannot be erased yet. `until` is the last day of the hold, and
    /// `reason` is the customer's `retain_reason`.
    pub fn retention_hold(until: &str, reason: Option<&str>) -> Error {
        // The message does not contain the date, because a caller that may not read gets it too.
        let message = "The customer must be retained up to and including its retain_until. Erase \
                       it afterwards.";
        let more = [("retain_until", until.into()), ("retain_reason", reason.into())];
        Error::new(Code::RetentionHold, message).detail(
            "/retain_until",
            "must be in the past",
            &more,
        )
    }

    /// Reports that the customer cannot be erased, because it has this status and is not inactive.
    pub fn customer_not_inactive(status: &str) -> Error {
        let message = format!(
            "The customer is {status}, so its retention period has not begun. Deactivate it with \
             DELETE /customers/{{id}} and erase it after the period, or send an override_reason to \
             erase it now."
        );
        Error::new(Code::CustomerNotInactive, message).detail(
            OVERRIDE_REASON,
            "must be given while the customer is not inactive",
            &[("status", status.into())],
        )
    }

    /// Reports that the customer cannot be erased yet. `until` is the last day of its retention
    /// period.
    pub fn retention_period(until: &str) -> Error {
        // The message does not contain the date, because a caller that may not read gets it too.
        let message = "The customer must be retained until its retention period, which began with \
                       its deactivation, has ended. Erase it afterwards, or send an \
                       override_reason to erase it now.";
        Error::new(Code::RetentionPeriod, message).detail(
            OVERRIDE_REASON,
            "must be given during the retention period",
            &[("retain_until", until.into())],
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
    /// `to`. `hint` is empty or ends the sentence with advice for the caller.
    pub fn invalid_transition(what: &str, from: &str, to: &str, hint: &str) -> Error {
        let message = format!("A {what} cannot change from {from} to {to}{hint}.");
        Error::new(Code::InvalidTransition, message).detail(
            "/status",
            "must be reachable from the current status",
            &[("status", from.into())],
        )
    }

    /// Reports that a session with the final status `status` accepts no validations.
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

    /// Reports that `If-Match` does not match the version `current`. `None` means that the resource
    /// does not exist yet.
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

    /// Reports that `If-Match` contains the version `current`, but in a weak entity tag.
    pub fn weak_entity_tag(current: u64) -> Error {
        let message = format!(
            "If-Match must contain a strong entity tag. A proxy has weakened the tag, probably \
             because it compresses answers: send \"{current}\" without W/."
        );
        let more = [("version", current.into())];
        let issue = "must be a strong entity tag, without W/";
        Error::new(Code::VersionMismatch, message).detail("If-Match", issue, &more)
    }

    /// Reports that a request with `If-None-Match: *`, which allows only a creation, is about a
    /// resource that exists already, at the version `current`.
    pub fn already_exists(current: u64) -> Error {
        let message = format!(
            "The resource exists already, at version \"{current}\", and If-None-Match allows only \
             its creation. Send If-Match instead to replace it."
        );
        let more = [("version", current.into())];
        let issue = "must not be * if the resource exists";
        Error::new(Code::VersionMismatch, message).detail("If-None-Match", issue, &more)
    }

    /// Reports that the `Idempotency-Key` was used for a different request in the last 24 hours.
    pub fn idempotency_key_reused() -> Error {
        let message = "This Idempotency-Key was used for a different request in the last 24 hours. \
                       Use a new key.";
        Error::new(Code::IdempotencyKeyReused, message)
    }

    /// Reports that the first request with the `Idempotency-Key` has not ended.
    pub fn request_in_progress() -> Error {
        let message = "A request with this Idempotency-Key is still in progress. Try again later.";
        Error::new(Code::RequestInProgress, message)
    }

    /// Reports that a structure cannot be drawn. `why` is the reason. The caller can still request
    /// the structure as JSON or Mermaid.
    pub fn cannot_be_drawn(why: String) -> Error {
        let mut faults = Faults::default();
        let issue = format!("must not ask for a drawing, because {why}");
        faults.add("Accept", issue);
        faults.into()
    }

    /// Reports a failure of the service. `cause` is for the log and must not contain personal data.
    pub fn internal(cause: impl Into<String>) -> Error {
        let message = "An internal error occurred. Quote the request id when you report it.";
        Error { cause: Some(cause.into()), ..Error::new(Code::InternalError, message) }
    }

    /// Reports that a customer cannot be screened because no watchlist was loaded yet. This is the
    /// state of a new stack, not a failure, so the error has no cause.
    pub fn lists_not_loaded() -> Error {
        let message = "No watchlist is loaded yet. Try again later, or load the watchlists.";
        Error::new(Code::ListsUnavailable, message)
    }

    /// Reports that a customer cannot be screened because a watchlist cannot be read. `cause` is for
    /// the log.
    pub fn lists_unavailable(cause: impl Into<String>) -> Error {
        let message = "The watchlists cannot be read at the moment. Try again later.";
        Error { cause: Some(cause.into()), ..Error::new(Code::ListsUnavailable, message) }
    }

    /// Reports that the tenant has no token left. The next one is available in `seconds`.
    pub fn too_many_requests(seconds: u32) -> Error {
        let message = format!(
            "Your tenant has reached its limit for requests of this kind. Try again in {seconds} s."
        );
        let error = Error::new(Code::TooManyRequests, message);
        Error { retry_after: Some(seconds), ..error }
    }

    /// Reports that the screening of a customer with this number of subjects reached its time limit.
    /// A release with a slow matcher causes this error for many customers, so it counts as a failure.
    pub fn screening_timeout(subjects: u32) -> Error {
        let message = format!(
            "Screening this customer takes too long for a request: {subjects} names must be \
             compared. Try again later. If the error persists, shorten the organization, or monitor \
             the customer without related parties."
        );
        let cause = format!("screening {subjects} names reached the time limit");
        Error { cause: Some(cause), ..Error::new(Code::ScreeningTimeout, message) }
    }

    /// Reports that the table cannot be reached, that it throttles requests, or that a change lost
    /// too many times against concurrent changes. `cause` is for the log.
    pub fn store_unavailable(cause: impl Into<String>) -> Error {
        let message =
            "The service is overloaded or its database cannot be reached. Try again later.";
        Error { cause: Some(cause.into()), ..Error::new(Code::StoreUnavailable, message) }
    }
}

/// Writes the message, which the caller may read. The cause is left out; see [`Error::cause`].
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The faults of one request. They are collected and reported together.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Detail>);

impl Faults {
    /// Records that `field` breaks a rule. `issue` is the end of a sentence that starts with the
    /// field.
    pub fn add(&mut self, field: impl Into<String>, issue: impl Into<String>) {
        self.0.push(Detail { field: field.into(), issue: issue.into(), more: BTreeMap::new() });
    }

    /// Returns whether no fault is recorded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a fault is recorded for `field`.
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

/// Returns the message of an error and the messages of its sources, joined by `: `. `Debug` is not
/// used, because its output would contain whole rows of the table.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
