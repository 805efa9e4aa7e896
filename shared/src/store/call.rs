//! Transactions, and what the errors of the SDK mean to a caller.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::TenantTable;
use super::change::Race;
use super::customers::IS_THERE;
use super::expression::Expression;
use super::item::Item;
use super::keys::Key;
use crate::error::{Error, chain};

/// One write of a transaction, and the rule its condition stands for.
#[derive(Clone)]
pub(super) struct Write {
    rule: Rule,
    item: TransactWriteItem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The customer is new, or still at the version it was read at.
    Customer,
    /// A client id belongs to nobody yet.
    Claim,
    /// A session is new, or there to be changed.
    Session,
    /// An organization is new, or there to be replaced.
    Organization,
    /// A monitor is new, or there to be changed.
    Monitor,
    /// An alert is new, or there to be changed.
    Alert,
    /// A risk profile is new.
    Profile,
    /// An event is new.
    Event,
    /// The idempotency key is still this request's.
    Answer,
}

impl Write {
    /// The item of an event.
    pub(super) fn event(&mut self) -> Option<&mut Item> {
        let put = self.item.put.as_mut().filter(|_| self.rule == Rule::Event)?;
        Some(&mut put.item)
    }
}

/// How a transaction ended that the table was able to decide.
pub(super) enum Outcome {
    Done,
    Refused(Refusals),
}

/// The rules that were broken, each with the item that stood in the way.
pub(super) struct Refusals(Vec<(Rule, Option<Item>)>);

impl Refusals {
    /// `None` when this rule held; else the item that broke it, if there was one.
    pub(super) fn take(&mut self, rule: Rule) -> Option<Option<Item>> {
        let at = self.0.iter().position(|(broken, _)| *broken == rule)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Another change of the customer came first; anything else is a fault of ours.
    pub(super) fn overtaken(&mut self) -> Result<(), Error> {
        self.take(Rule::Customer).map(drop).ok_or_else(|| self.unexpected())
    }

    /// A rule was broken that only a fault of ours can break.
    pub(super) fn unexpected(&self) -> Error {
        let rules: Vec<&Rule> = self.0.iter().map(|(rule, _)| rule).collect();
        Error::internal(format!("a transaction broke the rules {rules:?}"))
    }
}

impl TenantTable<'_> {
    /// Writes all or nothing. Every write must stand on a condition of its own.
    pub(super) async fn transact(&self, writes: &[Write]) -> Result<Outcome, Error> {
        let mut race = Race::start();
        // One for all tries: an earlier one may have been written without an answer, and what was
        // written must not stand in its own way.
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
            if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
                // A customer that another transaction is about to change is about to be another one.
                let broken = |(write, reason): &(&Write, &CancellationReason)| match reason.code() {
                    Some("ConditionalCheckFailed") => true,
                    Some("TransactionConflict") => write.rule == Rule::Customer,
                    _ => false,
                };
                let refused = writes.iter().zip(reasons).filter(broken);
                let refused = refused.map(|(write, reason)| (write.rule, reason.item().cloned()));
                return Ok(Outcome::Refused(Refusals(refused.collect())));
            }
            let Some(passing) = passing(reasons) else {
                return Err(unavailable_or_internal("TransactWriteItems", &error));
            };
            race.passed_over(passing).await?;
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

    /// Removes what is there.
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

/// Why a transaction was cancelled that need not be the next time.
pub(super) enum Passing {
    /// It met another one.
    Conflict,
    /// The table had no room for it.
    Throttled,
}

/// `None` where it would be cancelled again.
pub(super) fn passing(reasons: &[CancellationReason]) -> Option<Passing> {
    let has = |codes: &[&str]| {
        reasons.iter().filter_map(CancellationReason::code).any(|code| codes.contains(&code))
    };
    if has(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
        return Some(Passing::Throttled);
    }
    has(&["TransactionConflict"]).then_some(Passing::Conflict)
}

pub(super) fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::internal(format!("a request was not complete: {error}"))
}

/// A random duration from half the pause to all of it, so that writers that collided once spread out.
pub(crate) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// What passes by itself is a 503 a caller may repeat; everything else is our fault.
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
            // The message of a validation error may quote a value: the code has to do.
            Error::internal(format!("{operation}: {code}"))
        }
        SdkError::ConstructionFailure(_) => Error::internal(cause),
        SdkError::ServiceError(_) => Error::store_unavailable(format!("{operation}: {code}")),
        _ => Error::store_unavailable(cause),
    }
}
