//! Maps error codes to status codes.

use lambda_http::http::StatusCode;

use crate::error::Code;

/// Returns the status code and the `type` of an error with the code `code`.
pub fn status(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::ValidationError | Code::MalformedJson | Code::InvalidCursor => {
            (StatusCode::BAD_REQUEST, "ValidationError")
        }
        Code::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "ValidationError"),
        Code::UnsupportedMediaType | Code::UnsupportedContentEncoding => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "ValidationError")
        }
        Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "UnauthorizedError"),
        Code::InsufficientPermissions | Code::NoTenant => (StatusCode::FORBIDDEN, "ForbiddenError"),
        Code::CustomerNotFound
        | Code::SessionNotFound
        | Code::OrganizationNotFound
        | Code::AlertNotFound
        | Code::NotMonitored => (StatusCode::NOT_FOUND, "NotFoundError"),
        Code::CustomerAlreadyExists
        | Code::CustomerInactive
        | Code::CustomerBlocked
        | Code::CustomerErased
        | Code::RetentionHold
        | Code::CustomerNotInactive
        | Code::RetentionPeriod
        | Code::InvalidTransition
        | Code::IdempotencyKeyReused
        | Code::RequestInProgress => (StatusCode::CONFLICT, "ConflictError"),
        Code::VersionMismatch => (StatusCode::PRECONDITION_FAILED, "PreconditionFailedError"),
        Code::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "RateLimitError"),
        Code::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        Code::ScreeningTimeout | Code::StoreUnavailable | Code::ListsUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "UnavailableError")
        }
    }
}
