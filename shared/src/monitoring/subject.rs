//! Who is screened: the customer and, where it is asked for, who owns and runs it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::alert::AlertSubject;
use crate::model::customer::Customer;
use crate::model::monitor::SubjectKind;
use crate::model::organization::{Organization, Party, PartyKind};
use crate::model::profile::{EntityType, Profile};
use crate::risk::owned;
use screening::entity::{Entity, EntityKind, Identifier, ListedDate};
use screening::index::matched;
use screening::lists::dates;
use screening::{Match, Query, Screener};

/// Somebody to screen, with all that is known and compared. Kept with the monitor, so that a pass
/// reads nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Of a party; the customer has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub party_id: Option<String>,
    pub name: String,
    pub kind: EntityKind,
    /// Of birth or incorporation, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tax_id: Option<String>,
}

/// The customer first, then the related parties in the order of the organization.
pub fn subjects(
    customer: &Customer,
    organization: Option<&Organization>,
    include_related: bool,
) -> Vec<Subject> {
    let mut subjects = vec![Subject::of_customer(&customer.profile)];
    let organization = organization.filter(|_| include_related);
    if let Some(organization) = organization {
        let related = owned(customer, organization).related;
        let related: Vec<&str> = related.iter().map(|party| party.party_id.as_str()).collect();
        let parties = organization.structure.parties.iter();
        let parties = parties.filter(|party| related.contains(&party.party_id.as_str()));
        subjects.extend(parties.map(Subject::of_party));
    }
    subjects
}

impl Subject {
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

    fn of_party(party: &Party) -> Subject {
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

    /// `self`, which is no party's id, or the id of the party.
    pub fn key(&self) -> &str {
        self.party_id.as_deref().unwrap_or("self")
    }

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

    /// The entries that the subject may be.
    pub fn screen(&self, screener: &mut Screener<'_>, least: f32) -> Vec<Match> {
        let countries: Vec<&str> = self.country.as_deref().into_iter().collect();
        let identifier = self.tax_id.as_ref().map(|tax_id| Identifier {
            kind: "tax_id".to_owned(),
            value: tax_id.clone(),
            country: self.country.clone(),
        });
        let query = Query {
            name: &self.name,
            kind: Some(self.kind),
            date: self.listed_date(),
            countries: &countries,
            identifiers: identifier.as_slice(),
            gender: None,
        };
        screener.screen(&query, least)
    }

    fn listed_date(&self) -> Option<ListedDate> {
        self.date.as_deref().and_then(dates::parse)
    }

    /// What is compared of the subject and an entry, field by field, as hashes. While these stay
    /// the same, so does everything a person decided about the two.
    pub fn compared(&self, entity: &Entity) -> BTreeMap<String, String> {
        let entity = matched(entity);
        BTreeMap::from([
            hashed("subject.name", &self.name),
            hashed("subject.kind", &self.kind),
            hashed("subject.date", &self.date),
            hashed("subject.country", &self.country),
            hashed("subject.tax_id", &self.tax_id),
            hashed("entity.names", &entity.names),
            hashed("entity.kind", &entity.kind),
            hashed("entity.dates", &entity.dates),
            hashed("entity.countries", &entity.countries),
            hashed("entity.identifiers", &entity.identifiers),
            hashed("entity.gender", &entity.gender),
        ])
    }
}

/// The first eight bytes of SHA-256, in hexadecimal.
#[expect(clippy::expect_used)]
fn hashed(field: &str, value: &impl Serialize) -> (String, String) {
    let bytes = postcard::to_allocvec(value)
        .expect("the value serialises because it holds only texts, numbers and lists of them");
    let mut hex = hex::encode(Sha256::digest(&bytes));
    hex.truncate(16);
    (field.to_owned(), hex)
}
