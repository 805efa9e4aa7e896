//! Types for the subjects of a monitored customer and their known matches. Both are stored with the
//! monitor, so that a rescreen pass needs no other item.

use screening::entity::EntityKind;
use serde::{Deserialize, Serialize};

use super::alert::AlertSubject;
use super::monitor::SubjectKind;
use super::organization::{Party, PartyKind};
use super::profile::{EntityType, Profile};

/// A person or an organization to screen, with all facts that screening compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Id of the party; `None` for the customer itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub party_id: Option<String>,
    /// Name as the tenant wrote it, trimmed.
    pub name: String,
    /// Person or organization.
    pub kind: EntityKind,
    /// Date of birth or incorporation, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// Country of residence or incorporation: an ISO 3166-1 alpha-2 code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub country: Option<String>,
    /// Tax number as the tenant wrote it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tax_id: Option<String>,
}

/// The subjects of a monitor, and the matches that have an alert. A pass compares the matches that
/// it finds with the known ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Screened {
    /// The customer, followed by the related parties that are screened.
    pub subjects: Vec<Subject>,
    /// Matches that have an alert, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<KnownMatch>,
}

/// A match that has an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KnownMatch {
    /// [`Subject::key`] of the subject.
    pub subject: String,
    /// Name of the list.
    pub list: String,
    /// Id of the entry in the list.
    pub entity: String,
    /// Hash of the compared fields, from [`fingerprint`](super::alert::fingerprint). A change of
    /// any of these fields changes the hash.
    pub fingerprint: u64,
}

impl Subject {
    /// Makes the subject for the customer.
    pub fn of_customer(profile: &Profile) -> Subject {
        let date = profile.date_of_birth.as_ref().or(profile.incorporated_on.as_ref());
        Subject {
            party_id: None,
            name: profile.name.as_str().to_owned(),
            kind: match profile.entity_type {
                EntityType::Company => EntityKind::Organization,
                EntityType::Individual => EntityKind::Person,
            },
            date: date.map(|date| date.as_str().to_owned()),
            country: profile.country.as_ref().map(|country| country.as_str().to_owned()),
            tax_id: profile.tax_id.as_ref().map(|id| id.as_str().to_owned()),
        }
    }

    /// Makes the subject for a party of the customer's organization.
    pub fn of_party(party: &Party) -> Subject {
        let date = party.date_of_birth.as_ref().or(party.incorporated_on.as_ref());
        Subject {
            party_id: Some(party.party_id.as_str().to_owned()),
            name: party.name.as_str().to_owned(),
            kind: match party.kind {
                PartyKind::Company => EntityKind::Organization,
                PartyKind::Individual => EntityKind::Person,
            },
            date: date.map(|date| date.as_str().to_owned()),
            country: party.country.as_ref().map(|country| country.as_str().to_owned()),
            tax_id: party.tax_id.as_ref().map(|id| id.as_str().to_owned()),
        }
    }

    /// Returns the key of the subject, unique among the subjects of a customer: the id of the
    /// party, or `self` for the customer. No party has the id `self`.
    pub fn key(&self) -> &str {
        self.party_id.as_deref().unwrap_or("self")
    }

    /// Returns the subject in the form that an alert contains.
    pub fn as_answered(&self) -> AlertSubject {
        AlertSubject {
            kind: match self.party_id {
                None => SubjectKind::Customer,
                Some(_) => SubjectKind::Party,
            },
            party_id: self.party_id.clone(),
            name: self.name.clone(),
        }
    }
}
