//! Transactions, and the conversion of the SDK's errors.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::TenantTable;
use super::attempts::{Attempts, Cancelled};
use super::expression::Expression;
use super::item::{IS_THERE, Item};
use super::keys::Key;
use crate::error::{Error, chain};

/// One write of a transaction, and the rule that its condition enforces.
#[derive(Clone)]
pub(super) struct Write {
    rule: Rule,
    item: TransactWriteItem,
}

/// The rule that the condition of a write enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The customer is new, still at the version it was read at, or a tombstone to mark as
    /// scrubbed.
    Customer,
    /// The client id is not taken and is claimed, or is taken and is released.
    Claim,
    /// The session is new, or exists and is changed.
    Session,
    /// The organization is new, or exists and is replaced or deleted.
    Organization,
    /// The monitor is new, or exists and is changed or deleted.
    Monitor,
    /// The alert is new, or exists and is changed.
    Alert,
    /// The risk profile is new, or exists and is erased.
    Profile,
    /// The event is new, or exists and is erased.
    Event,
    /// The erasure begins and is not among the unfinished ones yet, or it ends.
    Erasure,
    /// The idempotency key still belongs to this request.
    Answer,
}

impl Write {
    /// Returns the item to write if it is an event.
    pub(super) fn event(&mut self) -> Option<&mut Item> {
        let put = self.item.put.as_mut().filter(|_| self.rule == Rule::Event)?;
        Some(&mut put.item)
    }
}

/// The outcome of a transaction.
pub(super) enum Outcome {
    Done,
    Refused(Refusals),
}

/// The rules that a transaction broke, each with the stored item that did not meet the condition,
/// if there is one.
pub(super) struct Refusals(Vec<(Rule, Option<Item>)>);

impl Refusals {
    /// Removes a broken rule and returns the stored item that did not meet its condition, if there
    /// is one. The outer `None` means that the transaction did not break the rule.
    pub(super) fn take(&mut self, rule: Rule) -> Option<Option<Item>> {
        let at = self.0.iter().position(|(broken, _)| *broken == rule)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Returns the error for rules that only a bug can break.
    pub(super) fn unexpected(&self) -> Error {
        let rules: Vec<&Rule> = self.0.iter().map(|(rule, _)| rule).collect();
        Error::internal(format!("a transaction broke the rules {rules:?}"))
    }
}

impl TenantTable<'_> {
    /// Writes all items or none of them. Returns the broken rules when a condition does not hold.
    /// Repeats a transaction that was throttled or conflicted with another transaction.
    pub(super) async fn transact(&self, writes: &[Write]) -> Result<Outcome, Error> {
        let mut attempts = Attempts::new();
        // All attempts share one token. If an attempt succeeds and its answer is lost, the next
        // attempt succeeds too and does not fail on the changes of the earlier attempt.
        let token = uuid::Uuid::now_v7().to_string();
        loop {
            let items = writes.iter().map(|write| write.item.clone()).collect();
            let request = self.table.client.transact_write_items().set_transact_items(Some(items));
            let request = request.client_request_token(&token);
            let Err(error) = request.send().await else {
                return Ok(Outcome::Done);
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(unavailable_or_internal("TransactWriteItems", &error));
            };
            let reasons = canceled.cancellation_reasons();
            if reasons.iter().any(is_failed_condition) {
                let refused = writes.iter().zip(reasons).filter(is_broken);
                let refused = refused.map(|(write, reason)| (write.rule, reason.item().cloned()));
                return Ok(Outcome::Refused(Refusals(refused.collect())));
            }
            let Some(reason) = cancelled(reasons) else {
                return Err(unavailable_or_internal("TransactWriteItems", &error));
            };
            attempts.cancelled(reason).await?;
        }
    }

    pub(super) fn put(
        &self,
        rule: Rule,
        key: Key,
        mut item: Item,
        condition: &str,
    ) -> Result<Write, Error> {
        item.extend(key.attributes());
        let put = Put::builder()
            .table_name(&self.table.name)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let item = TransactWriteItem::builder().put(put.map_err(incomplete)?).build();
        Ok(Write { rule, item })
    }

    /// Builds the write that deletes an item, on the condition that the item exists.
    pub(super) fn delete(&self, rule: Rule, key: Key) -> Result<Write, Error> {
        self.delete_if(rule, key, Some(IS_THERE))
    }

    /// Builds the write that deletes an item if it exists.
    pub(super) fn delete_any(&self, rule: Rule, key: Key) -> Result<Write, Error> {
        self.delete_if(rule, key, None)
    }

    fn delete_if(&self, rule: Rule, key: Key, condition: Option<&str>) -> Result<Write, Error> {
        let delete = Delete::builder()
            .table_name(&self.table.name)
            .set_key(Some(key.attributes()))
            .set_condition_expression(condition.map(str::to_owned))
            .build();
        let item = TransactWriteItem::builder().delete(delete.map_err(incomplete)?).build();
        Ok(Write { rule, item })
    }

    pub(super) fn update(
        &self,
        rule: Rule,
        key: Key,
        update: String,
        condition: String,
        expression: Expression,
    ) -> Result<Write, Error> {
        let (names, values) = expression.into_parts();
        let update = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(key.attributes()))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let item = TransactWriteItem::builder().update(update.map_err(incomplete)?).build();
        Ok(Write { rule, item })
    }
}

fn is_failed_condition(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// Returns whether a write broke its rule. For the customer, a conflict with another transaction
/// counts as a broken rule, because that transaction is changing the customer.
fn is_broken((write, reason): &(&Write, &CancellationReason)) -> bool {
    match reason.code() {
        Some("ConditionalCheckFailed") => true,
        Some("TransactionConflict") => write.rule == Rule::Customer,
        _ => false,
    }
}

/// Returns why a transaction was cancelled if it may succeed when it is repeated. Returns `None`
/// for any other cancellation.
pub(super) fn cancelled(reasons: &[CancellationReason]) -> Option<Cancelled> {
    let has = |codes: &[&str]| {
        reasons.iter().filter_map(CancellationReason::code).any(|code| codes.contains(&code))
    };
    if has(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
        return Some(Cancelled::Throttled);
    }
    has(&["TransactionConflict"]).then_some(Cancelled::Conflict)
}

pub(super) fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::internal(format!("a request is incomplete: {error}"))
}

/// Maps a temporary error of the SDK to `StoreUnavailable`, after which the client may repeat the
/// request, and any other error to `InternalError`.
pub(super) fn unavailable_or_internal<E>(operation: &str, error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let code = error.code().unwrap_or_default();
    let cause = format!("{operation}: {}", chain(error));
    let throttled = [
        "ThrottlingException",
        "ThrottlingError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "TransactionConflictException",
        "TransactionInProgressException",
        "InternalServerError",
        "ServiceUnavailable",
    ];
    match error {
        SdkError::ServiceError(_) if !throttled.contains(&code) => {
            // The message of a validation error may quote a value, so only the code is logged.
            Error::internal(format!("{operation}: {code}"))
        }
        SdkError::ConstructionFailure(_) => Error::internal(cause),
        SdkError::ServiceError(_) => Error::store_unavailable(format!("{operation}: {code}")),
        _ => Error::store_unavailable(cause),
    }
}

/// Sends a conditional put. Returns `false` when its condition does not hold.
pub(super) async fn conditional_put(put: PutItemFluentBuilder) -> Result<bool, Error> {
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(unavailable_or_internal("PutItem", &error)),
    }
}
