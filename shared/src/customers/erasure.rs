//! Erasure. The customer first becomes a tombstone, in one transaction with the release of its client
//! id and the end of its monitoring. From then on it cannot be changed. Then every other item of it is
//! scrubbed. An interrupted erasure leaves a tombstone that is not marked as scrubbed, and the same request
//! resumes it.

use crate::error::Error;
use crate::model::answer::Answer;
use crate::model::customer::{Customer, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::time::Timestamp;
use crate::store::{Attempts, Change, MonitorChange, Replay, StoredAnswer, TenantTable};

/// Erases everything that identifies a customer. `check_version` checks the request's precondition
/// against the current version, `answer` makes the answer from the tombstone, and `refusal` replaces
/// the answers that idempotency records store for the customer.
///
/// # Errors
/// `CustomerNotFound`, `RetentionHold`, the error of `check_version`, `RequestInProgress`,
/// `StoreUnavailable`.
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

/// Makes a tombstone of the customer, unless it is one.
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

/// Plans the tombstone of a customer; `None` when the customer is one already.
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
        // A caller that resumes its erasure knows the version that the erasure began with.
        let resumed = !before.is_scrubbed && check_version(before.version - 1).is_ok();
        return checked.or_else(|error| if resumed { Ok(()) } else { Err(error) }).map(|()| None);
    }
    checked?;
    let after = before.erased(now)?;
    Ok(Some(Change::new(EventKind::CustomerErased, before, after)))
}
