//! Reads the UK Sanctions List in CSV.
//!
//! The list and a guide to its format are published at
//! <https://www.gov.uk/government/publications/the-uk-sanctions-list>. A line with the date of the
//! report comes before the header. A designation has one row for each of its names, addresses and
//! so on, and each row repeats the other columns. Some cells number their values, as in
//! `(1) Russia (2) Ukraine`.

use super::Refused;
use super::entry::{add_country, add_date, identifier, set_gender};
use super::held::{HeldEntries, HeldEntry};
use super::report::Tally;
use super::sniff::Source;
use super::table::{Columns, Header, Row, Table};
use super::text::{Encoding, non_empty, with_label};
use crate::entity::{CountryKind, EntityKind, ListedName, NameKind};

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut table = Table::new(source, b',', Encoding::Utf8);
    let mut header: Option<Header> = None;
    let mut entries = HeldEntries::default();
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.start_record(&file, line);
        let Some(header) = &header else {
            let candidate = Header::new(&cells);
            if candidate.has("unique id") {
                table.set_width(cells.len());
                header = Some(candidate);
            } else {
                tally.set_published(report_date(&cells));
            }
            continue;
        };
        let row = Columns { header, cells: &cells };
        let id = row.get("unique id");
        let missing_id = id.is_empty().then(|| "the row has no Unique ID".to_owned());
        if let Some(reason) = fault.or(missing_id) {
            tally.skip(non_empty(id).as_deref(), reason);
            continue;
        }
        let kind = entity_kind(&row, tally);
        let entry = entries.entry(id, kind, line, tally);
        read_row(&row, entry, tally);
    }
    entries.hand_over(&file, tally);
    Ok(())
}

/// Returns the date in a cell such as `Report Date: 13-Feb-2026`, or `None` if the first cell has
/// another form.
fn report_date(cells: &[String]) -> Option<String> {
    let (_, date) = cells.first()?.split_once(':')?;
    non_empty(date)
}

impl<'r> Columns<'r> {
    /// Returns the values of a cell. Several values are numbered, as in `(1) Russia (2) Ukraine`,
    /// or separated by `|`, `;` or a line break.
    fn all(&self, name: &str) -> Vec<String> {
        let mut numbered = Vec::new();
        let mut rest = self.get(name);
        while let Some((before, after)) = split_at_number(rest) {
            numbered.extend(non_empty(before));
            rest = after;
        }
        numbered.extend(non_empty(rest));
        let values = numbered.iter().flat_map(|text| text.split(['|', ';', '\n']));
        values.filter_map(non_empty).collect()
    }
}

/// Splits a text at the first number of one or two digits in brackets, such as `(1)`. Neither part
/// contains that number. Returns `None` if the text has no such number.
fn split_at_number(text: &str) -> Option<(&str, &str)> {
    text.match_indices('(').find_map(|(open, _)| {
        let (before, bracket) = text.split_at(open);
        let inside = bracket.strip_prefix('(')?;
        let after_digits = inside.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = inside.len() - after_digits.len();
        let after = after_digits.strip_prefix(')')?;
        (1..=2).contains(&digits).then_some((before, after))
    })
}

fn entity_kind(row: &Columns<'_>, tally: &mut Tally<'_>) -> EntityKind {
    let columns = ["designation type", "individual, entity, ship"];
    let column = columns.into_iter().find(|name| row.header.has(name));
    let text = column.map_or("", |name| row.get(name));
    match text.to_ascii_lowercase().as_str() {
        "individual" => EntityKind::Person,
        "entity" => EntityKind::Organization,
        "ship" => EntityKind::Vessel,
        other => {
            tally.note_unread("kind", other);
            EntityKind::Unknown
        }
    }
}

fn read_row(row: &Columns<'_>, entry: &mut HeldEntry, tally: &mut Tally<'_>) {
    let entity = &mut entry.entity;
    entity.names.extend(read_names(row, entity.kind));
    entity.programs.extend(non_empty(row.get("regime name")));
    for text in row.all("d.o.b") {
        add_date(&text, entity, tally);
    }
    if entity.kind == EntityKind::Vessel {
        for text in row.all("year built") {
            add_date(&text, entity, tally);
        }
    }
    for (column, kind) in [
        ("nationality(/ies)", CountryKind::Nationality),
        ("country of birth", CountryKind::Birth),
        ("address country", CountryKind::Residence),
        ("current believed flag of ship", CountryKind::Registration),
        ("previous flags", CountryKind::Other),
    ] {
        for name in row.all(column) {
            add_country(&name, kind, entity, tally);
        }
    }
    for (column, kind) in [
        ("passport number", "passport"),
        ("national identifier number", "national_id"),
        ("business registration number (s)", "registration"),
        ("imo number", "imo"),
        ("hull identification number (hin)", "other"),
        ("phone number", "phone"),
        ("email address", "email"),
        ("website", "website"),
    ] {
        entity.identifiers.extend(row.all(column).into_iter().map(|text| match kind {
            "imo" => identifier(kind, text.trim_start_matches("IMO").trim().to_owned()),
            _ => identifier(kind, text),
        }));
    }
    for text in row.all("gender") {
        set_gender(&text, entity, tally);
    }
    for (column, label) in [
        ("title", "Title"),
        ("position", "Position"),
        ("type of entity", "Type"),
        ("type of ship", "Ship type"),
        ("tonnage of ship", "Tonnage"),
        ("parent company", "Parent company"),
        ("subsidiaries", "Subsidiaries"),
        ("current owner/operator (s)", "Owner or operator"),
        ("passport additional information", "Passport"),
        ("national identifier additional information", "National identifier"),
        ("ofsi group id", "OFSI Group ID"),
        ("un reference number", "UN reference"),
        ("date designated", "Designated"),
        ("other information", "Information"),
        ("uk statement of reasons", "Reasons"),
    ] {
        entry.add_remark(with_label(label, row.get(column)));
    }
}

/// Returns the name of the row in Latin script, in its original script, or in both, depending on
/// the cells that are filled.
fn read_names(row: &Columns<'_>, entity: EntityKind) -> Vec<ListedName> {
    let name_type = row.get("name type").to_ascii_lowercase();
    let strength = row.get("alias strength").to_ascii_lowercase();
    let kind = match name_type.as_str() {
        "primary name" => NameKind::Primary,
        _ if strength.contains("low") || strength.contains("weak") => NameKind::WeakAlias,
        _ if name_type.contains("previous") || name_type.contains("former") => NameKind::Former,
        _ => NameKind::StrongAlias,
    };
    let first_parts: Vec<String> = ["name 1", "name 2", "name 3", "name 4", "name 5"]
        .iter()
        .filter_map(|part| non_empty(row.get(part)))
        .collect();
    let first_parts = first_parts.join(" ");
    let last_part = non_empty(row.get("name 6")).unwrap_or_default();
    // Name 6 is the family name of a person. For any other entity it is the first or only part of
    // the name.
    let latin = if entity == EntityKind::Person {
        non_empty(&format!("{first_parts} {last_part}")).map(|text| ListedName {
            text,
            kind,
            given: non_empty(&first_parts),
            family: non_empty(&last_part),
        })
    } else {
        non_empty(&format!("{last_part} {first_parts}")).map(|text| ListedName::whole(text, kind))
    };
    let original = non_empty(row.get("name non-latin script")).map(|text| {
        let is_primary = kind == NameKind::Primary;
        ListedName::whole(text, if is_primary { NameKind::StrongAlias } else { kind })
    });
    latin.into_iter().chain(original).collect()
}
