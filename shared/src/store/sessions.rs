//! KYC sessions. A session is stored in the partition of its customer, and a pointer leads from the
//! id of the session to the customer.

use super::TenantTable;
use super::cursor::Scope;
use super::expression::Expression;
use super::item::{self, IS_NEW, IS_THERE, Item, ItemKind};
use super::page::position_after;
use super::transaction::{Rule, Write};
use crate::error::Error;
use crate::model::id::{CustomerId, SessionId};
use crate::model::page::{Page, Paging};
use crate::model::session::{Session, SessionStatus};

impl TenantTable<'_> {
    /// Finds the customer of a session.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is malformed.
    pub async fn customer_of_session(&self, id: &SessionId) -> Result<Option<CustomerId>, Error> {
        let pointer = self.table.get(self.keys.session_pointer(id)).await?;
        pointer.as_ref().map(item::owner).transpose()
    }

    /// Reads a session with strong consistency.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when the item is missing or malformed.
    pub async fn session(&self, customer: &CustomerId, id: &SessionId) -> Result<Session, Error> {
        let item = self.table.get(self.keys.session(customer, id)).await?;
        let item = item.ok_or_else(|| Error::internal("a session pointer leads to no session"))?;
        self.read_session(item)
    }

    /// Reads at most `limit` sessions of a customer, newest first.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn newest_sessions(
        &self,
        customer: &CustomerId,
        limit: usize,
    ) -> Result<Vec<Session>, Error> {
        let (partition, prefix) = self.keys.sessions(customer);
        let items = self.newest(partition, prefix, limit).await?;
        items.into_iter().map(|item| self.read_session(item)).collect()
    }

    /// Reads a page of a customer's sessions by time of creation, ascending or descending as
    /// `paging` says. With `status`, the page contains only sessions with this status.
    ///
    /// # Errors
    /// `InvalidCursor`, `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn sessions(
        &self,
        customer: &CustomerId,
        status: Option<SessionStatus>,
        paging: &Paging,
    ) -> Result<Page<Session>, Error> {
        let scope = Scope::new(self.scope.tenant(), "sessions", &(customer, status, paging.order))?;
        let position = paging.cursor.as_ref().map(|cursor| scope.open(cursor)).transpose()?;
        let after = position.map(|id| SessionId::parse(&id).ok_or_else(Error::invalid_cursor));
        let start = after.transpose()?.map(|id| self.keys.session(customer, &id));
        let (partition, prefix) = self.keys.sessions(customer);
        let filter = |e: &mut Expression| status.map(|status| self.has_status(e, status));
        let listing = self.listing((partition, prefix), start, filter, paging.order, scope);
        let position_of = |item: &Item| position_after(prefix, item);
        listing.page(paging.limit, |item| self.read_session(item), position_of).await
    }

    /// Reads a session from its item, with its status as of now.
    pub(super) fn read_session(&self, item: Item) -> Result<Session, Error> {
        Ok(item::model::<Session>(item)?.settled(self.table.clock.now()))
    }

    pub(super) fn session_writes(
        &self,
        before: Option<&Session>,
        after: &Session,
    ) -> Result<Vec<Write>, Error> {
        let (customer, session) = (&after.customer_id, &after.session_id);
        let key = self.keys.session(customer, session);
        let item = item::typed(ItemKind::Session, after)?;
        if before.is_some() {
            return Ok(vec![self.put(Rule::Session, key, item, IS_THERE)?]);
        }
        let pointer = item::pointer(ItemKind::SessionPointer, customer);
        let pointer_key = self.keys.session_pointer(session);
        Ok(vec![
            self.put(Rule::Session, key, item, IS_NEW)?,
            self.put(Rule::Session, pointer_key, pointer, IS_NEW)?,
        ])
    }

    /// Returns a filter on the status as of now. Sessions expire without a write, so an expired
    /// session is stored as active with an `expires_at` in the past.
    fn has_status(&self, e: &mut Expression, status: SessionStatus) -> String {
        let (stored, sign) = match status {
            SessionStatus::Active => (SessionStatus::Active, ">"),
            SessionStatus::Expired => (SessionStatus::Active, "<="),
            stored => return format!("{} = {}", e.name("status"), e.text(stored.as_ref())),
        };
        let now = self.table.clock.now().to_string();
        let (name, expires_at) = (e.name("status"), e.name("expires_at"));
        format!("{name} = {} AND {expires_at} {sign} {}", e.text(stored.as_ref()), e.text(now))
    }
}
