//! The European Union's consolidated list of financial sanctions, XML.
//!
//! `xmlFullSanctionsList_1_1` of <https://webgate.ec.europa.eu/fsd/fsf>, namespace
//! `http://eu.europa.ec/fpi/fsd/export`. Nearly everything is an attribute; country `00` stands for
//! none. An alias with `strong="false"` is a weak one.

use super::entry::{country, empty};
use super::report::Tally;
use super::sniff::Source;
use super::text::{joined, labelled, value};
use super::xml::{Node, Record, Records};
use super::{Refused, countries, dates, identifiers};
use crate::entity::{
    CountryKind, Entity, EntityKind, Gender, Identifier, ListedDate, ListedName, NameKind,
};

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut records = Records::new(source, &["sanctionEntity"], u64::MAX);
    while let Some(Record { line, node }) = records.next()? {
        tally.at(&file, line);
        tally.published(records.root("generationDate"));
        match node {
            Ok(node) => match entity(&node, tally) {
                Ok(entity) => tally.entity(entity),
                Err(why) => tally.skip(Some(node.attribute("euReferenceNumber")), why),
            },
            Err(why) => tally.skip(None, why),
        }
    }
    Ok(())
}

fn entity(node: &Node, tally: &mut Tally<'_>) -> Result<Entity, String> {
    let id = value(node.attribute("logicalId")).ok_or("has no logicalId")?;
    let subject = node.child("subjectType").map_or("", |subject| subject.attribute("code"));
    let mut entity = empty(id, kind(subject, tally));
    for child in &node.children {
        match child.name.as_str() {
            "nameAlias" => {
                entity.names.extend(alias(&Alias {
                    whole: child.attribute("wholeName"),
                    first: child.attribute("firstName"),
                    middle: child.attribute("middleName"),
                    last: child.attribute("lastName"),
                    weak: child.attribute("strong") == "false",
                }));
                entity.gender = entity.gender.or(gender(child.attribute("gender"), tally));
            }
            "birthdate" => {
                entity.dates.extend(birth(&|name| child.attribute(name), tally));
                land(child, CountryKind::Birth, &mut entity, tally);
            }
            "citizenship" => land(child, CountryKind::Nationality, &mut entity, tally),
            "address" => land(child, CountryKind::Residence, &mut entity, tally),
            "identification" => entity.identifiers.extend(identification(child)),
            "regulation" => entity.programs.extend(value(child.attribute("programme"))),
            _ => {}
        }
    }
    let names = node.all("nameAlias");
    let titles = names.flat_map(|name| [name.attribute("title"), name.attribute("function")]);
    let mut titles: Vec<String> = titles.filter_map(|title| labelled("Title", title)).collect();
    titles.dedup();
    let reference = labelled("Reference", node.attribute("euReferenceNumber"));
    let un = labelled("UN reference", node.attribute("unitedNationId"));
    let remarks = node.all("remark").filter_map(|remark| value(&remark.text()));
    entity.remarks = joined(titles.into_iter().chain(reference).chain(un).chain(remarks));
    Ok(entity)
}

fn land(node: &Node, kind: CountryKind, entity: &mut Entity, tally: &mut Tally<'_>) {
    let code = node.attribute("countryIso2Code");
    let name = node.attribute("countryDescription");
    country(if countries::is_none(code) { name } else { code }, kind, entity, tally);
}

fn identification(node: &Node) -> Option<Identifier> {
    // A number that the list itself knows to be false would only accuse another.
    if node.attribute("knownFalse") == "true" {
        return None;
    }
    let number =
        value(node.attribute("number")).or_else(|| value(node.attribute("latinNumber")))?;
    let kind = identification_kind(
        node.attribute("identificationTypeCode"),
        node.attribute("identificationTypeDescription"),
    );
    let country = countries::code(node.attribute("countryIso2Code")).map(str::to_owned);
    Some(Identifier { kind: kind.to_owned(), value: number, country })
}

/// The type codes of the FSF.
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

/// The EU lists persons and `enterprise`s; ships are annexed to a few regulations.
pub(super) fn kind(subject: &str, tally: &mut Tally<'_>) -> EntityKind {
    match subject.to_ascii_lowercase().as_str() {
        "person" | "p" => EntityKind::Person,
        "enterprise" | "entity" | "e" => EntityKind::Organization,
        "vessel" | "ship" => EntityKind::Vessel,
        other => {
            tally.unread("kind", other);
            EntityKind::Unknown
        }
    }
}

/// A name as the FSF writes it, in parts and whole.
pub(super) struct Alias<'a> {
    pub(super) whole: &'a str,
    pub(super) first: &'a str,
    pub(super) middle: &'a str,
    pub(super) last: &'a str,
    pub(super) weak: bool,
}

/// No name is called primary: the first strong one is.
pub(super) fn alias(alias: &Alias<'_>) -> Option<ListedName> {
    let parts = [alias.first, alias.middle, alias.last].into_iter().filter_map(value);
    let text = value(alias.whole).or_else(|| value(&parts.collect::<Vec<_>>().join(" ")))?;
    let given: Vec<String> = [alias.first, alias.middle].into_iter().filter_map(value).collect();
    Some(ListedName {
        text,
        kind: if alias.weak { NameKind::WeakAlias } else { NameKind::StrongAlias },
        given: value(&given.join(" ")),
        family: value(alias.last),
    })
}

pub(super) fn gender(text: &str, tally: &mut Tally<'_>) -> Option<Gender> {
    match text {
        "" => None,
        "M" => Some(Gender::Male),
        "F" => Some(Gender::Female),
        other => {
            tally.unread("gender", other);
            None
        }
    }
}

/// A birth date of either layout, by the attribute names of the XML.
pub(super) fn birth<'a>(
    attribute: &dyn Fn(&'static str) -> &'a str,
    tally: &mut Tally<'_>,
) -> Option<ListedDate> {
    let circa = attribute("circa") == "true";
    let (year, from, to) =
        (attribute("year"), attribute("yearRangeFrom"), attribute("yearRangeTo"));
    let written = match (attribute("birthdate"), year, from, to) {
        ("", "", "", "") => return None,
        ("", "", "", only) | ("", "", only, "") => only.to_owned(),
        ("", "", from, to) => format!("{from} to {to}"),
        ("", year, ..) => match (attribute("monthOfYear"), attribute("dayOfMonth")) {
            ("", _) => year.to_owned(),
            (month, "") => format!("{year}-{month}"),
            (month, day) => format!("{year}-{month}-{day}"),
        },
        (date, ..) => date.to_owned(),
    };
    match dates::parse(&written) {
        Some(date) => Some(ListedDate { circa: circa || date.circa, ..date }),
        None if countries::is_none(&written) => None,
        None => {
            tally.unread("date", &written);
            None
        }
    }
}
