//! Transactions, and what the errors of the SDK mean to a caller.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::TenantTable;
use super::expression::Expression;
use super::item::Item;
use super::keys::Key;
use crate::error::Error;

/// How often a transaction is tried again that met another one on the same item.
const CONFLICT_RETRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// How a transaction ended that the table was able to decide.
pub(super) enum Outcome {
    Done,
    /// By write: the reason it was refused for, with the item that stood in its way.
    Refused(Vec<Option<Refusal>>),
}

pub(super) struct Refusal {
    pub(super) item: Option<Item>,
}

impl TenantTable<'_> {
    /// Writes all or nothing. Every write must stand on a condition of its own.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Outcome, Error> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..CONFLICT_RETRIES {
            let request =
                self.table.client.transact_write_items().set_transact_items(Some(writes.clone()));
            let Err(error) = request.send().await else {
                return Ok(Outcome::Done);
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(unavailable_or_internal("TransactWriteItems", &error));
            };
            let reasons = canceled.cancellation_reasons();
            let code = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
            if code("ConditionalCheckFailed") {
                let refused = reasons.iter().map(|reason| {
                    let failed = reason.code() == Some("ConditionalCheckFailed");
                    failed.then(|| Refusal { item: reason.item().cloned() })
                });
                return Ok(Outcome::Refused(refused.collect()));
            }
            let passing =
                ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            if !passing.iter().any(|passing| code(passing)) {
                return Err(unavailable_or_internal("TransactWriteItems", &error));
            }
            tokio::time::sleep(jittered(pause)).await;
            pause *= 2;
        }
        Err(Error::store_unavailable("a transaction met others on the same item too often"))
    }

    pub(super) fn put(
        &self,
        key: Key,
        mut item: Item,
        condition: &str,
    ) -> Result<TransactWriteItem, Error> {
        item.extend(key.attributes());
        let put = Put::builder()
            .table_name(&self.table.name)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().put(put.map_err(incomplete)?).build())
    }

    pub(super) fn update(
        &self,
        key: Key,
        update: String,
        condition: String,
        expression: Expression,
    ) -> Result<TransactWriteItem, Error> {
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
        Ok(TransactWriteItem::builder().update(update.map_err(incomplete)?).build())
    }
}

fn incomplete(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::internal(format!("a request was not complete: {error}"))
}

/// Half to all of the pause, so that those who met once do not meet again.
pub(super) fn jittered(pause: Duration) -> Duration {
    let random = uuid::Uuid::now_v7().as_u128() as u8;
    pause.mul_f64(0.5 + f64::from(random) / 512.0)
}

/// What an error says of itself and its sources. Their `Debug` would show a whole answer of the
/// table, rows and all.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
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
