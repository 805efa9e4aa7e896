//! What every reader builds entries with.

use super::countries;
use super::report::Tally;
use super::text::value;
use crate::entity::{CountryKind, Entity, EntityKind, ListedCountry, ListedName, NameKind};

pub(super) fn empty(id: String, kind: EntityKind) -> Entity {
    Entity {
        id,
        kind,
        names: Vec::new(),
        dates: Vec::new(),
        countries: Vec::new(),
        identifiers: Vec::new(),
        programs: Vec::new(),
        gender: None,
        remarks: None,
    }
}

/// `LAST, First` tells the parts apart; of what is no person, the comma says nothing.
pub(super) fn person_name(text: String, kind: NameKind) -> ListedName {
    let parts = text.split_once(", ").map(|(family, given)| (value(family), value(given)));
    let (family, given) = parts.unwrap_or_default();
    ListedName { text, kind, given, family }
}

pub(super) fn name(text: String, kind: NameKind) -> ListedName {
    ListedName { text, kind, given: None, family: None }
}

pub(super) fn country(name: &str, kind: CountryKind, entity: &mut Entity, tally: &mut Tally<'_>) {
    match countries::code(name) {
        Some(code) => push(code, kind, entity),
        None if countries::is_none(name) => {}
        None => tally.unread("country", name.trim()),
    }
}

pub(super) fn push(code: &str, kind: CountryKind, entity: &mut Entity) {
    entity.countries.push(ListedCountry { code: code.to_owned(), kind });
}
