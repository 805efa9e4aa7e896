//! `Idempotency-Key`: one key, one effect, one answer, for 24 hours.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;

use super::deadline;
use crate::error::{Code, Error};
use crate::http::{Response, status};
use crate::model::idempotency::IdempotencyKey;
use crate::model::time::Timestamp;
use crate::store::{Replay, TenantTable};

/// Time reserved at the end of a request to free its key if the work takes too long.
pub const FREE_TIME: Duration = Duration::from_secs(2);

/// Does `work` once per key. A repetition of the same `request` gets the stored answer. Without a key
/// the work is done every time.
///
/// `work` stores its own answer in the transaction of its change. This function stores an error as
/// the answer, unless a repetition may succeed.
///
/// # Errors
/// `IdempotencyKeyReused` when the key belongs to another request, `RequestInProgress` while the
/// first request with the key is running, the error of `work`, `StoreUnavailable`.
pub async fn once<F>(
    table: &TenantTable<'_>,
    operation: &'static str,
    key: Option<IdempotencyKey>,
    request: &impl Serialize,
    now: Timestamp,
    work: impl FnOnce(Option<Replay>) -> F,
) -> Result<Response, Error>
where
    F: Future<Output = Result<Response, Error>>,
{
    let read_again = async |_| Err(Error::internal("a stored answer has no content"));
    once_or_again(table, operation, key, request, now, work, read_again).await
}

/// Does `work` once per key, as [`once`] does. `read_again` makes the response of a stored answer that
/// has no content, because `work` changed nothing or the content is too large for a record. It gets
/// the version in the answer.
///
/// # Errors
/// The errors of [`once`] and of `read_again`.
pub async fn once_or_again<F, G>(
    table: &TenantTable<'_>,
    operation: &'static str,
    key: Option<IdempotencyKey>,
    request: &impl Serialize,
    now: Timestamp,
    work: impl FnOnce(Option<Replay>) -> F,
    read_again: impl FnOnce(Option<u64>) -> G,
) -> Result<Response, Error>
where
    F: Future<Output = Result<Response, Error>>,
    G: Future<Output = Result<Response, Error>>,
{
    let Some(key) = key else {
        return work(None).await;
    };
    let replay = table.replay(operation, key, now);
    match table.take_key(&replay, request, now).await {
        Ok(None) => {}
        Ok(Some(answer)) if answer.has_content() => return Ok(Response::from(answer).replayed()),
        Ok(Some(answer)) => {
            let response = read_again(answer.version()).await?;
            return Ok(response.with_outcome_of(&answer).replayed());
        }
        Err(error) => {
            // The record may have been written in spite of the error.
            if is_open(&error) {
                table.free_key(&replay).await;
            }
            return Err(error);
        }
    }
    let result = deadline::leaving(FREE_TIME, work(Some(replay.clone()))).await;
    let result = result.and_then(|result| result);
    if let Err(error) = &result {
        settle(table, &replay, error).await;
    }
    result
}

/// Stores a refusal as the answer, or frees the key when a repetition may succeed.
async fn settle(table: &TenantTable<'_>, replay: &Replay, error: &Error) {
    // The refusal to erase a retained customer is not stored, because the retention ends
    // eventually, and the refusal to erase an active one asks the caller to deactivate it. The
    // reason of a hold may also contain personal data. A missing permission is not
    // stored either, because another caller, or the same one later, may have the permission. A
    // request that is not valid does not use its key.
    let may_change = matches!(
        error.code,
        Code::RetentionHold
            | Code::RetentionPeriod
            | Code::CustomerNotInactive
            | Code::InsufficientPermissions
            | Code::ValidationError
    );
    if is_open(error) || may_change {
        table.free_key(replay).await;
    } else if let Ok(response) = Response::of_error(error) {
        table.store_refusal(replay, response.answer()).await;
    }
}

/// Returns whether an error leaves the outcome of the request open. Every 5xx does.
fn is_open(error: &Error) -> bool {
    status(error.code).0.is_server_error()
}
