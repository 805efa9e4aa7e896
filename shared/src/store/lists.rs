//! Which lists are current: one item, read with every check, and moved in one step.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::call::{incomplete, unavailable_or_internal};
use super::customers::IS_NEW;
use super::expression::Expression;
use super::item;
use super::{Table, keys};
use crate::error::Error;
use crate::model::time::Timestamp;
use crate::monitoring::lists::{ListVersion, Loaded, Revision};

impl Table {
    /// The current revision, strongly consistent; [`Revision::none`] before the first.
    pub async fn revision(&self) -> Result<Revision, Error> {
        let revision = self.kept_revision(keys::current_lists()).await?;
        Ok(revision.unwrap_or_else(Revision::none))
    }

    /// A revision as it was, if it is still known.
    pub(crate) async fn revision_of(&self, revision: u64) -> Result<Option<Revision>, Error> {
        self.kept_revision(keys::lists_of(revision)).await
    }

    async fn kept_revision(&self, key: keys::Key) -> Result<Option<Revision>, Error> {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key.attributes()));
        let got = get.consistent_read(true).send().await;
        let item = got.map_err(|error| unavailable_or_internal("GetItem", &error))?.item;
        item.map(item::model).transpose()
    }

    /// The current lists, opened. They are read anew only when they changed.
    pub async fn lists(&self) -> Result<Arc<Loaded>, Error> {
        self.watching.lists.load(self.revision().await?).await
    }

    /// Whether the source of a list was last read too long ago to trust it.
    pub(super) fn is_stale(&self, list: &ListVersion, now: Timestamp) -> bool {
        let age = now.millis().saturating_sub(list.checked_at.millis());
        u128::from(age.max(0).unsigned_abs()) > self.watching.max_list_age.as_millis()
    }

    /// Makes a revision current that follows `before`, and keeps it for the passes that come from
    /// it one day. `false` when another came first.
    pub(crate) async fn make_current(
        &self,
        before: u64,
        revision: &Revision,
    ) -> Result<bool, Error> {
        let mut expression = Expression::default();
        let condition = match before {
            0 => IS_NEW.to_owned(),
            _ => format!("{} = {}", expression.name("revision"), expression.number(before)),
        };
        let mut current = item::typed("lists", revision)?;
        current.extend(keys::current_lists().attributes());
        let mut kept = item::typed("lists", revision)?;
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

    /// Keeps when the sources of these lists were last read. `false` when another revision came
    /// first.
    pub(crate) async fn keep_checked(
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
