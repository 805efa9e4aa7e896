//! Reads the European Union's consolidated list of financial sanctions in CSV.
//!
//! Source: <https://webgate.ec.europa.eu/fsd/fsf>. Two layouts are supported: the current
//! `csvFullSanctionsList_1_1` (`Entity_LogicalId;…;NameAlias_WholeName;…`) and the one that was
//! used until 2018 (`Entity_logical_id;…;Naal_wholename;…`). In both layouts, each name, address,
//! birth date, document and citizenship has its own row, which repeats the id of its entity.

use super::Refused;
use super::countries;
use super::eu_xml::{
    Alias, BirthDate, add_coded_country, entity_kind, gender, identification_kind,
};
use super::held::{HeldEntries, HeldEntry};
use super::report::Tally;
use super::sniff::Source;
use super::table::{Columns, Header, Row, Table};
use super::text::{Encoding, clean, non_empty, with_label};
use crate::entity::{CountryKind, Identifier};

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut table = Table::new(source, b';', Encoding::Utf8OrWindows1252);
    let mut header: Option<Header> = None;
    let mut entries = HeldEntries::default();
    while let Some(Row { line, cells, fault }) = table.next()? {
        tally.start_record(&file, line);
        let Some(header) = &header else {
            table.set_width(cells.len());
            header = Some(Header::new(&cells));
            continue;
        };
        let row = Columns { header, cells: &cells };
        let id = row.get_either("entity_logicalid", "entity_logical_id");
        let missing_id = id.is_empty().then(|| "the row has no logical id".to_owned());
        if let Some(reason) = fault.or(missing_id) {
            tally.skip(non_empty(id).as_deref(), reason);
            continue;
        }
        tally.set_published(publication_date(&row));
        let kind = entity_kind(row.get_either("entity_subjecttype", "subject_type"), tally);
        let entry = entries.entry(id, kind, line, tally);
        read_row(&row, entry, tally);
    }
    entries.hand_over(&file, tally);
    Ok(())
}

impl<'r> Columns<'r> {
    /// Returns the trimmed cell in a column that has different names in the current layout and in
    /// the former one.
    fn get_either(&self, current: &str, former: &str) -> &'r str {
        self.get(if self.header.has(current) { current } else { former })
    }
}

/// Returns the date in the first column, or `None` if the name of that column does not announce a
/// date. The name begins with `fileGenerationDate`, or with `Date_file` in copies of the former
/// layout.
fn publication_date(row: &Columns<'_>) -> Option<String> {
    let name = row.header.first()?;
    let is_date = name.starts_with("filegenerationdate") || name.starts_with("date_file");
    if is_date { non_empty(row.get(name)) } else { None }
}

fn read_row(row: &Columns<'_>, entry: &mut HeldEntry, tally: &mut Tally<'_>) {
    let entity = &mut entry.entity;
    entity.programs.extend(non_empty(row.get_either("entity_regulation_programme", "programme")));
    let alias = Alias {
        whole: row.get_either("namealias_wholename", "naal_wholename"),
        first: row.get_either("namealias_firstname", "naal_firstname"),
        middle: row.get_either("namealias_middlename", "naal_middlename"),
        last: row.get_either("namealias_lastname", "naal_lastname"),
        is_weak: row.get("namealias_strong").eq_ignore_ascii_case("false"),
    };
    entity.names.extend(alias.name());
    let row_gender = gender(row.get_either("namealias_gender", "naal_gender"), tally);
    entity.gender = entity.gender.or(row_gender);
    let birth = BirthDate {
        date: row.get_either("birthdate_birthdate", "birt_date"),
        circa: row.get("birthdate_circa"),
        year: row.get("birthdate_year"),
        month: row.get("birthdate_month"),
        day: row.get("birthdate_day"),
        from_year: row.get("birthdate_yearrangefrom"),
        to_year: row.get("birthdate_yearrangeto"),
    };
    entity.dates.extend(birth.read(tally));
    for (code, name, former, kind) in [
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
        add_coded_country(row.get_either(code, former), row.get(name), kind, entity, tally);
    }
    entity.identifiers.extend(identification(row));
    for (current, former) in
        [("namealias_title", "naal_title"), ("namealias_function", "naal_function")]
    {
        entry.add_remark(with_label("Title", row.get_either(current, former)));
    }
    let reference = row.get_either("entity_eu_referencenumber", "eu_ref_num");
    entry.add_remark(with_label("Reference", reference));
    // The former layout writes a line break as the two characters `\n`.
    entry.add_remark(non_empty(&row.get("entity_remark").replace("\\n", " ")));
}

fn identification(row: &Columns<'_>) -> Option<Identifier> {
    if row.get("identification_knownfalse").eq_ignore_ascii_case("true") {
        return None;
    }
    let text = clean(row.get_either("identification_number", "iden_number"));
    // The former layout has the number and its type in one field:
    // `AD001 (passport-National passport) ((passport))`.
    let (number, type_text) = match text.split_once(" (") {
        Some((number, rest)) if !row.header.has("identification_typecode") => (number, rest),
        _ => (text.as_str(), ""),
    };
    let number = non_empty(number)?;
    let (code, description) = match type_text.split_once(['-', ')']) {
        Some((code, description)) => (code, description),
        None => (row.get("identification_typecode"), row.get("identification_typedescription")),
    };
    let kind = identification_kind(code, description).to_owned();
    let country = countries::code(row.get_either("identification_countryiso2code", "iden_country"));
    Some(Identifier { kind, value: number, country: country.map(str::to_owned) })
}
