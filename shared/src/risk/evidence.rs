//! Creates evidence: references to the data on which a factor or a hard rule is based.

use super::countries::CountryList;
use super::facts::{AlertFacts, Facts, OrganizationFacts, SessionFacts};
use super::sectors::Sector;
use crate::model::risk::Evidence;

/// Maximum number of evidence entries of a factor or a rule. A profile is stored as a single item
/// of the table, so its size is limited, and a longer list does not help a reader.
pub(super) const MAX_EVIDENCE: usize = 25;

fn evidence(kind: &str, id: impl Into<String>) -> Evidence {
    Evidence { kind: kind.to_owned(), id: id.into() }
}

pub(super) fn customer(facts: &Facts<'_>) -> Evidence {
    evidence("customer", facts.customer_id.to_string())
}

/// Refers to the version of the organization that was assessed.
pub(super) fn organization(facts: &Facts<'_>, organization: &OrganizationFacts) -> Evidence {
    evidence("organization", format!("{}@{}", facts.customer_id, organization.version))
}

pub(super) fn party(party_id: &str) -> Evidence {
    evidence("party", party_id)
}

pub(super) fn session(session: &SessionFacts) -> Evidence {
    evidence("session", &session.session_id)
}

pub(super) fn alert(alert: &AlertFacts) -> Evidence {
    evidence("alert", &alert.alert_id)
}

/// Refers to the edition of a country list that was used.
pub(super) fn country_list(list: &CountryList) -> Evidence {
    evidence("country_list", format!("{}@{}", list.id, list.date))
}

pub(super) fn sector(sector: &Sector) -> Evidence {
    evidence("industry_list", sector.id)
}
