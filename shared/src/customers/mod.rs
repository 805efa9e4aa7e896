//! Creates, reads, changes, exports and erases customers.

mod erasure;
mod export;
mod permissions;

#[cfg(test)]
mod tests;

pub use erasure::{Erasure, ResumedErasures, erase, plan_erasure, resume_erasures};
pub use export::{check_export, export};
pub use permissions::{check_block, check_fields, check_hold, check_update};

use crate::error::{Error, Faults};
use crate::model::answer::Answer;
use crate::model::customer::{Customer, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::profile::Profile;
use crate::model::risk::Trigger;
use crate::model::session::NewSession;
use crate::model::value::{Name, TenantId};
use crate::monitoring::{Affected, FollowUp, Monitoring, Screenings, needs_check, plan_effect};
use crate::risk::scored_fields_differ;
use crate::risk_profiles::{Sources, plan_profile};
use crate::store::{Attempts, Change, Replay, StoredAnswer, TenantTable};

/// A planned change of a customer.
pub struct Update {
    /// The change to commit.
    pub change: Change,
    /// The follow-up after the commit.
    pub follow_up: FollowUp,
}

/// Reads a customer.
///
/// # Errors
/// `CustomerNotFound`, `StoreUnavailable`.
pub async fn get(table: &TenantTable<'_>, id: &CustomerId) -> Result<StoredCustomer, Error> {
    table.customer(id).await?.ok_or_else(Error::customer_not_found)
}

/// Reads a customer for the repetition of a request that has changed nothing. `version` is the version
/// in its first answer.
///
/// # Errors
/// `CustomerErased` when the customer was erased after that version, `StoreUnavailable`.
pub async fn again(
    table: &TenantTable<'_>,
    id: &CustomerId,
    version: Option<u64>,
) -> Result<Customer, Error> {
    let customer = get(table, id).await?.customer;
    if customer.erased_at.is_some() && Some(customer.version) != version {
        return Err(Error::customer_erased());
    }
    Ok(customer)
}

/// Creates a customer, claims its client id and stores the answer to the request.
///
/// # Errors
/// `CustomerAlreadyExists` when the client id is taken, `RequestInProgress`, `StoreUnavailable`.
pub async fn create(
    table: &TenantTable<'_>,
    customer: StoredCustomer,
    answer: Option<StoredAnswer>,
) -> Result<(), Error> {
    let change = Change { answer, ..Change::creation(customer) };
    if table.commit(&change, &mut Attempts::new()).await? {
        Ok(())
    } else {
        // The id was generated for this request, so another writer cannot have used it.
        Err(Error::internal("a new customer exists already"))
    }
}

/// Builds the customer that the first session of a client id creates. The client id becomes its name
/// if the request names none.
///
/// # Errors
/// `ValidationError` when the client id is too long for a name, `InternalError` when the request
/// names no client id.
pub fn first_of_session(
    request: &NewSession,
    id: CustomerId,
    tenant: TenantId,
) -> Result<StoredCustomer, Error> {
    let client_id = request.client_id.as_ref();
    let client_id = client_id.ok_or_else(|| Error::internal("a session names no customer"))?;
    let name = match &request.name {
        Some(name) => name.clone(),
        None => Name::parse(client_id.as_str()).map_err(|_| {
            let mut faults = Faults::default();
            let issue = "is required, because a new client_id of this length cannot be the name";
            faults.add("/name", issue);
            faults
        })?,
    };
    let profile = Profile::of_client(client_id, name, request.entity_type);
    Ok(StoredCustomer::new(id, tenant, profile))
}

/// Replaces a customer with the one that `change` returns. If a concurrent change is committed
/// first, `change` is called again with the new state of the customer. If `change` keeps the
/// version, the customer is not written. `answer` builds the answer to the request from the
/// customer.
///
/// # Errors
/// `CustomerNotFound`, `CustomerErased`, the error of `change`, `CustomerAlreadyExists` when the
/// client id is taken, `ValidationError` (too many matches), `ScreeningTimeout`,
/// `ListsUnavailable`, `RequestInProgress`, `StoreUnavailable`.
pub async fn update(
    monitoring: &Monitoring,
    table: &TenantTable<'_>,
    id: &CustomerId,
    kind: EventKind,
    change: impl Fn(&StoredCustomer) -> Result<StoredCustomer, Error>,
    replay: Option<Replay>,
    answer: impl Fn(&Customer) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let mut attempts = Attempts::new();
    let mut screenings = Screenings::of_request(&monitoring.clock);
    loop {
        let before = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let after = change(&before)?;
        if after.version == before.version {
            return table.unchanged(replay.as_ref(), answer(&before)?).await;
        }
        let affected = monitoring.load_affected(table, &before, &after, false).await?;
        let is_scored = scored_fields_differ(&before.profile, &after.profile);
        let sources = if is_scored || needs_check(affected.as_ref()) {
            Some(Sources::load(table, id).await?)
        } else {
            None
        };
        let mut plan =
            plan_update(kind, before, after, sources, affected.as_ref(), &mut screenings)?;
        let answer = answer(&plan.change.after)?;
        plan.change.answer = StoredAnswer::of(replay.as_ref(), &answer);
        if table.commit(&plan.change, &mut attempts).await? {
            let lists = affected.and_then(Affected::into_lists);
            monitoring.follow_up(table, id, plan.follow_up, lists, &mut screenings).await?;
            return Ok(answer);
        }
    }
}

/// Plans a change of a customer and its effect on the monitor and the risk profile. `sources` are
/// required when a scored field changes or the monitor must be checked.
///
/// # Errors
/// `ValidationError` when the monitor would get too many matches, `ScreeningTimeout`,
/// `InternalError` when sources are needed and missing.
pub fn plan_update(
    kind: EventKind,
    before: StoredCustomer,
    mut after: StoredCustomer,
    sources: Option<Sources>,
    affected: Option<&Affected>,
    screenings: &mut Screenings,
) -> Result<Update, Error> {
    let effect = plan_effect(affected, &before, &mut after, sources, screenings)?;
    let is_scored =
        scored_fields_differ(&before.profile, &after.profile) || !effect.alerts.is_empty();
    let profile = match effect.sources {
        Some(sources) if is_scored => {
            Some(plan_profile(&mut after, &sources, Trigger::CustomerChanged))
        }
        None if is_scored => return Err(Error::internal("a scored change has no sources")),
        _ => None,
    };
    let change = Change {
        monitor: effect.monitor,
        alerts: effect.alerts,
        profile,
        ..Change::new(kind, before, after)
    };
    Ok(Update { change, follow_up: effect.follow_up })
}
