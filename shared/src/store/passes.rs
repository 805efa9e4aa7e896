//! Progress and evidence of rescreen passes. The progress of one kind of pass over one shard is one
//! item; the evidence of a finished pass is a separate item.

use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{Get, TransactGetItem};

use super::attempts::Attempts;
use super::expression::Expression;
use super::item::{self, IS_NEW, Item, ItemKind};
use super::keys::Key;
use super::transaction::{cancelled, conditional_put, incomplete, unavailable_or_internal};
use super::{Table, TenantTable, keys};
use crate::error::Error;
use crate::model::frequency::PassKind;
use crate::model::monitor::Monitor;
use crate::model::rescreen::{Finished, Progress, Run};

impl Table {
    /// Reads the progress of a kind of pass over a shard with strong consistency.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn progress(&self, pass: PassKind, shard: u32) -> Result<Option<Progress>, Error> {
        self.get(keys::current_pass(pass, shard)).await?.map(item::model).transpose()
    }

    /// Writes the progress if the stored progress is at step `before`, or if none is stored and
    /// `before` is `None`. Returns `false` when another worker has written the progress since.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn put_progress(
        &self,
        pass: PassKind,
        shard: u32,
        before: Option<u64>,
        progress: &Progress,
    ) -> Result<bool, Error> {
        let mut item = item::typed(ItemKind::PassProgress, progress)?;
        item.extend(keys::current_pass(pass, shard).attributes());
        let mut e = Expression::default();
        let condition = match before {
            None => IS_NEW.to_owned(),
            Some(step) => format!("{} = {}", e.name("step"), e.number(step)),
        };
        let (names, values) = e.into_parts();
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        conditional_put(put).await
    }

    /// Writes the evidence of a finished pass over a shard. Evidence that is already stored stays
    /// unchanged.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn put_evidence(&self, run: &Run) -> Result<(), Error> {
        let mut item = item::typed(ItemKind::Pass, run)?;
        item.extend(keys::finished_pass(run.pass, run.shard, &run.pass_id).attributes());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        conditional_put(put.condition_expression(IS_NEW)).await.map(drop)
    }

    /// Reads several items in one transaction, so that they all show the same moment. Returns the
    /// items in the order of the keys, with `None` for a key that has no item.
    async fn get_together(
        &self,
        keys: impl Iterator<Item = Key>,
    ) -> Result<Vec<Option<Item>>, Error> {
        let get = |key: Key| {
            let get = Get::builder().table_name(&self.name).set_key(Some(key.attributes()));
            get.build().map(|get| TransactGetItem::builder().get(get).build())
        };
        let items = keys.map(get).collect::<Result<Vec<_>, _>>();
        let items = items.map_err(incomplete)?;
        let request = self.client.transact_get_items().set_transact_items(Some(items));
        let mut attempts = Attempts::new();
        loop {
            let error = match request.clone().send().await {
                Ok(got) => {
                    let responses = got.responses.unwrap_or_default().into_iter();
                    return Ok(responses.map(|response| response.item).collect());
                }
                Err(error) => error,
            };
            let reason = match error.as_service_error() {
                Some(TransactGetItemsError::TransactionCanceledException(canceled)) => {
                    cancelled(canceled.cancellation_reasons())
                }
                _ => None,
            };
            let Some(reason) = reason else {
                return Err(unavailable_or_internal("TransactGetItems", &error));
            };
            attempts.cancelled(reason).await?;
        }
    }
}

impl TenantTable<'_> {
    /// Reads the last finished pass of each kind that screens the monitor. Returns `None` when a
    /// check of the customer is still requested, because the last pass may have failed to check the
    /// customer.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn finished_passes(&self, monitor: &Monitor) -> Result<Option<Vec<Finished>>, Error> {
        let recheck = keys::recheck(monitor.shard, &self.keys.position(&monitor.customer_id));
        let passes = PassKind::over(monitor.settings.check_frequency).iter();
        let passes = passes.map(|pass| keys::current_pass(*pass, monitor.shard));
        // All items are read at one moment. Between two reads a pass could end, and would then seem
        // to have checked a customer whose check failed.
        let keys = std::iter::once(recheck).chain(passes);
        let mut items = self.table.get_together(keys).await?.into_iter();
        if items.next().flatten().is_some() {
            return Ok(None);
        }
        let progress = items.flatten().map(item::model::<Progress>);
        let progress = progress.collect::<Result<Vec<_>, _>>()?;
        Ok(Some(progress.into_iter().filter_map(|progress| progress.finished).collect()))
    }
}
