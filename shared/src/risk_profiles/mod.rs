//! Calculates and stores risk profiles, and loads the sources of a profile.

#[cfg(test)]
mod tests;

use futures_util::future::{try_join, try_join3};
use serde_json::Value;

use crate::error::Error;
use crate::model::alert::StoredAlert;
use crate::model::customer::{RiskSummary, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::organization::Organization;
use crate::model::risk::{RiskProfile, Trigger};
use crate::model::session::{Session, SessionStatus};
use crate::model::time::Timestamp;
use crate::risk::{AlertFacts, Facts, MODEL, assess};
use crate::store::{Attempts, Change, TenantTable};

/// Largest number of sessions that a profile takes into account. These are the newest sessions with
/// an outcome or a validation, and up to [`MAX_EXPIRED`] expired sessions without a validation.
const MAX_SESSIONS: usize = 100;
/// Largest number of expired sessions without a validation that a profile takes into account. More
/// of them cannot raise the score.
const MAX_EXPIRED: usize = 10;
/// Largest number of sessions that are read to find the sessions for a profile. It bounds the time
/// of a request for a customer with many sessions that do not count.
const MAX_READ: usize = 1_000;

/// The data that a profile is calculated from, apart from the customer.
///
/// Read the customer before its sources. Every change of a source raises the customer's version, so
/// a change that was planned with outdated sources is not committed.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The organization, if there is one.
    pub organization: Option<Organization>,
    /// Sessions that the profile takes into account, in no particular order.
    pub sessions: Vec<Session>,
    /// All alerts, whatever their status.
    pub alerts: Vec<StoredAlert>,
}

impl Sources {
    /// Reads the sources of a customer's profile.
    ///
    /// # Errors
    /// `StoreUnavailable`, or `InternalError` when an item is malformed.
    pub async fn load(table: &TenantTable<'_>, id: &CustomerId) -> Result<Sources, Error> {
        let (organization, sessions, alerts) = try_join3(
            table.organization(id),
            table.newest_sessions(id, MAX_READ),
            table.all_alerts(id),
        )
        .await?;
        Ok(Sources { organization, sessions: relevant(sessions), alerts })
    }

    /// Returns the sources with alerts that are about to be added or changed.
    pub fn with_alerts<'a>(mut self, changed: impl Iterator<Item = &'a StoredAlert>) -> Sources {
        for alert in changed {
            self.alerts.retain(|known| known.alert_id != alert.alert_id);
            self.alerts.push(alert.clone());
        }
        self
    }

    /// Returns the sources with a session that is about to be stored.
    pub fn with_session(mut self, session: &Session) -> Sources {
        self.sessions.retain(|known| known.session_id != session.session_id);
        self.sessions.insert(0, session.clone());
        self
    }

    /// Returns the sources with an organization that is about to be stored.
    pub fn with_organization(mut self, organization: &Organization) -> Sources {
        self.organization = Some(organization.clone());
        self
    }
}

/// Selects the sessions that a profile takes into account. `sessions` must be sorted from the
/// newest to the oldest.
fn relevant(sessions: Vec<Session>) -> Vec<Session> {
    let mut expired = 0;
    let mut counts = |session: &Session| {
        let has_result = session.status.is_outcome() || !session.validations.is_empty();
        if has_result || session.status != SessionStatus::Expired {
            return has_result;
        }
        expired += 1;
        expired <= MAX_EXPIRED
    };
    sessions.into_iter().filter(|session| counts(session)).take(MAX_SESSIONS).collect()
}

/// Calculates the profile of a customer that is about to be written, and updates the risk summary
/// in `customer`.
pub fn plan_profile(
    customer: &mut StoredCustomer,
    sources: &Sources,
    trigger: Trigger,
) -> RiskProfile {
    let calculated_at = customer.updated_at;
    let alerts = sources.alerts.iter().map(|alert| AlertFacts {
        alert_id: alert.alert_id.to_string(),
        list: alert.list.clone(),
        status: alert.status,
    });
    let organization = sources.organization.as_ref();
    let facts =
        Facts::of(customer, organization, &sources.sessions, alerts.collect(), calculated_at);
    let assessment = assess(&MODEL, &facts);
    let profile = RiskProfile {
        customer_id: customer.customer_id,
        score: assessment.score,
        level: assessment.level,
        previous_level: Some(customer.risk.level),
        factors: assessment.factors,
        hard_rules: assessment.hard_rules,
        model_version: Some(assessment.model_version),
        trigger: Some(trigger),
        calculated_at: Some(calculated_at),
        next_review_at: assessment.next_review_at,
    };
    customer.risk = RiskSummary {
        level: profile.level,
        score: profile.score,
        calculated_at: profile.calculated_at,
    };
    profile
}

/// Plans a new profile that a caller has requested. Returns `None` if it would only repeat the
/// `newest` profile: the same model gave the same points, reasons and hard rules.
///
/// # Errors
/// `CustomerErased`.
pub fn plan_recalculation(
    before: StoredCustomer,
    sources: &Sources,
    newest: Option<&RiskProfile>,
    now: Timestamp,
) -> Result<Option<Change>, Error> {
    if before.erased_at.is_some() {
        return Err(Error::customer_erased());
    }
    let mut after = before.next_version(now);
    let profile = plan_profile(&mut after, sources, Trigger::Requested);
    if newest.is_some_and(|newest| repeats(&profile, newest)) {
        return Ok(None);
    }
    let profile = Some(profile);
    Ok(Some(Change { profile, ..Change::new(EventKind::RiskCalculated, before, after) }))
}

/// Returns whether a profile equals the newest one, apart from the times, the trigger and the
/// previous level. These are not compared, because a later calculation alone neither changes the
/// risk nor moves the next review.
fn repeats(profile: &RiskProfile, newest: &RiskProfile) -> bool {
    let mut as_newest = RiskProfile {
        previous_level: newest.previous_level,
        trigger: newest.trigger,
        calculated_at: newest.calculated_at,
        next_review_at: newest.next_review_at,
        ..profile.clone()
    };
    for (factor, known) in as_newest.factors.iter_mut().zip(&newest.factors) {
        if is_same(&factor.value, &known.value) {
            factor.value.clone_from(&known.value);
        }
    }
    as_newest == *newest
}

/// Returns whether two values are equal. The table does not store whether the number 40 was an
/// integer, so numbers are compared by their value.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let has_same =
                |(name, a): (&String, &Value)| b.get(name).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(has_same)
        }
        _ => a == b,
    }
}

/// Calculates a new profile, and stores it unless it repeats the newest one.
///
/// # Errors
/// `CustomerNotFound`, `CustomerErased`, `StoreUnavailable`.
pub async fn recalculate(
    table: &TenantTable<'_>,
    id: &CustomerId,
    now: Timestamp,
) -> Result<(), Error> {
    let mut attempts = Attempts::new();
    loop {
        let before = table.customer(id).await?.ok_or_else(Error::customer_not_found)?;
        let (sources, newest) =
            try_join(Sources::load(table, id), table.risk_profiles(id, 1)).await?;
        let Some(change) = plan_recalculation(before, &sources, newest.first(), now)? else {
            return Ok(());
        };
        if table.commit(&change, &mut attempts).await? {
            return Ok(());
        }
    }
}

/// Reads at most `limit` profiles of a customer, newest first. Returns an empty list if the
/// customer has no profile.
///
/// # Errors
/// `CustomerNotFound`, `StoreUnavailable`.
pub async fn newest(
    table: &TenantTable<'_>,
    id: &CustomerId,
    limit: usize,
) -> Result<Vec<RiskProfile>, Error> {
    let profiles = table.risk_profiles(id, limit).await?;
    // An empty result may mean that the customer does not exist.
    if profiles.is_empty() && table.customer(id).await?.is_none() {
        return Err(Error::customer_not_found());
    }
    Ok(profiles)
}
