//! The United Nations Security Council Consolidated List, XML.
//!
//! <https://www.un.org/securitycouncil/content/un-sc-consolidated-list>, schema
//! <https://www.un.org/sc/resources/sc-sanctions.xsd>. An alias of quality `Low` is a weak one;
//! `na` stands for nothing.

use super::entry::{country, name};
use super::report::Tally;
use super::sniff::Source;
use super::text::{joined, labelled, value};
use super::xml::{Node, Record, Records};
use super::{Refused, dates, identifiers};
use crate::entity::{
    CountryKind, Entity, EntityKind, Gender, Identifier, ListedDate, ListedName, NameKind,
};
use crate::lists::countries;
use std::str::FromStr;

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut records = Records::new(source, &["INDIVIDUAL", "ENTITY"], u64::MAX);
    while let Some(Record { line, node }) = records.next()? {
        tally.at(&file, line);
        tally.published(records.root("dateGenerated"));
        match node {
            Ok(node) => match entity(&node, tally) {
                Ok(entity) => tally.entity(entity),
                Err(why) => tally.skip(Some(&node.text_of("REFERENCE_NUMBER")), why),
            },
            Err(why) => tally.skip(None, why),
        }
    }
    Ok(())
}

fn entity(node: &Node, tally: &mut Tally<'_>) -> Result<Entity, String> {
    let person = node.name == "INDIVIDUAL";
    // The reference numbers were all changed once (2014); DATAID stayed.
    let id = text(node, "DATAID").ok_or("has no DATAID")?;
    let parts: Vec<String> = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"]
        .iter()
        .filter_map(|part| text(node, part))
        .collect();
    let mut entity = Entity {
        id,
        kind: if person { EntityKind::Person } else { EntityKind::Organization },
        // The parts are in the order of the name, not given and family: nothing tells them apart.
        names: vec![name(parts.join(" "), NameKind::Primary)],
        dates: Vec::new(),
        countries: Vec::new(),
        identifiers: Vec::new(),
        programs: text(node, "UN_LIST_TYPE").into_iter().collect(),
        gender: None,
        remarks: None,
    };
    if parts.is_empty() {
        return Err("has no name".to_owned());
    }
    let original = text(node, "NAME_ORIGINAL_SCRIPT");
    entity.names.extend(original.map(|text| name(text, NameKind::StrongAlias)));
    for child in &node.children {
        match child.name.as_str() {
            "INDIVIDUAL_ALIAS" | "ENTITY_ALIAS" => entity.names.extend(aliases(child)),
            "INDIVIDUAL_DATE_OF_BIRTH" => match date(child) {
                Some(Ok(date)) => entity.dates.push(date),
                Some(Err(text)) => tally.unread("date", &text),
                None => {}
            },
            "INDIVIDUAL_PLACE_OF_BIRTH" => place(child, CountryKind::Birth, &mut entity, tally),
            "INDIVIDUAL_ADDRESS" | "ENTITY_ADDRESS" => {
                place(child, CountryKind::Residence, &mut entity, tally);
            }
            "NATIONALITY" | "NATIONALITY2" => {
                for value in child.all("VALUE") {
                    country(&value.text(), CountryKind::Nationality, &mut entity, tally);
                }
            }
            "INDIVIDUAL_DOCUMENT" => entity.identifiers.extend(document(child, tally)),
            "GENDER" => {
                let text = child.text().to_ascii_lowercase();
                match Gender::from_str(&text) {
                    Ok(gender) => entity.gender = Some(gender),
                    Err(_) if text.is_empty() => {}
                    Err(_) => tally.unread("gender", &text),
                }
            }
            _ => {}
        }
    }
    entity.remarks = remarks(node);
    Ok(entity)
}

/// The text of a child, unless it stands for nothing.
fn text(node: &Node, child: &str) -> Option<String> {
    value(&node.text_of(child)).filter(|text| !text.eq_ignore_ascii_case("na"))
}

/// One element may hold several aliases with `;` between.
fn aliases(node: &Node) -> Vec<ListedName> {
    let quality = node.text_of("QUALITY").to_ascii_lowercase();
    let kind = match quality.as_str() {
        "low" => NameKind::WeakAlias,
        "f.k.a." | "fka" => NameKind::Former,
        _ => NameKind::StrongAlias,
    };
    let written = text(node, "ALIAS_NAME").unwrap_or_default();
    written.split(';').filter_map(value).map(|text| name(text, kind)).collect()
}

/// `None` where nothing is said, the text where what is said can't be read.
fn date(node: &Node) -> Option<Result<ListedDate, String>> {
    let circa = node.text_of("TYPE_OF_DATE").eq_ignore_ascii_case("approximately");
    let part = |name| text(node, name);
    let (from, to) = (part("FROM_YEAR"), part("TO_YEAR"));
    let written = match (part("DATE"), part("YEAR"), from, to) {
        (Some(date), ..) => date,
        (_, Some(year), ..) => match (part("MONTH"), part("DAY")) {
            (Some(month), Some(day)) => format!("{year}-{month}-{day}"),
            (Some(month), None) => format!("{year}-{month}"),
            _ => year,
        },
        (.., Some(from), Some(to)) => format!("{from} to {to}"),
        (.., Some(only), None) | (.., None, Some(only)) => only,
        // Now and then the date stands in the note only: `Nov. 1973`.
        _ => return dates::parse(&part("NOTE")?).map(|date| Ok(ListedDate { circa, ..date })),
    };
    let date = dates::parse(&written).map(|date| ListedDate { circa: circa || date.circa, ..date });
    Some(date.ok_or(written))
}

fn place(node: &Node, kind: CountryKind, entity: &mut Entity, tally: &mut Tally<'_>) {
    if let Some(text) = text(node, "COUNTRY") {
        country(&text, kind, entity, tally);
    }
}

fn document(node: &Node, tally: &mut Tally<'_>) -> Option<Identifier> {
    let number = text(node, "NUMBER")?;
    let label = text(node, "TYPE_OF_DOCUMENT").unwrap_or_default();
    let issuer = text(node, "ISSUING_COUNTRY").or_else(|| text(node, "COUNTRY_OF_ISSUE"));
    let code = issuer.as_deref().and_then(countries::code);
    if let (Some(issuer), None) = (&issuer, code) {
        tally.unread("issuer", issuer);
    }
    let kind = identifiers::document_kind(&label);
    Some(Identifier { kind: kind.to_owned(), value: number, country: code.map(str::to_owned) })
}

fn remarks(node: &Node) -> Option<String> {
    let values = |name| node.child(name).into_iter().flat_map(|list| list.all("VALUE"));
    let titles = values("TITLE").chain(values("DESIGNATION"));
    let titles = titles.filter_map(|title| labelled("Title", &title.text()));
    let reference = labelled("Reference", &node.text_of("REFERENCE_NUMBER"));
    let listed = labelled("Listed on", &node.text_of("LISTED_ON"));
    let comments = value(&node.text_of("COMMENTS1"));
    // Some notes spell an alias once more; others say where it is used. None is told apart.
    let aliases = node.children.iter().filter(|child| child.name.ends_with("_ALIAS"));
    let notes = aliases.filter_map(|alias| labelled("Alias note", &alias.text_of("NOTE")));
    joined(titles.chain(reference).chain(listed).chain(comments).chain(notes))
}
