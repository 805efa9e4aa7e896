//! The European Union's consolidated list of financial sanctions, CSV.
//!
//! <https://webgate.ec.europa.eu/fsd/fsf>, in two layouts: `csvFullSanctionsList_1_1` as it is now
//! (`Entity_LogicalId;…;NameAlias_WholeName;…`) and the one of 2018 and before
//! (`Entity_logical_id;…;Naal_wholename;…`). Both put each name, address, birth date, document and
//! citizenship on a row of its own that repeats its entity.

use super::Refused;
use super::countries;
use super::entry::country;
use super::eu_xml::{Alias, alias, birth, gender, identification_kind, kind};
use super::held::{Entry, Held};
use super::report::Tally;
use super::sniff::Source;
use super::table::{Header, Row, Table};
use super::text::{Encoding, clean, labelled, value};
use crate::entity::{CountryKind, Identifier};

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut table = Table::new(source, b';', Encoding::Utf8OrWindows1252);
    let mut header: Option<Header> = None;
    let mut held = Held::default();
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.at(&file, line);
        let Some(header) = &header else {
            table.columns(cells.len());
            header = Some(Header::of(&cells));
            continue;
        };
        let row = Columns { header, cells: &cells };
        let id = row.get("entity_logicalid", "entity_logical_id");
        let fault = fault.or_else(|| id.is_empty().then(|| "has no logical id".to_owned()));
        if let Some(why) = fault {
            tally.skip(value(id).as_deref(), why);
            continue;
        }
        tally.published(published(&row));
        let kind = kind(row.get("entity_subjecttype", "subject_type"), tally);
        if let Some(entry) = held.entry(id, kind, line, tally) {
            read_row(&row, entry, tally);
        }
    }
    held.hand_over(&file, tally);
    Ok(())
}

struct Columns<'r> {
    header: &'r Header,
    cells: &'r [String],
}

impl<'r> Columns<'r> {
    /// The cell by its name now, or by its former name.
    fn get(&self, now: &str, before: &str) -> &'r str {
        let name = if self.header.has(now) { now } else { before };
        self.header.cell(self.cells, name).trim()
    }
}

/// The first column; copies of the former layout call it `Date_file…`.
fn published(row: &Columns<'_>) -> Option<String> {
    let dated = ["filegenerationdate", "date_file"];
    let first =
        row.header.first().filter(|name| dated.iter().any(|date| name.starts_with(date)))?;
    value(row.get(first, first))
}

fn read_row(row: &Columns<'_>, entry: &mut Entry, tally: &mut Tally<'_>) {
    let entity = &mut entry.entity;
    entity.programs.extend(value(row.get("entity_regulation_programme", "programme")));
    entity.names.extend(alias(&Alias {
        whole: row.get("namealias_wholename", "naal_wholename"),
        first: row.get("namealias_firstname", "naal_firstname"),
        middle: row.get("namealias_middlename", "naal_middlename"),
        last: row.get("namealias_lastname", "naal_lastname"),
        weak: row.get("namealias_strong", "").eq_ignore_ascii_case("false"),
    }));
    let male = gender(row.get("namealias_gender", "naal_gender"), tally);
    entity.gender = entity.gender.or(male);
    let attribute = |name: &'static str| match name {
        "birthdate" => row.get("birthdate_birthdate", "birt_date"),
        "circa" => row.get("birthdate_circa", ""),
        "year" => row.get("birthdate_year", ""),
        "monthOfYear" => row.get("birthdate_month", ""),
        "dayOfMonth" => row.get("birthdate_day", ""),
        "yearRangeFrom" => row.get("birthdate_yearrangefrom", ""),
        _ => row.get("birthdate_yearrangeto", ""),
    };
    entity.dates.extend(birth(&attribute, tally));
    for (code, name, before, kind) in [
        (
            "birthdate_countryiso2code",
            "birthdate_countrydescription",
            "birt_country",
            CountryKind::Birth,
        ),
        (
            "address_countryiso2code",
            "address_countrydescription",
            "addr_country",
            CountryKind::Residence,
        ),
        (
            "citizenship_countryiso2code",
            "citizenship_countrydescription",
            "citi_country",
            CountryKind::Nationality,
        ),
    ] {
        let code = row.get(code, before);
        let name = row.get(name, "");
        country(if countries::is_none(code) { name } else { code }, kind, entity, tally);
    }
    entity.identifiers.extend(identification(row));
    for column in [("namealias_title", "naal_title"), ("namealias_function", "naal_function")] {
        entry.remark(labelled("Title", row.get(column.0, column.1)));
    }
    entry.remark(labelled("Reference", row.get("entity_eu_referencenumber", "eu_ref_num")));
    entry.remark(value(&row.get("entity_remark", "entity_remark").replace("\\n", " ")));
}

fn identification(row: &Columns<'_>) -> Option<Identifier> {
    if row.get("identification_knownfalse", "").eq_ignore_ascii_case("true") {
        return None;
    }
    let written = clean(row.get("identification_number", "iden_number"));
    // Before 2019 all stood in one field: `AD001 (passport-National passport) ((passport))`.
    let (number, within) = match written.split_once(" (") {
        Some((number, rest)) if !row.header.has("identification_typecode") => (number, rest),
        _ => (written.as_str(), ""),
    };
    let number = value(number)?;
    let (code, description) = match within.split_once(['-', ')']) {
        Some((code, description)) => (code, description),
        None => {
            (row.get("identification_typecode", ""), row.get("identification_typedescription", ""))
        }
    };
    let kind = identification_kind(code, description).to_owned();
    let country = countries::code(row.get("identification_countryiso2code", "iden_country"));
    Some(Identifier { kind, value: number, country: country.map(str::to_owned) })
}
