//! Everything a score depends on, as plain facts.

use time::Date;

use crate::model::alert::AlertStatus;
use crate::model::id::CustomerId;
use crate::model::profile::EntityType;
use crate::model::session::{SessionStatus, ValidationKind};
use crate::model::time::Timestamp;
use crate::model::value::{CalendarDate, Country, Industry};

/// Lists may come in any order: no answer depends on it.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub now: Timestamp,
    pub customer_id: CustomerId,
    pub entity_type: EntityType,
    pub country: Option<&'a Country>,
    pub industry: Option<&'a Industry>,
    pub incorporated_on: Option<&'a CalendarDate>,
    /// Of a company; an individual's is not looked at.
    pub organization: Option<OrganizationFacts>,
    /// The newest hundred at most.
    pub sessions: Vec<SessionFacts>,
    pub alerts: Vec<AlertFacts>,
}

#[derive(Clone, Debug)]
pub struct OrganizationFacts {
    pub version: u64,
    /// Owners, directors and representatives.
    pub related: Vec<RelatedFacts>,
    /// 0 to 100.
    pub undisclosed_percentage: f64,
    /// The longest chain of holdings up to a beneficial owner; 1 is direct, 0 is none.
    pub most_layers: u32,
    /// Ids of the parties in rings of holdings.
    pub circular: Vec<String>,
    /// Somebody is a beneficial owner by ownership, voting or control.
    pub has_owner_ubo: bool,
    /// Nobody but senior managers stand in for a beneficial owner.
    pub senior_manager_only: bool,
}

#[derive(Clone, Debug)]
pub struct RelatedFacts {
    pub party_id: String,
    pub country: Option<Country>,
    pub is_owner: bool,
}

#[derive(Clone, Debug)]
pub struct SessionFacts {
    pub session_id: String,
    pub status: SessionStatus,
    /// The kinds whose latest result in this session is `failed`.
    pub failed: Vec<ValidationKind>,
    /// The kinds whose latest result in this session is `review`.
    pub in_review: Vec<ValidationKind>,
    /// The kinds whose latest result in this session is `passed`.
    pub passed: Vec<ValidationKind>,
    /// The last change.
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct AlertFacts {
    pub alert_id: String,
    pub list: String,
    pub status: AlertStatus,
}

impl Facts<'_> {
    /// The declared ownership, or the sentence that says why there is none to look at.
    pub(super) fn ownership(&self) -> Result<&OrganizationFacts, &'static str> {
        match (self.entity_type, &self.organization) {
            (EntityType::Individual, _) => Err("Not applicable: the customer is an individual."),
            (EntityType::Company, None) => Err("Unknown: no ownership structure was given."),
            (EntityType::Company, Some(organization)) => Ok(organization),
        }
    }

    /// Whole days since then; a time to come is 0.
    pub(super) fn days_since(&self, then: Timestamp) -> u64 {
        let millis = self.now.millis().saturating_sub(then.millis());
        u64::try_from(millis).unwrap_or(0) / 86_400_000
    }

    /// Whole days since that date; a date to come is 0.
    pub(super) fn days_since_date(&self, then: Date) -> Option<u64> {
        let days = (self.now.date()? - then).whole_days();
        Some(u64::try_from(days).unwrap_or(0))
    }
}

impl SessionFacts {
    pub(super) fn is_decided(&self) -> bool {
        use SessionStatus::{Approved, ManualReview, Rejected};
        matches!(self.status, Approved | Rejected | ManualReview)
    }
}
