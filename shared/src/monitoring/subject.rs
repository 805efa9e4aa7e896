//! The subjects of a customer: the customer itself and, if the monitor includes related parties,
//! the people and companies that own or run the customer.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::alert::ComparedField;
use crate::model::customer::Customer;
use crate::model::organization::Organization;
use crate::model::screened::Subject;
use crate::risk::owned;
use screening::entity::{Entity, Identifier};
use screening::index::matched;
use screening::lists::dates;
use screening::{Match, Query, Screener};

/// Returns the subjects of a customer. The customer is first. With `include_related`, the related
/// parties follow in the order of the organization.
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

/// Returns the entries that match a subject with at least `min_score`.
pub fn screen(subject: &Subject, screener: &mut Screener<'_>, min_score: f32) -> Vec<Match> {
    let countries: Vec<&str> = subject.country.as_deref().into_iter().collect();
    let identifier = subject.tax_id.as_ref().map(|tax_id| Identifier {
        kind: "tax_id".to_owned(),
        value: tax_id.clone(),
        country: subject.country.clone(),
    });
    let query = Query {
        name: &subject.name,
        kind: Some(subject.kind),
        date: subject.date.as_deref().and_then(dates::parse),
        countries: &countries,
        identifiers: identifier.as_slice(),
        gender: None,
    };
    screener.screen(&query, min_score)
}

/// Returns a hash of each field of the subject and of the entry that screening compares. A decision
/// about the match stays valid as long as none of the hashes changes.
pub fn compared(subject: &Subject, entity: &Entity) -> BTreeMap<ComparedField, String> {
    let entity = matched(entity);
    BTreeMap::from([
        (ComparedField::SubjectName, hashed(&subject.name)),
        (ComparedField::SubjectKind, hashed(&subject.kind)),
        (ComparedField::SubjectDate, hashed(&subject.date)),
        (ComparedField::SubjectCountry, hashed(&subject.country)),
        (ComparedField::SubjectTaxId, hashed(&subject.tax_id)),
        (ComparedField::EntityNames, hashed(&entity.names)),
        (ComparedField::EntityKind, hashed(&entity.kind)),
        (ComparedField::EntityDates, hashed(&entity.dates)),
        (ComparedField::EntityCountries, hashed(&entity.countries)),
        (ComparedField::EntityIdentifiers, hashed(&entity.identifiers)),
        (ComparedField::EntityGender, hashed(&entity.gender)),
    ])
}

/// Returns the first 8 bytes of SHA-256 over a value in the Postcard format, in hexadecimal.
#[expect(clippy::expect_used, reason = "the compared fields always serialize")]
fn hashed(value: &impl Serialize) -> String {
    let bytes = postcard::to_allocvec(value)
        .expect("a compared field serializes because it has only texts, numbers and lists of them");
    let mut hex = hex::encode(Sha256::digest(&bytes));
    hex.truncate(16);
    hex
}
