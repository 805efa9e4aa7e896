//! Erasing a customer. First it becomes a tombstone, in one transaction with the end of its client id
//! and of its monitoring: from then on nothing of it can be changed and nothing added. Then whatever
//! else there is of it is read and, where it holds personal data, written without. Whoever dies on
//! the way leaves a tombstone that says so, and the same request goes on from there.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde_json::{Map, Value};

use super::TenantTable;
use super::call::{Outcome, Rule, Write, unavailable_or_internal};
use super::change::Race;
use super::customers::IS_THERE;
use super::expression::Expression;
use super::idempotency::{KEPT_ANSWER, Replay};
use super::item::{self, Item};
use super::monitors::alert_item;
use super::page::text;
use crate::error::Error;
use crate::http::{IfMatch, Response};
use crate::model::customer::Customer;
use crate::model::erased;
use crate::model::event::{EventKind, changes};
use crate::model::id::CustomerId;
use crate::model::time::Timestamp;

/// How many rows are written in one transaction.
const AT_ONCE: usize = 25;
impl TenantTable<'_> {
    /// Erases what tells who the customer is, wherever it stands. `answer` is what its tombstone is
    /// answered with.
    pub async fn erase(
        &self,
        id: &CustomerId,
        if_match: &IfMatch,
        now: Timestamp,
        replay: Option<Replay>,
        answer: impl Fn(&Customer) -> Result<Response, Error>,
    ) -> Result<Response, Error> {
        let tombstone = self.bury(id, if_match, now).await?;
        if !tombstone.is_scrubbed {
            self.scrub_partition(id).await?;
        }
        let response = answer(&tombstone)?;
        let mut writes = Vec::new();
        if !tombstone.is_scrubbed {
            writes.push(self.scrubbed(id)?);
        }
        self.keep_answer(replay.as_ref(), &response, &mut writes)?;
        if writes.is_empty() {
            return Ok(response);
        }
        match self.transact(&writes).await? {
            Outcome::Done => Ok(response),
            Outcome::Refused(mut refused) => match refused.take(Rule::Answer) {
                Some(_) => Err(Error::request_in_progress()),
                None => Err(refused.unexpected()),
            },
        }
    }

    /// Makes a tombstone of the customer, unless it is one.
    async fn bury(
        &self,
        id: &CustomerId,
        if_match: &IfMatch,
        now: Timestamp,
    ) -> Result<Customer, Error> {
        let mut race = Race::start();
        loop {
            let before = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
            let checked = if_match.check(Some(before.version));
            if before.erased_at.is_some() {
                // Who asks again for what did not end knows the version it began with.
                let earlier = Some(before.version - 1).filter(|_| !before.is_scrubbed);
                checked.or_else(|error| earlier.map_or(Err(error), |v| if_match.check(Some(v))))?;
                return Ok(before);
            }
            checked?;
            let after = before.erased(now)?;
            let mut told = changes(Some(&before), &after);
            erased::changes(&mut told);
            let mut writes = vec![
                self.customer_update(&before, &after)?,
                self.event(EventKind::CustomerErased, &after, told)?,
            ];
            if let Some(client_id) = &before.profile.client_id {
                writes.push(self.delete(Rule::Claim, self.keys.client(client_id))?);
            }
            if self.get(self.keys.monitor(id).attributes()).await?.is_some() {
                writes.push(self.delete(Rule::Monitor, self.keys.monitor(id))?);
            }
            let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
                return Ok(after);
            };
            refused.overtaken()?;
            race.lost().await?;
        }
    }

    async fn scrub_partition(&self, id: &CustomerId) -> Result<(), Error> {
        let mut start = None;
        loop {
            let mut e = Expression::default();
            let by_key = e.partition(self.keys.partition(id));
            let query = self.table.query(by_key, e).set_exclusive_start_key(start);
            let page = query.send().await.map_err(|e| unavailable_or_internal("Query", &e))?;
            // Step by step: who comes next goes on where time ran out.
            for rows in page.items.unwrap_or_default().chunks(AT_ONCE) {
                let kept = rows.iter().filter_map(|row| item::text(row, KEPT_ANSWER));
                try_join_all(kept.map(|place| self.erase_answer(id, place))).await?;
                let writes = rows.iter().map(|row| self.scrub(id, row));
                let writes = writes.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
                if writes.is_empty() {
                    continue;
                }
                match self.transact(&writes).await? {
                    Outcome::Done => {}
                    // Another request erases the same customer: it has deleted what is deleted here.
                    Outcome::Refused(_) => return Err(Error::store_unavailable("erased twice")),
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// What has to be written of a row; nothing where there is nothing to erase.
    fn scrub(&self, id: &CustomerId, row: &Item) -> Result<Option<Write>, Error> {
        let sort_key = text(row, "sk")?;
        let key = || self.keys.row(id, &sort_key);
        let kind = item::text(row, "type").unwrap_or_default().to_owned();
        let (rule, mut after) = match kind.as_str() {
            "customer" => return Ok(None),
            "organization" => return self.delete(Rule::Organization, key()).map(Some),
            "session" => {
                (Rule::Session, item::typed(&kind, &erased::session(item::model(row.clone())?))?)
            }
            "risk profile" => (
                Rule::Profile,
                item::typed(&kind, &erased::risk_profile(item::model(row.clone())?))?,
            ),
            "alert" => (Rule::Alert, alert_item(&erased::alert(item::model(row.clone())?))?),
            "event" => {
                let mut after = row.clone();
                let mut told: Map<String, Value> = match after.remove("changes") {
                    Some(AttributeValue::M(told)) => item::model(told)?,
                    _ => Map::new(),
                };
                erased::changes(&mut told);
                after.remove(KEPT_ANSWER);
                // With the nulls, that the names stay.
                let told = serde_dynamo::to_attribute_value(&told)
                    .map_err(|error| Error::internal(format!("to item: {error}")))?;
                after.insert("changes".to_owned(), told);
                (Rule::Event, after)
            }
            // A monitor went with the tombstone. To pass over anything else would be to keep it.
            _ => return Err(Error::internal("an item of a customer is of no known type")),
        };
        after.extend(key().attributes());
        if after == *row {
            return Ok(None);
        }
        self.put(rule, key(), after, IS_THERE).map(Some)
    }

    /// Says on the tombstone that nothing is left to erase.
    fn scrubbed(&self, id: &CustomerId) -> Result<Write, Error> {
        let mut e = Expression::default();
        let update =
            format!("SET {} = {}", e.name("is_scrubbed"), e.value(AttributeValue::Bool(true)));
        let condition = format!("attribute_exists({})", e.name("erased_at"));
        self.update(Rule::Customer, self.keys.customer(id), update, condition, e)
    }
}
