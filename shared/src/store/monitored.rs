//! Reads the monitored customers of a shard for rescreen passes, and the number of shards.

use aws_sdk_dynamodb::types::AttributeValue;

use super::expression::Expression;
use super::item::{self, Item, ItemKind};
use super::monitors::screened;
use super::transaction::{conditional_put, unavailable_or_internal};
use super::{Table, keys};
use crate::error::Error;
use crate::model::frequency::Frequency;
use crate::model::id::CustomerId;
use crate::model::monitor::Settings;
use crate::model::rescreen;
use crate::model::screened::Screened;
use crate::model::value::TenantId;

/// A monitored customer, as read from the index `monitored`.
pub struct Monitored {
    /// The customer's tenant.
    pub tenant: TenantId,
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// Settings of the monitor.
    pub settings: Settings,
    /// The revision that all subjects were last screened against; 0 while a check is incomplete.
    pub list_revision: u64,
    /// The monitor's subjects and known matches.
    pub screened: Screened,
    /// Position in the shard: `{tenant}#{customer_id}`.
    pub position: String,
}

/// A page of a shard.
pub struct ShardPage {
    /// The rows. A malformed row is an error in its place and does not hide the other rows.
    pub rows: Vec<Result<Monitored, Error>>,
    /// The position where the page ends; `None` at the end of the shard.
    pub end: Option<String>,
}

impl Table {
    /// Reads a page of a shard with one request, at most 1 MB. The page starts after the position
    /// `after` and has at most `limit` rows.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn monitored(
        &self,
        frequency: Frequency,
        shard: u32,
        after: Option<&str>,
        limit: Option<i32>,
    ) -> Result<ShardPage, Error> {
        let partition = keys::monitored(frequency, shard);
        let mut e = Expression::default();
        let mut by_key = format!("{} = {}", e.name("monitored_pk"), e.text(partition));
        if let Some(after) = after {
            by_key = format!("{by_key} AND {} > {}", e.name("monitored_sk"), e.text(after));
        }
        let (names, values) = e.into_parts();
        let query = self.client.query().table_name(&self.name).index_name("monitored");
        let query = query
            .key_condition_expression(by_key)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_limit(limit);
        let page = query.send().await.map_err(|error| unavailable_or_internal("Query", &error))?;
        let end = page.last_evaluated_key.as_ref();
        let end = end.and_then(|key| item::text(key, "monitored_sk")).map(str::to_owned);
        let rows = page.items.unwrap_or_default().into_iter().map(monitored).collect();
        Ok(ShardPage { rows, end })
    }

    /// Returns the number of shards: `configured`, or a higher number from an earlier
    /// configuration. A customer keeps its shard, so a pass must visit every shard that was ever in
    /// use. Stores `configured` when it is the highest number so far.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed: with a wrong number, some
    /// customers would not be screened.
    pub async fn shards(&self, configured: u32) -> Result<u32, Error> {
        let item = self.get(keys::shards()).await?;
        let stored: Option<u32> = item.as_ref().map(shard_count).transpose()?;
        if let Some(stored) = stored.filter(|stored| *stored >= configured) {
            return Ok(stored);
        }
        let mut e = Expression::default();
        let (count, number) = (e.name("count"), e.number(configured));
        let condition = format!("attribute_not_exists({count}) OR {count} < {number}");
        let (names, values) = e.into_parts();
        let mut item =
            Item::from([("count".to_owned(), AttributeValue::N(configured.to_string()))]);
        item.insert("type".to_owned(), ItemKind::Shards.attribute());
        item.extend(keys::shards().attributes());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        conditional_put(put).await?;
        Ok(stored.unwrap_or(0).max(configured))
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
    let screened = screened(&item)?;
    let Row { settings, list_revision, monitored_sk: position } = item::model(item)?;
    let (tenant, customer_id) = rescreen::split_position(&position)
        .ok_or_else(|| Error::internal("a monitored row names no customer"))?;
    Ok(Monitored { tenant, customer_id, settings, list_revision, screened, position })
}

/// Reads the number of shards from its item.
fn shard_count(item: &Item) -> Result<u32, Error> {
    let count = item.get("count").and_then(|count| count.as_n().ok());
    let count = count.and_then(|count| count.parse().ok());
    count.ok_or_else(|| Error::internal("the number of shards is malformed"))
}
