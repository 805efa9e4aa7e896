//! A tenant's own list: CSV, comma-separated, UTF-8, with a header.
//!
//! | column | what stands in it |
//! |---|---|
//! | `name` | the primary name, required; `LAST, First` or in any order |
//! | `id` | the tenant's own; one is made of the name, kind, date and countries where there is none |
//! | `kind` | `person`, `organization`, `vessel`, `aircraft` or `unknown` |
//! | `aliases`, `weak_aliases`, `former_names` | names, `;` between |
//! | `date` | of birth, founding or building, `;` between: `1970-12-31`, `1970-12`, `1970`, `circa 1970`, `1970 to 1972` |
//! | `countries` | ISO 3166-1 codes or English names, `;` between |
//! | `identifiers` | `kind:value`, `;` between; the kinds are [`super::IDENTIFIER_KINDS`] |
//! | `programs` | why it is listed, `;` between |
//! | `gender` | `male` or `female` |
//! | `remarks` | anything, for a person to read |
//!
//! In any order, and all but `name` may be missing. A column of another name refuses the file: it
//! would be a value that nobody compares. What a cell says wrongly is reported and its entry
//! kept without it, because a name must not go unscreened for the sake of a date.

use sha2::{Digest, Sha256};
use std::str::FromStr;

use super::Refused;
use super::dates;
use super::entry::{country, empty, name, person_name};
use super::identifiers::KINDS;
use super::report::Tally;
use super::sniff::Source;
use super::table::{Header, Row, Table};
use super::text::{Encoding, parts, value};
use crate::entity::{CountryKind, Entity, EntityKind, Gender, Identifier, NameKind};

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

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut table = Table::new(source, b',', Encoding::Utf8);
    let header = match table.next()? {
        Some(Row { line, cells, fault: None }) => {
            table.columns(cells.len());
            header(&file, line, &cells)?
        }
        _ => return Err(Refused::new(&file, 1, "has no header that can be read")),
    };
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.at(&file, line);
        let read = fault.is_none().then(|| entity(&header, &cells, tally)).flatten();
        match (fault, read) {
            (None, Some(entity)) => tally.entity(entity),
            (fault, _) => {
                let id = value(header.cell(&cells, "id"));
                tally.skip(id.as_deref(), fault.unwrap_or_else(|| "has no name".to_owned()));
            }
        }
    }
    Ok(())
}

fn header(file: &str, line: u64, cells: &[String]) -> Result<Header, Refused> {
    let refuse = |why: String| Err(Refused::new(file, line, why));
    let names: Vec<String> = cells.iter().map(|cell| cell.trim().to_ascii_lowercase()).collect();
    for (place, name) in names.iter().enumerate() {
        if !COLUMNS.contains(&name.as_str()) {
            return refuse(format!(
                "no column is called {name:?}; they are {}",
                COLUMNS.join(", ")
            ));
        }
        if names.iter().take(place).any(|before| before == name) {
            return refuse(format!("has two columns called {name}"));
        }
    }
    Ok(Header::of(cells))
}

fn entity(header: &Header, cells: &[String], tally: &mut Tally<'_>) -> Option<Entity> {
    let cell = |name: &str| header.cell(cells, name);
    let primary = value(cell("name"))?;
    let kind = match value(cell("kind")).map(|kind| kind.to_ascii_lowercase()) {
        None => EntityKind::Unknown,
        Some(kind) => EntityKind::from_str(&kind).unwrap_or_else(|_| {
            tally.unread("kind", &kind);
            EntityKind::Unknown
        }),
    };
    let id = value(cell("id")).unwrap_or_else(|| {
        generated(&[&primary, kind.into_str(), cell("date").trim(), cell("countries").trim()])
    });
    let mut entity = empty(id, kind);
    let listed = |text: String, of: NameKind| match kind {
        EntityKind::Person => person_name(text, of),
        _ => name(text, of),
    };
    entity.names.push(listed(primary, NameKind::Primary));
    for (column, of) in [
        ("aliases", NameKind::StrongAlias),
        ("weak_aliases", NameKind::WeakAlias),
        ("former_names", NameKind::Former),
    ] {
        entity.names.extend(parts(cell(column), &[';']).into_iter().map(|text| listed(text, of)));
    }
    for text in parts(cell("date"), &[';']) {
        match dates::parse(&text) {
            Some(date) => entity.dates.push(date),
            None => tally.unread("date", &text),
        }
    }
    // A list does not say of what kind; a person's country is mostly a nationality.
    let of = match kind {
        EntityKind::Person => CountryKind::Nationality,
        EntityKind::Unknown => CountryKind::Other,
        _ => CountryKind::Registration,
    };
    for text in parts(cell("countries"), &[';']) {
        country(&text, of, &mut entity, tally);
    }
    for text in parts(cell("identifiers"), &[';']) {
        let known = text.split_once(':').and_then(|(kind, number)| {
            let kind = kind.trim().to_ascii_lowercase();
            Some((kind, value(number)?)).filter(|(kind, _)| KINDS.contains(&kind.as_str()))
        });
        match known {
            Some((kind, value)) => {
                entity.identifiers.push(Identifier { kind, value, country: None })
            }
            None => tally.unread("identifier", &text),
        }
    }
    entity.programs = parts(cell("programs"), &[';']);
    if let Some(text) = value(cell("gender")) {
        match Gender::from_str(&text.to_ascii_lowercase()) {
            Ok(gender) => entity.gender = Some(gender),
            Err(_) => tally.unread("gender", &text),
        }
    }
    entity.remarks = value(cell("remarks"));
    Some(entity)
}

/// The same entry has the same id in the next version of the list, wherever it stands.
fn generated(fields: &[&str]) -> String {
    let mut hash = Sha256::new();
    for field in fields {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    let mut hex = hex::encode(hash.finalize());
    hex.truncate(20);
    format!("name-{hex}")
}
