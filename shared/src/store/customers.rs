//! Customers: read, created and changed, each change with its event in the same transaction.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;

use super::call::{Outcome, Rule, Write, jittered, unavailable_or_internal};
use super::expression::Expression;
use super::idempotency::Replay;
use super::item::{self, Item};
use super::{TenantTable, keys};
use crate::error::Error;
use crate::http::Response;
use crate::model::customer::Customer;
use crate::model::event::{Event, EventKind, changes};
use crate::model::id::CustomerId;
use crate::model::value::ClientId;

/// How long a change is made anew because others came first, before the caller is told to come back.
const RACE_TIME: Duration = Duration::from_secs(8);
/// The longest pause between two of these tries.
const RACE_PAUSE: Duration = Duration::from_millis(100);

const IS_NEW: &str = "attribute_not_exists(pk)";

impl TenantTable<'_> {
    /// Strongly consistent: who has just written reads what was written.
    pub async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, Error> {
        let key = self.keys.customer(id).attributes();
        self.get(key).await?.map(item::model).transpose()
    }

    pub(super) async fn get(&self, key: Item) -> Result<Option<Item>, Error> {
        let get = self.table.client.get_item().table_name(&self.table.name).set_key(Some(key));
        let got = get.consistent_read(true).send().await;
        Ok(got.map_err(|error| unavailable_or_internal("GetItem", &error))?.item)
    }

    /// Creates the customer, claims its client id and keeps the answer for a replay: all or nothing.
    pub async fn create_customer(
        &self,
        customer: &Customer,
        replay: Option<Replay>,
        response: &Response,
    ) -> Result<(), Error> {
        let key = self.keys.customer(&customer.customer_id);
        let item = self.customer_item(customer)?;
        let mut writes = vec![
            self.put(Rule::Customer, key, item, IS_NEW)?,
            self.event(EventKind::CustomerCreated, None, customer)?,
        ];
        if let Some(client_id) = &customer.profile.client_id {
            writes.push(self.claim(client_id, &customer.customer_id)?);
        }
        if let Some(replay) = &replay {
            writes.push(self.keep_answer(replay, response)?);
        }
        let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
            return Ok(());
        };
        // First: where a retry took the key over, the claim may be that of its own customer.
        if refused.take(Rule::Answer).is_some() {
            return Err(Error::request_in_progress());
        }
        match refused.take(Rule::Claim) {
            Some(claim) => Err(taken(claim)),
            None => Err(refused.unexpected()),
        }
    }

    /// Changes the customer as `change` says, which is asked again when another change came
    /// first. A `change` that keeps the version writes nothing.
    pub async fn change_customer(
        &self,
        id: &CustomerId,
        kind: EventKind,
        change: impl Fn(&Customer) -> Result<Customer, Error>,
    ) -> Result<Customer, Error> {
        let mut current = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let started = Instant::now();
        let mut pause = Duration::from_millis(1);
        while started.elapsed() < RACE_TIME {
            let changed = change(&current)?;
            if changed.version == current.version {
                return Ok(current);
            }
            let mut writes = vec![
                self.customer_update(&current, &changed)?,
                self.event(kind, Some(&current), &changed)?,
            ];
            if let (None, Some(client_id)) =
                (&current.profile.client_id, &changed.profile.client_id)
            {
                writes.push(self.claim(client_id, id)?);
            }
            let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
                return Ok(changed);
            };
            if let Some(meanwhile) = refused.take(Rule::Customer) {
                current = item::model(meanwhile.ok_or_else(Error::customer_not_found)?)?;
                tokio::time::sleep(jittered(pause)).await;
                pause = (pause * 2).min(RACE_PAUSE);
            } else if let Some(claim) = refused.take(Rule::Claim) {
                return Err(taken(claim));
            } else {
                return Err(refused.unexpected());
            }
        }
        Err(Error::store_unavailable("other changes of a customer came first too often"))
    }

    fn customer_item(&self, customer: &Customer) -> Result<Item, Error> {
        let mut item = item::attributes(customer)?;
        let name = keys::name_sort_key(&customer.profile.name, &customer.customer_id);
        for (attribute, value) in [
            ("type", "customer".to_owned()),
            ("tenant_pk", self.keys.all()),
            ("risk_pk", self.keys.at_risk(customer.risk.level)),
            ("name_sk", name),
        ] {
            item.insert(attribute.to_owned(), AttributeValue::S(value));
        }
        Ok(item)
    }

    fn customer_update(&self, before: &Customer, after: &Customer) -> Result<Write, Error> {
        let mut expression = Expression::default();
        let (old, new) = (self.customer_item(before)?, self.customer_item(after)?);
        let update = item::update(&old, &new, &mut expression);
        let (name, version) = (expression.name("version"), expression.number(before.version));
        let condition = format!("{name} = {version}");
        let key = self.keys.customer(&before.customer_id);
        self.update(Rule::Customer, key, update, condition, expression)
    }

    fn claim(&self, client_id: &ClientId, customer_id: &CustomerId) -> Result<Write, Error> {
        let item = Item::from([
            ("type".to_owned(), AttributeValue::S("client".to_owned())),
            ("customer_id".to_owned(), AttributeValue::S(customer_id.to_string())),
        ]);
        self.put(Rule::Claim, self.keys.client(client_id), item, IS_NEW)
    }

    /// The customer a client id belongs to.
    pub(super) async fn claimed_by(
        &self,
        client_id: &ClientId,
    ) -> Result<Option<CustomerId>, Error> {
        let claim = self.get(self.keys.client(client_id).attributes()).await?;
        claim.as_ref().map(claimant).transpose()
    }

    fn event(
        &self,
        kind: EventKind,
        before: Option<&Customer>,
        after: &Customer,
    ) -> Result<Write, Error> {
        // Changes of one customer have distinct, rising times, so its events sort as they happened.
        let at = after.updated_at;
        let event_id = self.table.ids.at(at);
        let customer_id = after.customer_id;
        let (origin, changes) = (self.caller.origin().clone(), changes(before, after));
        let event = Event { event_id, kind, customer_id, at, origin, changes };
        let mut item = item::attributes(&event)?;
        item.insert("type".to_owned(), AttributeValue::S("event".to_owned()));
        self.put(Rule::Event, self.keys.event(&customer_id, event_id), item, IS_NEW)
    }
}

fn claimant(claim: &Item) -> Result<CustomerId, Error> {
    let id = item::text(claim, "customer_id").and_then(CustomerId::parse);
    id.ok_or_else(|| Error::internal("a client id claim names no customer"))
}

fn taken(claim: Option<Item>) -> Error {
    let claimant =
        claim.as_ref().map_or_else(|| Err(Error::internal("a claim was not returned")), claimant);
    match claimant {
        Ok(existing) => Error::customer_already_exists("/client_id", &existing),
        Err(error) => error,
    }
}
