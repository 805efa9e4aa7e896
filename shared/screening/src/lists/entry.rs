//! Helpers that add parts to an entity, shared by all readers.

use std::str::FromStr;

use super::report::Tally;
use super::text::non_empty;
use super::{countries, dates};
use crate::entity::{
    CountryKind, Entity, EntityKind, Gender, Identifier, ListedCountry, ListedName, NameKind,
};

/// Returns a name for an entity of kind `owner`. A person's name in the form `LAST, First` also
/// gets its parts. A comma in the name of any other entity does not separate parts.
pub(super) fn comma_name(owner: EntityKind, text: String, kind: NameKind) -> ListedName {
    match text.split_once(", ") {
        Some((family, given)) if owner == EntityKind::Person => {
            let (family, given) = (non_empty(family), non_empty(given));
            ListedName { text, kind, given, family }
        }
        _ => ListedName::whole(text, kind),
    }
}

/// Adds a country by its name or code. Ignores a text that marks the country as not specified, and
/// reports any other text without a known country as unreadable.
pub(super) fn add_country(
    name: &str,
    kind: CountryKind,
    entity: &mut Entity,
    tally: &mut Tally<'_>,
) {
    match countries::code(name) {
        Some(code) => push_country(code, kind, entity),
        None if countries::is_unspecified(name) => {}
        None => tally.note_unread("country", name.trim()),
    }
}

/// Adds a country by its ISO 3166-1 alpha-2 code.
pub(super) fn push_country(code: &str, kind: CountryKind, entity: &mut Entity) {
    entity.countries.push(ListedCountry { code: code.to_owned(), kind });
}

/// Adds a date, or reports the text as unreadable if it is not a date.
pub(super) fn add_date(text: &str, entity: &mut Entity, tally: &mut Tally<'_>) {
    match dates::parse(text) {
        Some(date) => entity.dates.push(date),
        None => tally.note_unread("date", text),
    }
}

/// Sets the gender from `male` or `female` in any case. Reports any other text as unreadable.
pub(super) fn set_gender(text: &str, entity: &mut Entity, tally: &mut Tally<'_>) {
    match Gender::from_str(&text.to_ascii_lowercase()) {
        Ok(gender) => entity.gender = Some(gender),
        Err(_) => tally.note_unread("gender", text),
    }
}

/// Returns an identifier whose issuing country is not known.
pub(super) fn identifier(kind: &str, value: String) -> Identifier {
    Identifier { kind: kind.to_owned(), value, country: None }
}
