//! The UK Sanctions List, CSV.
//!
//! <https://www.gov.uk/government/publications/the-uk-sanctions-list>, guide to the format there. A
//! line with the date of the report stands before the header. A designation takes as many rows as
//! it has names, addresses and so on, each repeating the rest. Some cells number their values:
//! `(1) Russia (2) Ukraine`.

use super::entry::country;
use super::held::{Entry, Held};
use super::report::Tally;
use super::sniff::Source;
use super::table::{Header, Row, Table};
use super::text::{Encoding, labelled, value};
use super::{Refused, dates};
use crate::entity::{CountryKind, EntityKind, Gender, Identifier, ListedName, NameKind};
use std::str::FromStr;

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut table = Table::new(source, b',', Encoding::Utf8);
    let mut header: Option<Header> = None;
    let mut held = Held::default();
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.at(&file, line);
        let Some(header) = &header else {
            let found = Header::of(&cells);
            if found.has("unique id") {
                table.columns(cells.len());
                header = Some(found);
            } else {
                tally.published(report_date(&cells));
            }
            continue;
        };
        let row = Columns { header, cells: &cells };
        let id = row.get("unique id");
        let fault = fault.or_else(|| id.is_empty().then(|| "has no Unique ID".to_owned()));
        if let Some(why) = fault {
            tally.skip(value(id).as_deref(), why);
            continue;
        }
        let kind = kind(&row, tally);
        if let Some(entry) = held.entry(id, kind, line, tally) {
            read_row(&row, entry, tally);
        }
    }
    held.hand_over(&file, tally);
    Ok(())
}

/// `Report Date: 13-Feb-2026`.
fn report_date(cells: &[String]) -> Option<String> {
    let (_, date) = cells.first()?.split_once(':')?;
    value(date)
}

struct Columns<'r> {
    header: &'r Header,
    cells: &'r [String],
}

impl<'r> Columns<'r> {
    fn get(&self, name: &str) -> &'r str {
        self.header.cell(self.cells, name).trim()
    }

    /// The values of a cell that may number them.
    fn all(&self, name: &str) -> Vec<String> {
        let cell = self.get(name);
        let mut values = Vec::new();
        let mut rest = cell;
        while let Some((before, after)) = split_number(rest) {
            values.extend(value(before));
            rest = after;
        }
        values.extend(value(rest));
        let parts = values.iter().flat_map(|part| part.split(['|', ';', '\n']));
        parts.filter_map(value).collect()
    }
}

/// Splits around the first `(1)`.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text.get(from..)?.find('(')?;
        let rest = text.get(open + 1..)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if (1..=2).contains(&digits) && rest.as_bytes().get(digits) == Some(&b')') {
            return Some((text.get(..open)?, rest.get(digits + 1..)?));
        }
        from = open + 1;
    }
}

fn kind(row: &Columns<'_>, tally: &mut Tally<'_>) -> EntityKind {
    let column = ["designation type", "individual, entity, ship"];
    let column = column.into_iter().find(|name| row.header.has(name)).unwrap_or_default();
    match row.get(column).to_ascii_lowercase().as_str() {
        "individual" => EntityKind::Person,
        "entity" => EntityKind::Organization,
        "ship" => EntityKind::Vessel,
        other => {
            tally.unread("kind", other);
            EntityKind::Unknown
        }
    }
}

fn read_row(row: &Columns<'_>, entry: &mut Entry, tally: &mut Tally<'_>) {
    let entity = &mut entry.entity;
    entity.names.extend(names(row, entity.kind));
    entity.programs.extend(value(row.get("regime name")));
    let built = if entity.kind == EntityKind::Vessel { row.all("year built") } else { Vec::new() };
    for text in row.all("d.o.b").into_iter().chain(built) {
        match dates::parse(&text) {
            Some(date) => entity.dates.push(date),
            None => tally.unread("date", &text),
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
            country(&name, kind, entity, tally);
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
        entity.identifiers.extend(row.all(column).into_iter().map(|text| {
            let value =
                if kind == "imo" { text.trim_start_matches("IMO").trim().to_owned() } else { text };
            Identifier { kind: kind.to_owned(), value, country: None }
        }));
    }
    for text in row.all("gender") {
        match Gender::from_str(&text.to_ascii_lowercase()) {
            Ok(gender) => entity.gender = Some(gender),
            Err(_) => tally.unread("gender", &text),
        }
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
        entry.remark(labelled(label, row.get(column)));
    }
}

/// The name of the row, and the same in its own script.
fn names(row: &Columns<'_>, entity: EntityKind) -> Vec<ListedName> {
    let written = row.get("name type").to_ascii_lowercase();
    let strength = row.get("alias strength").to_ascii_lowercase();
    let kind = match written.as_str() {
        "primary name" => NameKind::Primary,
        _ if strength.contains("low") || strength.contains("weak") => NameKind::WeakAlias,
        _ if written.contains("previous") || written.contains("former") => NameKind::Former,
        _ => NameKind::StrongAlias,
    };
    let parts = ["name 1", "name 2", "name 3", "name 4", "name 5"];
    let given = parts.iter().filter_map(|part| value(row.get(part))).collect::<Vec<_>>().join(" ");
    let last = value(row.get("name 6")).unwrap_or_default();
    // Name 6 is the family name of a person, and the first or only part of any other name.
    let person = entity == EntityKind::Person;
    let text = if person { format!("{given} {last}") } else { format!("{last} {given}") };
    let (given, family) = if person { (value(&given), value(&last)) } else { (None, None) };
    let latin = value(&text).map(|text| ListedName { text, kind, given, family });
    let own = value(row.get("name non-latin script")).map(|text| {
        let kind = if kind == NameKind::Primary { NameKind::StrongAlias } else { kind };
        ListedName { text, kind, given: None, family: None }
    });
    latin.into_iter().chain(own).collect()
}
