//! A customer: what the caller said of it, and what became of it here.

use serde::{Deserialize, Serialize};

use super::id::CustomerId;
use super::profile::Profile;
use super::time::Timestamp;
use super::value::{TenantId, word};
use crate::error::Error;

word! {
    /// Blocked and inactive customers take no new session and no monitoring.
    Status { Active = "active", Inactive = "inactive", Blocked = "blocked" }
}

word! {
    /// `not_set` until there is a risk profile.
    RiskLevel {
        NotSet = "not_set", Low = "low", Medium = "medium", High = "high", Prohibited = "prohibited",
    }
}

word! {
    /// Whether the customer is rescreened.
    MonitoringStatus { Off = "off", Active = "active", Paused = "paused" }
}

/// The risk profile in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskSummary {
    pub level: RiskLevel,
    /// 0 to 100.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub score: Option<u8>,
    pub calculated_at: Option<Timestamp>,
}

impl Default for RiskSummary {
    fn default() -> RiskSummary {
        RiskSummary { level: RiskLevel::NotSet, score: None, calculated_at: None }
    }
}

/// The monitor in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonitoringSummary {
    pub status: MonitoringStatus,
    pub lists: Vec<String>,
    pub check_frequency: Option<String>,
    pub last_checked_at: Option<Timestamp>,
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

/// The KYC sessions in short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionCounters {
    pub total: u32,
    pub approved: u32,
    pub rejected: u32,
    pub manual_review: u32,
    pub active: u32,
    pub last_session_id: Option<String>,
    pub last_status: Option<String>,
    pub last_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Customer {
    pub customer_id: CustomerId,
    pub tenant_id: TenantId,
    #[serde(flatten)]
    pub profile: Profile,
    pub status: Status,
    #[serde(default)]
    pub risk: RiskSummary,
    #[serde(default)]
    pub monitoring: MonitoringSummary,
    #[serde(default)]
    pub sessions: SessionCounters,
    /// From 1, one more with every change; the `ETag` in quotes.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deactivated_at: Option<Timestamp>,
}

/// The fields only the server sets, for a clear message when a caller gives one.
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
];

impl Customer {
    pub fn new(customer_id: CustomerId, tenant_id: TenantId, profile: Profile) -> Customer {
        let created_at = customer_id.created_at();
        Customer {
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
        }
    }

    /// The same customer with another profile and status. Without a change it keeps its version.
    pub fn changed(
        &self,
        profile: Profile,
        status: Status,
        now: Timestamp,
    ) -> Result<Customer, Error> {
        self.status.check_move(status)?;
        if self.profile == profile && self.status == status {
            return Ok(self.clone());
        }
        let deactivated_at = match status {
            Status::Inactive => self.deactivated_at,
            Status::Active | Status::Blocked => None,
        };
        Ok(Customer { profile, status, deactivated_at, ..self.next_version(now) })
    }

    /// There is no status a customer cannot be deactivated from; an inactive one keeps its version.
    pub fn deactivated(&self, now: Timestamp) -> Customer {
        if self.status == Status::Inactive {
            return self.clone();
        }
        Customer { status: Status::Inactive, deactivated_at: Some(now), ..self.next_version(now) }
    }

    fn next_version(&self, now: Timestamp) -> Customer {
        // Every change has a millisecond of its own, later than the last: the clocks of two
        // functions may differ, and the audit events are ordered by it.
        let updated_at = now.max(Timestamp::from_millis(self.updated_at.millis() + 1));
        Customer { version: self.version + 1, updated_at, ..self.clone() }
    }
}

impl Status {
    fn check_move(self, to: Status) -> Result<(), Error> {
        let hint = match (self, to) {
            (Status::Active, Status::Blocked) | (Status::Blocked, Status::Active) => return Ok(()),
            (Status::Inactive, Status::Active) => return Ok(()),
            (from, to) if from == to => return Ok(()),
            (_, Status::Inactive) => ": DELETE deactivates it",
            _ => ": reactivate it first",
        };
        Err(Error::invalid_transition(self.as_str(), to.as_str(), hint))
    }
}
