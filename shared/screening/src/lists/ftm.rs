//! FollowTheMoney entities as JSON lines: `entities.ftm.json` and `targets.nested.json` of
//! OpenSanctions, and whatever else is written so.
//!
//! <https://followthemoney.tech/explorer/>, <https://www.opensanctions.org/docs/bulk/json/>. Lines of
//! schemas that name nobody who could be a customer (addresses, sanctions, ownership, …) are
//! counted and passed over: they may stand anywhere among millions. Where they are nested in
//! their entity, its programs, documents and address countries are read from them.

use std::collections::HashMap;
use std::io::BufRead;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use super::entry::{country, empty};
use super::input::MAX_RECORD;
use super::report::Tally;
use super::sniff::{Source, unreadable};
use super::text::{joined, labelled, value};
use super::{Refused, countries, dates, identifiers};
use crate::entity::{CountryKind, Entity, EntityKind, Gender, Identifier, ListedName, NameKind};

#[derive(Deserialize)]
struct Line {
    id: String,
    schema: String,
    #[serde(default)]
    caption: Option<String>,
    #[serde(default)]
    properties: Properties,
}

type Properties = HashMap<String, Vec<Value>>;

pub(super) fn read(mut source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let mut line = 0;
    let mut buffer = Vec::new();
    loop {
        line += 1;
        buffer.clear();
        let read = read_line(&mut source.read, &mut buffer);
        let read = read.map_err(|error| Refused::new(&source.name, line, unreadable(&error)))?;
        tally.at(&source.name, line);
        let whole = match read {
            Length::Nothing => return Ok(()),
            Length::TooLong => {
                tally.skip(None, format!("is longer than {MAX_RECORD} bytes"));
                continue;
            }
            Length::Line => true,
            Length::Last => false,
        };
        if buffer.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Line>(&buffer) {
            Ok(parsed) => match kind(&parsed.schema) {
                Some(kind) => tally_entity(parsed, kind, tally),
                None => tally.pass_over(&parsed.schema),
            },
            Err(error) if error.is_eof() && !whole => {
                return Err(Refused::new(&source.name, line, "is cut off"));
            }
            Err(error) => tally.skip(None, format!("is no entity: {error}")),
        }
    }
}

enum Length {
    Nothing,
    Line,
    /// A line without its end.
    Last,
    TooLong,
}

/// Reads a line; of one that is too long, only past it.
fn read_line(read: &mut dyn BufRead, line: &mut Vec<u8>) -> std::io::Result<Length> {
    let (mut length, mut any) = (0u64, false);
    loop {
        let buffer = read.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        let (taken, done) = (part.len() + usize::from(end.is_some()), buffer.is_empty());
        any |= taken > 0;
        length = length.saturating_add(part.len() as u64);
        if length <= MAX_RECORD {
            line.extend_from_slice(part);
        }
        read.consume(taken);
        if end.is_some() || done {
            return Ok(match (any, length > MAX_RECORD) {
                (false, _) => Length::Nothing,
                (true, true) => Length::TooLong,
                (true, false) if done => Length::Last,
                (true, false) => Length::Line,
            });
        }
    }
}

fn kind(schema: &str) -> Option<EntityKind> {
    match schema {
        "Person" => Some(EntityKind::Person),
        "Organization" | "Company" | "PublicBody" => Some(EntityKind::Organization),
        "Vessel" => Some(EntityKind::Vessel),
        "Airplane" => Some(EntityKind::Aircraft),
        // May be a person or a company; the list does not know.
        "LegalEntity" => Some(EntityKind::Unknown),
        _ => None,
    }
}

fn tally_entity(line: Line, kind: EntityKind, tally: &mut Tally<'_>) {
    let Line { id, caption, properties, .. } = line;
    let Some(id) = value(&id) else { return tally.skip(None, "has no id") };
    let mut entity = empty(id, kind);
    names(&properties, caption, &mut entity);
    for property in ["birthDate", "incorporationDate", "buildDate"] {
        for text in texts(&properties, property) {
            match dates::parse(text) {
                Some(date) => entity.dates.push(date),
                None => tally.unread("date", text),
            }
        }
    }
    for (property, kind) in [
        ("nationality", CountryKind::Nationality),
        ("citizenship", CountryKind::Nationality),
        ("birthCountry", CountryKind::Birth),
        ("jurisdiction", CountryKind::Registration),
        ("flag", CountryKind::Registration),
        ("registrationCountry", CountryKind::Registration),
        ("pastFlags", CountryKind::Other),
        ("mainCountry", CountryKind::Other),
        ("country", CountryKind::Other),
    ] {
        for text in texts(&properties, property) {
            country(text, kind, &mut entity, tally);
        }
    }
    for (property, kind) in IDENTIFIERS {
        for text in texts(&properties, property).filter_map(value) {
            let kind = (*kind).to_owned();
            entity.identifiers.push(Identifier { kind, value: text, country: None });
        }
    }
    for property in ["programId", "program"] {
        entity.programs.extend(texts(&properties, property).filter_map(value));
    }
    // `other` is a gender to FollowTheMoney, and none that a comparison could use.
    let gender = texts(&properties, "gender").find_map(|text| Gender::from_str(text).ok());
    entity.gender = gender;
    nested(&properties, &mut entity, tally);
    let remarks = [
        ("topics", "Topic"),
        ("position", "Position"),
        ("title", "Title"),
        ("notes", "Notes"),
        ("summary", "Summary"),
    ];
    let remarks = remarks.iter().flat_map(|(property, label)| {
        texts(&properties, property).filter_map(|text| labelled(label, text))
    });
    entity.remarks = joined(remarks);
    tally.entity(entity);
}

/// By FollowTheMoney property.
const IDENTIFIERS: &[(&str, &str)] = &[
    ("passportNumber", "passport"),
    ("idNumber", "national_id"),
    ("taxNumber", "tax_id"),
    ("vatCode", "tax_id"),
    ("innCode", "tax_id"),
    ("socialSecurityNumber", "social_security"),
    ("registrationNumber", "registration"),
    ("ogrnCode", "registration"),
    ("okpoCode", "registration"),
    ("kppCode", "registration"),
    ("uscCode", "registration"),
    ("cikCode", "registration"),
    ("licenseNumber", "license"),
    ("leiCode", "lei"),
    ("swiftBic", "swift"),
    ("dunsCode", "duns"),
    ("isin", "isin"),
    ("isinCode", "isin"),
    ("imoNumber", "imo"),
    ("mmsi", "mmsi"),
    ("callSign", "call_sign"),
    ("serialNumber", "aircraft_serial"),
    ("icaoCode", "other"),
    ("publicKey", "crypto"),
    ("email", "email"),
    ("phone", "phone"),
    ("website", "website"),
];

fn texts<'p>(properties: &'p Properties, name: &str) -> impl Iterator<Item = &'p str> {
    properties.get(name).into_iter().flatten().filter_map(Value::as_str)
}

/// The caption is the name that OpenSanctions shows; all of `name` are equal.
fn names(properties: &Properties, caption: Option<String>, entity: &mut Entity) {
    let one = |name| {
        let mut values = texts(properties, name).filter_map(value);
        values.next().filter(|_| values.next().is_none())
    };
    let caption = caption.as_deref().and_then(value);
    let listed: Vec<String> = texts(properties, "name").filter_map(value).collect();
    let caption = caption.filter(|caption| listed.is_empty() || listed.contains(caption));
    let mut kind = NameKind::Primary;
    for text in caption.into_iter().chain(listed) {
        let (mut given, mut family) = (None, None);
        if kind == NameKind::Primary && entity.kind == EntityKind::Person {
            (given, family) = (one("firstName"), one("lastName"));
        }
        entity.names.push(ListedName { text, kind, given, family });
        kind = NameKind::StrongAlias;
    }
    for (property, kind) in [
        ("alias", NameKind::StrongAlias),
        ("previousName", NameKind::Former),
        ("weakAlias", NameKind::WeakAlias),
        ("abbreviation", NameKind::WeakAlias),
    ] {
        let texts = texts(properties, property).filter_map(value);
        entity.names.extend(texts.map(|text| ListedName { text, kind, given: None, family: None }));
    }
}

fn nested(properties: &Properties, entity: &mut Entity, tally: &mut Tally<'_>) {
    let inner = |name: &str| -> Vec<Properties> {
        let values = properties.get(name).into_iter().flatten();
        let inner = values.filter_map(|value| value.get("properties"));
        inner.filter_map(|inner| Properties::deserialize(inner).ok()).collect()
    };
    for sanction in inner("sanctions") {
        for property in ["programId", "program"] {
            entity.programs.extend(texts(&sanction, property).filter_map(value));
        }
    }
    for address in inner("addressEntity") {
        for text in texts(&address, "country") {
            country(text, CountryKind::Residence, entity, tally);
        }
    }
    for document in inner("identification").into_iter().chain(inner("passport")) {
        let label = texts(&document, "type").next().unwrap_or_default().to_owned();
        let issuer = texts(&document, "country").next().and_then(countries::code);
        for number in texts(&document, "number").filter_map(value) {
            entity.identifiers.push(Identifier {
                kind: identifiers::document_kind(&label).to_owned(),
                value: number,
                country: issuer.map(str::to_owned),
            });
        }
    }
}
