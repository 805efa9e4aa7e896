//! KYC sessions: each beside its customer, and found by its own id through a pointer.

use serde_json::value::RawValue;

use super::TenantTable;
use super::call::{Outcome, Rule, Write};
use super::change::{Change, Part, Race};
use super::cursor::Scope;
use super::customers::{IS_NEW, IS_THERE, claimant};
use super::expression::Expression;
use super::idempotency::Replay;
use super::item::{self, Item};
use super::page::{Page, behind, written};
use crate::error::{Error, Faults};
use crate::http::{Paging, Response};
use crate::model::customer::{Customer, MAX_OPEN_SESSIONS};
use crate::model::event::EventKind;
use crate::model::id::{CustomerId, SessionId};
use crate::model::profile::Profile;
use crate::model::risk::Trigger;
use crate::model::session::{NewSession, Session, SessionPatch, SessionStatus};
use crate::model::time::Timestamp;

impl TenantTable<'_> {
    /// Creates the session and counts it, on a customer that this creates where its client id is
    /// new. `answer` is told whether it did.
    pub async fn create_session(
        &self,
        request: &NewSession,
        session_id: SessionId,
        replay: Option<Replay>,
        answer: impl Fn(&Session, bool) -> Result<Response, Error>,
    ) -> Result<Response, Error> {
        let mut known = request.customer_id;
        let mut race = Race::start();
        loop {
            let linked = self.linked(request, &mut known).await?;
            let customer_created = linked.is_none();
            let before = match linked {
                Some(customer) => customer,
                None => self.first_customer(request, session_id)?,
            };
            let session = Session::new(session_id, &before, request);
            let after = before.with_session(None, &session, session.created_at);
            let mut writes = match customer_created {
                true => self.creation(&before, &after)?,
                false => vec![self.customer_update(&before, &after)?],
            };
            let part = Some(Part::Session { before: None, after: Box::new(session.clone()) });
            let kind = EventKind::SessionCreated;
            let change = Change { part, ..Change::new(kind, &before, after) };
            writes.extend(self.writes_beside(&change)?);
            let response = answer(&session, customer_created)?;
            self.keep_answer(replay.as_ref(), &response, &mut writes)?;
            let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
                return Ok(response);
            };
            if refused.take(Rule::Answer).is_some() {
                return Err(Error::request_in_progress());
            }
            match refused.take(Rule::Claim) {
                // Two first sessions of one client id: this one belongs to the other's customer.
                Some(claim) => known = Some(claimant(claim)?),
                None => refused.overtaken()?,
            }
            race.lost().await?;
        }
    }

    /// The customer a session is created for; `None` when its client id is nobody's.
    async fn linked(
        &self,
        request: &NewSession,
        known: &mut Option<CustomerId>,
    ) -> Result<Option<Customer>, Error> {
        if let (None, Some(client_id)) = (&known, &request.client_id) {
            *known = self.claimed_by(client_id).await?;
        }
        let Some(id) = known else {
            return Ok(None);
        };
        let customer = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        if customer.erased_at.is_some() && request.customer_id.is_none() {
            // Since its claim was read: the client id is nobody's by now.
            *known = None;
            return Ok(None);
        }
        customer.takes_sessions()?;
        let mut faults = Faults::default();
        if request.client_id.is_some() && request.client_id != customer.profile.client_id {
            faults.add("/client_id", "is not that of the customer in customer_id");
        }
        if customer.open_sessions.len() >= MAX_OPEN_SESSIONS {
            let given = request.customer_id.map_or("/client_id", |_| "/customer_id");
            let most = format!("has {MAX_OPEN_SESSIONS} active sessions: complete one first");
            faults.add(given, most);
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        Ok(Some(customer))
    }

    /// The customer that a first session creates.
    fn first_customer(&self, request: &NewSession, session: SessionId) -> Result<Customer, Error> {
        let client_id = request.client_id.as_ref();
        let client_id = client_id.ok_or_else(|| Error::internal("a session of nobody"))?;
        let profile = Profile::of_client(client_id, request.name.as_ref(), request.entity_type);
        let id = CustomerId::new(self.table.ids.next(session.created_at()));
        Ok(Customer::new(id, self.caller.tenant().clone(), profile))
    }

    pub async fn session(&self, id: &SessionId) -> Result<Option<Session>, Error> {
        match self.customer_with(id).await? {
            Some(customer_id) => self.session_of(&customer_id, id).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whose session it is.
    async fn customer_with(&self, id: &SessionId) -> Result<Option<CustomerId>, Error> {
        let pointer = self.get(self.keys.session_pointer(id).attributes()).await?;
        pointer.map(|pointer| claimant(Some(pointer))).transpose()
    }

    async fn session_of(&self, customer: &CustomerId, id: &SessionId) -> Result<Session, Error> {
        let item = self.get(self.keys.session(customer, id).attributes()).await?;
        let item = item.ok_or_else(|| Error::internal("a pointer leads to no session"))?;
        self.settled(item)
    }

    pub(super) fn settled(&self, item: Item) -> Result<Session, Error> {
        Ok(item::model::<Session>(item)?.settled(self.table.clock.now()))
    }

    /// Changes the session by the patch, and with it what its customer says of its sessions.
    pub async fn change_session(
        &self,
        id: &SessionId,
        patch: &SessionPatch,
        now: Timestamp,
    ) -> Result<Session, Error> {
        let customer_id = self.customer_with(id).await?.ok_or_else(Error::session_not_found)?;
        let mut race = Race::start();
        loop {
            let customer = self.customer(&customer_id).await?;
            let customer = customer.ok_or_else(|| Error::internal("a session of no customer"))?;
            let before = self.session_of(&customer_id, id).await?;
            let session = before.patched(patch, now)?;
            if session == before {
                return Ok(before);
            }
            let mut after = customer.with_session(Some(&before), &session, now);
            // That a customer is done says nothing yet; what was found does.
            let is_scored =
                session.status.is_outcome() || session.validations != before.validations;
            let profile = match is_scored {
                true => {
                    let sources = self.sources(&customer_id).await?.with_session(&session);
                    Some(self.assess(&mut after, &sources, Trigger::Session))
                }
                false => None,
            };
            let part =
                Part::Session { before: Some(Box::new(before)), after: Box::new(session.clone()) };
            let (kind, part) = (EventKind::SessionUpdated, Some(part));
            let change = Change { part, profile, ..Change::new(kind, &customer, after) };
            let writes = self.writes_of(&change)?;
            let Outcome::Refused(mut refused) = self.transact(&writes).await? else {
                return Ok(session);
            };
            refused.overtaken()?;
            race.lost().await?;
        }
    }

    pub(super) fn session_writes(
        &self,
        before: Option<&Session>,
        after: &Session,
    ) -> Result<Vec<Write>, Error> {
        let (customer, session) = (&after.customer_id, &after.session_id);
        let key = self.keys.session(customer, session);
        let item = item::typed("session", after)?;
        if before.is_some() {
            return Ok(vec![self.put(Rule::Session, key, item, IS_THERE)?]);
        }
        let pointer = item::pointer("session pointer", customer);
        let pointer_key = self.keys.session_pointer(session);
        Ok(vec![
            self.put(Rule::Session, key, item, IS_NEW)?,
            self.put(Rule::Session, pointer_key, pointer, IS_NEW)?,
        ])
    }

    /// The sessions of a customer, in order of creation.
    pub async fn sessions(
        &self,
        customer: &CustomerId,
        status: Option<SessionStatus>,
        paging: &Paging,
    ) -> Result<Page<Box<RawValue>>, Error> {
        let scope = Scope::new(self.caller, "sessions", &(customer, status, paging.order))?;
        let position = paging.cursor.as_ref().map(|cursor| scope.open(cursor)).transpose()?;
        let after = position.map(|id| SessionId::parse(&id).ok_or_else(Error::invalid_cursor));
        let after = after.transpose()?;
        let start = after.map(|id| self.keys.session(customer, &id));
        let (partition, prefix) = self.keys.sessions(customer);
        let filter = |e: &mut Expression| status.map(|status| self.has_status(e, status));
        let listing = self.listing((partition, prefix), start, filter, paging.order, scope);
        let row = |item| written(&self.settled(item)?);
        let position_of = |item: &Item| behind(prefix, item);
        let page = listing.page(paging.limit, row, position_of).await?;
        // Only an empty list may be that of nobody.
        if page.count == 0 && self.customer(customer).await?.is_none() {
            return Err(Error::customer_not_found());
        }
        Ok(page)
    }

    /// A session's status is kept as it was last written: it expires without a write.
    fn has_status(&self, e: &mut Expression, status: SessionStatus) -> String {
        let (kept, sign) = match status {
            SessionStatus::Active => (SessionStatus::Active, ">"),
            SessionStatus::Expired => (SessionStatus::Active, "<="),
            kept => return format!("{} = {}", e.name("status"), e.text(kept.into_str())),
        };
        let now = self.table.clock.now().to_string();
        let (name, expires_at) = (e.name("status"), e.name("expires_at"));
        format!("{name} = {} AND {expires_at} {sign} {}", e.text(kept.into_str()), e.text(now))
    }
}
