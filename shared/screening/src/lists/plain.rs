//! Reads a tenant's own list, which is a comma-separated CSV file in UTF-8 with a header.
//!
//! | column | content |
//! |---|---|
//! | `name` | required: the primary name, as `LAST, First` or in any other order |
//! | `id` | the tenant's id of the entry; if empty, an id is generated from the name, kind, date and countries |
//! | `kind` | `person`, `organization`, `vessel`, `aircraft` or `unknown` |
//! | `aliases`, `weak_aliases`, `former_names` | names, separated by `;` |
//! | `date` | dates of birth, founding or building, separated by `;`: `1970-12-31`, `1970-12`, `1970`, `circa 1970`, `1970 to 1972` |
//! | `countries` | ISO 3166-1 codes or English names, separated by `;` |
//! | `identifiers` | `kind:value`, separated by `;`; the kinds are [`IDENTIFIER_KINDS`](super::IDENTIFIER_KINDS) |
//! | `programs` | reasons for the listing, separated by `;` |
//! | `gender` | `male` or `female` |
//! | `remarks` | any text, for a person to read |
//!
//! The columns may be in any order, and all but `name` are optional. A file with any other column
//! is refused, because the values in that column would not be compared. A value that cannot be read
//! is reported, and its entry is kept without it: a name must not go unscreened because of a date.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::Refused;
use super::entry::{add_country, add_date, comma_name, identifier, set_gender};
use super::identifiers::KINDS;
use super::report::Tally;
use super::sniff::Source;
use super::table::{Header, Row, Table};
use super::text::{Encoding, non_empty, split_values};
use crate::entity::{CountryKind, Entity, EntityKind, Identifier, NameKind};

const COLUMNS: &[&str] = &[
    "id",
    "kind",
    "name",
    "aliases",
    "weak_aliases",
    "former_names",
    "date",
    "countries",
    "identifiers",
    "programs",
    "gender",
    "remarks",
];

/// Number of hexadecimal digits of a generated id.
const GENERATED_ID_DIGITS: usize = 20;

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut table = Table::new(source, b',', Encoding::Utf8);
    let header = match table.next()? {
        Some(Row { line, cells, fault: None }) => {
            table.set_width(cells.len());
            check_header(&cells).map_err(|reason| Refused::new(&file, line, reason))?;
            Header::new(&cells)
        }
        _ => {
            let reason = "the header cannot be read; the first row must name the columns";
            return Err(Refused::new(&file, 1, reason));
        }
    };
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.start_record(&file, line);
        let result = match fault {
            Some(reason) => Err(reason),
            None => read_entity(&header, &cells, tally),
        };
        match result {
            Ok(entity) => tally.add(entity),
            Err(reason) => tally.skip(non_empty(header.cell(&cells, "id")).as_deref(), reason),
        }
    }
    Ok(())
}

/// Checks that each column is known and occurs once. The error is the reason to refuse the file.
fn check_header(cells: &[String]) -> Result<(), String> {
    let names: Vec<String> = cells.iter().map(|cell| cell.trim().to_ascii_lowercase()).collect();
    for (place, name) in names.iter().enumerate() {
        if !COLUMNS.contains(&name.as_str()) {
            return Err(format!(
                "{name:?} is not a column of a plain list; the columns are {}",
                COLUMNS.join(", ")
            ));
        }
        if names.iter().take(place).any(|earlier| earlier == name) {
            return Err(format!("the column {name:?} occurs twice; remove one of them"));
        }
    }
    Ok(())
}

fn read_entity(header: &Header, cells: &[String], tally: &mut Tally<'_>) -> Result<Entity, String> {
    let cell = |name: &str| header.cell(cells, name);
    let name = non_empty(cell("name")).ok_or("the record has no name")?;
    let kind = match non_empty(cell("kind")).map(|kind| kind.to_ascii_lowercase()) {
        None => EntityKind::Unknown,
        Some(kind) => EntityKind::from_str(&kind).unwrap_or_else(|_| {
            tally.note_unread("kind", &kind);
            EntityKind::Unknown
        }),
    };
    let id = non_empty(cell("id")).unwrap_or_else(|| {
        generate_id(&[&name, kind.into_str(), cell("date").trim(), cell("countries").trim()])
    });
    let mut entity = Entity::new(id, kind);
    entity.names.push(comma_name(kind, name, NameKind::Primary));
    for (column, name_kind) in [
        ("aliases", NameKind::StrongAlias),
        ("weak_aliases", NameKind::WeakAlias),
        ("former_names", NameKind::Former),
    ] {
        let names = split_values(cell(column));
        entity.names.extend(names.map(|text| comma_name(kind, text, name_kind)));
    }
    for text in split_values(cell("date")) {
        add_date(&text, &mut entity, tally);
    }
    // The list does not state the relation of a country. The country of a person is most often the
    // nationality, and the country of any other party is the place of registration.
    let country_kind = match kind {
        EntityKind::Person => CountryKind::Nationality,
        EntityKind::Unknown => CountryKind::Other,
        EntityKind::Organization | EntityKind::Vessel | EntityKind::Aircraft => {
            CountryKind::Registration
        }
    };
    for text in split_values(cell("countries")) {
        add_country(&text, country_kind, &mut entity, tally);
    }
    for text in split_values(cell("identifiers")) {
        match parse_identifier(&text) {
            Some(identifier) => entity.identifiers.push(identifier),
            None => tally.note_unread("identifier", &text),
        }
    }
    entity.programs = split_values(cell("programs")).collect();
    if let Some(text) = non_empty(cell("gender")) {
        set_gender(&text, &mut entity, tally);
    }
    entity.remarks = non_empty(cell("remarks"));
    Ok(entity)
}

/// Reads an identifier of the form `kind:value`. Returns `None` if the text has another form, if
/// the kind is not known or if the value is empty.
fn parse_identifier(text: &str) -> Option<Identifier> {
    let (kind, value) = text.split_once(':')?;
    let kind = kind.trim().to_ascii_lowercase();
    let value = non_empty(value)?;
    KINDS.contains(&kind.as_str()).then(|| identifier(&kind, value))
}

/// Generates an id from fields. The same entry gets the same id in every version of the list,
/// regardless of its position.
fn generate_id(fields: &[&str]) -> String {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    let mut hex = hex::encode(hash.finalize());
    hex.truncate(GENERATED_ID_DIGITS);
    format!("name-{hex}")
}
