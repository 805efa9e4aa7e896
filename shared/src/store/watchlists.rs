//! The current lists. They are one item that every check reads and that changes in one step. Each
//! revision is also stored under its number.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::expression::Expression;
use super::item::{self, IS_NEW, ItemKind};
use super::transaction::{incomplete, unavailable_or_internal};
use super::{Table, keys};
use crate::error::Error;
use crate::model::time::Timestamp;
use crate::model::watchlist::Revision;

impl Table {
    /// Reads the current revision with strong consistency. Returns [`Revision::none`] before the
    /// first revision exists.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn revision(&self) -> Result<Revision, Error> {
        let item = self.get(keys::current_lists()).await?;
        Ok(item.map(item::model).transpose()?.unwrap_or_else(Revision::none))
    }

    /// Reads a revision by its number. Returns `None` when that revision is not stored.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn revision_of(&self, revision: u64) -> Result<Option<Revision>, Error> {
        self.get(keys::lists_of(revision)).await?.map(item::model).transpose()
    }

    /// Makes a revision current if `before` is still the number of the current revision (0 when
    /// there is no revision yet). Also stores the revision under its number, because later passes
    /// compare with it. Returns `false` when the transaction is cancelled, usually because another
    /// revision became current first.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the revision does not serialize.
    pub async fn make_current(&self, before: u64, revision: &Revision) -> Result<bool, Error> {
        let mut expression = Expression::default();
        let condition = match before {
            0 => IS_NEW.to_owned(),
            _ => format!("{} = {}", expression.name("revision"), expression.number(before)),
        };
        let mut current = item::typed(ItemKind::Lists, revision)?;
        current.extend(keys::current_lists().attributes());
        let mut kept = item::typed(ItemKind::Lists, revision)?;
        kept.extend(keys::lists_of(revision.revision).attributes());
        let (names, values) = expression.into_parts();
        let current = Put::builder()
            .table_name(&self.name)
            .set_item(Some(current))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .build()
            .map_err(incomplete)?;
        let kept = Put::builder()
            .table_name(&self.name)
            .set_item(Some(kept))
            .condition_expression(IS_NEW)
            .build()
            .map_err(incomplete)?;
        let items = [current, kept].map(|put| TransactWriteItem::builder().put(put).build());
        let request = self.client.transact_write_items().set_transact_items(Some(items.to_vec()));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("TransactionCanceledException") => Ok(false),
            Err(error) => Err(unavailable_or_internal("TransactWriteItems", &error)),
        }
    }

    /// Stores when the source of each list was last read, by list name. Every list must be in the
    /// revision. Returns `false` when `revision` is no longer current.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn set_checked(
        &self,
        revision: u64,
        checked: &BTreeMap<String, Timestamp>,
    ) -> Result<bool, Error> {
        let mut e = Expression::default();
        let set = checked.iter().map(|(list, at)| {
            let (lists, name, field) = (e.name("lists"), e.part(list), e.name("checked_at"));
            format!("{lists}.{name}.{field} = {}", e.text(at.to_string()))
        });
        let set: Vec<String> = set.collect();
        let condition = format!("{} = {}", e.name("revision"), e.number(revision));
        let (names, values) = e.into_parts();
        let update = self.client.update_item().table_name(&self.name);
        let update = update
            .set_key(Some(keys::current_lists().attributes()))
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(unavailable_or_internal("UpdateItem", &error)),
        }
    }
}
