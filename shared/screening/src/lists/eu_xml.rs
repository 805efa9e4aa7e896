//! Reads the European Union's consolidated list of financial sanctions in XML.
//!
//! The format is `xmlFullSanctionsList_1_1` of <https://webgate.ec.europa.eu/fsd/fsf>, namespace
//! `http://eu.europa.ec/fpi/fsd/export`. Nearly all values are attributes. The country code `00`
//! means that a country is not given. An alias with `strong="false"` becomes a weak alias.

use super::entry::add_country;
use super::report::Tally;
use super::sniff::Source;
use super::text::{join, non_empty, with_label};
use super::xml::{Node, Record, Records};
use super::{Refused, countries, dates, identifiers};
use crate::entity::{
    CountryKind, Entity, EntityKind, Gender, Identifier, ListedDate, ListedName, NameKind,
};

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut records = Records::new(source, &["sanctionEntity"], u64::MAX);
    while let Some(Record { line, node }) = records.next()? {
        tally.start_record(&file, line);
        tally.set_published(records.root_attribute("generationDate"));
        match node {
            Ok(node) => match read_entity(&node, tally) {
                Ok(entity) => tally.add(entity),
                Err(reason) => tally.skip(Some(node.attribute("euReferenceNumber")), reason),
            },
            Err(reason) => tally.skip(None, reason),
        }
    }
    Ok(())
}

fn read_entity(node: &Node, tally: &mut Tally<'_>) -> Result<Entity, String> {
    let id = non_empty(node.attribute("logicalId")).ok_or("the record has no logicalId")?;
    let subject = node.child("subjectType").map_or("", |subject| subject.attribute("code"));
    let mut entity = Entity::new(id, entity_kind(subject, tally));
    for child in &node.children {
        match child.name.as_str() {
            "nameAlias" => {
                let alias = Alias {
                    whole: child.attribute("wholeName"),
                    first: child.attribute("firstName"),
                    middle: child.attribute("middleName"),
                    last: child.attribute("lastName"),
                    is_weak: child.attribute("strong") == "false",
                };
                entity.names.extend(alias.name());
                entity.gender = entity.gender.or(gender(child.attribute("gender"), tally));
            }
            "birthdate" => {
                let birth = BirthDate {
                    date: child.attribute("birthdate"),
                    circa: child.attribute("circa"),
                    year: child.attribute("year"),
                    month: child.attribute("monthOfYear"),
                    day: child.attribute("dayOfMonth"),
                    from_year: child.attribute("yearRangeFrom"),
                    to_year: child.attribute("yearRangeTo"),
                };
                entity.dates.extend(birth.read(tally));
                add_node_country(child, CountryKind::Birth, &mut entity, tally);
            }
            "citizenship" => {
                add_node_country(child, CountryKind::Nationality, &mut entity, tally);
            }
            "address" => add_node_country(child, CountryKind::Residence, &mut entity, tally),
            "identification" => entity.identifiers.extend(identification(child)),
            "regulation" => entity.programs.extend(non_empty(child.attribute("programme"))),
            _ => {}
        }
    }
    entity.remarks = remarks(node);
    Ok(entity)
}

fn remarks(node: &Node) -> Option<String> {
    let mut titles: Vec<String> = node
        .all("nameAlias")
        .flat_map(|name| [name.attribute("title"), name.attribute("function")])
        .filter_map(|title| with_label("Title", title))
        .collect();
    titles.dedup();
    let reference = with_label("Reference", node.attribute("euReferenceNumber"));
    let un_reference = with_label("UN reference", node.attribute("unitedNationId"));
    let texts = node.all("remark").filter_map(|remark| non_empty(&remark.text()));
    join(titles.into_iter().chain(reference).chain(un_reference).chain(texts))
}

fn add_node_country(node: &Node, kind: CountryKind, entity: &mut Entity, tally: &mut Tally<'_>) {
    let code = node.attribute("countryIso2Code");
    add_coded_country(code, node.attribute("countryDescription"), kind, entity, tally);
}

/// Adds a country by its code, or by its name if the code is not given.
pub(super) fn add_coded_country(
    code: &str,
    name: &str,
    kind: CountryKind,
    entity: &mut Entity,
    tally: &mut Tally<'_>,
) {
    let country = if countries::is_unspecified(code) { name } else { code };
    add_country(country, kind, entity, tally);
}

fn identification(node: &Node) -> Option<Identifier> {
    // The list marks numbers that are known to be false. Such a number could only match another
    // person.
    if node.attribute("knownFalse") == "true" {
        return None;
    }
    let number =
        non_empty(node.attribute("number")).or_else(|| non_empty(node.attribute("latinNumber")))?;
    let kind = identification_kind(
        node.attribute("identificationTypeCode"),
        node.attribute("identificationTypeDescription"),
    );
    let country = countries::code(node.attribute("countryIso2Code")).map(str::to_owned);
    Some(Identifier { kind: kind.to_owned(), value: number, country })
}

/// Returns the kind of an identification by its type code in the EU's financial sanctions files
/// (FSF), or by its description if the code is not known.
pub(super) fn identification_kind(code: &str, description: &str) -> &'static str {
    match code.to_ascii_lowercase().as_str() {
        "passport" | "diplomatic" | "travel" => "passport",
        "id" | "nationalid" => "national_id",
        "ssn" => "social_security",
        "fiscalcode" | "tax" | "taxid" | "vat" => "tax_id",
        "regnumber" | "tradelic" | "registration" => "registration",
        "imo" => "imo",
        "swiftbic" | "swift" | "bic" => "swift",
        "driver" | "driverlicence" | "drivinglicence" => "driving_license",
        "birthcert" => "birth_certificate",
        "lei" => "lei",
        _ => identifiers::document_kind(description),
    }
}

/// Returns the kind of an entity by its subject type. The EU lists persons and enterprises, and
/// some regulations have annexes of ships. Reports any other type as unreadable.
pub(super) fn entity_kind(subject: &str, tally: &mut Tally<'_>) -> EntityKind {
    match subject.to_ascii_lowercase().as_str() {
        "person" | "p" => EntityKind::Person,
        "enterprise" | "entity" | "e" => EntityKind::Organization,
        "vessel" | "ship" => EntityKind::Vessel,
        other => {
            tally.note_unread("kind", other);
            EntityKind::Unknown
        }
    }
}

/// A name with its parts, as the CSV and the XML format of the EU's list contain it.
pub(super) struct Alias<'a> {
    pub(super) whole: &'a str,
    pub(super) first: &'a str,
    pub(super) middle: &'a str,
    pub(super) last: &'a str,
    pub(super) is_weak: bool,
}

impl Alias<'_> {
    /// Returns the name, or `None` if it is empty. The list does not mark a primary name, so the
    /// first strong alias of an entity later becomes its primary name.
    pub(super) fn name(&self) -> Option<ListedName> {
        let given: Vec<String> =
            [self.first, self.middle].into_iter().filter_map(non_empty).collect();
        let given = non_empty(&given.join(" "));
        let family = non_empty(self.last);
        let text = non_empty(self.whole).or_else(|| {
            let parts: Vec<&str> = given.iter().chain(&family).map(String::as_str).collect();
            non_empty(&parts.join(" "))
        })?;
        let kind = if self.is_weak { NameKind::WeakAlias } else { NameKind::StrongAlias };
        Some(ListedName { text, kind, given, family })
    }
}

/// Reads a gender, which is `M`, `F` or empty. Reports any other text as unreadable.
pub(super) fn gender(text: &str, tally: &mut Tally<'_>) -> Option<Gender> {
    match text {
        "" => None,
        "M" => Some(Gender::Male),
        "F" => Some(Gender::Female),
        other => {
            tally.note_unread("gender", other);
            None
        }
    }
}

/// A date of birth, as the CSV and the XML format of the EU's list contain it. Each field may be
/// empty.
pub(super) struct BirthDate<'a> {
    pub(super) date: &'a str,
    /// `true` if the date is approximate.
    pub(super) circa: &'a str,
    pub(super) year: &'a str,
    pub(super) month: &'a str,
    pub(super) day: &'a str,
    pub(super) from_year: &'a str,
    pub(super) to_year: &'a str,
}

impl BirthDate<'_> {
    /// Returns the date, or `None` if it is empty or unreadable. Reports an unreadable date.
    pub(super) fn read(&self, tally: &mut Tally<'_>) -> Option<ListedDate> {
        let text = match (self.date, self.year, self.from_year, self.to_year) {
            ("", "", "", "") => return None,
            ("", "", "", only) | ("", "", only, "") => only.to_owned(),
            ("", "", from, to) => format!("{from} to {to}"),
            ("", year, ..) => match (self.month, self.day) {
                ("", _) => year.to_owned(),
                (month, "") => format!("{year}-{month}"),
                (month, day) => format!("{year}-{month}-{day}"),
            },
            (date, ..) => date.to_owned(),
        };
        let date = dates::parse(&text);
        if date.is_none() && !countries::is_unspecified(&text) {
            tally.note_unread("date", &text);
        }
        date.map(|date| ListedDate { circa: date.circa || self.circa == "true", ..date })
    }
}
