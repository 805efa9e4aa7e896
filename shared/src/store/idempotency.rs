//! `Idempotency-Key`: one key, one effect, one answer, for 24 hours.
//!
//! A record is put before the work begins and completed in the transaction that does the work.
//! A function that dies in between leaves a record whose lease runs out, and nothing else.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::TenantTable;
use super::call::{Rule, Write, unavailable_or_internal};
use super::expression::Expression;
use super::item::{self, Item};
use super::keys::Key;
use crate::deadline;
use crate::error::{Code, Error};
use crate::http::{IdempotencyKey, Response, status};
use crate::model::id::CustomerId;
use crate::model::time::Timestamp;

/// How long a key is remembered.
const KEPT_MILLIS: i64 = 24 * 3_600 * 1_000;
/// Longer than a function may run: who holds a lease past this is dead.
const LEASE_MILLIS: i64 = 60_000;
/// Where the event of a change says which answer was kept for it.
pub const KEPT_ANSWER: &str = "kept_answer";
/// What is left of a request's time to free its key when the work takes too long.
pub const FREE_TIME: Duration = Duration::from_secs(2);

/// The right to do the work of a key, and to keep its answer.
#[derive(Clone)]
pub struct Replay {
    operation: &'static str,
    key: IdempotencyKey,
    owner: String,
}

impl Replay {
    /// What tells the record from the others of its tenant. Not the key itself, which may say whom it
    /// was chosen for, and stays with the event.
    fn place(&self) -> String {
        let digest = Sha256::digest(self.key.as_str());
        let half = digest.first_chunk::<16>().map(|half| URL_SAFE_NO_PAD.encode(half));
        format!("{}#{}", self.operation, half.unwrap_or_default())
    }

    /// Of the validated request: what a client serialises differently the second time is still the
    /// same. With the key, so that nobody finds out the request by trying.
    fn fingerprint(&self, request: &impl Serialize) -> Result<String, Error> {
        let request = serde_json::to_vec(request)
            .map_err(|error| Error::internal(format!("fingerprint: {error}")))?;
        // No key has a line end.
        let digest = Sha256::new_with_prefix(self.key.as_str()).chain_update("\n");
        let digest = digest.chain_update(request).finalize();
        Ok(hex::encode(digest))
    }
}

impl TenantTable<'_> {
    /// Does `work` once per key. `request` is what must be the same for a replay.
    pub async fn once<F>(
        &self,
        operation: &'static str,
        key: Option<IdempotencyKey>,
        request: &impl Serialize,
        now: Timestamp,
        work: impl FnOnce(Option<Replay>) -> F,
    ) -> Result<Response, Error>
    where
        F: Future<Output = Result<Response, Error>>,
    {
        let Some(key) = key else {
            return work(None).await;
        };
        let owner = self.table.ids.at(now).to_string();
        let replay = Replay { operation, key, owner };
        match self.begin(&replay, request, now).await {
            Ok(None) => {}
            Ok(Some(answer)) => return Ok(answer.replayed()),
            Err(error) => {
                // The record may have been written all the same.
                if is_open(&error) {
                    self.free(&replay).await;
                }
                return Err(error);
            }
        }
        let result = deadline::leaving(FREE_TIME, work(Some(replay.clone()))).await;
        let result = result.and_then(|done| done);
        match &result {
            Ok(_) => {}
            Err(error) if is_open(error) || error.code == Code::RetentionHold => {
                // A hold ends by itself, and its reason may be personal data.
                self.free(&replay).await;
            }
            Err(error) => self.keep_refusal(&replay, error).await,
        }
        result
    }

    /// Takes the key, or returns the answer it has already.
    async fn begin(
        &self,
        replay: &Replay,
        request: &impl Serialize,
        now: Timestamp,
    ) -> Result<Option<Response>, Error> {
        let fingerprint = replay.fingerprint(request)?;
        let (kept_until, lease_until) = (now.millis() + KEPT_MILLIS, now.millis() + LEASE_MILLIS);
        // The table removes by whole seconds, some time later: what counts is `kept_until`.
        let ttl = kept_until / 1_000 + 1;
        let mut record = self.key(replay).attributes();
        for (attribute, value) in [
            ("type", AttributeValue::S("idempotency".to_owned())),
            ("fingerprint", AttributeValue::S(fingerprint.clone())),
            ("owner", AttributeValue::S(replay.owner.clone())),
            ("kept_until", AttributeValue::N(kept_until.to_string())),
            ("lease_until", AttributeValue::N(lease_until.to_string())),
            ("ttl", AttributeValue::N(ttl.to_string())),
        ] {
            record.insert(attribute.to_owned(), value);
        }
        let mut e = Expression::default();
        let condition = format!(
            "attribute_not_exists(pk) OR {} <= {} OR ({} < {} AND attribute_not_exists({}) AND {} = {})",
            e.name("kept_until"),
            e.number(now.millis()),
            e.name("lease_until"),
            e.number(now.millis()),
            e.name("answer"),
            e.name("fingerprint"),
            e.text(fingerprint.clone()),
        );
        let (names, values) = e.into_parts();
        let put = self.table.client.put_item().table_name(&self.table.name).set_item(Some(record));
        let put = put
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else {
            return Ok(None);
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                let record = refused.item().cloned().unwrap_or_default();
                // A retry of the SDK whose first attempt was written but not answered.
                if item::text(&record, "owner") == Some(replay.owner.as_str()) {
                    return Ok(None);
                }
                kept_answer(&record, &fingerprint).map(Some)
            }
            // The first request with this key is writing its answer at this moment.
            Some(PutItemError::TransactionConflictException(_)) => {
                Err(Error::request_in_progress())
            }
            _ => Err(unavailable_or_internal("PutItem", &error)),
        }
    }

    /// Keeps the answer, in the transaction that does the work. The event of the change says where,
    /// so that who erases the customer finds it.
    pub(super) fn keep_answer(
        &self,
        replay: Option<&Replay>,
        response: &Response,
        writes: &mut Vec<Write>,
    ) -> Result<(), Error> {
        let Some(replay) = replay else {
            return Ok(());
        };
        if let Some(event) = writes.iter_mut().find_map(Write::event) {
            event.insert(KEPT_ANSWER.to_owned(), AttributeValue::S(replay.place()));
        }
        let mut e = Expression::default();
        let update = keeping(&mut e, response)?;
        let condition = format!("{} = {}", e.name("owner"), e.text(replay.owner.clone()));
        writes.push(self.update(Rule::Answer, self.key(replay), update, condition, e)?);
        Ok(())
    }

    /// Whoever asks with the key of an answer that was kept is told that the customer was erased.
    /// A key that was used anew since has an answer that tells of another one.
    pub(super) async fn erase_answer(&self, id: &CustomerId, place: &str) -> Result<(), Error> {
        let kept = self.keys.idempotency(place).attributes();
        let mut e = Expression::default();
        let update = keeping(&mut e, &Response::of_error(&Error::customer_erased())?)?;
        let condition = format!("contains({}, {})", e.name("answer"), e.text(tells_of(id)));
        let (names, values) = e.into_parts();
        let request = self.table.client.update_item().table_name(&self.table.name);
        let request = request.set_key(Some(kept)).update_expression(update);
        let request = request.condition_expression(condition);
        let request = request.set_expression_attribute_names(names);
        let Err(error) = request.set_expression_attribute_values(values).send().await else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(unavailable_or_internal("UpdateItem", &error)),
        }
    }

    fn key(&self, replay: &Replay) -> Key {
        self.keys.idempotency(&replay.place())
    }

    /// Frees the key for another try, after an error that leaves the outcome open. If this fails
    /// too, the lease runs out.
    async fn free(&self, replay: &Replay) {
        let key = self.key(replay).attributes();
        let mut e = Expression::default();
        let condition = unanswered_and_mine(&mut e, replay);
        let (names, values) = e.into_parts();
        let delete = self.table.client.delete_item().table_name(&self.table.name);
        let delete = delete.set_key(Some(key)).condition_expression(condition);
        let delete = delete.set_expression_attribute_names(names);
        let _ = delete.set_expression_attribute_values(values).send().await;
    }

    /// A refusal is the answer to a key, as a success is. If this fails, the lease runs out.
    async fn keep_refusal(&self, replay: &Replay, error: &Error) {
        let key = self.key(replay).attributes();
        let mut e = Expression::default();
        let condition = unanswered_and_mine(&mut e, replay);
        let Ok(update) = Response::of_error(error).and_then(|answer| keeping(&mut e, &answer))
        else {
            return;
        };
        let (names, values) = e.into_parts();
        let request = self.table.client.update_item().table_name(&self.table.name);
        let request = request.set_key(Some(key)).update_expression(update);
        let request = request.condition_expression(condition);
        let request = request.set_expression_attribute_names(names);
        let _ = request.set_expression_attribute_values(values).send().await;
    }
}

/// Whether an error leaves it open what became of the request.
fn is_open(error: &Error) -> bool {
    status(error.code).0.is_server_error()
}

fn unanswered_and_mine(e: &mut Expression, replay: &Replay) -> String {
    let (owner, answer) = (e.name("owner"), e.name("answer"));
    format!("{owner} = {} AND attribute_not_exists({answer})", e.text(replay.owner.clone()))
}

fn keeping(e: &mut Expression, response: &Response) -> Result<String, Error> {
    let answer = serde_json::to_string(response)
        .map_err(|error| Error::internal(format!("replay: {error}")))?;
    Ok(format!("SET {} = {} REMOVE {}", e.name("answer"), e.text(answer), e.name("lease_until")))
}

fn kept_answer(record: &Item, fingerprint: &str) -> Result<Response, Error> {
    if item::text(record, "fingerprint") != Some(fingerprint) {
        return Err(Error::idempotency_key_reused());
    }
    let answer = item::text(record, "answer").ok_or_else(Error::request_in_progress)?;
    // The answer holds personal data, so the parser's message is not for the log.
    serde_json::from_str(answer).map_err(|_| Error::internal("a kept answer does not read"))
}

/// Quotes in what a caller wrote are escaped, so it cannot pass for this.
fn tells_of(id: &CustomerId) -> String {
    format!(r#""customer_id":"{id}""#)
}
