//! Types for customers: the profile that the caller maintains, and the state that the service
//! maintains.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

use super::frequency::Frequency;
use super::id::{CustomerId, SessionId};
use super::profile::Profile;
use super::session::{Session, SessionStatus};
use super::time::Timestamp;
use super::value::{Note, TenantId};
use crate::error::Error;

/// Status of a customer.
///
/// - `active`: the customer can have sessions and monitoring.
/// - `inactive`: the customer was deactivated and accepts no new sessions and no monitoring.
/// - `blocked`: the customer accepts no new sessions, and its monitoring is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    /// Accepts sessions and monitoring.
    Active,
    /// Deactivated. Monitoring is off.
    Inactive,
    /// Accepts no new sessions. Monitoring is paused.
    Blocked,
}

/// Risk level of a customer. The level is `not_set` until there is enough data for an assessment,
/// and `prohibited` if a hard rule forbids the business relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RiskLevel {
    /// Not assessed, or not enough data for an assessment.
    NotSet,
    /// Low risk.
    Low,
    /// Medium risk.
    Medium,
    /// High risk.
    High,
    /// A hard rule forbids the business relationship.
    Prohibited,
}

/// Status of monitoring.
///
/// - `off`: the customer is not monitored.
/// - `active`: the customer is screened again when a list or the customer's data changes, or on
///   schedule.
/// - `paused`: the customer is blocked. Monitoring continues when the customer's status is `active`
///   again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MonitoringStatus {
    /// Not monitored.
    Off,
    /// Screened again when a list or the customer's data changes, or on schedule.
    Active,
    /// Suspended while the customer is blocked.
    Paused,
}

/// Summary of the current risk profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskSummary {
    /// Current risk level.
    pub level: RiskLevel,
    /// Score from 0 (lowest risk) to 100, or `null` if the level is `not_set`.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub score: Option<u8>,
    /// Time of the calculation, or `null` if no profile has been calculated.
    pub calculated_at: Option<Timestamp>,
}

impl Default for RiskSummary {
    fn default() -> RiskSummary {
        RiskSummary { level: RiskLevel::NotSet, score: None, calculated_at: None }
    }
}

/// Summary of the monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonitoringSummary {
    /// Status of monitoring.
    pub status: MonitoringStatus,
    /// Names of the lists in the last check.
    pub lists: Vec<String>,
    /// Check frequency of the monitor, or `null` if the customer has never been monitored or was
    /// erased.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub check_frequency: Option<Frequency>,
    /// Time of the last check with a new result, or `null` if the customer has never been monitored
    /// or was erased. The monitor contains the time of the last check with any result.
    pub last_checked_at: Option<Timestamp>,
    /// Number of alerts with the status `open`.
    pub open_alerts: u32,
}

impl Default for MonitoringSummary {
    fn default() -> MonitoringSummary {
        MonitoringSummary {
            status: MonitoringStatus::Off,
            lists: Vec::new(),
            check_frequency: None,
            last_checked_at: None,
            open_alerts: 0,
        }
    }
}

/// Counters of a customer's KYC sessions, and a summary of the newest session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionCounters {
    /// Number of all sessions, including completed and expired ones.
    pub total: u32,
    /// Number of sessions with the status `approved`.
    pub approved: u32,
    /// Number of sessions with the status `rejected`.
    pub rejected: u32,
    /// Number of sessions with the status `manual_review`.
    pub manual_review: u32,
    /// Number of sessions with the status `active`.
    pub active: u32,
    /// Id of the newest session, or `null` if there is no session.
    pub last_session_id: Option<SessionId>,
    /// Status of the newest session, or `null` if there is no session.
    pub last_status: Option<SessionStatus>,
    /// Time of the latest change of the newest session, or `null` if there is no session.
    pub last_at: Option<Timestamp>,
}

/// A customer of a tenant, as the API returns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Customer {
    /// Id of the customer, assigned at creation.
    pub customer_id: CustomerId,
    /// Id of the tenant that the customer belongs to.
    pub tenant_id: TenantId,
    /// The fields that the caller maintains.
    #[serde(flatten)]
    pub profile: Profile,
    /// Current status, which decides whether the customer accepts sessions and monitoring.
    pub status: Status,
    /// Summary of the current risk profile.
    #[serde(default)]
    pub risk: RiskSummary,
    /// Summary of the monitor.
    #[serde(default)]
    pub monitoring: MonitoringSummary,
    /// Counters of the sessions, and a summary of the newest session.
    #[serde(default)]
    pub sessions: SessionCounters,
    /// Version: 1 at first, and one more with every change, including changes of the customer's
    /// sessions, organization, risk and monitoring. The `ETag` is the version in quotes.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub version: u64,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the latest change.
    pub updated_at: Timestamp,
    /// Time of the deactivation, or `null` if the status is not `inactive`.
    pub deactivated_at: Option<Timestamp>,
    /// Time at which the personal data was erased, or `null` if the customer was not erased. An
    /// erased customer cannot change.
    pub erased_at: Option<Timestamp>,
    /// The reason that was given to erase the customer before its retention had ended, or `null`. It
    /// survives the erasure, so it must not contain personal data.
    #[serde(default)]
    pub erasure_override_reason: Option<Note>,
}

/// A customer as the table stores it, with additional fields that only the service reads.
///
/// Sessions and monitoring expire without a write. When the store reads a customer,
/// [`StoredCustomer::settled`] uses the expiry times in these fields to correct the session
/// counters and the monitoring status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredCustomer {
    /// The fields that the API returns.
    #[serde(flatten)]
    pub customer: Customer,
    /// Expiry time of each active session. Contains at most [`MAX_OPEN_SESSIONS`] sessions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open_sessions: BTreeMap<SessionId, Timestamp>,
    /// Time at which monitoring ends, or `None` if monitoring is off or has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitored_until: Option<Timestamp>,
    /// Whether an erasure has removed the personal data from every item of the customer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_scrubbed: bool,
    /// Whether a session or the monitor has expired since the version was written. The version then
    /// no longer determines what the API returns.
    #[serde(skip)]
    pub has_expired_parts: bool,
}

impl Deref for StoredCustomer {
    type Target = Customer;

    fn deref(&self) -> &Customer {
        &self.customer
    }
}

impl DerefMut for StoredCustomer {
    fn deref_mut(&mut self) -> &mut Customer {
        &mut self.customer
    }
}

/// Maximum number of active sessions of a customer. The limit exists because the customer's item
/// lists every active session, and DynamoDB limits an item to 400 KB.
pub const MAX_OPEN_SESSIONS: usize = 1_000;

/// Fields that only the server sets. They must not be given when a customer is created. A patch may
/// repeat them with their current values.
pub const READ_ONLY: &[&str] = &[
    "customer_id",
    "tenant_id",
    "risk",
    "monitoring",
    "sessions",
    "version",
    "created_at",
    "updated_at",
    "deactivated_at",
    "erased_at",
    "erasure_override_reason",
];

impl Customer {
    /// Checks that the customer accepts new sessions and monitoring, which requires the status
    /// `active`.
    ///
    /// # Errors
    /// `CustomerErased`, `CustomerBlocked` or `CustomerInactive`.
    pub fn takes_sessions(&self) -> Result<(), Error> {
        match self.status {
            _ if self.erased_at.is_some() => Err(Error::customer_erased()),
            Status::Active => Ok(()),
            Status::Blocked => Err(Error::customer_blocked()),
            Status::Inactive => Err(Error::customer_inactive()),
        }
    }
}

impl StoredCustomer {
    /// Creates an active customer at version 1. The time of creation is the time in `customer_id`.
    pub fn new(customer_id: CustomerId, tenant_id: TenantId, profile: Profile) -> StoredCustomer {
        let created_at = customer_id.created_at();
        StoredCustomer {
            customer: Customer {
                customer_id,
                tenant_id,
                profile,
                status: Status::Active,
                risk: RiskSummary::default(),
                monitoring: MonitoringSummary::default(),
                sessions: SessionCounters::default(),
                version: 1,
                created_at,
                updated_at: created_at,
                deactivated_at: None,
                erased_at: None,
                erasure_override_reason: None,
            },
            open_sessions: BTreeMap::new(),
            monitored_until: None,
            is_scrubbed: false,
            has_expired_parts: false,
        }
    }

    /// Returns the customer as of `now`. Expired sessions are not counted as active, and expired
    /// monitoring is off.
    pub fn settled(mut self, now: Timestamp) -> StoredCustomer {
        let stored = (self.monitoring.status, self.sessions.clone());
        if self.monitored_until.is_some_and(|until| until <= now) {
            self.monitoring.status = MonitoringStatus::Off;
        }
        self.open_sessions.retain(|_, expires_at| *expires_at > now);
        self.recount();
        self.has_expired_parts = stored != (self.monitoring.status, self.sessions.clone());
        self
    }

    /// Returns the next version of the customer after a change of a session. `before` is the
    /// session before the change, or `None` if the session is new.
    pub fn with_session(
        &self,
        before: Option<&Session>,
        after: &Session,
        now: Timestamp,
    ) -> StoredCustomer {
        let mut next = self.next_version(now);
        let counters = &mut next.customer.sessions;
        match before {
            None => counters.total += 1,
            Some(before) => {
                if let Some(count) = counters.of(before.status) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        if let Some(count) = counters.of(after.status) {
            *count += 1;
        }
        if counters.last_session_id.is_none_or(|last| last <= after.session_id) {
            counters.last_session_id = Some(after.session_id);
            counters.last_status = Some(after.status);
            counters.last_at = Some(after.updated_at);
        }
        if after.status == SessionStatus::Active {
            next.open_sessions.insert(after.session_id, after.expires_at);
        } else {
            next.open_sessions.remove(&after.session_id);
        }
        next.recount();
        next
    }

    fn recount(&mut self) {
        let counters = &mut self.customer.sessions;
        counters.active = u32::try_from(self.open_sessions.len()).unwrap_or(u32::MAX);
        let is_open =
            counters.last_session_id.is_some_and(|id| self.open_sessions.contains_key(&id));
        if counters.last_status == Some(SessionStatus::Active) && !is_open {
            counters.last_status = Some(SessionStatus::Expired);
        }
    }

    /// Returns the next version with this profile and status. If neither differs from the current
    /// one, the result equals the customer and has the same version.
    ///
    /// # Errors
    /// `InvalidTransition` if the status cannot change to `status`.
    pub fn changed(
        &self,
        profile: Profile,
        status: Status,
        now: Timestamp,
    ) -> Result<StoredCustomer, Error> {
        self.status.check_move(status)?;
        if self.profile == profile && self.status == status {
            return Ok(self.clone());
        }
        let mut next = self.next_version(now);
        next.deactivated_at = match status {
            Status::Inactive => self.deactivated_at,
            Status::Active | Status::Blocked => None,
        };
        next.profile = profile;
        next.status = status;
        Ok(next)
    }

    /// Returns the next version with the status `inactive`, which can be reached from any status.
    /// If the customer is already inactive, the result has the same version.
    pub fn deactivated(&self, now: Timestamp) -> StoredCustomer {
        if self.status == Status::Inactive {
            return self.clone();
        }
        let mut next = self.next_version(now);
        next.status = Status::Inactive;
        next.deactivated_at = Some(now);
        next
    }

    /// Returns the next version as a tombstone, without the profile's personal data. The customer
    /// id, tenant id, times, counters, risk summary and entity type stay. `override_reason` is the
    /// reason to erase the customer before its retention has ended.
    ///
    /// # Errors
    /// `InternalError` if the erased profile is not valid, which would be a bug.
    pub fn erased(
        &self,
        override_reason: Option<Note>,
        now: Timestamp,
    ) -> Result<StoredCustomer, Error> {
        let mut next = self.next_version(now);
        let open_alerts = self.monitoring.open_alerts;
        next.profile = Profile::erased(self.profile.entity_type)?;
        next.status = Status::Inactive;
        next.monitoring = MonitoringSummary { open_alerts, ..MonitoringSummary::default() };
        next.monitored_until = None;
        next.deactivated_at = self.deactivated_at.or(Some(next.updated_at));
        next.erased_at = Some(next.updated_at);
        next.erasure_override_reason = override_reason;
        Ok(next)
    }

    /// Returns the same customer at the next version, with a later `updated_at`.
    pub fn next_version(&self, now: Timestamp) -> StoredCustomer {
        // Audit events are ordered by `updated_at`, and the clocks of two functions may differ.
        // Therefore `updated_at` is at least 1 ms later than in the version before.
        let mut next = self.clone();
        next.updated_at = now.max(Timestamp::from_millis(self.updated_at.millis() + 1));
        next.version += 1;
        next
    }
}

impl SessionCounters {
    /// Returns the counter for a status, or `None` if the status is not an outcome. `recount`
    /// counts active sessions.
    fn of(&mut self, status: SessionStatus) -> Option<&mut u32> {
        match status {
            SessionStatus::Approved => Some(&mut self.approved),
            SessionStatus::Rejected => Some(&mut self.rejected),
            SessionStatus::ManualReview => Some(&mut self.manual_review),
            SessionStatus::Active | SessionStatus::Completed | SessionStatus::Expired => None,
        }
    }
}

impl Status {
    /// Checks that the status can change to `to`. An unchanged status is allowed. A change to
    /// `Inactive` is an error, because only [`StoredCustomer::deactivated`] makes that change.
    fn check_move(self, to: Status) -> Result<(), Error> {
        let hint = match (self, to) {
            (Status::Active, Status::Blocked) | (Status::Blocked, Status::Active) => return Ok(()),
            (Status::Inactive, Status::Active) => return Ok(()),
            (from, to) if from == to => return Ok(()),
            (_, Status::Inactive) => "; use DELETE /customers/{id} to deactivate it",
            _ => "; set it to active first",
        };
        Err(Error::invalid_transition("customer", self.as_ref(), to.as_ref(), hint))
    }
}
