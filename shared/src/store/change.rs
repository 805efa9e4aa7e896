//! Defines and commits changes to a customer. A change is one transaction. It writes the customer at
//! its next version, the other items that change with it, the audit event and the answer for the
//! idempotency key.
//!
//! The version covers everything that belongs to the customer. A use case reads the customer first
//! and everything else afterwards. If another change to the customer is written in the meantime,
//! the condition on the version fails and the use case plans the change again.

use serde_json::{Map, Value, json};

use super::TenantTable;
use super::attempts::Attempts;
use super::idempotency::{ANSWER_RECORD, Replay};
use super::item::{self, IS_NEW, ItemKind};
use super::transaction::{Outcome, Rule, Write};
use crate::error::Error;
use crate::model::alert::{AlertStatus, StoredAlert};
use crate::model::answer::Answer;
use crate::model::customer::StoredCustomer;
use crate::model::erased;
use crate::model::event::{Event, EventKind, changes};
use crate::model::monitor::Monitor;
use crate::model::organization::Organization;
use crate::model::risk::RiskProfile;
use crate::model::screened::Screened;
use crate::model::session::Session;

/// A planned change of a customer: everything that its transaction writes.
pub struct Change {
    /// Kind of the audit event.
    pub kind: EventKind,
    /// The customer before the change, as it was read.
    pub before: StoredCustomer,
    /// The customer after the change.
    pub after: StoredCustomer,
    /// Whether the change creates the customer. `before` is then the customer at its creation, and
    /// `after` includes the other changes of the same transaction, such as a first session.
    pub is_new: bool,
    /// The session that is created or changed.
    pub session: Option<SessionChange>,
    /// The organization that is created or replaced.
    pub organization: Option<OrganizationChange>,
    /// The monitor that is started, changed or deleted.
    pub monitor: Option<MonitorChange>,
    /// Alerts that are new or have changed. At most 80, because a transaction has at most 100 items.
    pub alerts: Vec<AlertChange>,
    /// The new risk profile, if the change leads to one.
    pub profile: Option<RiskProfile>,
    /// The answer to store for the request's idempotency key.
    pub answer: Option<StoredAnswer>,
}

/// A session that is created or changed.
pub struct SessionChange {
    /// The session before the change; `None` when the session is created.
    pub before: Option<Session>,
    /// The session after the change.
    pub after: Session,
}

/// An organization that is created or replaced.
pub struct OrganizationChange {
    /// The organization to replace, which stays stored under its version; `None` for the first one.
    pub before: Option<Organization>,
    /// The new organization.
    pub after: Organization,
}

/// A change of a customer's monitor.
pub enum MonitorChange {
    /// The monitor is created or changed.
    Put {
        /// `true` when the customer has no monitor yet.
        is_new: bool,
        /// The monitor after the change.
        monitor: Monitor,
        /// The monitor's subjects and known matches.
        screened: Screened,
    },
    /// The monitor is deleted, because its customer is erased.
    Delete,
}

/// An alert that is new or has changed.
pub struct AlertChange {
    /// Status before the change; `None` when the alert is new.
    pub from: Option<AlertStatus>,
    /// The alert after the change.
    pub alert: StoredAlert,
}

/// An answer to store for an idempotency key.
pub struct StoredAnswer {
    /// The right to store the answer for the key.
    pub replay: Replay,
    /// The answer that a repeated request gets.
    pub answer: Answer,
}

impl StoredAnswer {
    /// Returns the answer to store. Returns `None` when the request has no idempotency key.
    pub fn of(replay: Option<&Replay>, answer: &Answer) -> Option<StoredAnswer> {
        replay.map(|replay| StoredAnswer { replay: replay.clone(), answer: answer.clone() })
    }
}

impl Change {
    /// Creates a change of the customer alone. Set further fields to write more in the same
    /// transaction.
    pub fn new(kind: EventKind, before: StoredCustomer, after: StoredCustomer) -> Change {
        Change {
            kind,
            before,
            after,
            is_new: false,
            session: None,
            organization: None,
            monitor: None,
            alerts: Vec::new(),
            profile: None,
            answer: None,
        }
    }

    /// Creates a change that creates a customer, with an event of the kind
    /// [`EventKind::CustomerCreated`].
    pub fn creation(customer: StoredCustomer) -> Change {
        let kind = EventKind::CustomerCreated;
        Change { is_new: true, ..Change::new(kind, customer.clone(), customer) }
    }

    /// Returns the `changes` of the audit event: the changed fields of the customer and of the
    /// session, the counts of the organization, the version of the monitor and a summary of each
    /// alert. For an erasure they contain no personal data.
    ///
    /// # Errors
    /// `InternalError` when a model does not serialize.
    pub fn event_changes(&self) -> Result<Map<String, Value>, Error> {
        let mut all = changes(Some(&self.before.customer), &self.after.customer)?;
        if let Some(SessionChange { before, after }) = &self.session {
            let mut session = changes(before.as_ref(), after)?;
            session.insert("session_id".to_owned(), after.session_id.to_string().into());
            let from = before.as_ref().map(|before| before.version);
            session.insert("version".to_owned(), json!({ "from": from, "to": after.version }));
            all.insert("session".to_owned(), Value::Object(session));
        }
        if let Some(organization) = &self.organization {
            all.insert("organization".to_owned(), organization.counts());
        }
        if let Some(MonitorChange::Put { is_new, monitor, .. }) = &self.monitor {
            let from = (!is_new).then(|| monitor.version - 1);
            let version = json!({ "from": from, "to": monitor.version });
            all.insert("monitor".to_owned(), json!({ "version": version }));
        }
        if !self.alerts.is_empty() {
            let alerts = self.alerts.iter().map(AlertChange::summary).collect();
            all.insert("alerts".to_owned(), Value::Array(alerts));
        }
        if self.kind == EventKind::CustomerErased {
            erased::changes(&mut all);
        }
        Ok(all)
    }
}

impl OrganizationChange {
    /// Returns the version and the numbers of parties and relationships, before and after. The
    /// event does not repeat the structures, because each version of the organization is stored.
    fn counts(&self) -> Value {
        let number = |of: fn(&Organization) -> u64| json!({ "from": self.before.as_ref().map(of), "to": of(&self.after) });
        json!({
            "version": number(|organization| organization.version),
            "parties": number(|organization| organization.structure.parties.len() as u64),
            "relationships": number(|organization| organization.structure.relationships.len() as u64),
        })
    }
}

impl AlertChange {
    /// Returns the alert for the event, without the names of the subject and of the entry. Only the
    /// alert itself stores these names.
    fn summary(&self) -> Value {
        let alert = &self.alert;
        json!({
            "alert_id": alert.alert_id,
            "subject": { "kind": alert.subject.kind, "party_id": alert.subject.party_id },
            "list": alert.list,
            "list_version": alert.list_version,
            "entity_id": alert.entity_id,
            "entity_type": alert.entity_type,
            "score": alert.score,
            "status": { "from": self.from, "to": alert.status },
            "version": alert.version,
            "cleared_because": alert.cleared_because,
            "changes": alert.changes,
        })
    }
}

impl TenantTable<'_> {
    /// Writes a change. Returns `false` when the change lost to a concurrent change of the same
    /// customer. The method has then waited, and the caller must read the customer and plan the
    /// change again.
    ///
    /// # Errors
    /// `CustomerErased` for a tombstone, `CustomerAlreadyExists` when the client id is taken,
    /// `RequestInProgress` when another request holds the idempotency key, `StoreUnavailable`, or
    /// `InternalError` when a condition fails that only a bug can break.
    pub async fn commit(&self, change: &Change, attempts: &mut Attempts) -> Result<bool, Error> {
        let Outcome::Refused(mut refusals) = self.transact(&self.writes(change)?).await? else {
            return Ok(true);
        };
        // Check the idempotency key first. If a retry has taken over the key, the retry may have
        // claimed the client id, and the claim is then not a conflict.
        if refusals.take(Rule::Answer).is_some() {
            return Err(Error::request_in_progress());
        }
        // Check the customer next. A concurrent change of the same customer may have claimed the
        // client id.
        if refusals.take(Rule::Customer).is_some() {
            attempts.lost().await?;
            return Ok(false);
        }
        match refusals.take(Rule::Claim) {
            Some(Some(claim)) => {
                Err(Error::customer_already_exists("/client_id", &item::owner(&claim)?))
            }
            _ => Err(refusals.unexpected()),
        }
    }

    fn writes(&self, change: &Change) -> Result<Vec<Write>, Error> {
        let Change { kind, before, after, .. } = change;
        if before.erased_at.is_some() {
            return Err(Error::customer_erased());
        }
        let id = &after.customer_id;
        let mut writes = Vec::new();
        if change.is_new {
            writes.push(self.customer_put_write(after)?);
            let created = changes(None, &before.customer)?;
            writes.push(self.event_write(EventKind::CustomerCreated, before, created)?);
        } else {
            writes.push(self.customer_update_write(before, after)?);
        }
        writes.extend(self.claim_writes(change)?);
        if *kind == EventKind::CustomerErased {
            writes.push(self.unfinished_write(after)?);
        }
        if let Some(SessionChange { before, after }) = &change.session {
            writes.extend(self.session_writes(before.as_ref(), after)?);
        }
        if let Some(OrganizationChange { before, after }) = &change.organization {
            writes.extend(self.organization_writes(id, before.as_ref(), after)?);
        }
        if let Some(monitor) = &change.monitor {
            writes.extend(self.monitor_writes(id, monitor, after.updated_at)?);
        }
        for AlertChange { from, alert } in &change.alerts {
            writes.push(self.alert_write(alert, from.is_none())?);
        }
        if let Some(profile) = &change.profile {
            writes.push(self.profile_write(after, profile)?);
        }
        if !(change.is_new && *kind == EventKind::CustomerCreated) {
            writes.push(self.event_write(*kind, after, change.event_changes()?)?);
        }
        if let Some(StoredAnswer { replay, answer }) = &change.answer {
            // The first event names the idempotency record, so that an erasure of the customer
            // finds the record.
            for event in writes.iter_mut().filter_map(Write::event).take(1) {
                event.insert(ANSWER_RECORD.to_owned(), replay.place_attribute());
            }
            writes.push(self.answer_write(replay, id, answer)?);
        }
        Ok(writes)
    }

    /// Builds the write of an audit event. `after` is the customer at the version that the event
    /// leads to.
    fn event_write(
        &self,
        kind: EventKind,
        after: &StoredCustomer,
        changes: Map<String, Value>,
    ) -> Result<Write, Error> {
        // The times of a customer's changes are distinct and ascending, so events sort in the order
        // of the changes.
        let at = after.updated_at;
        let event_id = self.table.ids.at(at);
        let customer_id = after.customer_id;
        let origin = self.scope.origin().clone();
        let event = Event { event_id, kind, customer_id, at, origin, changes };
        let item = item::typed(ItemKind::Event, &event)?;
        self.put(Rule::Event, self.keys.event(&customer_id, event_id), item, IS_NEW)
    }
}
