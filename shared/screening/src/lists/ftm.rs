//! Reads FollowTheMoney entities as JSON lines, such as `entities.ftm.json` and
//! `targets.nested.json` of OpenSanctions.
//!
//! Sources: <https://followthemoney.tech/explorer/>,
//! <https://www.opensanctions.org/docs/bulk/json/>.
//!
//! Many schemas, such as addresses, sanctions and ownership, do not describe a party that could be
//! a customer. A line of such a schema is counted and passed over, because the entity that it
//! belongs to may be anywhere among millions of lines. Sanctions, documents and addresses that are
//! nested in an entity are used: their programs, numbers and countries are added to the entity.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;

use super::entry::{add_country, add_date, identifier};
use super::input::MAX_RECORD;
use super::report::Tally;
use super::sniff::{Source, read_error};
use super::text::{join, non_empty, with_label};
use super::{Refused, countries, identifiers};
use crate::entity::{CountryKind, Entity, EntityKind, Gender, Identifier, ListedName, NameKind};

#[derive(Deserialize)]
struct FtmEntity {
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
        let result = read_line(&mut source.read, &mut buffer)
            .map_err(|error| Refused::new(&source.name, line, read_error(&error)))?;
        tally.start_record(&source.name, line);
        match result {
            LineRead::EndOfFile => return Ok(()),
            LineRead::TooLong => {
                tally.skip(None, format!("the line is longer than {MAX_RECORD} bytes"));
                continue;
            }
            LineRead::Complete | LineRead::Unterminated => {}
        }
        if buffer.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<FtmEntity>(&buffer) {
            Ok(entity) => match entity_kind(&entity.schema) {
                Some(kind) => add_entity(entity, kind, tally),
                None => tally.pass_over(&entity.schema),
            },
            Err(error) if error.is_eof() && result == LineRead::Unterminated => {
                let reason = "the file is cut off; download it again";
                return Err(Refused::new(&source.name, line, reason));
            }
            Err(error) => tally.skip(None, format!("the line is not an entity: {error}")),
        }
    }
}

/// Result of [`read_line`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineRead {
    EndOfFile,
    /// The line was read, and it ends with a line feed.
    Complete,
    /// The last line of the file was read, and it does not end with a line feed.
    Unterminated,
    /// The line is longer than [`MAX_RECORD`]. It was read to its end but not stored.
    TooLong,
}

/// Reads the next line and appends it to `line` without its line feed.
fn read_line(read: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<LineRead> {
    let mut length = 0u64;
    let mut is_empty = true;
    loop {
        let buffer = read.fill_buf()?;
        let is_end_of_file = buffer.is_empty();
        let line_end = buffer.iter().position(|byte| *byte == b'\n');
        let (part, _) = buffer.split_at(line_end.unwrap_or(buffer.len()));
        length = length.saturating_add(part.len() as u64);
        if length <= MAX_RECORD {
            line.extend_from_slice(part);
        }
        let consumed = part.len() + usize::from(line_end.is_some());
        is_empty &= consumed == 0;
        read.consume(consumed);
        if line_end.is_none() && !is_end_of_file {
            continue;
        }
        return Ok(if is_empty {
            LineRead::EndOfFile
        } else if length > MAX_RECORD {
            LineRead::TooLong
        } else if is_end_of_file {
            LineRead::Unterminated
        } else {
            LineRead::Complete
        });
    }
}

/// Returns the kind of an entity by its schema, or `None` if the schema does not describe a party.
fn entity_kind(schema: &str) -> Option<EntityKind> {
    match schema {
        "Person" => Some(EntityKind::Person),
        "Organization" | "Company" | "PublicBody" => Some(EntityKind::Organization),
        "Vessel" => Some(EntityKind::Vessel),
        "Airplane" => Some(EntityKind::Aircraft),
        // A legal entity is either a person or a company.
        "LegalEntity" => Some(EntityKind::Unknown),
        _ => None,
    }
}

fn add_entity(line: FtmEntity, kind: EntityKind, tally: &mut Tally<'_>) {
    let FtmEntity { id, caption, properties, .. } = line;
    let Some(id) = non_empty(&id) else { return tally.skip(None, "the entity has no id") };
    let mut entity = Entity::new(id, kind);
    add_names(&properties, caption.as_deref(), &mut entity);
    for property in ["birthDate", "incorporationDate", "buildDate"] {
        for text in texts(&properties, property) {
            add_date(text, &mut entity, tally);
        }
    }
    for (property, kind) in COUNTRIES {
        for text in texts(&properties, property) {
            add_country(text, *kind, &mut entity, tally);
        }
    }
    for (property, kind) in IDENTIFIERS {
        let values = texts(&properties, property).filter_map(non_empty);
        entity.identifiers.extend(values.map(|value| identifier(kind, value)));
    }
    for property in PROGRAMS {
        entity.programs.extend(texts(&properties, property).filter_map(non_empty));
    }
    // FollowTheMoney also has the gender `other`, which cannot be compared.
    entity.gender = texts(&properties, "gender").find_map(|text| Gender::from_str(text).ok());
    add_nested(&properties, &mut entity, tally);
    entity.remarks = join(REMARKS.iter().flat_map(|(property, label)| {
        texts(&properties, property).filter_map(|text| with_label(label, text))
    }));
    tally.add(entity);
}

/// Properties that name countries, with the relations of the countries to the entity.
const COUNTRIES: &[(&str, CountryKind)] = &[
    ("nationality", CountryKind::Nationality),
    ("citizenship", CountryKind::Nationality),
    ("birthCountry", CountryKind::Birth),
    ("jurisdiction", CountryKind::Registration),
    ("flag", CountryKind::Registration),
    ("registrationCountry", CountryKind::Registration),
    ("pastFlags", CountryKind::Other),
    ("mainCountry", CountryKind::Other),
    ("country", CountryKind::Other),
];

/// Properties that contain identifiers, with the kinds of the identifiers.
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

/// Properties that name sanctions programs, of an entity or of a nested sanction.
const PROGRAMS: [&str; 2] = ["programId", "program"];

/// Properties that are kept as remarks, each with its label in the remarks.
const REMARKS: &[(&str, &str)] = &[
    ("topics", "Topic"),
    ("position", "Position"),
    ("title", "Title"),
    ("notes", "Notes"),
    ("summary", "Summary"),
];

/// Returns the values of a property that are strings.
fn texts<'p>(properties: &'p Properties, name: &str) -> impl Iterator<Item = &'p str> {
    properties.get(name).into_iter().flatten().filter_map(Value::as_str)
}

/// Returns the only non-empty value of a property, or `None` if the property has none or several.
fn only_text(properties: &Properties, name: &str) -> Option<String> {
    let mut values = texts(properties, name).filter_map(non_empty);
    values.next().filter(|_| values.next().is_none())
}

/// Adds all names. The values of `name` are not ordered, so the caption becomes the primary name,
/// which is the name that OpenSanctions displays. If there are values of `name` but the caption is
/// not one of them, the first value becomes the primary name.
fn add_names(properties: &Properties, caption: Option<&str>, entity: &mut Entity) {
    let names: Vec<String> = texts(properties, "name").filter_map(non_empty).collect();
    let caption =
        caption.and_then(non_empty).filter(|caption| names.is_empty() || names.contains(caption));
    for text in caption.into_iter().chain(names) {
        let name = if !entity.names.is_empty() {
            ListedName::whole(text, NameKind::StrongAlias)
        } else if entity.kind == EntityKind::Person {
            let given = only_text(properties, "firstName");
            let family = only_text(properties, "lastName");
            ListedName { text, kind: NameKind::Primary, given, family }
        } else {
            ListedName::whole(text, NameKind::Primary)
        };
        entity.names.push(name);
    }
    for (property, kind) in [
        ("alias", NameKind::StrongAlias),
        ("previousName", NameKind::Former),
        ("weakAlias", NameKind::WeakAlias),
        ("abbreviation", NameKind::WeakAlias),
    ] {
        let aliases = texts(properties, property).filter_map(non_empty);
        entity.names.extend(aliases.map(|text| ListedName::whole(text, kind)));
    }
}

/// Adds the programs of nested sanctions, the countries of nested addresses, and the numbers of
/// nested documents.
fn add_nested(properties: &Properties, entity: &mut Entity, tally: &mut Tally<'_>) {
    for sanction in nested(properties, "sanctions") {
        for property in PROGRAMS {
            entity.programs.extend(texts(&sanction, property).filter_map(non_empty));
        }
    }
    for address in nested(properties, "addressEntity") {
        for text in texts(&address, "country") {
            add_country(text, CountryKind::Residence, entity, tally);
        }
    }
    for document in nested(properties, "identification").chain(nested(properties, "passport")) {
        let label = texts(&document, "type").next().unwrap_or_default();
        let kind = identifiers::document_kind(label);
        let country = texts(&document, "country").next().and_then(countries::code);
        let numbers = texts(&document, "number").filter_map(non_empty);
        entity.identifiers.extend(numbers.map(|value| Identifier {
            kind: kind.to_owned(),
            value,
            country: country.map(str::to_owned),
        }));
    }
}

/// Returns the properties of the entities that are nested in a property. Ignores a value that is
/// only the id of an entity on another line.
fn nested(properties: &Properties, name: &str) -> impl Iterator<Item = Properties> {
    properties
        .get(name)
        .into_iter()
        .flatten()
        .filter_map(|value| Properties::deserialize(value.get("properties")?).ok())
}
