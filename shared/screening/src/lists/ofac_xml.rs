//! OFAC's lists in the advanced sanctions data model: `SDN_ADVANCED.XML`, `CONS_ADVANCED.XML`.
//!
//! <https://ofac.treasury.gov/sanctions-list-service>, where the schema and a description of the
//! advanced sanctions data model are, too. Everything
//! refers to everything by number: reference values first, then locations, documents, parties, and
//! only after them the programs, so the parties are held until the end.

use std::collections::HashMap;

use super::input::MAX_HELD;
use super::ofac_party::day;
use super::report::Tally;
use super::sniff::Source;
use super::text::value;
use super::xml::{Node, Record, Records};
use super::{Refused, countries, identifiers};
use crate::entity::{Entity, Identifier};

/// All but the last five are reference values: their text is what a number stands for.
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

#[derive(Default)]
pub(super) struct List {
    /// By element and ID.
    references: HashMap<(String, String), String>,
    /// The type of a subtype of parties.
    pub(super) party_types: HashMap<String, String>,
    /// The name or code of a location's country, by ID.
    pub(super) locations: HashMap<String, String>,
    /// By identity.
    pub(super) documents: HashMap<String, Vec<Identifier>>,
    parties: Vec<(u64, Entity)>,
    /// The place of a profile in `parties`.
    profiles: HashMap<String, usize>,
}

pub(super) fn read(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    let file = source.name.clone();
    let mut records = Records::new(source, RECORDS, MAX_HELD);
    let mut list = List::default();
    while let Some(Record { line, node }) = records.next()? {
        tally.at(&file, line);
        match node {
            Ok(node) => list.record(line, &node, tally),
            Err(why) => tally.skip(None, why),
        }
    }
    for (line, entity) in list.parties {
        tally.at(&file, line);
        tally.entity(entity);
    }
    Ok(())
}

impl List {
    fn record(&mut self, line: u64, node: &Node, tally: &mut Tally<'_>) {
        let id = || node.attribute("ID").to_owned();
        match node.name.as_str() {
            "DateOfIssue" => tally.published(date_of_issue(node)),
            "Location" => {
                self.locations.insert(id(), self.location(node));
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
                Err(why) => tally.skip(Some(node.attribute("FixedRef")), why),
            },
            "SanctionsEntry" => self.programs(node),
            name => {
                if name == "PartySubType" {
                    self.party_types.insert(id(), node.attribute("PartyTypeID").to_owned());
                }
                self.references.insert((name.to_owned(), id()), node.text());
            }
        }
    }

    /// What a number stands for, empty if the file does not say it.
    pub(super) fn meaning(&self, element: &str, id: &str) -> &str {
        let found = self.references.get(&(element.to_owned(), id.to_owned()));
        found.map(String::as_str).unwrap_or_default()
    }

    /// The country, or what is there in its stead: of nationalities only an untyped part is given.
    fn location(&self, node: &Node) -> String {
        let country = node.child("LocationCountry").map(|country| country.attribute("CountryID"));
        let area = node.child("LocationAreaCode").map(|area| area.attribute("AreaCodeID"));
        let named = country.map(|id| self.meaning("Country", id)).filter(|name| !name.is_empty());
        let named =
            named.or_else(|| area.map(|id| self.meaning("AreaCode", id))).filter(|n| !n.is_empty());
        named.map(str::to_owned).unwrap_or_else(|| {
            let parts = node.all("LocationPart").filter_map(|part| part.child("LocationPartValue"));
            parts.last().map(|part| part.text_of("Value")).unwrap_or_default()
        })
    }

    fn document(&self, node: &Node, tally: &mut Tally<'_>) -> Option<Identifier> {
        let number = value(&node.text_of("IDRegistrationNo"))?;
        let label = self.meaning("IDRegDocType", node.attribute("IDRegDocTypeID"));
        let issuer = self.meaning("Country", node.attribute("IssuedBy-CountryID"));
        let country = countries::code(issuer);
        if country.is_none() && !countries::is_none(issuer) {
            tally.unread("issuer", issuer);
        }
        let (kind, number) = match number.strip_prefix("IMO ") {
            Some(imo) => ("imo", imo.to_owned()),
            None => (identifiers::document_kind(label), number),
        };
        Some(Identifier {
            kind: kind.to_owned(),
            value: number,
            country: country.map(str::to_owned),
        })
    }

    fn programs(&mut self, node: &Node) {
        let programs: Vec<String> = node
            .all("SanctionsMeasure")
            .filter(|measure| {
                self.meaning("SanctionsType", measure.attribute("SanctionsTypeID")) == "Program"
            })
            .filter_map(|measure| value(&measure.text_of("Comment")))
            .collect();
        let place = self.profiles.get(node.attribute("ProfileID"));
        if let Some((_, entity)) = place.and_then(|place| self.parties.get_mut(*place)) {
            entity.programs.extend(programs);
        }
    }
}

fn date_of_issue(node: &Node) -> Option<String> {
    let date = day(node)?;
    Some(format!("{:04}-{:02}-{:02}", date.year, date.month?, date.day?))
}
