//! Reads OFAC's lists in the advanced sanctions data model: `SDN_ADVANCED.XML`,
//! `CONS_ADVANCED.XML`.
//!
//! The files, their schema and a description of the data model are published at
//! <https://ofac.treasury.gov/sanctions-list-service>. The records refer to each other by number. A
//! file contains reference values, then locations, documents and parties, and finally the programs
//! of the parties. Therefore all parties are held until the end of the file.

use std::collections::HashMap;

use super::input::MAX_HELD;
use super::report::Tally;
use super::sniff::Source;
use super::text::non_empty;
use super::xml::{Node, Record, Records};
use super::{Refused, countries, dates, identifiers};
use crate::entity::{Entity, Identifier, ListedDate};

/// Elements that are records. All but the last five are reference values, whose texts explain the
/// numbers in other records.
const RECORDS: &[&str] = &[
    "AliasType",
    "AreaCode",
    "Country",
    "DetailReference",
    "FeatureType",
    "IDRegDocType",
    "NamePartType",
    "PartySubType",
    "PartyType",
    "SanctionsType",
    "DateOfIssue",
    "Location",
    "IDRegDocument",
    "DistinctParty",
    "SanctionsEntry",
];

/// The content of a file, as far as it has been read.
#[derive(Default)]
pub(super) struct OfacList {
    /// Texts of the reference values, by element name and ID.
    references: HashMap<(String, String), String>,
    /// Party type ID of each party subtype, by subtype ID.
    pub(super) party_types: HashMap<String, String>,
    /// Country name or code of each location, by location ID. Empty if the location has no country.
    pub(super) locations: HashMap<String, String>,
    /// Documents of each identity, by identity ID.
    pub(super) documents: HashMap<String, Vec<Identifier>>,
    /// Parties, each with the line on which its record begins.
    parties: Vec<(u64, Entity)>,
    /// Index into `parties`, by profile ID.
    profiles: HashMap<String, usize>,
}

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut records = Records::new(source, RECORDS, MAX_HELD);
    let mut list = OfacList::default();
    while let Some(Record { line, node }) = records.next()? {
        tally.start_record(&file, line);
        match node {
            Ok(node) => list.add_record(line, &node, tally),
            Err(reason) => tally.skip(None, reason),
        }
    }
    for (line, entity) in list.parties {
        tally.start_record(&file, line);
        tally.add(entity);
    }
    Ok(())
}

impl OfacList {
    fn add_record(&mut self, line: u64, node: &Node, tally: &mut Tally<'_>) {
        let id = || node.attribute("ID").to_owned();
        match node.name.as_str() {
            "DateOfIssue" => tally.set_published(date_of_issue(node)),
            "Location" => {
                self.locations.insert(id(), self.location_country(node));
            }
            "IDRegDocument" => {
                let identity = node.attribute("IdentityID").to_owned();
                if let Some(document) = self.document(node, tally) {
                    self.documents.entry(identity).or_default().push(document);
                }
            }
            "DistinctParty" => match self.party(node, tally) {
                Ok((profile, entity)) => {
                    self.profiles.insert(profile, self.parties.len());
                    self.parties.push((line, entity));
                }
                Err(reason) => tally.skip(Some(node.attribute("FixedRef")), reason),
            },
            "SanctionsEntry" => self.add_programs(node),
            name => {
                if name == "PartySubType" {
                    self.party_types.insert(id(), node.attribute("PartyTypeID").to_owned());
                }
                self.references.insert((name.to_owned(), id()), node.text());
            }
        }
    }

    /// Returns the text of a reference value, or an empty string if the file does not contain it.
    pub(super) fn reference(&self, element: &str, id: &str) -> &str {
        let text = self.references.get(&(element.to_owned(), id.to_owned()));
        text.map_or("", String::as_str)
    }

    /// Returns the name or code of a location's country, or an empty string if there is none. The
    /// locations of nationalities have neither a country nor an area code. Their country is the
    /// value of their last part.
    fn location_country(&self, node: &Node) -> String {
        let country = node
            .child("LocationCountry")
            .map_or("", |country| self.reference("Country", country.attribute("CountryID")));
        if !country.is_empty() {
            return country.to_owned();
        }
        let area = node
            .child("LocationAreaCode")
            .map_or("", |area| self.reference("AreaCode", area.attribute("AreaCodeID")));
        if !area.is_empty() {
            return area.to_owned();
        }
        let parts = node.all("LocationPart").filter_map(|part| part.child("LocationPartValue"));
        parts.last().map_or_else(String::new, |part| part.text_of("Value"))
    }

    fn document(&self, node: &Node, tally: &mut Tally<'_>) -> Option<Identifier> {
        let number = non_empty(&node.text_of("IDRegistrationNo"))?;
        let label = self.reference("IDRegDocType", node.attribute("IDRegDocTypeID"));
        let issuer = self.reference("Country", node.attribute("IssuedBy-CountryID"));
        let country = countries::code(issuer);
        if country.is_none() && !countries::is_unspecified(issuer) {
            tally.note_unread("issuer", issuer);
        }
        let (kind, value) = match number.strip_prefix("IMO ") {
            Some(imo) => ("imo", imo.to_owned()),
            None => (identifiers::document_kind(label), number),
        };
        Some(Identifier { kind: kind.to_owned(), value, country: country.map(str::to_owned) })
    }

    /// Adds the programs of a sanctions entry to its party. Ignores the entry if the party was not
    /// read.
    #[expect(clippy::expect_used, reason = "every place in `profiles` is an index into `parties`")]
    fn add_programs(&mut self, node: &Node) {
        let Some(place) = self.profiles.get(node.attribute("ProfileID")).copied() else { return };
        let is_program = |measure: &&Node| {
            self.reference("SanctionsType", measure.attribute("SanctionsTypeID")) == "Program"
        };
        let programs: Vec<String> = node
            .all("SanctionsMeasure")
            .filter(is_program)
            .filter_map(|measure| non_empty(&measure.text_of("Comment")))
            .collect();
        let (_, entity) = self
            .parties
            .get_mut(place)
            .expect("the party exists because its place was stored with it");
        entity.programs.extend(programs);
    }
}

/// Returns the publication date as `YYYY-MM-DD`, or `None` if a part is missing.
fn date_of_issue(node: &Node) -> Option<String> {
    let date = read_day(node)?;
    Some(format!("{:04}-{:02}-{:02}", date.year, date.month?, date.day?))
}

/// Reads an element with the children `Year`, `Month` and `Day`. Returns `None` without a valid
/// year. A missing month or day is treated as unknown.
pub(super) fn read_day(node: &Node) -> Option<ListedDate> {
    let part = |name: &str| node.text_of(name);
    let year = part("Year").parse().ok()?;
    dates::from_parts(year, part("Month").parse().ok(), part("Day").parse().ok())
}
