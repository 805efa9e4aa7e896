//! Changes of a customer and of what belongs to it. Each is one transaction: the customer at its
//! next version, what changed beside it, and the event. The version is that of the whole: what was
//! read after the customer is what the transaction finds, or the transaction is refused.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::call::{Passing, Rule, Write, jittered};
use super::customers::IS_NEW;
use super::item;
use super::monitors::Watch;
use super::{ATTEMPTS, TenantTable};
use crate::error::Error;
use crate::model::customer::Customer;
use crate::model::event::{Event, EventKind, changes};
use crate::model::organization::Organization;
use crate::model::risk::RiskProfile;
use crate::model::session::Session;

/// How long a change is made anew because others came first, before the caller is told to come back.
const RACE_TIME: Duration = Duration::from_secs(8);
const FIRST_PAUSE: Duration = Duration::from_millis(4);
/// The longest pause between two of these tries: so that of a hundred at once most find it quiet.
const LONGEST_PAUSE: Duration = Duration::from_millis(300);

/// Before a transaction is tried again that the table had no room for.
const THROTTLED_PAUSE: Duration = Duration::from_millis(100);

/// A change that meets others, and is made anew on top of them.
pub(super) struct Race {
    started: Instant,
    pause: Duration,
    /// How often there was no room for it.
    throttled: u32,
}

impl Race {
    pub(super) fn start() -> Race {
        Race { started: Instant::now(), pause: FIRST_PAUSE, throttled: 0 }
    }

    /// A transaction was cancelled. Returns when it is time to try it again.
    pub(super) async fn passed_over(&mut self, why: Passing) -> Result<(), Error> {
        match why {
            Passing::Conflict => self.lost().await,
            Passing::Throttled => self.throttled().await,
        }
    }

    /// The table had no room. As often as any other call is tried, and no more: who is throttled
    /// must not be asked for as long as a race may take.
    async fn throttled(&mut self) -> Result<(), Error> {
        self.throttled += 1;
        if self.throttled >= ATTEMPTS {
            return Err(Error::store_unavailable("a transaction was throttled"));
        }
        tokio::time::sleep(jittered(THROTTLED_PAUSE * self.throttled)).await;
        Ok(())
    }

    /// Another came first. Returns when it is time to try again.
    pub(super) async fn lost(&mut self) -> Result<(), Error> {
        if self.started.elapsed() > RACE_TIME {
            return Err(Error::store_unavailable("others came first too often"));
        }
        tokio::time::sleep(jittered(self.pause)).await;
        self.pause = (self.pause * 3).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// A change of a customer, before it is written.
pub(super) struct Change<'a> {
    pub(super) kind: EventKind,
    pub(super) before: &'a Customer,
    pub(super) after: Customer,
    /// What changed beside the customer.
    pub(super) part: Option<Part>,
    /// What becomes of its monitor and alerts.
    pub(super) watch: Option<Watch>,
    /// The risk profile that follows from it.
    pub(super) profile: Option<RiskProfile>,
}

impl<'a> Change<'a> {
    /// Of the customer alone.
    pub(super) fn new(kind: EventKind, before: &'a Customer, after: Customer) -> Change<'a> {
        Change { kind, before, after, part: None, watch: None, profile: None }
    }
}

pub(super) enum Part {
    Session { before: Option<Box<Session>>, after: Box<Session> },
    Organization { before: Option<Organization>, after: Organization },
}

impl TenantTable<'_> {
    pub(super) fn writes_of(&self, change: &Change<'_>) -> Result<Vec<Write>, Error> {
        let mut writes = vec![self.customer_update(change.before, &change.after)?];
        writes.extend(self.writes_beside(change)?);
        Ok(writes)
    }

    /// Those of a change but for the customer's own.
    pub(super) fn writes_beside(&self, change: &Change<'_>) -> Result<Vec<Write>, Error> {
        let Change { kind, before, after, part, watch, profile } = change;
        if before.erased_at.is_some() {
            return Err(Error::customer_erased());
        }
        let mut changes = changes(Some(*before), after);
        let mut writes = Vec::new();
        match part {
            None => {}
            Some(Part::Session { before, after }) => {
                changes.insert("session".to_owned(), session_changes(before.as_deref(), after));
                writes.extend(self.session_writes(before.as_deref(), after)?);
            }
            Some(Part::Organization { before, after }) => {
                let id = &change.after.customer_id;
                let told = organization_changes(before.as_ref(), after);
                changes.insert("organization".to_owned(), told);
                writes.extend(self.organization_writes(id, before.as_ref(), after)?);
            }
        }
        if let Some(watch) = watch {
            changes.extend(watch.changes());
            writes.extend(self.watch_writes(after, watch)?);
        }
        if let Some(profile) = profile {
            writes.push(self.profile_write(after, profile)?);
        }
        writes.push(self.event(*kind, after, changes)?);
        Ok(writes)
    }

    /// The event of a change that made the customer `after`.
    pub(super) fn event(
        &self,
        kind: EventKind,
        after: &Customer,
        changes: Map<String, Value>,
    ) -> Result<Write, Error> {
        // Changes of one customer have distinct, rising times, so its events sort as they happened.
        let at = after.updated_at;
        let event_id = self.table.ids.at(at);
        let customer_id = after.customer_id;
        let origin = self.caller.origin().clone();
        let event = Event { event_id, kind, customer_id, at, origin, changes };
        let item = item::typed("event", &event)?;
        self.put(Rule::Event, self.keys.event(&customer_id, event_id), item, IS_NEW)
    }
}

/// In numbers: the structures themselves are kept.
fn organization_changes(before: Option<&Organization>, after: &Organization) -> Value {
    let number = |of: fn(&Organization) -> u64| json!({ "from": before.map(of), "to": of(after) });
    json!({
        "version": number(|organization| organization.version),
        "parties": number(|organization| organization.structure.parties.len() as u64),
        "relationships": number(|organization| organization.structure.relationships.len() as u64),
    })
}

fn session_changes(before: Option<&Session>, after: &Session) -> Value {
    let mut changes = changes(before, after);
    changes.insert("session_id".to_owned(), after.session_id.to_string().into());
    Value::Object(changes)
}
