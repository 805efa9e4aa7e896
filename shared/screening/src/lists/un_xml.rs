//! Reads the United Nations Security Council Consolidated List in XML.
//!
//! Source: <https://www.un.org/securitycouncil/content/un-sc-consolidated-list>, schema:
//! <https://www.un.org/sc/resources/sc-sanctions.xsd>. An alias of quality `Low` becomes a weak
//! alias. The text `na` marks an empty field.

use super::entry::{add_country, set_gender};
use super::report::Tally;
use super::sniff::Source;
use super::text::{join, non_empty, split_values, with_label};
use super::xml::{Node, Record, Records};
use super::{Refused, countries, dates, identifiers};
use crate::entity::{
    CountryKind, Entity, EntityKind, Identifier, ListedDate, ListedName, NameKind,
};

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut records = Records::new(source, &["INDIVIDUAL", "ENTITY"], u64::MAX);
    while let Some(Record { line, node }) = records.next()? {
        tally.start_record(&file, line);
        tally.set_published(records.root_attribute("dateGenerated"));
        match node {
            Ok(node) => match read_entity(&node, tally) {
                Ok(entity) => tally.add(entity),
                Err(reason) => tally.skip(Some(&node.text_of("REFERENCE_NUMBER")), reason),
            },
            Err(reason) => tally.skip(None, reason),
        }
    }
    Ok(())
}

fn read_entity(node: &Node, tally: &mut Tally<'_>) -> Result<Entity, String> {
    let is_person = node.name == "INDIVIDUAL";
    // DATAID is stable. The reference numbers are not: all of them were changed in 2014.
    let id = field(node, "DATAID").ok_or("the record has no DATAID")?;
    // The parts are in the order of the whole name. They are not marked as given or family names.
    let parts: Vec<String> = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"]
        .iter()
        .filter_map(|part| field(node, part))
        .collect();
    if parts.is_empty() {
        return Err("the record has no name".to_owned());
    }
    let kind = if is_person { EntityKind::Person } else { EntityKind::Organization };
    let mut entity = Entity::new(id, kind);
    entity.names.push(ListedName::whole(parts.join(" "), NameKind::Primary));
    let original = field(node, "NAME_ORIGINAL_SCRIPT");
    entity.names.extend(original.map(|text| ListedName::whole(text, NameKind::StrongAlias)));
    entity.programs.extend(field(node, "UN_LIST_TYPE"));
    for child in &node.children {
        match child.name.as_str() {
            "INDIVIDUAL_ALIAS" | "ENTITY_ALIAS" => entity.names.extend(aliases(child)),
            "INDIVIDUAL_DATE_OF_BIRTH" => match birth_date(child) {
                Some(Ok(date)) => entity.dates.push(date),
                Some(Err(text)) => tally.note_unread("date", &text),
                None => {}
            },
            "INDIVIDUAL_PLACE_OF_BIRTH" => {
                add_place(child, CountryKind::Birth, &mut entity, tally);
            }
            "INDIVIDUAL_ADDRESS" | "ENTITY_ADDRESS" => {
                add_place(child, CountryKind::Residence, &mut entity, tally);
            }
            "NATIONALITY" | "NATIONALITY2" => {
                for value in child.all("VALUE") {
                    add_country(&value.text(), CountryKind::Nationality, &mut entity, tally);
                }
            }
            "INDIVIDUAL_DOCUMENT" => entity.identifiers.extend(document(child, tally)),
            "GENDER" => {
                let text = child.text().to_ascii_lowercase();
                if !text.is_empty() {
                    set_gender(&text, &mut entity, tally);
                }
            }
            _ => {}
        }
    }
    entity.remarks = remarks(node);
    Ok(entity)
}

/// Returns the text of a child element, or `None` if it is missing, empty or `na`.
fn field(node: &Node, child: &str) -> Option<String> {
    non_empty(&node.text_of(child)).filter(|text| !text.eq_ignore_ascii_case("na"))
}

/// Reads an alias element, which may contain several aliases separated by `;`.
fn aliases(node: &Node) -> Vec<ListedName> {
    let kind = match node.text_of("QUALITY").to_ascii_lowercase().as_str() {
        "low" => NameKind::WeakAlias,
        "f.k.a." | "fka" => NameKind::Former,
        _ => NameKind::StrongAlias,
    };
    let names = field(node, "ALIAS_NAME").unwrap_or_default();
    split_values(&names).map(|text| ListedName::whole(text, kind)).collect()
}

/// Reads a date of birth. Returns `None` if the element has no date, and the text as the error if
/// the text is not a date.
fn birth_date(node: &Node) -> Option<Result<ListedDate, String>> {
    let circa = node.text_of("TYPE_OF_DATE").eq_ignore_ascii_case("approximately");
    let approximate = |date: ListedDate| ListedDate { circa: circa || date.circa, ..date };
    let part = |name| field(node, name);
    let (from, to) = (part("FROM_YEAR"), part("TO_YEAR"));
    let text = match (part("DATE"), part("YEAR"), from, to) {
        (Some(date), ..) => date,
        (_, Some(year), ..) => match (part("MONTH"), part("DAY")) {
            (Some(month), Some(day)) => format!("{year}-{month}-{day}"),
            (Some(month), None) => format!("{year}-{month}"),
            _ => year,
        },
        (.., Some(from), Some(to)) => format!("{from} to {to}"),
        (.., Some(only), None) | (.., None, Some(only)) => only,
        // Some records have the date only in a note, such as `Nov. 1973`.
        _ => return dates::parse(&part("NOTE")?).map(|date| Ok(approximate(date))),
    };
    Some(dates::parse(&text).map(approximate).ok_or(text))
}

fn add_place(node: &Node, kind: CountryKind, entity: &mut Entity, tally: &mut Tally<'_>) {
    if let Some(text) = field(node, "COUNTRY") {
        add_country(&text, kind, entity, tally);
    }
}

fn document(node: &Node, tally: &mut Tally<'_>) -> Option<Identifier> {
    let number = field(node, "NUMBER")?;
    let label = field(node, "TYPE_OF_DOCUMENT").unwrap_or_default();
    let issuer = field(node, "ISSUING_COUNTRY").or_else(|| field(node, "COUNTRY_OF_ISSUE"));
    let country = issuer.as_deref().and_then(countries::code);
    if let (Some(issuer), None) = (&issuer, country) {
        tally.note_unread("issuer", issuer);
    }
    let kind = identifiers::document_kind(&label);
    Some(Identifier { kind: kind.to_owned(), value: number, country: country.map(str::to_owned) })
}

fn remarks(node: &Node) -> Option<String> {
    let values = |name| node.child(name).into_iter().flat_map(|list| list.all("VALUE"));
    let titles = values("TITLE")
        .chain(values("DESIGNATION"))
        .filter_map(|title| with_label("Title", &title.text()));
    let reference = with_label("Reference", &node.text_of("REFERENCE_NUMBER"));
    let listed_on = with_label("Listed on", &node.text_of("LISTED_ON"));
    let comments = non_empty(&node.text_of("COMMENTS1"));
    // Some notes spell an alias in another way, and others describe its use. The file does not mark
    // the difference, so all notes are remarks.
    let aliases = node.children.iter().filter(|child| child.name.ends_with("_ALIAS"));
    let notes = aliases.filter_map(|alias| with_label("Alias note", &alias.text_of("NOTE")));
    join(titles.chain(reference).chain(listed_on).chain(comments).chain(notes))
}
