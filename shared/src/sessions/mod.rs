//! Creates, reads and lists KYC sessions, and records their progress and outcome.

#[cfg(test)]
mod tests;

use crate::auth::{Caller, REVIEW, UPDATE};
use crate::customers;
use crate::error::{Code, Error, Faults};
use crate::model::answer::Answer;
use crate::model::customer::{MAX_OPEN_SESSIONS, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::{CustomerId, SessionId};
use crate::model::page::{Page, Paging};
use crate::model::risk::Trigger;
use crate::model::session::{NewSession, Owner, Session, SessionPatch, SessionStatus};
use crate::model::time::Timestamp;
use crate::risk_profiles::{Sources, plan_profile};
use crate::store::{Attempts, Change, Replay, SessionChange, StoredAnswer, TenantTable};

/// A planned creation of a session.
pub struct Creation {
    /// The change to commit.
    pub change: Change,
    /// The session to create.
    pub session: Session,
    /// Whether the customer is created with the session.
    pub customer_created: bool,
}

/// Creates a session, and its customer if the client id is new. `answer` builds the answer to the
/// request from the session and a flag that is `true` when the customer is created.
///
/// # Errors
/// `CustomerNotFound`, `CustomerErased`, `CustomerBlocked`, `CustomerInactive`, `ValidationError`
/// (another client id, too many active sessions), `RequestInProgress`, `StoreUnavailable`.
pub async fn create(
    table: &TenantTable<'_>,
    request: &NewSession,
    session_id: SessionId,
    new_customer: CustomerId,
    replay: Option<Replay>,
    answer: impl Fn(&Session, bool) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let mut attempts = Attempts::new();
    loop {
        let existing = load_customer(table, request).await?;
        let tenant = table.scope().tenant();
        let customer = match &existing {
            Some(customer) => customer.clone(),
            None => customers::first_of_session(request, new_customer, tenant.clone())?,
        };
        let mut plan = plan_creation(customer, existing.is_none(), request, session_id)?;
        let answer = answer(&plan.session, plan.customer_created)?;
        plan.change.answer = StoredAnswer::of(replay.as_ref(), &answer);
        match table.commit(&plan.change, &mut attempts).await {
            Ok(true) => return Ok(answer),
            Ok(false) => {}
            // Another first session of the same client id has created the customer. The next
            // attempt adds this session to that customer.
            Err(error) if error.code == Code::CustomerAlreadyExists => attempts.lost().await?,
            Err(error) => return Err(error),
        }
    }
}

/// Loads the customer that the request names by its id or its client id. Returns `None` when the
/// client id is not taken.
async fn load_customer(
    table: &TenantTable<'_>,
    request: &NewSession,
) -> Result<Option<StoredCustomer>, Error> {
    let id = match (&request.customer_id, &request.client_id) {
        (Some(id), _) => Some(*id),
        (None, Some(client_id)) => table.customer_of_client(client_id).await?,
        (None, None) => None,
    };
    let Some(id) = id else { return Ok(None) };
    let customer = table.customer(&id).await?.ok_or_else(Error::customer_not_found)?;
    // If the customer was erased between the two reads, its client id is free again.
    let was_released = customer.erased_at.is_some() && request.customer_id.is_none();
    Ok(Some(customer).filter(|_| !was_released))
}

/// Plans a session of a customer. With `customer_created`, the same change creates the customer.
///
/// # Errors
/// `CustomerErased`, `CustomerBlocked`, `CustomerInactive`, or `ValidationError` when the request
/// names a client id that is not the customer's or the customer has too many active sessions.
pub fn plan_creation(
    customer: StoredCustomer,
    customer_created: bool,
    request: &NewSession,
    session_id: SessionId,
) -> Result<Creation, Error> {
    customer.takes_sessions()?;
    let mut faults = Faults::default();
    if request.client_id.is_some() && request.client_id != customer.profile.client_id {
        faults.add(
            "/client_id",
            "must be the client_id of the customer in customer_id; leave it out or correct it",
        );
    }
    if customer.open_sessions.len() >= MAX_OPEN_SESSIONS {
        let field = if request.customer_id.is_some() { "/customer_id" } else { "/client_id" };
        faults.add(field, format!("has {MAX_OPEN_SESSIONS} active sessions: complete one first"));
    }
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let owner = Owner {
        customer_id: customer.customer_id,
        client_id: customer.profile.client_id.clone(),
        tenant_id: customer.tenant_id.clone(),
    };
    let session = Session::new(session_id, owner, request);
    let after = customer.with_session(None, &session, session.created_at);
    let change = Change {
        is_new: customer_created,
        session: Some(SessionChange { before: None, after: session.clone() }),
        ..Change::new(EventKind::SessionCreated, customer, after)
    };
    Ok(Creation { change, session, customer_created })
}

/// Replaces a session with the one that `change` returns. An outcome or a changed validation also
/// leads to a new risk profile of the customer. `answer` builds the answer to the request from the
/// session.
///
/// # Errors
/// `SessionNotFound`, the error of `change`, `CustomerErased`, `RequestInProgress`,
/// `StoreUnavailable`.
pub async fn update(
    table: &TenantTable<'_>,
    id: &SessionId,
    change: impl Fn(&Session) -> Result<Session, Error>,
    now: Timestamp,
    replay: Option<Replay>,
    answer: impl Fn(&Session) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let customer_id = table.customer_of_session(id).await?;
    let customer_id = customer_id.ok_or_else(Error::session_not_found)?;
    let mut attempts = Attempts::new();
    loop {
        let customer = table.customer(&customer_id).await?;
        let customer = customer.ok_or_else(|| Error::internal("a session has no customer"))?;
        let before = table.session(&customer_id, id).await?;
        let after = change(&before)?;
        let answer = answer(&after)?;
        if after == before {
            return table.unchanged(replay.as_ref(), answer).await;
        }
        let sources = if is_scored(&before, &after) {
            Some(Sources::load(table, &customer_id).await?)
        } else {
            None
        };
        let mut plan = plan_update(customer, before, after, sources, now);
        plan.answer = StoredAnswer::of(replay.as_ref(), &answer);
        if table.commit(&plan, &mut attempts).await? {
            return Ok(answer);
        }
    }
}

/// Returns the session after a patch, if the caller may make the change. The result equals the
/// session if the patch has no effect.
///
/// # Errors
/// `InsufficientPermissions`, `InvalidTransition`, `ValidationError`.
pub fn patched(
    caller: &Caller,
    before: &Session,
    patch: &SessionPatch,
    now: Timestamp,
) -> Result<Session, Error> {
    check_decision(caller, before, patch)?;
    let after = before.patched(patch, now)?;
    if after != *before {
        check_progress(caller, before, &after)?;
    }
    Ok(after)
}

/// Checks that a caller that may not read may change each field that the patch names, even if the
/// patch changes nothing. Otherwise, the answer would tell this caller whether it guessed a value.
///
/// # Errors
/// `InsufficientPermissions`.
pub fn check_fields(caller: &Caller, patch: &SessionPatch) -> Result<(), Error> {
    if caller.may_read() || patch.validations.is_empty() { Ok(()) } else { caller.require(UPDATE) }
}

/// Checks that the caller has `kyc:review` if the patch changes the status to an outcome, because
/// an outcome is a person's decision.
///
/// # Errors
/// `InsufficientPermissions`.
fn check_decision(caller: &Caller, before: &Session, patch: &SessionPatch) -> Result<(), Error> {
    let decides = patch.status.is_some_and(|to| to != before.status && to.is_outcome());
    if decides { caller.require(REVIEW) } else { Ok(()) }
}

/// Checks that the caller has `kyc:create` or `kyc:update` if the change contains anything other
/// than a decision.
///
/// # Errors
/// `InsufficientPermissions`.
fn check_progress(caller: &Caller, before: &Session, after: &Session) -> Result<(), Error> {
    let only_decided = Session {
        status: after.status,
        final_decision: after.final_decision,
        version: after.version,
        updated_at: after.updated_at,
        completed_at: after.completed_at,
        ..before.clone()
    };
    let is_decision = after.status.is_outcome() && *after == only_decided;
    if is_decision { Ok(()) } else { caller.require(UPDATE) }
}

/// Returns whether a change of a session affects the risk profile. An outcome or a changed
/// validation does. The status `completed` does not, because the result is still open.
fn is_scored(before: &Session, after: &Session) -> bool {
    after.status.is_outcome() || after.validations != before.validations
}

/// Plans a change of a session. With `sources`, the change includes a new risk profile.
pub fn plan_update(
    customer: StoredCustomer,
    before: Session,
    after: Session,
    sources: Option<Sources>,
    now: Timestamp,
) -> Change {
    let mut next = customer.with_session(Some(&before), &after, now);
    let sources = sources.map(|sources| sources.with_session(&after));
    let profile = sources.map(|sources| plan_profile(&mut next, &sources, Trigger::Session));
    Change {
        session: Some(SessionChange { before: Some(before), after }),
        profile,
        ..Change::new(EventKind::SessionUpdated, customer, next)
    }
}

/// Reads a session.
///
/// # Errors
/// `SessionNotFound`, `StoreUnavailable`.
pub async fn get(table: &TenantTable<'_>, id: &SessionId) -> Result<Session, Error> {
    let customer = table.customer_of_session(id).await?.ok_or_else(Error::session_not_found)?;
    table.session(&customer, id).await
}

/// Reads a page of a customer's sessions.
///
/// # Errors
/// `CustomerNotFound`, `InvalidCursor`, `StoreUnavailable`.
pub async fn list(
    table: &TenantTable<'_>,
    customer: &CustomerId,
    status: Option<SessionStatus>,
    paging: &Paging,
) -> Result<Page<Session>, Error> {
    let page = table.sessions(customer, status, paging).await?;
    // An empty page may mean that the customer does not exist.
    if page.count == 0 && table.customer(customer).await?.is_none() {
        return Err(Error::customer_not_found());
    }
    Ok(page)
}
