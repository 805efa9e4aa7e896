//! Erasure of a customer. The first transaction turns the customer into a tombstone, releases its
//! client id, deletes its monitor and adds the erasure to the unfinished ones. A tombstone cannot
//! be changed. Then all other items of the customer are scrubbed. An interrupted erasure stays
//! unfinished until the same request or a scheduled job resumes it.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::permissions::check_block;
use crate::auth::Caller;
use crate::error::Error;
use crate::model::answer::Answer;
use crate::model::customer::{Customer, StoredCustomer};
use crate::model::event::{EventKind, Origin};
use crate::model::id::CustomerId;
use crate::model::retention::{RetentionReason, RetentionYears};
use crate::model::scope::TenantScope;
use crate::model::time::{Clock, Timestamp, format_date};
use crate::model::value::Note;
use crate::store::{
    Attempts, Change, MonitorChange, Replay, StoredAnswer, Table, TenantTable, UnfinishedErasure,
};
use crate::telemetry;

/// Minimum age of an erasure that a job resumes, in milliseconds. Before that age, the request that
/// began the erasure may still be running.
const RESUMED_AFTER_MILLIS: i64 = 60_000;
/// A job starts an erasure only if at least this time is left before its deadline, so that most
/// erasures finish. An interrupted erasure keeps its progress, and a later run resumes it.
const MARGIN: Duration = Duration::from_secs(20);
/// A run spends at most one part in this number of its time on erasures. The rest is for passes.
const PART_OF_RUN: u32 = 3;
/// Age in the metric of an erasure whose item is malformed: one day, which sets off the alarm.
const MALFORMED_AGE_MILLIS: i64 = 24 * 3_600_000;
/// Actor of a job that resumes an erasure. The job writes no event, because the first transaction
/// of the erasure wrote it.
const ACTOR: &str = "rescreen";

/// A request to erase a customer.
pub struct Erasure {
    /// The caller. Only a reviewer may erase a blocked customer, because an erasure ends the block.
    pub caller: Caller,
    /// Time of the request.
    pub now: Timestamp,
    /// Retention period of the customer.
    pub retention: RetentionYears,
    /// Reason to erase the customer even if it is not inactive or its retention period has not
    /// ended.
    pub override_reason: Option<Note>,
}

/// Erases everything that identifies a customer. `check_version` checks the request's precondition
/// against the current version. `answer` builds the answer from the tombstone. `refusal` replaces
/// the answers that idempotency records store for the customer.
///
/// # Errors
/// `CustomerNotFound`, `RetentionHold`, `CustomerNotInactive`, `RetentionPeriod`,
/// `InsufficientPermissions`, the error of `check_version`, `RequestInProgress`, `StoreUnavailable`.
pub async fn erase(
    table: &TenantTable<'_>,
    id: &CustomerId,
    check_version: impl Fn(u64) -> Result<(), Error>,
    erasure: &Erasure,
    replay: Option<Replay>,
    answer: impl Fn(&Customer) -> Result<Answer, Error>,
    refusal: &Answer,
) -> Result<Answer, Error> {
    let tombstone = bury(table, id, check_version, erasure).await?;
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
    erasure: &Erasure,
) -> Result<StoredCustomer, Error> {
    let mut attempts = Attempts::new();
    loop {
        let before = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let Some(change) = plan_erasure(before.clone(), &check_version, erasure)? else {
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
/// The error of `check_version`, `RetentionHold`, and without a reason to override them,
/// `CustomerNotInactive` or `RetentionPeriod`. `InsufficientPermissions` when the customer is blocked
/// and the caller is not a reviewer.
pub fn plan_erasure(
    before: StoredCustomer,
    check_version: impl Fn(u64) -> Result<(), Error>,
    erasure: &Erasure,
) -> Result<Option<Change>, Error> {
    let checked = check_version(before.version);
    if before.erased_at.is_some() {
        // A caller that resumes an erasure may name the version that the erasure began with.
        let resumed = !before.is_scrubbed && check_version(before.version - 1).is_ok();
        return checked.or_else(|error| if resumed { Ok(()) } else { Err(error) }).map(|()| None);
    }
    checked?;
    check_retention(&before, erasure)?;
    let after = before.erased(erasure.override_reason.clone(), erasure.now)?;
    check_block(&erasure.caller, &before, &after)?;
    Ok(Some(Change::new(EventKind::CustomerErased, before, after)))
}

/// Checks that a customer need not be retained. An override reason lifts every restriction except a
/// hold.
fn check_retention(customer: &Customer, erasure: &Erasure) -> Result<(), Error> {
    let Erasure { now, retention, override_reason, .. } = erasure;
    let is_overridden = override_reason.is_some();
    match retention.reason(customer, *now) {
        Some(RetentionReason::Hold(until)) => {
            let reason = customer.profile.retain_reason.as_ref().map(Note::as_str);
            Err(Error::retention_hold(until.as_str(), reason))
        }
        Some(RetentionReason::NotInactive(status)) if !is_overridden => {
            Err(Error::customer_not_inactive(status.as_ref()))
        }
        Some(RetentionReason::Period(last_day)) if !is_overridden => {
            Err(Error::retention_period(&format_date(last_day)))
        }
        Some(RetentionReason::NotInactive(_) | RetentionReason::Period(_)) | None => Ok(()),
    }
}

/// The result of a run that resumes interrupted erasures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResumedErasures {
    /// Number of erasures that the run finished.
    pub finished: u64,
    /// Number of erasures that are still unfinished.
    pub unfinished: u64,
    /// Time at which the oldest unfinished erasure began, or `None` when there is none.
    pub oldest: Option<Timestamp>,
}

/// Finishes interrupted erasures, the oldest first, in a part of the time until the deadline. An
/// erasure that fails or whose item is malformed is logged and stays unfinished. Before the first
/// erasure, emits the age of the oldest one as a metric in hours, or 0 when there is none. `refusal`
/// replaces the answers that idempotency records store for the customers.
///
/// # Errors
/// `StoreUnavailable` when the unfinished erasures cannot be read.
pub async fn resume_erasures(
    table: &Table,
    clock: &Clock,
    request_id: &str,
    refusal: &Answer,
    deadline: Instant,
) -> Result<ResumedErasures, Error> {
    let started = Instant::now();
    let end = started + deadline.saturating_duration_since(started) / PART_OF_RUN;
    let erasures = table.unfinished_erasures().await?;
    report_oldest(&erasures, clock.now());
    let mut resumed = ResumedErasures::default();
    for erasure in erasures {
        let erasure = match erasure {
            Ok(erasure) => erasure,
            Err(error) => {
                let why = error.reason();
                tracing::error!(target: "kyc", why, "an erasure was not finished");
                resumed.unfinished += 1;
                continue;
            }
        };
        let age = clock.now().millis().saturating_sub(erasure.erased_at.millis());
        let is_due = age >= RESUMED_AFTER_MILLIS;
        let is_in_time = Instant::now() + MARGIN < end;
        if is_due && is_in_time {
            let finish = finish(table, &erasure, request_id, refusal);
            match tokio::time::timeout_at(end.into(), finish).await {
                Ok(Ok(())) => {
                    resumed.finished += 1;
                    continue;
                }
                Ok(Err(error)) => log_failure(&erasure, &error),
                // The erasure keeps its progress, and the next run continues it.
                Err(_) => {}
            }
        }
        resumed.unfinished += 1;
        resumed.oldest = resumed.oldest.or(Some(erasure.erased_at));
    }
    Ok(resumed)
}

/// Emits the age of the oldest unfinished erasure as a metric in hours, or 0 when there is none.
fn report_oldest(erasures: &[Result<UnfinishedErasure, Error>], now: Timestamp) {
    let age = |erasure: &Result<UnfinishedErasure, Error>| match erasure {
        Ok(erasure) => now.millis().saturating_sub(erasure.erased_at.millis()),
        Err(_) => MALFORMED_AGE_MILLIS,
    };
    let oldest = erasures.iter().map(age).max().unwrap_or(0);
    telemetry::hours("UnfinishedErasureHours", "unfinished erasures", "", oldest);
}

async fn finish(
    table: &Table,
    erasure: &UnfinishedErasure,
    request_id: &str,
    refusal: &Answer,
) -> Result<(), Error> {
    let origin = Origin { actor: ACTOR.to_owned(), request_id: request_id.to_owned() };
    let scope = TenantScope::new(erasure.tenant.clone(), origin);
    let table = table.tenant(&scope);
    let id = &erasure.customer_id;
    let tombstone = table.customer(id).await?;
    let tombstone = tombstone.filter(|customer| customer.erased_at == Some(erasure.erased_at));
    let tombstone =
        tombstone.ok_or_else(|| Error::internal("an unfinished erasure names no tombstone"))?;
    table.scrub(id, refusal).await?;
    // Remove the entry of the erasure even if the tombstone is already marked as scrubbed.
    let tombstone = StoredCustomer { is_scrubbed: false, ..tombstone };
    table.finish_erasure(&tombstone, None).await
}

fn log_failure(erasure: &UnfinishedErasure, error: &Error) {
    let (tenant, customer_id) = (erasure.tenant.to_string(), erasure.customer_id.to_string());
    let why = error.reason();
    tracing::error!(target: "kyc", tenant, customer_id, why, "an erasure was not finished");
}
