//! Decisions about alerts, and the list of a customer's alerts.

use super::check::{open_alerts, plan_reassessment};
use crate::error::Error;
use crate::model::alert::{Alert, AlertStatus, Decision, StoredAlert};
use crate::model::answer::Answer;
use crate::model::customer::StoredCustomer;
use crate::model::event::EventKind;
use crate::model::id::{AlertId, CustomerId};
use crate::model::page::{Page, Paging};
use crate::model::time::Timestamp;
use crate::risk_profiles::Sources;
use crate::store::{AlertChange, Attempts, Change, Replay, StoredAnswer, TenantTable};

/// Records the decision that `decide_on` makes about an alert. A decision with the same status and
/// note has no effect. `answer` builds the answer to the request from the alert.
///
/// # Errors
/// `CustomerNotFound`, `AlertNotFound`, the error of `decide_on`, `InvalidTransition` for a cleared
/// alert, `CustomerErased`, `RequestInProgress`, `StoreUnavailable`.
pub async fn decide(
    table: &TenantTable<'_>,
    id: &CustomerId,
    alert_id: &AlertId,
    decide_on: impl Fn(&Alert) -> Result<Decision, Error>,
    now: Timestamp,
    replay: Option<Replay>,
    answer: impl Fn(&Alert) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let mut attempts = Attempts::new();
    loop {
        let customer = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let sources = Sources::load(table, id).await?;
        let before = sources.alerts.iter().find(|alert| alert.alert_id == *alert_id);
        let before = before.ok_or_else(Error::alert_not_found)?.clone();
        let decision = decide_on(&before)?;
        let actor = &table.scope().origin().actor;
        let Some((mut change, decided)) =
            plan_decision(customer, &before, sources, &decision, actor, now)?
        else {
            return table.unchanged(replay.as_ref(), answer(&before)?).await;
        };
        let answer = answer(&decided)?;
        change.answer = StoredAnswer::of(replay.as_ref(), &answer);
        if table.commit(&change, &mut attempts).await? {
            return Ok(answer);
        }
    }
}

/// Reads an alert of a customer.
///
/// # Errors
/// `AlertNotFound`, `StoreUnavailable`.
pub async fn get_alert(
    table: &TenantTable<'_>,
    id: &CustomerId,
    alert_id: &AlertId,
) -> Result<Alert, Error> {
    Ok(table.alert(id, alert_id).await?.ok_or_else(Error::alert_not_found)?.alert)
}

/// Plans a decision about an alert, with a new risk profile if the decision changes what the
/// profile takes into account. Returns `None` when the alert already has the status and note of the
/// decision.
///
/// # Errors
/// `InvalidTransition` for a cleared alert.
pub fn plan_decision(
    customer: StoredCustomer,
    before: &StoredAlert,
    sources: Sources,
    decision: &Decision,
    actor: &str,
    now: Timestamp,
) -> Result<Option<(Change, StoredAlert)>, Error> {
    let mut after = customer.next_version(now);
    let decided = before.decided(decision, actor, after.updated_at)?;
    if decided == *before {
        return Ok(None);
    }
    let sources = sources.with_alerts(std::iter::once(&decided));
    after.monitoring.open_alerts = open_alerts(&sources.alerts);
    let alerts = vec![AlertChange { from: Some(before.status), alert: decided.clone() }];
    let profile = plan_reassessment(&mut after, &sources, &alerts);
    let change =
        Change { alerts, profile, ..Change::new(EventKind::AlertDecided, customer, after) };
    Ok(Some((change, decided)))
}

/// Reads a page of a customer's alerts. With `status`, the page contains only alerts with this
/// status.
///
/// # Errors
/// `CustomerNotFound`, `InvalidCursor`, `StoreUnavailable`.
pub async fn list_alerts(
    table: &TenantTable<'_>,
    customer: &CustomerId,
    status: Option<AlertStatus>,
    paging: &Paging,
) -> Result<Page<Alert>, Error> {
    let page = table.alerts(customer, status, paging).await?;
    // An empty page may mean that the customer does not exist.
    if page.count == 0 && table.customer(customer).await?.is_none() {
        return Err(Error::customer_not_found());
    }
    Ok(page)
}
