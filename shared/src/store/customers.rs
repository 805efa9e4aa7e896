//! Customers: read, created and changed, each change with its event in the same transaction.

use aws_sdk_dynamodb::types::AttributeValue;

use super::call::{Outcome, Rule, Write, unavailable_or_internal};
use super::change::{Change, Race};
use super::expression::Expression;
use super::idempotency::Replay;
use super::item::{self, Item};
use super::{TenantTable, keys};
use crate::error::Error;
use crate::http::Response;
use crate::model::customer::{Customer, MonitoringStatus};
use crate::model::event::{EventKind, changes};
use crate::model::id::CustomerId;
use crate::model::risk::Trigger;
use crate::model::value::ClientId;
use crate::risk::scored_fields_differ;

pub(super) const IS_NEW: &str = "attribute_not_exists(pk)";
pub(super) const IS_THERE: &str = "attribute_exists(pk)";

impl TenantTable<'_> {
    /// Strongly consistent: who has just written reads what was written.
    pub async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, Error> {
        let key = self.keys.customer(id).attributes();
        self.get(key).await?.map(|item| self.read(item)).transpose()
    }

    /// A customer as it stands now.
    pub(super) fn read(&self, item: Item) -> Result<Customer, Error> {
        Ok(item::model::<Customer>(item)?.settled(self.table.clock.now()))
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
        let mut writes = self.creation(customer, customer)?;
        self.keep_answer(replay.as_ref(), response, &mut writes)?;
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
        let mut race = Race::start();
        loop {
            let before = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
            let mut after = change(&before)?;
            if after.version == before.version {
                return Ok(before);
            }
            let mut sources = None;
            let watch = self.watch_change(&before, &mut after, None, &mut sources).await?;
            let is_scored = scored_fields_differ(&before.profile, &after.profile)
                || watch.as_ref().is_some_and(|(watch, _)| !watch.alerts.is_empty());
            let profile = match is_scored {
                true => {
                    let sources = match sources {
                        Some(sources) => sources,
                        None => self.sources(id).await?,
                    };
                    Some(self.assess(&mut after, &sources, Trigger::CustomerChanged))
                }
                false => None,
            };
            let (watch, checked) = watch.unzip();
            let claimed = after.profile.client_id.as_ref();
            let claimed = claimed.filter(|_| before.profile.client_id.is_none());
            let claim = claimed.map(|client_id| self.claim(client_id, id)).transpose()?;
            let change = Change::new(kind, &before, after.clone());
            let mut writes = self.writes_of(&Change { watch, profile, ..change })?;
            writes.extend(claim);
            let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
                if let Some(checked) = checked.flatten() {
                    self.check_again(id, checked.lists()).await?;
                }
                return Ok(after);
            };
            // A claim says nothing while the customer may have become its owner meanwhile.
            if refused.take(Rule::Customer).is_none() {
                return Err(refused.take(Rule::Claim).map_or_else(|| refused.unexpected(), taken));
            }
            race.lost().await?;
        }
    }

    /// The writes of a customer that was created as `first`; `stored` is what became of it since.
    pub(super) fn creation(
        &self,
        first: &Customer,
        stored: &Customer,
    ) -> Result<Vec<Write>, Error> {
        let key = self.keys.customer(&stored.customer_id);
        let mut writes = vec![
            self.put(Rule::Customer, key, self.customer_item(stored)?, IS_NEW)?,
            self.event(EventKind::CustomerCreated, first, changes(None, first))?,
        ];
        if let Some(client_id) = &stored.profile.client_id {
            writes.push(self.claim(client_id, &stored.customer_id)?);
        }
        Ok(writes)
    }

    fn customer_item(&self, customer: &Customer) -> Result<Item, Error> {
        let mut item = item::typed("customer", customer)?;
        if !customer.open_sessions.is_empty() {
            let open = item::attributes(&customer.open_sessions)?;
            item.insert("open_sessions".to_owned(), AttributeValue::M(open));
        }
        if let Some(until) = customer.monitored_until {
            item.insert("monitored_until".to_owned(), AttributeValue::S(until.to_string()));
        }
        if customer.is_scrubbed {
            item.insert("is_scrubbed".to_owned(), AttributeValue::Bool(true));
        }
        let name = keys::name_sort_key(&customer.profile.name, &customer.customer_id);
        for (attribute, value) in [
            ("tenant_pk", self.keys.all()),
            ("risk_pk", self.keys.at_risk(customer.risk.level)),
            ("name_sk", name),
        ] {
            item.insert(attribute.to_owned(), AttributeValue::S(value));
        }
        Ok(item)
    }

    pub(super) fn customer_update(
        &self,
        before: &Customer,
        after: &Customer,
    ) -> Result<Write, Error> {
        let mut expression = Expression::default();
        let (mut old, new) = (self.customer_item(before)?, self.customer_item(after)?);
        // Monitoring that ended by itself is off for whoever reads it, and was not written so.
        if before.monitored_until.is_some() && before.monitoring.status == MonitoringStatus::Off {
            old.remove("monitoring");
        }
        let update = item::update(&old, &new, &mut expression);
        let (name, version) = (expression.name("version"), expression.number(before.version));
        let condition = format!("{name} = {version}");
        let key = self.keys.customer(&before.customer_id);
        self.update(Rule::Customer, key, update, condition, expression)
    }

    fn claim(&self, client_id: &ClientId, customer_id: &CustomerId) -> Result<Write, Error> {
        let item = item::pointer("client", customer_id);
        self.put(Rule::Claim, self.keys.client(client_id), item, IS_NEW)
    }

    /// The customer a client id belongs to.
    pub(super) async fn claimed_by(
        &self,
        client_id: &ClientId,
    ) -> Result<Option<CustomerId>, Error> {
        let claim = self.get(self.keys.client(client_id).attributes()).await?;
        claim.map(|claim| claimant(Some(claim))).transpose()
    }
}

/// Whom a claim, or any other pointer, leads to.
pub(super) fn claimant(pointer: Option<Item>) -> Result<CustomerId, Error> {
    let id = pointer.as_ref().and_then(|pointer| item::text(pointer, "customer_id"));
    let id = id.and_then(CustomerId::parse);
    id.ok_or_else(|| Error::internal("a pointer names no customer"))
}

fn taken(claim: Option<Item>) -> Error {
    match claimant(claim) {
        Ok(existing) => Error::customer_already_exists("/client_id", &existing),
        Err(error) => error,
    }
}
