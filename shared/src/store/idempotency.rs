//! Records of idempotency keys. A record is written before the work begins, and the answer is added
//! in the transaction that does the work. If a function dies in between, only the record is left,
//! and the same request can take the key again when the record's lease has ended.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::TenantTable;
use super::expression::Expression;
use super::item::{self, Item, ItemKind};
use super::transaction::{Rule, Write, unavailable_or_internal};
use crate::error::Error;
use crate::model::answer::Answer;
use crate::model::id::CustomerId;
use crate::model::idempotency::IdempotencyKey;
use crate::model::time::Timestamp;

/// Lifetime of a record: 24 hours, in milliseconds.
const KEPT_MILLIS: i64 = 24 * 3_600 * 1_000;
/// Lease of a request on its key: 60 seconds, in milliseconds. A function cannot run that long.
const LEASE_MILLIS: i64 = 60_000;
/// Attribute of an event that names the idempotency record with the answer to the request.
pub const ANSWER_RECORD: &str = "kept_answer";

/// The right to do the work for an idempotency key and to store the answer.
#[derive(Clone)]
pub struct Replay {
    operation: &'static str,
    key: IdempotencyKey,
    owner: String,
}

impl Replay {
    /// Returns the name of the record within its tenant: `{operation}#{hash of the key}`. The name
    /// contains a hash because the key may identify a person and the event stores the name.
    #[expect(clippy::expect_used, reason = "the length of a digest is fixed")]
    fn place(&self) -> String {
        let digest = Sha256::digest(self.key.as_str());
        let half = digest.first_chunk::<16>().expect("SHA-256 has 16 bytes because it has 32");
        format!("{}#{}", self.operation, URL_SAFE_NO_PAD.encode(half))
    }

    /// Returns the name of the record as the value of the attribute [`ANSWER_RECORD`].
    pub(super) fn place_attribute(&self) -> AttributeValue {
        AttributeValue::S(self.place())
    }

    /// Returns a hash of the key and the validated request. Because the request is hashed after
    /// validation, a client may serialize a repeated request differently. The key is included so
    /// that the request cannot be guessed from the hash.
    fn fingerprint(&self, request: &impl Serialize) -> Result<String, Error> {
        let request = serde_json::to_vec(request)
            .map_err(|error| Error::internal(format!("fingerprint: {error}")))?;
        // A newline can separate the key from the request, because no key contains one.
        let digest = Sha256::new_with_prefix(self.key.as_str()).chain_update("\n");
        Ok(hex::encode(digest.chain_update(request).finalize()))
    }
}

impl TenantTable<'_> {
    /// Creates the right of a new request to do the work for a key. The right is valid only after
    /// [`take_key`] has returned `None`.
    ///
    /// [`take_key`]: TenantTable::take_key
    pub fn replay(&self, operation: &'static str, key: IdempotencyKey, now: Timestamp) -> Replay {
        Replay { operation, key, owner: self.table.ids.at(now).to_string() }
    }

    /// Takes the key for this request and returns `None`. If the key already has an answer to the
    /// same request, returns the answer.
    ///
    /// # Errors
    /// `IdempotencyKeyReused` when the key belongs to another request, `RequestInProgress` while
    /// the first request with the key is running, `StoreUnavailable`.
    pub async fn take_key(
        &self,
        replay: &Replay,
        request: &impl Serialize,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        let fingerprint = replay.fingerprint(request)?;
        let (kept_until, lease_until) = (now.millis() + KEPT_MILLIS, now.millis() + LEASE_MILLIS);
        // DynamoDB deletes an expired record some time after its `ttl`, so the condition checks
        // `kept_until`.
        let ttl = kept_until / 1_000 + 1;
        let mut record = self.keys.idempotency(&replay.place()).attributes();
        for (attribute, value) in [
            ("type", ItemKind::Idempotency.attribute()),
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
                let record = refused.item();
                let record = record.ok_or_else(|| Error::internal("a record was not returned"))?;
                // The SDK repeated a put whose first attempt was written but not answered.
                if item::text(record, "owner") == Some(replay.owner.as_str()) {
                    return Ok(None);
                }
                stored_answer(record, &fingerprint).map(Some)
            }
            // The first request with this key is writing its answer at this moment.
            Some(PutItemError::TransactionConflictException(_)) => {
                Err(Error::request_in_progress())
            }
            _ => Err(unavailable_or_internal("PutItem", &error)),
        }
    }

    /// Builds the write that stores the answer, for the transaction that does the work.
    pub(super) fn answer_write(
        &self,
        replay: &Replay,
        customer: &CustomerId,
        answer: &Answer,
    ) -> Result<Write, Error> {
        let mut e = Expression::default();
        let owned_by = format!(", {} = {}", e.name("customer_id"), e.text(customer.to_string()));
        let update = set_answer(&mut e, answer, &owned_by)?;
        let condition = format!("{} = {}", e.name("owner"), e.text(replay.owner.clone()));
        self.update(Rule::Answer, self.keys.idempotency(&replay.place()), update, condition, e)
    }

    /// Replaces the answer of a record that belongs to an erased customer. If the key has been used
    /// again since, the record no longer belongs to the customer and stays as it is.
    pub(super) async fn erase_answer(
        &self,
        id: &CustomerId,
        place: &str,
        refusal: &Answer,
    ) -> Result<(), Error> {
        let mut e = Expression::default();
        let update = set_answer(&mut e, refusal, "")?;
        let condition = format!("{} = {}", e.name("customer_id"), e.text(id.to_string()));
        match self.update_record(place, update, condition, e).await {
            Err(RecordError::ConditionFailed) | Ok(()) => Ok(()),
            Err(RecordError::Failed(error)) => Err(error),
        }
    }

    /// Deletes the record of a key that has no answer yet, so that the request can be repeated. If
    /// the deletion fails, the key is free when the lease ends.
    pub async fn free_key(&self, replay: &Replay) {
        let key = self.keys.idempotency(&replay.place()).attributes();
        let mut e = Expression::default();
        let condition = is_unanswered(&mut e, replay);
        let (names, values) = e.into_parts();
        let delete = self.table.client.delete_item().table_name(&self.table.name);
        let delete = delete.set_key(Some(key)).condition_expression(condition);
        let delete = delete.set_expression_attribute_names(names);
        let _ = delete.set_expression_attribute_values(values).send().await;
    }

    /// Stores the answer to a request that made no change, and returns the answer. Does not store
    /// it when the request has no idempotency key.
    ///
    /// The record does not contain the content of the answer: without an event, an erasure of the
    /// customer would not find it. A repetition reads the content again.
    ///
    /// # Errors
    /// `RequestInProgress` when another request holds the key, `StoreUnavailable`.
    pub async fn unchanged(
        &self,
        replay: Option<&Replay>,
        answer: Answer,
    ) -> Result<Answer, Error> {
        let Some(replay) = replay else { return Ok(answer) };
        let mut e = Expression::default();
        let condition = format!("{} = {}", e.name("owner"), e.text(replay.owner.clone()));
        let update = set_answer(&mut e, &answer.without_content(), "")?;
        match self.update_record(&replay.place(), update, condition, e).await {
            Ok(()) => Ok(answer),
            Err(RecordError::ConditionFailed) => Err(Error::request_in_progress()),
            Err(RecordError::Failed(error)) => Err(error),
        }
    }

    /// Stores a refusal as the answer. If the write fails, the key is free when the lease ends.
    pub async fn store_refusal(&self, replay: &Replay, refusal: &Answer) {
        let mut e = Expression::default();
        let condition = is_unanswered(&mut e, replay);
        let Ok(update) = set_answer(&mut e, refusal, "") else { return };
        let _ = self.update_record(&replay.place(), update, condition, e).await;
    }

    async fn update_record(
        &self,
        place: &str,
        update: String,
        condition: String,
        expression: Expression,
    ) -> Result<(), RecordError> {
        let (names, values) = expression.into_parts();
        let request = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(self.keys.idempotency(place).attributes()))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => {
                Err(RecordError::ConditionFailed)
            }
            _ => Err(RecordError::Failed(unavailable_or_internal("UpdateItem", &error))),
        }
    }
}

enum RecordError {
    ConditionFailed,
    Failed(Error),
}

/// Returns a condition that holds while this request has the key and no answer is stored.
fn is_unanswered(e: &mut Expression, replay: &Replay) -> String {
    let (owner, answer) = (e.name("owner"), e.name("answer"));
    format!("{owner} = {} AND attribute_not_exists({answer})", e.text(replay.owner.clone()))
}

/// Returns the update that stores an answer and removes the lease. `more` is appended to its `SET`
/// clause.
fn set_answer(e: &mut Expression, answer: &Answer, more: &str) -> Result<String, Error> {
    let answer = serde_json::to_string(answer)
        .map_err(|error| Error::internal(format!("replay: {error}")))?;
    let (name, text, lease) = (e.name("answer"), e.text(answer), e.name("lease_until"));
    Ok(format!("SET {name} = {text}{more} REMOVE {lease}"))
}

fn stored_answer(record: &Item, fingerprint: &str) -> Result<Answer, Error> {
    if item::text(record, "fingerprint") != Some(fingerprint) {
        return Err(Error::idempotency_key_reused());
    }
    let answer = item::text(record, "answer").ok_or_else(Error::request_in_progress)?;
    // The answer may contain personal data that the parser's message would quote, so the message is
    // not logged.
    serde_json::from_str(answer).map_err(|_| Error::internal("a stored answer is malformed"))
}
