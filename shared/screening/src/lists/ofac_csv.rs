//! Reads OFAC's SDN list and consolidated list as legacy CSV files, which have no header.
//!
//! `sdn.csv` (or `cons_prim.csv`) contains the entries, `alt.csv` their aliases, `add.csv` their
//! addresses, and `sdn_comments.csv` the continuations of remarks that are too long for `sdn.csv`.
//! The rows are joined by the entity number. The text `-0-` marks an empty cell. The columns are
//! described in <https://www.treasury.gov/ofac/downloads/dat_spec.txt>, and the files are published
//! at <https://ofac.treasury.gov/sanctions-list-service>. The files do not contain a publication
//! date.

use std::collections::{BTreeMap, HashMap};

use super::Refused;
use super::entry::{add_country, comma_name, identifier};
use super::ofac_remarks;
use super::report::Tally;
use super::sniff::{FileKind, OfacFile, Source};
use super::table::{Row, Table};
use super::text::{Encoding, join, non_empty, with_label};
use crate::entity::{CountryKind, Entity, EntityKind, NameKind};

/// Places of the columns that are read, counted from 0. The entity number is the first column of
/// every file.
mod column {
    pub(super) const NUMBER: usize = 0;

    pub(super) const SDN_NAME: usize = 1;
    pub(super) const SDN_TYPE: usize = 2;
    pub(super) const SDN_PROGRAM: usize = 3;
    pub(super) const SDN_TITLE: usize = 4;
    pub(super) const SDN_CALL_SIGN: usize = 5;
    pub(super) const SDN_VESSEL_TYPE: usize = 6;
    pub(super) const SDN_TONNAGE: usize = 7;
    pub(super) const SDN_GROSS_TONNAGE: usize = 8;
    pub(super) const SDN_VESSEL_FLAG: usize = 9;
    pub(super) const SDN_VESSEL_OWNER: usize = 10;
    pub(super) const SDN_REMARKS: usize = 11;

    pub(super) const ALT_TYPE: usize = 2;
    pub(super) const ALT_NAME: usize = 3;

    pub(super) const ADD_COUNTRY: usize = 4;

    pub(super) const COMMENTS_TEXT: usize = 1;
}

/// The line of a row, counted from 1, and the cells of the row.
type NumberedRow = (u64, Vec<String>);

pub(super) fn read(sources: Vec<Source<'_>>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let mut files: BTreeMap<OfacFile, File> = BTreeMap::new();
    for source in sources {
        let FileKind::Ofac(role) = source.kind else {
            return Err(Refused::new(&source.name, None, "the file is not an OFAC CSV file"));
        };
        let name = source.name.clone();
        let rows = read_rows(source, role, tally)?;
        if files.insert(role, File { name: name.clone(), rows }).is_some() {
            let reason = format!("the file is a second {}; pass each file once", role.name());
            return Err(Refused::new(&name, None, reason));
        }
    }
    let Some(sdn) = files.remove(&OfacFile::Sdn) else {
        let name = files.first_key_value().map_or("", |(_, file)| file.name.as_str());
        let reason = "sdn.csv is missing; pass it together with the files that add to it";
        return Err(Refused::new(name, None, reason));
    };
    let mut aliases = Supplement::new(files.remove(&OfacFile::Alt));
    let mut addresses = Supplement::new(files.remove(&OfacFile::Add));
    let mut comments = Supplement::new(files.remove(&OfacFile::Comments));
    for (line, row) in sdn.rows {
        let id = cell(&row, column::NUMBER);
        let details = Details {
            aliases: aliases.take(id),
            addresses: addresses.take(id),
            comments: comments.take(id),
        };
        tally.start_record(&sdn.name, line);
        match read_entity(&row, &details, tally) {
            Ok(entity) => tally.add(entity),
            Err(reason) => tally.skip(row.first().map(String::as_str), reason),
        }
    }
    for supplement in [aliases, addresses, comments] {
        supplement.skip_orphans(tally);
    }
    Ok(())
}

struct File {
    name: String,
    rows: Vec<NumberedRow>,
}

/// The rows of a file that adds to sdn.csv, by entity number.
#[derive(Default)]
struct Supplement {
    file: String,
    rows: HashMap<String, Vec<NumberedRow>>,
}

impl Supplement {
    /// Groups the rows of a file. Without a file, the supplement is empty.
    fn new(file: Option<File>) -> Supplement {
        let Some(file) = file else { return Supplement::default() };
        let mut rows: HashMap<String, Vec<NumberedRow>> = HashMap::new();
        for (line, row) in file.rows {
            rows.entry(cell(&row, column::NUMBER).to_owned()).or_default().push((line, row));
        }
        Supplement { file: file.name, rows }
    }

    /// Removes the rows of an entry and returns them.
    fn take(&mut self, id: &str) -> Vec<NumberedRow> {
        self.rows.remove(id).unwrap_or_default()
    }

    /// Reports the remaining rows, which do not belong to an entry, as skipped. Such rows exist if
    /// the files come from different publications or if sdn.csv has lost an entry.
    fn skip_orphans(self, tally: &mut Tally<'_>) {
        let mut orphans: Vec<(u64, &str)> = self
            .rows
            .iter()
            .flat_map(|(id, rows)| rows.iter().map(|(line, _)| (*line, id.as_str())))
            .collect();
        orphans.sort_unstable();
        for (line, id) in orphans {
            tally.start_record(&self.file, line);
            tally.skip(Some(id), "the row does not belong to an entry of sdn.csv");
        }
    }
}

/// The rows of an entry in the other files.
struct Details {
    aliases: Vec<NumberedRow>,
    addresses: Vec<NumberedRow>,
    comments: Vec<NumberedRow>,
}

fn read_rows(
    source: Source<'_>,
    role: OfacFile,
    tally: &mut Tally<'_>,
) -> Result<Vec<NumberedRow>, Refused> {
    let file = source.name.clone();
    let mut table = Table::new(source, b',', Encoding::Utf8OrWindows1252);
    table.set_width(role.width());
    let mut rows = Vec::new();
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.start_record(&file, line);
        if let Some(reason) = fault {
            tally.skip(cells.first().map(String::as_str), reason);
            continue;
        }
        // A row of sdn.csv is counted when its entity is complete.
        if role != OfacFile::Sdn {
            tally.count_record();
        }
        rows.push((line, cells));
    }
    Ok(rows)
}

fn read_entity(row: &[String], details: &Details, tally: &mut Tally<'_>) -> Result<Entity, String> {
    let id = cell(row, column::NUMBER);
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the entity number is not a number".to_owned());
    }
    let kind = match cell(row, column::SDN_TYPE).to_ascii_lowercase().as_str() {
        "" | "entity" => EntityKind::Organization,
        "individual" => EntityKind::Person,
        "vessel" => EntityKind::Vessel,
        "aircraft" => EntityKind::Aircraft,
        other => {
            tally.note_unread("kind", other);
            EntityKind::Unknown
        }
    };
    let name = non_empty(cell(row, column::SDN_NAME)).ok_or("the record has no name")?;
    let mut entity = Entity::new(id.to_owned(), kind);
    entity.names.push(comma_name(kind, name, NameKind::Primary));
    // Several programs are written as `SDGT] [IFSR`, without the outer brackets.
    entity.programs = cell(row, column::SDN_PROGRAM).split("] [").filter_map(non_empty).collect();
    for (_, alias) in &details.aliases {
        let is_former = cell(alias, column::ALT_TYPE).eq_ignore_ascii_case("fka");
        let name_kind = if is_former { NameKind::Former } else { NameKind::StrongAlias };
        let name = non_empty(cell(alias, column::ALT_NAME));
        entity.names.extend(name.map(|text| comma_name(kind, text, name_kind)));
    }
    for (_, address) in &details.addresses {
        let country = cell(address, column::ADD_COUNTRY);
        add_country(country, CountryKind::Residence, &mut entity, tally);
    }
    let call_sign = non_empty(cell(row, column::SDN_CALL_SIGN));
    entity.identifiers.extend(call_sign.map(|value| identifier("call_sign", value)));
    let flag = cell(row, column::SDN_VESSEL_FLAG);
    add_country(flag, CountryKind::Registration, &mut entity, tally);
    // A comment continues the remarks where they end, even in the middle of a word.
    let mut remarks = raw_cell(row, column::SDN_REMARKS).to_owned();
    for (_, comment) in &details.comments {
        remarks.push_str(raw_cell(comment, column::COMMENTS_TEXT));
    }
    ofac_remarks::read(&remarks, &mut entity, tally);
    let labelled_columns = [
        (column::SDN_TITLE, "Title"),
        (column::SDN_VESSEL_TYPE, "Vessel Type"),
        (column::SDN_TONNAGE, "Tonnage"),
        (column::SDN_GROSS_TONNAGE, "Gross Registered Tonnage"),
        (column::SDN_VESSEL_OWNER, "Vessel Owner"),
    ];
    let columns = labelled_columns
        .into_iter()
        .filter_map(|(place, label)| with_label(label, cell(row, place)));
    entity.remarks = join(columns.chain(non_empty(&remarks)));
    Ok(entity)
}

/// Returns a cell exactly as written, or an empty string for `-0-`.
fn raw_cell(row: &[String], place: usize) -> &str {
    let cell = row.get(place).map_or("", String::as_str);
    if cell.trim() == "-0-" { "" } else { cell }
}

/// Returns a cell without surrounding white space, or an empty string for `-0-`.
fn cell(row: &[String], place: usize) -> &str {
    raw_cell(row, place).trim()
}
