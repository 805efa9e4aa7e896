//! OFAC's SDN list and consolidated list as legacy CSV files without header.
//!
//! `sdn.csv` (or `cons_prim.csv`) holds the entries, `alt.csv` their aliases, `add.csv` their
//! addresses and `sdn_comments.csv` what did not fit into their remarks. All are joined by the
//! entity number; `-0-` stands for nothing. The columns are described in
//! <https://www.treasury.gov/ofac/downloads/dat_spec.txt>, the files are at
//! <https://ofac.treasury.gov/sanctions-list-service>. They state no date.

use std::collections::HashMap;

use super::Refused;
use super::entry::{country, name, person_name};
use super::ofac_remarks;
use super::report::Tally;
use super::sniff::{Shape, Source};
use super::table::{Row, Table};
use super::text::{Encoding, joined, labelled, value};
use crate::entity::{CountryKind, Entity, EntityKind, Identifier, NameKind};

type Rows = Vec<(u64, Vec<String>)>;

pub(super) fn read(sources: Vec<Source<'_>>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let mut files: HashMap<&'static str, (String, Rows)> = HashMap::new();
    for source in sources {
        let (role, width) = match source.shape {
            Shape::Sdn => ("sdn.csv", 12),
            Shape::Alt => ("alt.csv", 5),
            Shape::Add => ("add.csv", 6),
            Shape::Comments | Shape::Other(_) => ("sdn_comments.csv", 2),
        };
        let name = source.name.clone();
        let rows = rows(source, width, tally)?;
        if files.insert(role, (name.clone(), rows)).is_some() {
            return Err(Refused::new(&name, None, format!("is a second {role}")));
        }
    }
    let Some((sdn, rows)) = files.remove("sdn.csv") else {
        let name = files.values().next().map(|(name, _)| name.clone()).unwrap_or_default();
        let why = "sdn.csv is missing: the other files only add to it";
        return Err(Refused::new(&name, None, why));
    };
    let mut by_entity = |role| {
        let (file, rows) = files.remove(role).unwrap_or_default();
        let mut joined: HashMap<String, Rows> = HashMap::new();
        for (line, row) in rows {
            joined.entry(cell(&row, 0)).or_default().push((line, row));
        }
        (file, joined)
    };
    let (mut alt, mut add, mut comments) =
        (by_entity("alt.csv"), by_entity("add.csv"), by_entity("sdn_comments.csv"));
    for (line, row) in rows {
        let id = cell(&row, 0);
        let mut joins = [&mut alt, &mut add, &mut comments].into_iter();
        let mut rows = || joins.next().and_then(|(_, rows)| rows.remove(&id)).unwrap_or_default();
        let joins = Joins { aliases: rows(), addresses: rows(), comments: rows() };
        tally.at(&sdn, line);
        match entity(id, &row, &joins, tally) {
            Ok(entity) => tally.entity(entity),
            Err(why) => tally.skip(row.first().map(String::as_str), why),
        }
    }
    // Rows of nobody: files of two publications were mixed, or an entry was lost.
    for (file, rows) in [alt, add, comments] {
        let mut orphans: Vec<(u64, String)> = rows
            .into_iter()
            .flat_map(|(id, rows)| rows.into_iter().map(move |(line, _)| (line, id.clone())))
            .collect();
        orphans.sort_unstable();
        for (line, id) in orphans {
            tally.at(&file, line);
            tally.skip(Some(&id), "belongs to no entry of sdn.csv");
        }
    }
    Ok(())
}

struct Joins {
    aliases: Rows,
    addresses: Rows,
    comments: Rows,
}

fn rows(source: Source<'_>, width: usize, tally: &mut Tally<'_>) -> Result<Rows, Refused> {
    let file = source.name.clone();
    let primary = source.shape == Shape::Sdn;
    let mut table = Table::new(source, b',', Encoding::Utf8OrWindows1252);
    table.columns(width);
    let mut rows = Vec::new();
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.at(&file, line);
        match fault {
            Some(why) => tally.skip(cells.first().map(String::as_str), why),
            None => {
                if !primary {
                    tally.record();
                }
                rows.push((line, cells));
            }
        }
    }
    Ok(rows)
}

fn entity(
    id: String,
    row: &[String],
    joins: &Joins,
    tally: &mut Tally<'_>,
) -> Result<Entity, String> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("has no entity number".to_owned());
    }
    let kind = match cell(row, 2).to_ascii_lowercase().as_str() {
        "" | "entity" => EntityKind::Organization,
        "individual" => EntityKind::Person,
        "vessel" => EntityKind::Vessel,
        "aircraft" => EntityKind::Aircraft,
        other => {
            tally.unread("kind", other);
            EntityKind::Unknown
        }
    };
    let listed = |text: String, of| match kind {
        EntityKind::Person => person_name(text, of),
        _ => name(text, of),
    };
    let primary = value(&cell(row, 1)).ok_or("has no name")?;
    let mut entity = Entity {
        id,
        kind,
        names: vec![listed(primary, NameKind::Primary)],
        dates: Vec::new(),
        countries: Vec::new(),
        identifiers: Vec::new(),
        // `SDGT] [IFSR`: the brackets outside are not written.
        programs: cell(row, 3).split("] [").filter_map(value).collect(),
        gender: None,
        remarks: None,
    };
    for (_, alias) in &joins.aliases {
        let former = cell(alias, 2).eq_ignore_ascii_case("fka");
        let of = if former { NameKind::Former } else { NameKind::StrongAlias };
        entity.names.extend(value(&cell(alias, 3)).map(|text| listed(text, of)));
    }
    for (_, address) in &joins.addresses {
        country(&cell(address, 4), CountryKind::Residence, &mut entity, tally);
    }
    if let Some(value) = value(&cell(row, 5)) {
        let kind = "call_sign".to_owned();
        entity.identifiers.push(Identifier { kind, value, country: None });
    }
    country(&cell(row, 9), CountryKind::Registration, &mut entity, tally);
    // A comment goes on where the remarks stop, in the middle of a word.
    let mut remarks = raw(row, 11).to_owned();
    for (_, comment) in &joins.comments {
        remarks.push_str(raw(comment, 1));
    }
    ofac_remarks::read(&remarks, &mut entity, tally);
    let columns = [
        (4, "Title"),
        (6, "Vessel Type"),
        (7, "Tonnage"),
        (8, "Gross Registered Tonnage"),
        (10, "Vessel Owner"),
    ];
    let columns =
        columns.into_iter().filter_map(|(place, label)| labelled(label, &cell(row, place)));
    entity.remarks = joined(columns.chain(value(&remarks)));
    Ok(entity)
}

/// As it is written, nothing for `-0-`.
fn raw(row: &[String], place: usize) -> &str {
    let cell = row.get(place).map(String::as_str).unwrap_or_default();
    if cell.trim() == "-0-" { "" } else { cell }
}

fn cell(row: &[String], place: usize) -> String {
    raw(row, place).trim().to_owned()
}
