//! The API's representation of an organization: the declared structure, with the owners, shares and
//! warnings derived from it.

use serde::Serialize;

use super::owners::{BeneficialOwner, Officer, Shareholder};
use super::view::View;
use super::warnings::Warning;
use crate::model::customer::Customer;
use crate::model::id::CustomerId;
use crate::model::organization::{Organization, Structure};
use crate::model::profile::EntityType;
use crate::model::time::Timestamp;
use crate::model::value::Issue;

/// Default threshold in percent: an individual with at least this share is a beneficial owner.
/// Source: Regulation (EU) 2024/1624, Article 52: 25 % or more.
pub const DEFAULT_THRESHOLD: f64 = 25.0;

/// An organization as the API returns it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = OrganizationStatement))]
pub struct Statement<'a> {
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// Beneficial owners, the largest effective share first.
    pub ubos: Vec<BeneficialOwner>,
    /// Parties with a direct holding in the customer or direct control of it, the largest direct
    /// share first.
    pub shareholders: Vec<Shareholder>,
    /// Parties with the role `director`.
    pub directors: Vec<Officer>,
    /// Parties with the role `representative`.
    pub representatives: Vec<Officer>,
    /// The structure as it was declared.
    pub structure: &'a Structure,
    /// Share of the customer that no declared owner accounts for, through all chains, 0 to 100.
    pub undisclosed_percentage: f64,
    /// Points of the structure that need attention.
    pub warnings: Vec<Warning>,
    /// Smallest effective share or voting share that makes an individual a beneficial owner, above
    /// 0 and at most 100.
    pub threshold: f64,
    /// Version of the structure. It starts at 1 and increases by 1 with every change. The `ETag` is
    /// this number in quotes.
    pub version: u64,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl<'a> Statement<'a> {
    /// Creates the answer for an organization. `threshold` is a percentage above 0 and at most 100.
    pub fn of(
        customer: &Customer,
        organization: &'a Organization,
        threshold: f64,
    ) -> Statement<'a> {
        let Organization { version, updated_at, structure } = organization;
        let view = view(customer, organization, threshold);
        Statement {
            customer_id: customer.customer_id,
            ubos: view.ubos,
            shareholders: view.shareholders,
            directors: view.directors,
            representatives: view.representatives,
            structure,
            undisclosed_percentage: view.undisclosed_percentage,
            warnings: view.warnings,
            threshold,
            version: *version,
            updated_at: *updated_at,
        }
    }
}

/// Analyses the organization of a customer. `threshold` is a percentage above 0 and at most 100.
pub fn view(customer: &Customer, organization: &Organization, threshold: f64) -> View {
    let is_company = customer.profile.entity_type == EntityType::Company;
    View::of(&organization.structure, is_company, threshold)
}

/// Parses the threshold for beneficial owners, in percent.
///
/// # Errors
/// Returns the rule if the text is not a JSON number above 0 and at most 100.
pub fn parse_threshold(text: &str) -> Result<f64, Issue> {
    // `str::parse` would also accept `inf` and `+5`, which are not JSON numbers.
    let number = serde_json::from_str::<f64>(text).ok();
    let threshold = number.filter(|number| *number > 0.0 && *number <= 100.0);
    threshold.ok_or_else(|| "must be a number above 0 and at most 100".to_owned())
}
