//! Passes over the monitored customers: the progress of each shard is one item, and who works on
//! it holds a lease.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Get, TransactGetItem};

use super::call::{incomplete, passing, unavailable_or_internal};
use super::change::Race;
use super::expression::Expression;
use super::item::{self, Item};
use super::keys::Key;
use super::monitors::watched;
use super::{Table, keys};
use crate::error::Error;
use crate::model::id::CustomerId;
use crate::model::monitor::{Frequency, LastPass, Monitor, Settings};
use crate::model::time::Timestamp;
use crate::model::value::TenantId;
use crate::monitoring::check::Watched;
use crate::monitoring::pass::{PassKind, Progress};

/// How many customers of a shard one run checks again.
const MOST_AGAIN: i32 = 200;

/// A monitored customer, as a pass reads it.
pub(crate) struct Monitored {
    pub(crate) tenant: TenantId,
    pub(crate) customer_id: CustomerId,
    pub(crate) settings: Settings,
    pub(crate) list_revision: u64,
    pub(crate) watched: Watched,
    /// Where it stands in its shard.
    pub(crate) position: String,
}

/// A customer to be checked again, and when that was asked for.
pub(crate) struct Again {
    /// As in the index monitored.
    pub(crate) customer: String,
    pub(crate) at: String,
}

/// A page of a shard.
pub(crate) struct Shard {
    /// What does not read is an error of its own, and no reason to leave out the others.
    pub(crate) rows: Vec<Result<Monitored, Error>>,
    /// Where the page ends; `None` where the shard does.
    pub(crate) end: Option<String>,
}

impl Table {
    /// A page of a shard, from behind this position on: one request, of at most 1 MB.
    pub(crate) async fn monitored(
        &self,
        frequency: Frequency,
        shard: u32,
        behind: Option<&str>,
        most: Option<i32>,
    ) -> Result<Shard, Error> {
        let partition = keys::monitored(frequency, shard);
        let mut e = Expression::default();
        let mut by_key = format!("{} = {}", e.name("monitored_pk"), e.text(partition));
        if let Some(behind) = behind {
            by_key = format!("{by_key} AND {} > {}", e.name("monitored_sk"), e.text(behind));
        }
        let (names, values) = e.into_parts();
        let query = self.client.query().table_name(&self.name).index_name("monitored");
        let query = query
            .key_condition_expression(by_key)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_limit(most);
        let page = query.send().await.map_err(|error| unavailable_or_internal("Query", &error))?;
        let end = page.last_evaluated_key.as_ref();
        let end = end.and_then(|key| item::text(key, "monitored_sk")).map(str::to_owned);
        let rows = page.items.unwrap_or_default().into_iter().map(monitored).collect();
        Ok(Shard { rows, end })
    }

    pub(crate) async fn progress(
        &self,
        pass: PassKind,
        shard: u32,
    ) -> Result<Option<Progress>, Error> {
        let key = keys::current_pass(pass, shard).attributes();
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key));
        let got = get.consistent_read(true).send().await;
        let item = got.map_err(|error| unavailable_or_internal("GetItem", &error))?.item;
        item.map(item::model).transpose()
    }

    /// What these items are at one moment, in the order asked for.
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
        let mut race = Race::start();
        loop {
            let error = match request.clone().send().await {
                Ok(got) => {
                    let responses = got.responses.unwrap_or_default().into_iter();
                    return Ok(responses.map(|response| response.item).collect());
                }
                Err(error) => error,
            };
            let passing = match error.as_service_error() {
                Some(TransactGetItemsError::TransactionCanceledException(canceled)) => {
                    passing(canceled.cancellation_reasons())
                }
                _ => None,
            };
            let Some(passing) = passing else {
                return Err(unavailable_or_internal("TransactGetItems", &error));
            };
            race.passed_over(passing).await?;
        }
    }

    /// Writes the progress if nobody wrote it since it was read; `false` if somebody did.
    pub(crate) async fn keep_progress(
        &self,
        pass: PassKind,
        shard: u32,
        before: Option<u64>,
        progress: &Progress,
    ) -> Result<bool, Error> {
        let mut item = item::typed("pass progress", progress)?;
        item.extend(keys::current_pass(pass, shard).attributes());
        let mut e = Expression::default();
        let condition = match before {
            None => "attribute_not_exists(pk)".to_owned(),
            Some(step) => format!("{} = {}", e.name("step"), e.number(step)),
        };
        let (names, values) = e.into_parts();
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        decided(put).await
    }

    /// The evidence of a pass over a shard. Written once.
    pub(crate) async fn keep_finished(
        &self,
        pass: PassKind,
        shard: u32,
        progress: &Progress,
    ) -> Result<(), Error> {
        let Some(run) = &progress.run else { return Ok(()) };
        let mut item = item::typed("pass", run)?;
        item.extend(keys::finished_pass(pass, shard, &run.pass_id).attributes());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)");
        decided(put).await.map(drop)
    }

    /// Has a customer checked again by the next `resume`.
    pub(crate) async fn ask_again(&self, shard: u32, customer: &str) -> Result<(), Error> {
        let item = again_item(shard, customer, self.clock.now());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| unavailable_or_internal("PutItem", &error))
    }

    /// Some of the customers of a shard that are to be checked again.
    pub(crate) async fn asked_again(&self, shard: u32) -> Result<Vec<Again>, Error> {
        let mut e = Expression::default();
        let by_key = e.partition(keys::again_in(shard));
        let page = self
            .query(by_key, e)
            .limit(MOST_AGAIN)
            .send()
            .await
            .map_err(|error| unavailable_or_internal("Query", &error))?;
        let text = |item: &Item, name: &str| item::text(item, name).map(str::to_owned);
        let again =
            |item: &Item| Some(Again { customer: text(item, "sk")?, at: text(item, "at")? });
        Ok(page.items().iter().filter_map(again).collect())
    }

    /// It was; unless somebody asked for it meanwhile.
    pub(crate) async fn checked_again(
        &self,
        shard: u32,
        customer: &str,
        at: &str,
    ) -> Result<(), Error> {
        let mut e = Expression::default();
        let condition = format!("{} = {}", e.name("at"), e.text(at.to_owned()));
        let (names, values) = e.into_parts();
        let delete = self.client.delete_item().table_name(&self.name);
        let delete = delete
            .set_key(Some(keys::again(shard, customer).attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(unavailable_or_internal("DeleteItem", &error)),
        }
    }

    /// How many shards there are: as many as are asked for, or as there once were. Customers keep
    /// theirs, so none of them may be forgotten.
    pub(crate) async fn shards(&self) -> Result<u32, Error> {
        let asked = self.watching.shards.max(1);
        let key = || keys::shards().attributes();
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key()));
        let got = get.consistent_read(true).send().await;
        let item = got.map_err(|error| unavailable_or_internal("GetItem", &error))?.item;
        let count = item.as_ref().and_then(|item| item.get("count"));
        let kept = count.and_then(|count| count.as_n().ok()).and_then(|count| count.parse().ok());
        if let Some(kept) = kept.filter(|kept| *kept >= asked) {
            return Ok(kept);
        }
        let mut e = Expression::default();
        let (count, number) = (e.name("count"), e.number(asked));
        let condition = format!("attribute_not_exists({count}) OR {count} < {number}");
        let (names, values) = e.into_parts();
        let mut item = Item::from([("count".to_owned(), AttributeValue::N(asked.to_string()))]);
        item.insert("type".to_owned(), AttributeValue::S("shards".to_owned()));
        item.extend(key());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        decided(put).await?;
        Ok(kept.unwrap_or(0).max(asked))
    }

    /// The last pass that saw this monitor: one that began after its own last check. Any other
    /// says nothing of it.
    pub(super) async fn last_pass(
        &self,
        monitor: &Monitor,
        customer: &str,
    ) -> Result<Option<LastPass>, Error> {
        let passes = PassKind::over(monitor.settings.check_frequency).iter();
        let passes = passes.map(|pass| keys::current_pass(*pass, monitor.shard));
        // At one moment: read one by one, a pass could end in between and seem to have seen it.
        let keys = std::iter::once(keys::again(monitor.shard, customer)).chain(passes);
        let mut items = self.get_together(keys).await?.into_iter();
        // A pass that could not check it did not see it.
        if items.next().flatten().is_some() {
            return Ok(None);
        }
        let progress = items.flatten().map(item::model::<Progress>);
        let progress = progress.collect::<Result<Vec<_>, _>>()?;
        let passes = progress.into_iter().filter_map(|progress| progress.finished);
        let seen = passes.filter(|pass| pass.started_at > monitor.last_checked_at);
        let last = seen.max_by_key(|pass| pass.finished_at);
        Ok(last.map(|pass| LastPass {
            pass_id: pass.pass_id,
            frequency: pass.pass.into_str().to_owned(),
            list_versions: pass.list_versions,
            finished_at: pass.finished_at,
        }))
    }
}

pub(super) fn again_item(shard: u32, customer: &str, now: Timestamp) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item =
        Item::from([("type".to_owned(), text("again")), ("at".to_owned(), text(&now.to_string()))]);
    item.extend(keys::again(shard, customer).attributes());
    item
}

/// Whether a conditional write was done; `false` when its condition did not hold.
async fn decided(put: PutItemFluentBuilder) -> Result<bool, Error> {
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(unavailable_or_internal("PutItem", &error)),
    }
}

fn monitored(item: Item) -> Result<Monitored, Error> {
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(flatten)]
        settings: Settings,
        list_revision: u64,
        monitored_sk: String,
    }
    let watched = watched(&item)?;
    let Row { settings, list_revision, monitored_sk } = item::model(item)?;
    let whose = keys::split_monitored(&monitored_sk);
    let (tenant, customer_id) =
        whose.ok_or_else(|| Error::internal("a monitored row names no customer"))?;
    Ok(Monitored { tenant, customer_id, settings, list_revision, watched, position: monitored_sk })
}
