//! An organization as it is answered: what was declared, and what follows from it.

use serde::Serialize;

use super::view::{BeneficialOwner, Officer, Shareholder, View};
use super::warnings::Warning;
use crate::model::customer::Customer;
use crate::model::id::CustomerId;
use crate::model::organization::{Organization, Structure};
use crate::model::profile::EntityType;
use crate::model::time::Timestamp;
use crate::model::value::Issue;

/// Default of the smallest share of a beneficial owner, in percent.
pub const DEFAULT_THRESHOLD: f64 = 25.0;

/// The declared structure of a customer and what is derived from it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = OrganizationStatement))]
pub struct Statement<'a> {
    /// The customer.
    pub customer_id: CustomerId,
    /// Beneficial owners, the largest share first.
    pub ubos: Vec<BeneficialOwner>,
    /// Parties with a direct holding in the customer, the largest share first.
    pub shareholders: Vec<Shareholder>,
    /// Parties with the role `director`.
    pub directors: Vec<Officer>,
    /// Parties with the role `representative`.
    pub representatives: Vec<Officer>,
    /// The structure as it was declared.
    pub structure: &'a Structure,
    /// Share in the customer without a declared owner, through all chains, 0 to 100.
    pub undisclosed_percentage: f64,
    /// Findings that a person should review.
    pub warnings: Vec<Warning>,
    /// Smallest effective share or voting share of a beneficial owner in this answer, in percent.
    pub threshold: f64,
    /// Version: 1 at first, and one more with every change. In quotes, it is the `ETag`.
    pub version: u64,
    /// Time of the latest change.
    pub updated_at: Timestamp,
}

impl<'a> Statement<'a> {
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

pub fn view(customer: &Customer, organization: &Organization, threshold: f64) -> View {
    let is_company = customer.profile.entity_type == EntityType::Company;
    View::of(&organization.structure, is_company, threshold)
}

pub fn parse_threshold(text: &str) -> Result<f64, Issue> {
    // A number as JSON has it: Rust would also read `inf` and `+5`.
    let number = serde_json::from_str::<f64>(text).ok();
    let number = number.filter(|number| *number > 0.0 && *number <= 100.0);
    number.ok_or_else(|| "must be a number above 0 and at most 100".to_owned())
}
