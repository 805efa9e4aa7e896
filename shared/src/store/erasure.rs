//! Erasure of the items that belong to a customer. The customer itself is already a tombstone, so
//! no item can be added. From the transaction that makes the tombstone to the one that ends the
//! erasure, an item in the partition of unfinished erasures refers to the customer, so that a job
//! finds an interrupted erasure.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use super::change::StoredAnswer;
use super::expression::Expression;
use super::idempotency::ANSWER_RECORD;
use super::item::{self, IS_NEW, IS_THERE, Item, ItemKind, required_text};
use super::keys::Key;
use super::transaction::{Outcome, Rule, Write, unavailable_or_internal};
use super::{Table, TenantTable, keys};
use crate::error::Error;
use crate::model::answer::Answer;
use crate::model::customer::StoredCustomer;
use crate::model::erased;
use crate::model::id::CustomerId;
use crate::model::rescreen::split_position;
use crate::model::time::Timestamp;
use crate::model::value::TenantId;

/// Largest number of rows that one transaction scrubs.
const ROWS_PER_TRANSACTION: usize = 25;
/// Largest number of unfinished erasures that one run reads.
const MAX_UNFINISHED: i32 = 1_000;

/// An erasure that was started but is not finished.
pub struct UnfinishedErasure {
    /// Time of the tombstone.
    pub erased_at: Timestamp,
    /// The customer's tenant.
    pub tenant: TenantId,
    /// The customer.
    pub customer_id: CustomerId,
}

impl UnfinishedErasure {
    fn read(item: &Item) -> Result<UnfinishedErasure, Error> {
        let sort_key = required_text(item, "sk")?;
        let parse = || {
            let (erased_at, position) = sort_key.split_once('#')?;
            let (tenant, customer_id) = split_position(position)?;
            let erased_at = Timestamp::parse(erased_at)?;
            Some(UnfinishedErasure { erased_at, tenant, customer_id })
        };
        parse().ok_or_else(|| Error::internal("an unfinished erasure names no customer"))
    }
}

impl Table {
    /// Reads at most 1,000 unfinished erasures, the oldest first. A malformed item is an error in
    /// its place.
    ///
    /// # Errors
    /// `StoreUnavailable`.
    pub async fn unfinished_erasures(
        &self,
    ) -> Result<Vec<Result<UnfinishedErasure, Error>>, Error> {
        let mut e = Expression::default();
        let by_key = e.partition(keys::UNFINISHED_ERASURES.to_owned());
        let query = self.query(by_key, e).limit(MAX_UNFINISHED);
        let page = query.send().await.map_err(|error| unavailable_or_internal("Query", &error))?;
        Ok(page.items().iter().map(UnfinishedErasure::read).collect())
    }
}

impl TenantTable<'_> {
    /// Removes personal data from every item of a customer, in several transactions. After an
    /// interruption, the same call scrubs the remaining items. Several calls for the same customer
    /// may run at the same time. `refusal` replaces the answers that idempotency records store for
    /// the customer.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when an item has no known type.
    pub async fn scrub(&self, id: &CustomerId, refusal: &Answer) -> Result<(), Error> {
        let mut start = None;
        loop {
            let mut e = Expression::default();
            let by_key = e.partition(self.keys.partition(id));
            let query = self.table.query(by_key, e).set_exclusive_start_key(start);
            let page = query.send().await.map_err(|e| unavailable_or_internal("Query", &e))?;
            // Each transaction scrubs only a few rows, so an erasure that runs out of time keeps
            // its progress.
            for rows in page.items.unwrap_or_default().chunks(ROWS_PER_TRANSACTION) {
                let answers = rows.iter().filter_map(|row| item::text(row, ANSWER_RECORD));
                try_join_all(answers.map(|place| self.erase_answer(id, place, refusal))).await?;
                let writes = rows.iter().map(|row| self.scrub_write(id, row));
                let writes = writes.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
                if writes.is_empty() {
                    continue;
                }
                if let Outcome::Refused(refusals) = self.transact(&writes).await? {
                    return Err(refusals.unexpected());
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Builds the write that deletes a row or removes personal data from it. Returns `None` for the
    /// customer itself and for a row without personal data.
    fn scrub_write(&self, id: &CustomerId, row: &Item) -> Result<Option<Write>, Error> {
        let sort_key = required_text(row, "sk")?;
        let key = || self.keys.row(id, &sort_key);
        let kind = ItemKind::of(row)?;
        let (rule, mut after) = match kind {
            ItemKind::Customer => return Ok(None),
            // Another call that erases the same customer may have deleted the organization since.
            ItemKind::Organization => return self.delete_any(Rule::Organization, key()).map(Some),
            ItemKind::Session => {
                let session = erased::session(item::model(row.clone())?);
                (Rule::Session, item::typed(kind, &session)?)
            }
            ItemKind::RiskProfile => {
                let profile = erased::risk_profile(item::model(row.clone())?);
                (Rule::Profile, item::typed(kind, &profile)?)
            }
            ItemKind::Alert => {
                let alert = erased::alert(item::model(row.clone())?);
                (Rule::Alert, item::typed(kind, &alert)?)
            }
            ItemKind::Event => (Rule::Event, erased_event(row)?),
            // The transaction that made the tombstone deleted the monitor. A row of any other kind
            // is a bug, and skipping the row would keep its data.
            _ => return Err(Error::internal("an item of a customer has an unexpected type")),
        };
        after.extend(key().attributes());
        if after == *row {
            return Ok(None);
        }
        self.put(rule, key(), after, IS_THERE).map(Some)
    }

    /// Marks the tombstone as scrubbed, unless it is marked already, and removes the erasure from
    /// the unfinished ones. Stores the answer to the request, if there is one.
    ///
    /// # Errors
    /// `RequestInProgress` when another request holds the idempotency key, `StoreUnavailable`.
    pub async fn finish_erasure(
        &self,
        tombstone: &StoredCustomer,
        answer: Option<&StoredAnswer>,
    ) -> Result<(), Error> {
        let id = &tombstone.customer_id;
        let mut writes = Vec::new();
        if !tombstone.is_scrubbed {
            writes.push(self.scrubbed_write(id)?);
            // Another request may have finished the erasure since, so the item may be missing.
            writes.push(self.delete_any(Rule::Erasure, self.unfinished_key(tombstone)?)?);
        }
        if let Some(StoredAnswer { replay, answer }) = answer {
            writes.push(self.answer_write(replay, id, answer)?);
        }
        if writes.is_empty() {
            return Ok(());
        }
        match self.transact(&writes).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(mut refusals) => match refusals.take(Rule::Answer) {
                Some(_) => Err(Error::request_in_progress()),
                None => Err(refusals.unexpected()),
            },
        }
    }

    /// Builds the write that adds a tombstone to the unfinished erasures.
    pub(super) fn unfinished_write(&self, tombstone: &StoredCustomer) -> Result<Write, Error> {
        let item = Item::from([("type".to_owned(), ItemKind::Erasure.attribute())]);
        self.put(Rule::Erasure, self.unfinished_key(tombstone)?, item, IS_NEW)
    }

    fn unfinished_key(&self, tombstone: &StoredCustomer) -> Result<Key, Error> {
        let erased_at = tombstone.erased_at;
        let erased_at = erased_at.ok_or_else(|| Error::internal("a tombstone has no erased_at"))?;
        Ok(keys::unfinished_erasure(erased_at, &self.keys.position(&tombstone.customer_id)))
    }

    /// Builds the write that marks a tombstone as scrubbed.
    fn scrubbed_write(&self, id: &CustomerId) -> Result<Write, Error> {
        let mut e = Expression::default();
        let update =
            format!("SET {} = {}", e.name("is_scrubbed"), e.value(AttributeValue::Bool(true)));
        let condition = format!("attribute_exists({})", e.name("erased_at"));
        self.update(Rule::Customer, self.keys.customer(id), update, condition, e)
    }
}

/// Removes the name of the idempotency record from an event, and personal data from the event's
/// changes. The names of all changed fields stay.
fn erased_event(row: &Item) -> Result<Item, Error> {
    let mut after = row.clone();
    let mut changes: Map<String, Value> = match after.remove("changes") {
        Some(AttributeValue::M(changes)) => item::model(changes)?,
        _ => Map::new(),
    };
    erased::changes(&mut changes);
    after.remove(ANSWER_RECORD);
    // Fields that are `null` are written too, so that their names stay.
    let changes = serde_dynamo::to_attribute_value(&changes)
        .map_err(|error| Error::internal(format!("to item: {error}")))?;
    after.insert("changes".to_owned(), changes);
    Ok(after)
}
