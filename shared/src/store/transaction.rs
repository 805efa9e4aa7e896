//! Transactions, and the meaning of the SDK's errors.

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
    /// The customer is new, or still at the version it was read at.
    Customer,
    /// The client id is not taken.
    Claim,
    /// The session is new, or exists and is changed.
    Session,
    /// The organization is new, or exists and is replaced.
    Organization,
    /// The monitor is new, or exists and is changed.
    Monitor,
    /// The alert is new, or exists and is changed.
    Alert,
    /// The risk profile is new.
    Profile,
    /// The event is new.
    Event,
    /// The idempotency key still belongs to this request.
    Answer,
}

impl Write {
    /// The item, if this writes an event.
    pub(super) fn event(&mut self) -> Option<&mut Item> {
        let put = self.item.put.as_mut().filter(|_| self.rule == Rule::Event)?;
        Some(&mut put.item)
    }
}

/// How a transaction ended.
pub(super) enum Outcome {
    Done,
    Refused(Refusals),
}

/// The rules that a transaction broke, each with the item that broke it, if there is one.
pub(super) struct Refusals(Vec<(Rule, Option<Item>)>);

impl Refusals {
    /// `None` when the transaction did not break this rule, else the item that broke it.
    pub(super) fn take(&mut self, rule: Rule) -> Option<Option<Item>> {
        let at = self.0.iter().position(|(broken, _)| *broken == rule)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The error for a rule that only a bug can break.
    pub(super) fn unexpected(&self) -> Error {
        let rules: Vec<&Rule> = self.0.iter().map(|(rule, _)| rule).collect();
        Error::internal(format!("a transaction broke the rules {rules:?}"))
    }
}

impl TenantTable<'_> {
    /// Writes all items or none of them. Every write has a condition.
    pub(super) async fn transact(&self, writes: &[Write]) -> Result<Outcome, Error> {
        let mut attempts = Attempts::new();
        // All attempts share one token. An attempt may succeed without an answer, and the next one
        // must then not fail on the conditions that the first one changed.
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

    /// Deletes an item that exists.
    pub(super) fn delete(&self, rule: Rule, key: Key) -> Result<Write, Error> {
        let delete = Delete::builder()
            .table_name(&self.table.name)
            .set_key(Some(key.attributes()))
            .condition_expression(IS_THERE)
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

/// Whether a write broke its rule. A customer that another transaction is changing at this moment
/// counts as changed.
fn is_broken((write, reason): &(&Write, &CancellationReason)) -> bool {
    match reason.code() {
        Some("ConditionalCheckFailed") => true,
        Some("TransactionConflict") => write.rule == Rule::Customer,
        _ => false,
    }
}

/// The reason of a cancellation; `None` when a repetition would be cancelled again.
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

/// Maps an error of the SDK: a temporary one to a 503 that the caller may repeat, any other to a 500.
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
