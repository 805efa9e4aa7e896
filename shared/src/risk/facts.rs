//! Defines the facts that a score depends on.

use time::Date;

use crate::model::alert::AlertStatus;
use crate::model::id::CustomerId;
use crate::model::profile::EntityType;
use crate::model::session::{SessionStatus, ValidationKind};
use crate::model::time::Timestamp;
use crate::model::value::{CalendarDate, Country, Industry};

/// Facts about one customer. The order of the lists does not matter.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Time of the assessment.
    pub now: Timestamp,
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// Whether the customer is an individual or a company.
    pub entity_type: EntityType,
    /// Country of the customer.
    pub country: Option<&'a Country>,
    /// Industry of the customer: free text or a code.
    pub industry: Option<&'a Industry>,
    /// Date of incorporation. Used for companies only.
    pub incorporated_on: Option<&'a CalendarDate>,
    /// Ownership structure. Used for companies only.
    pub organization: Option<OrganizationFacts>,
    /// The sessions to assess, at most 100. The caller selects them.
    pub sessions: Vec<SessionFacts>,
    /// Alerts that monitoring has raised.
    pub alerts: Vec<AlertFacts>,
}

/// Facts about an ownership structure.
#[derive(Clone, Debug)]
pub struct OrganizationFacts {
    /// Version of the structure.
    pub version: u64,
    /// Owners and officers of the company.
    pub related: Vec<RelatedFacts>,
    /// Share of the company without a declared owner, 0 to 100.
    pub undisclosed_percentage: f64,
    /// Largest number of layers from the company to a beneficial owner, counted along the shortest
    /// chain of each owner. 1 is a direct holding; 0 if no chain leads to a beneficial owner.
    pub most_layers: u32,
    /// Ids of the parties in rings of holdings that lead to the company.
    pub circular: Vec<String>,
    /// Whether an individual is a beneficial owner by ownership, voting or control.
    pub has_owner_ubo: bool,
    /// Whether senior managers are listed because there is no beneficial owner on another basis.
    pub senior_manager_only: bool,
}

/// An owner, director, representative or senior manager.
#[derive(Clone, Debug)]
pub struct RelatedFacts {
    /// Id of the party in the structure.
    pub party_id: String,
    /// Country of the party.
    pub country: Option<Country>,
    /// Whether the party owns or controls part of the company. If not, the party is only an
    /// officer.
    pub is_owner: bool,
}

/// Facts about a KYC session.
#[derive(Clone, Debug)]
pub struct SessionFacts {
    /// Id of the session.
    pub session_id: String,
    /// Status of the session.
    pub status: SessionStatus,
    /// The kinds whose latest result in this session is `failed`.
    pub failed: Vec<ValidationKind>,
    /// The kinds whose latest result in this session is `review`.
    pub in_review: Vec<ValidationKind>,
    /// The kinds whose latest result in this session is `passed`.
    pub passed: Vec<ValidationKind>,
    /// Expiry time of an expired session. Otherwise the time when the customer completed the
    /// session, or the time of creation if the customer has not completed it.
    pub at: Timestamp,
}

/// Facts about a monitoring alert.
#[derive(Clone, Debug)]
pub struct AlertFacts {
    /// Id of the alert.
    pub alert_id: String,
    /// Id of the watchlist that the match is on.
    pub list: String,
    /// Status of the alert.
    pub status: AlertStatus,
}

impl Facts<'_> {
    /// Returns the facts about the ownership structure.
    ///
    /// # Errors
    /// Returns a sentence that explains why there is no structure to assess.
    pub(super) fn ownership(&self) -> Result<&OrganizationFacts, &'static str> {
        match (self.entity_type, &self.organization) {
            (EntityType::Individual, _) => Err("Not applicable: the customer is an individual."),
            (EntityType::Company, None) => Err("Unknown: the company has no ownership structure."),
            (EntityType::Company, Some(organization)) => Ok(organization),
        }
    }

    /// Returns the number of whole days since a time. A time in the future gives 0.
    pub(super) fn days_since(&self, then: Timestamp) -> u64 {
        let millis = self.now.millis().saturating_sub(then.millis());
        millis.max(0).unsigned_abs() / 86_400_000
    }

    /// Returns the number of whole days since a date. A date in the future gives 0. Returns `None`
    /// if the current time is outside of the calendar.
    pub(super) fn days_since_date(&self, then: Date) -> Option<u64> {
        let days = (self.now.date()? - then).whole_days();
        Some(days.max(0).unsigned_abs())
    }
}

impl SessionFacts {
    /// Returns whether the session was approved, rejected or put into manual review.
    pub(super) fn is_decided(&self) -> bool {
        use SessionStatus::{Approved, ManualReview, Rejected};
        matches!(self.status, Approved | Rejected | ManualReview)
    }
}
