//! Erasure of a customer. The first transaction turns the customer into a tombstone, releases its
//! client id and deletes its monitor. A tombstone cannot be changed. Then all other items of the
//! customer are scrubbed. An interrupted erasure leaves a tombstone that is not marked as scrubbed,
//! and the same request resumes the erasure.

use crate::error::Error;
use crate::model::answer::Answer;
use crate::model::customer::{Customer, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::time::Timestamp;
use crate::store::{Attempts, Change, MonitorChange, Replay, StoredAnswer, TenantTable};

/// Erases everything that identifies a customer. `check_version` checks the request's precondition
/// against the current version. `answer` builds the answer from the tombstone. `refusal` replaces
/// the answers that idempotency records store for the customer.
///
/// # Errors
/// `CustomerNotFound`, `RetentionHold`, the error of `check_version` or `answer`,
/// `RequestInProgress`, `StoreUnavailable`.
pub async fn erase(
    table: &TenantTable<'_>,
    id: &CustomerId,
    check_version: impl Fn(u64) -> Result<(), Error>,
    now: Timestamp,
    replay: Option<Replay>,
    answer: impl Fn(&Customer) -> Result<Answer, Error>,
    refusal: &Answer,
) -> Result<Answer, Error> {
    let tombstone = bury(table, id, check_version, now).await?;
    if !tombstone.is_scrubbed {
        table.scrub(id, refusal).await?;
    }
    let answer = answer(&tombstone)?;
    let stored = replay.map(|replay| StoredAnswer { replay, answer: answer.clone() });
    table.finish_erasure(&tombstone, stored.as_ref()).await?;
    Ok(answer)
}

/// Turns the customer into a tombstone, unless it is one already. Returns the tombstone.
async fn bury(
    table: &TenantTable<'_>,
    id: &CustomerId,
    check_version: impl Fn(u64) -> Result<(), Error>,
    now: Timestamp,
) -> Result<StoredCustomer, Error> {
    let mut attempts = Attempts::new();
    loop {
        let before = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let Some(change) = plan_erasure(before.clone(), &check_version, now)? else {
            return Ok(before);
        };
        let monitor = table.has_monitor(id).await?.then_some(MonitorChange::Delete);
        let change = Change { monitor, ..change };
        if table.commit(&change, &mut attempts).await? {
            return Ok(change.after);
        }
    }
}

/// Plans the tombstone of a customer. Returns `None` when the customer is a tombstone already.
///
/// # Errors
/// `RetentionHold`, or the error of `check_version`.
pub fn plan_erasure(
    before: StoredCustomer,
    check_version: impl Fn(u64) -> Result<(), Error>,
    now: Timestamp,
) -> Result<Option<Change>, Error> {
    let checked = check_version(before.version);
    if before.erased_at.is_some() {
        // A caller that resumes an erasure may name the version that the erasure began with.
        let resumed = !before.is_scrubbed && check_version(before.version - 1).is_ok();
        return checked.or_else(|error| if resumed { Ok(()) } else { Err(error) }).map(|()| None);
    }
    checked?;
    let after = before.erased(now)?;
    Ok(Some(Change::new(EventKind::CustomerErased, before, after)))
}
