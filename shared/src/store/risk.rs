//! Risk profiles: each beside its customer, under the time it was calculated, and never changed.
//! The newest is the current one; the customer says it in short, in the same transaction.

use futures_util::future::try_join3;

use super::TenantTable;
use super::call::{Outcome, Rule, Write, unavailable_or_internal};
use super::change::{Change, Race};
use super::customers::IS_NEW;
use super::expression::Expression;
use super::item::{self, Item};
use crate::error::Error;
use crate::model::alert::Alert;
use crate::model::customer::{Customer, RiskSummary};
use crate::model::event::EventKind;
use crate::model::id::CustomerId;
use crate::model::organization::Organization;
use crate::model::risk::{RiskProfile, Trigger};
use crate::model::session::{Session, SessionStatus};
use crate::model::time::Timestamp;
use crate::risk::{AlertFacts, Facts, MODEL, assess};

/// How many sessions a profile looks at, the newest first, of those that say something: an outcome,
/// a validation, or that they expired.
const MAX_SESSIONS: usize = 100;
/// How many that only expired: more say no more.
const MAX_EXPIRED: usize = 10;
/// How many are read to find them.
const MAX_READ: usize = 1_000;

/// What a profile is calculated from besides the customer. It belongs to the customer's version
/// if it was read after the customer.
pub(super) struct Sources {
    pub(super) organization: Option<Organization>,
    /// The newest ones, in no order.
    sessions: Vec<Session>,
    pub(super) alerts: Vec<Alert>,
}

impl Sources {
    /// As they are with alerts that are about to change.
    pub(super) fn with_alerts(mut self, changed: &[Alert]) -> Sources {
        self.alerts.retain(|known| changed.iter().all(|alert| alert.alert_id != known.alert_id));
        self.alerts.extend(changed.iter().cloned());
        self
    }

    /// As they are with a session that is about to change.
    pub(super) fn with_session(mut self, session: &Session) -> Sources {
        self.sessions.retain(|known| known.session_id != session.session_id);
        self.sessions.insert(0, session.clone());
        self
    }

    /// As they are with an organization that is about to change.
    pub(super) fn with_organization(mut self, organization: &Organization) -> Sources {
        self.organization = Some(organization.clone());
        self
    }
}

impl TenantTable<'_> {
    pub(super) async fn sources(&self, id: &CustomerId) -> Result<Sources, Error> {
        let read = try_join3(self.organization(id), self.newest_sessions(id), self.all_alerts(id));
        let (organization, sessions, alerts) = read.await?;
        Ok(Sources { organization, sessions, alerts })
    }

    async fn newest_sessions(&self, id: &CustomerId) -> Result<Vec<Session>, Error> {
        let (partition, prefix) = self.keys.sessions(id);
        let items = self.newest(partition, prefix, MAX_READ).await?;
        let (mut sessions, mut expired) = (Vec::new(), 0);
        for item in items {
            let session = self.settled(item)?;
            let says_more = session.status.is_outcome() || !session.validations.is_empty();
            let has_expired = session.status == SessionStatus::Expired;
            expired += usize::from(has_expired && !says_more);
            if says_more || (has_expired && expired <= MAX_EXPIRED) {
                sessions.push(session);
            }
        }
        sessions.truncate(MAX_SESSIONS);
        Ok(sessions)
    }

    async fn all_alerts(&self, id: &CustomerId) -> Result<Vec<Alert>, Error> {
        let (partition, prefix) = self.keys.alerts(id);
        let items = self.newest(partition, prefix, usize::MAX).await?;
        items.into_iter().map(item::model).collect()
    }

    /// The rows of a partition with this prefix, the last keys first; `most` of them.
    async fn newest(
        &self,
        partition: String,
        prefix: &str,
        most: usize,
    ) -> Result<Vec<Item>, Error> {
        let mut e = Expression::default();
        let by_key = e.begins_with(partition, prefix);
        let query = self.table.query(by_key, e).scan_index_forward(false);
        let mut items: Vec<Item> = Vec::new();
        let mut start = None;
        loop {
            let ask = i32::try_from(most - items.len()).ok();
            let page = query.clone().set_limit(ask).set_exclusive_start_key(start).send().await;
            let page = page.map_err(|error| unavailable_or_internal("Query", &error))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() || items.len() >= most {
                return Ok(items);
            }
        }
    }

    /// Calculates the profile of a customer that is about to be written, and says it in short there.
    pub(super) fn assess(
        &self,
        customer: &mut Customer,
        sources: &Sources,
        trigger: Trigger,
    ) -> RiskProfile {
        let calculated_at = customer.updated_at;
        let organization = sources.organization.as_ref();
        let alerts = sources.alerts.iter().map(|alert| AlertFacts {
            alert_id: alert.alert_id.to_string(),
            list: alert.list.clone(),
            status: alert.status,
        });
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

    pub(super) fn profile_write(
        &self,
        customer: &Customer,
        profile: &RiskProfile,
    ) -> Result<Write, Error> {
        // Every version of a customer has a time of its own.
        let key = self.keys.risk_profile(&customer.customer_id, customer.updated_at);
        self.put(Rule::Profile, key, item::typed("risk profile", profile)?, IS_NEW)
    }

    /// Calculates the profile anew and keeps it.
    pub async fn recalculate(&self, id: &CustomerId, now: Timestamp) -> Result<(), Error> {
        let mut race = Race::start();
        loop {
            let before = self.customer(id).await?.ok_or_else(Error::customer_not_found)?;
            let sources = self.sources(id).await?;
            let mut after = before.next_version(now);
            let profile = Some(self.assess(&mut after, &sources, Trigger::Requested));
            let change = Change::new(EventKind::RiskCalculated, &before, after);
            let change = Change { profile, ..change };
            let Outcome::Refused(mut refused) = self.transact(&self.writes_of(&change)?).await?
            else {
                return Ok(());
            };
            refused.overtaken()?;
            race.lost().await?;
        }
    }

    /// The profiles of a customer, the current one first, `most` of them; none before the first
    /// was calculated.
    pub async fn risk_profiles(
        &self,
        id: &CustomerId,
        most: usize,
    ) -> Result<Vec<RiskProfile>, Error> {
        let (partition, prefix) = self.keys.risk_profiles(id);
        let items = self.newest(partition, prefix, most).await?;
        // Only where there is none may there be no customer.
        if items.is_empty() && self.customer(id).await?.is_none() {
            return Err(Error::customer_not_found());
        }
        items.into_iter().map(item::model).collect()
    }
}
