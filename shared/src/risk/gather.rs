//! Facts from the models.

use std::collections::BTreeMap;

use super::{AlertFacts, Facts, OrganizationFacts, RelatedFacts, SessionFacts};
use crate::model::customer::Customer;
use crate::model::organization::{Organization, Party, Role};
use crate::model::profile::EntityType;
use crate::model::session::{Session, SessionStatus, Validation, ValidationKind, ValidationResult};
use crate::model::time::Timestamp;
use crate::ownership::{Basis, DEFAULT_THRESHOLD, view};

impl<'a> Facts<'a> {
    /// `sessions` are the newest ones; `now` is when the profile is calculated.
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

/// What an ownership structure says about risk, and who is related: owners, and those who run it.
pub fn owned(customer: &Customer, organization: &Organization) -> OrganizationFacts {
    let view = view(customer, organization, DEFAULT_THRESHOLD);
    let owners = || view.ubos.iter().filter(|ubo| ubo.basis != Basis::SeniorManager);
    let related = |(party, share): (&Party, &f64)| {
        let id = &party.party_id;
        let holds = view.shareholders.iter().any(|holder| holder.party.party_id == *id);
        let is_owner = *share > 0.0 || holds || owners().any(|owner| owner.party_id == *id);
        let runs = [Role::Director, Role::Representative, Role::SeniorManager];
        let is_officer = runs.iter().any(|role| party.roles.contains(role));
        (is_owner || is_officer).then(|| RelatedFacts {
            party_id: id.as_str().to_owned(),
            country: party.country.clone(),
            is_owner,
        })
    };
    let parties = organization.structure.parties.iter().zip(&view.effective_percentages);
    OrganizationFacts {
        version: organization.version,
        related: parties.filter_map(related).collect(),
        undisclosed_percentage: view.undisclosed_percentage,
        most_layers: owners().filter_map(|owner| owner.layers).max().unwrap_or(0),
        circular: view.circular.clone(),
        has_owner_ubo: owners().next().is_some(),
        senior_manager_only: owners().next().is_none() && !view.ubos.is_empty(),
    }
}

fn session(session: &Session) -> SessionFacts {
    let mut latest: BTreeMap<&str, &Validation> = BTreeMap::new();
    for validation in &session.validations {
        let known = latest.entry(validation.kind.into_str()).or_insert(validation);
        if validation.at >= known.at {
            *known = validation;
        }
    }
    let of = |result: ValidationResult| -> Vec<ValidationKind> {
        let validations = latest.values().filter(|validation| validation.result == result);
        validations.map(|validation| validation.kind).collect()
    };
    SessionFacts {
        session_id: session.session_id.to_string(),
        status: session.status,
        failed: of(ValidationResult::Failed),
        in_review: of(ValidationResult::Review),
        passed: of(ValidationResult::Passed),
        // When the customer was done with it: what is added to a session later does not make it
        // a newer one.
        at: match session.status {
            SessionStatus::Expired => session.expires_at,
            _ => session.completed_at.unwrap_or(session.created_at),
        },
    }
}
