//! Requests to check a customer again. They are stored when a check fails, runs out of time or
//! needs more than one transaction.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;

use super::expression::Expression;
use super::item::{Item, ItemKind, required_text};
use super::transaction::unavailable_or_internal;
use super::{Table, keys};
use crate::error::Error;
use crate::model::id::CustomerId;
use crate::model::rescreen::split_position;
use crate::model::time::Timestamp;
use crate::model::value::TenantId;

/// A pending request to check a customer again.
pub struct Recheck {
    /// The customer's tenant.
    pub tenant: TenantId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The customer's position in its shard.
    pub position: String,
    /// Time of the request, as it is stored. A newer request for the same customer has a later
    /// time.
    pub requested_at: String,
}

impl Table {
    /// Stores a request to check a customer again at the next `resume`. The request replaces an
    /// earlier request for the same customer.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn request_recheck(&self, shard: u32, position: &str) -> Result<(), Error> {
        let item = recheck_item(shard, position, self.clock.now());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map(drop).map_err(|error| unavailable_or_internal("PutItem", &error))
    }

    /// Reads all pending requests of a shard, in no particular order. A malformed request is an
    /// error in its place.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn pending_rechecks(&self, shard: u32) -> Result<Vec<Result<Recheck, Error>>, Error> {
        let mut e = Expression::default();
        let by_key = e.partition(keys::rechecks(shard));
        let items = self.query(by_key, e).into_paginator().items().send().collect();
        let items: Result<Vec<Item>, _> = items.await;
        let items = items.map_err(|error| unavailable_or_internal("Query", &error))?;
        let recheck = |item: &Item| {
            let position = required_text(item, "sk")?;
            let (tenant, customer_id) = split_position(&position)
                .ok_or_else(|| Error::internal("a requested check names no customer"))?;
            let requested_at = required_text(item, "at")?;
            Ok(Recheck { tenant, customer_id, position, requested_at })
        };
        Ok(items.iter().map(recheck).collect())
    }

    /// Deletes a request, unless a newer request for the same customer has replaced it.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn complete_recheck(&self, shard: u32, recheck: &Recheck) -> Result<(), Error> {
        let mut e = Expression::default();
        let condition = format!("{} = {}", e.name("at"), e.text(recheck.requested_at.clone()));
        let (names, values) = e.into_parts();
        let delete = self.client.delete_item().table_name(&self.name);
        let delete = delete
            .set_key(Some(keys::recheck(shard, &recheck.position).attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(unavailable_or_internal("DeleteItem", &error)),
        }
    }
}

pub(super) fn recheck_item(shard: u32, position: &str, now: Timestamp) -> Item {
    let mut item = Item::from([
        ("type".to_owned(), ItemKind::Recheck.attribute()),
        ("at".to_owned(), AttributeValue::S(now.to_string())),
    ]);
    item.extend(keys::recheck(shard, position).attributes());
    item
}
