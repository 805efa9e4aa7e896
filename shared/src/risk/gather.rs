//! Collects the facts about a customer from the models.

use std::collections::BTreeMap;

use super::facts::{AlertFacts, Facts, OrganizationFacts, RelatedFacts, SessionFacts};
use crate::model::customer::Customer;
use crate::model::organization::{Organization, Party, Role};
use crate::model::profile::EntityType;
use crate::model::session::{Session, SessionStatus, Validation, ValidationKind, ValidationResult};
use crate::model::time::Timestamp;
use crate::ownership::{Basis, DEFAULT_THRESHOLD, view};
use crate::ownership::{BeneficialOwner, View};

impl<'a> Facts<'a> {
    /// Collects the facts about a customer. `sessions` are the sessions to assess, and `now` is the
    /// time of the assessment.
    pub fn of(
        customer: &'a Customer,
        organization: Option<&Organization>,
        sessions: &[Session],
        alerts: Vec<AlertFacts>,
        now: Timestamp,
    ) -> Facts<'a> {
        let is_company = customer.profile.entity_type == EntityType::Company;
        let organization = organization.filter(|_| is_company);
        Facts {
            now,
            customer_id: customer.customer_id,
            entity_type: customer.profile.entity_type,
            country: customer.profile.country.as_ref(),
            industry: customer.profile.industry.as_ref(),
            incorporated_on: customer.profile.incorporated_on.as_ref(),
            organization: organization.map(|organization| owned(customer, organization)),
            sessions: sessions.iter().map(session).collect(),
            alerts,
        }
    }
}

/// Collects the facts about an ownership structure, including its related parties: owners and
/// officers.
pub fn owned(customer: &Customer, organization: &Organization) -> OrganizationFacts {
    let view = view(customer, organization, DEFAULT_THRESHOLD);
    let parties = organization.structure.parties.iter().zip(&view.effective_percentages);
    let has_owner_ubo = owner_ubos(&view).next().is_some();
    OrganizationFacts {
        version: organization.version,
        related: parties.filter_map(|(party, share)| related(&view, party, *share)).collect(),
        undisclosed_percentage: view.undisclosed_percentage,
        most_layers: owner_ubos(&view).filter_map(|owner| owner.layers).max().unwrap_or(0),
        circular: view.circular.clone(),
        has_owner_ubo,
        senior_manager_only: !has_owner_ubo && !view.ubos.is_empty(),
    }
}

/// Iterates over the beneficial owners by ownership, voting or control.
fn owner_ubos(view: &View) -> impl Iterator<Item = &BeneficialOwner> {
    view.ubos.iter().filter(|ubo| ubo.basis != Basis::SeniorManager)
}

/// Returns the facts about a party, or `None` if the party is neither an owner nor an officer.
/// `share` is its effective share, 0 to 100.
fn related(view: &View, party: &Party, share: f64) -> Option<RelatedFacts> {
    let id = &party.party_id;
    let is_shareholder = view.shareholders.iter().any(|holder| holder.party.party_id == *id);
    let is_ubo = owner_ubos(view).any(|owner| owner.party_id == *id);
    let is_owner = share > 0.0 || is_shareholder || is_ubo;
    let officer_roles = [Role::Director, Role::Representative, Role::SeniorManager];
    let is_officer = officer_roles.iter().any(|role| party.roles.contains(role));
    (is_owner || is_officer).then(|| RelatedFacts {
        party_id: id.as_str().to_owned(),
        country: party.country.clone(),
        is_owner,
    })
}

fn session(session: &Session) -> SessionFacts {
    // If two validations of a kind have the same time, the later one in the list counts.
    let mut latest: BTreeMap<&str, &Validation> = BTreeMap::new();
    for validation in &session.validations {
        let entry = latest.entry(validation.kind.as_ref()).or_insert(validation);
        if validation.at >= entry.at {
            *entry = validation;
        }
    }
    let kinds_with = |result: ValidationResult| -> Vec<ValidationKind> {
        let validations = latest.values().filter(|validation| validation.result == result);
        validations.map(|validation| validation.kind).collect()
    };
    SessionFacts {
        session_id: session.session_id.to_string(),
        status: session.status,
        failed: kinds_with(ValidationResult::Failed),
        in_review: kinds_with(ValidationResult::Review),
        passed: kinds_with(ValidationResult::Passed),
        // A validation or an outcome that is added after the completion does not make the session
        // newer.
        at: match session.status {
            SessionStatus::Expired => session.expires_at,
            _ => session.completed_at.unwrap_or(session.created_at),
        },
    }
}
