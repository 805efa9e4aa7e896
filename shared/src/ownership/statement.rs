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

/// From which share on an individual is a beneficial owner, unless the caller says otherwise.
pub const DEFAULT_THRESHOLD: f64 = 25.0;

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = OrganizationStatement))]
pub struct Statement<'a> {
    pub customer_id: CustomerId,
    /// The beneficial owners, the largest share first.
    pub ubos: Vec<BeneficialOwner>,
    /// Who holds something of the customer itself, the largest share first.
    pub shareholders: Vec<Shareholder>,
    pub directors: Vec<Officer>,
    pub representatives: Vec<Officer>,
    /// As it was given.
    pub structure: &'a Structure,
    /// What no declared owner accounts for, through all chains, 0 to 100.
    pub undisclosed_percentage: f64,
    pub warnings: Vec<Warning>,
    /// From which effective share or voting share on an individual is a beneficial owner.
    pub threshold: f64,
    /// From 1, one more with every change; the `ETag` in quotes.
    pub version: u64,
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
