//! Reads the parties of OFAC's advanced sanctions data model, with their names, documents and
//! features.

use std::collections::HashMap;

use super::entry::{add_country, identifier, set_gender};
use super::ofac_xml::{OfacList, read_day};
use super::report::Tally;
use super::text::{join, non_empty, with_label};
use super::xml::Node;
use super::{countries, dates, identifiers};
use crate::entity::{CountryKind, Entity, EntityKind, ListedDate, ListedName, NameKind};

impl OfacList {
    /// Reads a `DistinctParty`. Returns the ID of the party's profile, and the party as an entity.
    ///
    /// # Errors
    /// The reason to skip the party.
    pub(super) fn party(
        &self,
        node: &Node,
        tally: &mut Tally<'_>,
    ) -> Result<(String, Entity), String> {
        let profile = node.child("Profile").ok_or("the party has no Profile")?;
        let id = non_empty(node.attribute("FixedRef")).ok_or("the party has no FixedRef")?;
        let kind = self.entity_kind(profile, tally);
        let mut entity = Entity::new(id, kind);
        for identity in profile.all("Identity") {
            self.add_names(identity, &mut entity, tally);
            let documents = self.documents.get(identity.attribute("ID"));
            entity.identifiers.extend(documents.into_iter().flatten().cloned());
        }
        let mut remarks = Vec::new();
        for feature in profile.all("Feature") {
            let label = self.reference("FeatureType", feature.attribute("FeatureTypeID"));
            for version in feature.all("FeatureVersion") {
                remarks.extend(self.add_feature(label, version, &mut entity, tally));
            }
        }
        remarks.extend(non_empty(&node.text_of("Comment")));
        entity.remarks = join(remarks);
        Ok((profile.attribute("ID").to_owned(), entity))
    }

    fn entity_kind(&self, profile: &Node, tally: &mut Tally<'_>) -> EntityKind {
        let subtype_id = profile.attribute("PartySubTypeID");
        let type_id = self.party_types.get(subtype_id).map_or("", String::as_str);
        let subtype = self.reference("PartySubType", subtype_id);
        match (subtype, self.reference("PartyType", type_id)) {
            ("Vessel", _) => EntityKind::Vessel,
            ("Aircraft", _) => EntityKind::Aircraft,
            (_, "Individual") => EntityKind::Person,
            (_, "Entity") => EntityKind::Organization,
            (_, other) => {
                tally.note_unread("kind", other);
                EntityKind::Unknown
            }
        }
    }

    fn add_names(&self, identity: &Node, entity: &mut Entity, tally: &mut Tally<'_>) {
        // Type of the name parts in each group, by group ID.
        let part_types: HashMap<&str, &str> = identity
            .child("NamePartGroups")
            .into_iter()
            .flat_map(|groups| groups.all("MasterNamePartGroup"))
            .flat_map(|group| group.all("NamePartGroup"))
            .map(|group| {
                let part_type = self.reference("NamePartType", group.attribute("NamePartTypeID"));
                (group.attribute("ID"), part_type)
            })
            .collect();
        for alias in identity.all("Alias") {
            let kind = self.name_kind(alias);
            for (place, node) in alias.all("DocumentedName").enumerate() {
                // The first name is in Latin script. The others are the same name in its original
                // script.
                let is_other_script = place > 0;
                let kind = if is_other_script && kind == NameKind::Primary {
                    NameKind::StrongAlias
                } else {
                    kind
                };
                match documented_name(node, kind, &part_types) {
                    Some(name) => entity.names.push(name),
                    None => tally.note_unread("name", node.attribute("ID")),
                }
            }
        }
    }

    fn name_kind(&self, alias: &Node) -> NameKind {
        let alias_type = self.reference("AliasType", alias.attribute("AliasTypeID"));
        if alias.attribute("LowQuality") == "true" {
            NameKind::WeakAlias
        } else if alias.attribute("Primary") == "true" {
            NameKind::Primary
        } else if alias_type == "F.K.A." {
            NameKind::Former
        } else {
            NameKind::StrongAlias
        }
    }

    /// Adds a feature to the field of the entity that it belongs to. Returns a remark if the entity
    /// does not have such a field, or if the field cannot represent all of the feature.
    fn add_feature(
        &self,
        label: &str,
        version: &Node,
        entity: &mut Entity,
        tally: &mut Tally<'_>,
    ) -> Option<String> {
        if let Some(period) = version.child("DatePeriod") {
            match read_period(period) {
                Some(date) => entity.dates.push(date),
                None => tally.note_unread("date", label),
            }
            return None;
        }
        let text = self.feature_text(version);
        if let Some(kind) = country_kind(label) {
            let location = version
                .all("VersionLocation")
                .find_map(|location| self.locations.get(location.attribute("LocationID")));
            let place = location.map_or(text.as_str(), String::as_str);
            // A place of birth is one text with the country at its end, such as `Moscow, Russia`.
            let is_country = countries::code(place).is_some();
            let last_part = place.rsplit_once(',').map_or(place, |(_, last)| last);
            let country = if is_country { place } else { last_part };
            add_country(country, kind, entity, tally);
            return if kind == CountryKind::Birth { with_label("POB", place) } else { None };
        }
        if label == "Gender" {
            set_gender(&text, entity, tally);
            return None;
        }
        if label == "Vessel Year of Build" {
            entity.dates.extend(dates::parse(&text));
        }
        match identifiers::kind_of_label(label) {
            Some(kind) if !text.is_empty() => {
                entity.identifiers.push(identifier(kind, text));
                None
            }
            _ => with_label(if label.is_empty() { "Feature" } else { label }, &text),
        }
    }

    /// Returns the text of a feature, or the text of the reference value that it refers to, or an
    /// empty string.
    fn feature_text(&self, version: &Node) -> String {
        let Some(detail) = version.child("VersionDetail") else { return String::new() };
        non_empty(&detail.text()).unwrap_or_else(|| {
            self.reference("DetailReference", detail.attribute("DetailReferenceID")).to_owned()
        })
    }
}

/// Returns the relation to a country that a feature describes, or `None` if the feature does not
/// name a country.
fn country_kind(label: &str) -> Option<CountryKind> {
    match label {
        "Nationality Country" | "Citizenship Country" => Some(CountryKind::Nationality),
        "Place of Birth" => Some(CountryKind::Birth),
        "Location" => Some(CountryKind::Residence),
        "VESSEL FLAG" | "Vessel Flag" | "Nationality of Registration" => {
            Some(CountryKind::Registration)
        }
        "Former Vessel Flag" => Some(CountryKind::Other),
        _ => None,
    }
}

/// Reads a name, or returns `None` if it is empty. If the name has last names and other parts, its
/// text has the form `LAST, First Middle`, as in the CSV files. Otherwise the text contains all
/// parts in their order.
fn documented_name(
    node: &Node,
    kind: NameKind,
    part_types: &HashMap<&str, &str>,
) -> Option<ListedName> {
    let (mut family, mut given) = (Vec::new(), Vec::new());
    for part in node.all("DocumentedNamePart").filter_map(|part| part.child("NamePartValue")) {
        let Some(text) = non_empty(&part.text()) else { continue };
        match part_types.get(part.attribute("NamePartGroupID")).copied() {
            Some("Last Name") => family.push(text),
            _ => given.push(text),
        }
    }
    match (non_empty(&family.join(" ")), non_empty(&given.join(" "))) {
        (Some(family), Some(given)) => Some(ListedName {
            text: format!("{family}, {given}"),
            kind,
            given: Some(given),
            family: Some(family),
        }),
        (family, given) => Some(ListedName::whole(family.or(given)?, kind)),
    }
}

/// Reads a period, which begins on the first day of its start and ends on the last day of its end.
/// If only the year of a date is known, OFAC writes the period from the first to the last day of
/// that year. Returns `None` if the start is missing or if the period ends in an earlier year.
fn read_period(period: &Node) -> Option<ListedDate> {
    let edge =
        |edge: &str, side: &str| period.child(edge).and_then(|e| e.child(side)).and_then(read_day);
    let from = edge("Start", "From").or_else(|| edge("Start", "To"))?;
    let to = edge("End", "To").or_else(|| edge("Start", "To")).unwrap_or(from);
    let is_approximate =
        |edge: &str| period.child(edge).is_some_and(|e| e.attribute("Approximate") == "true");
    let date = dates::range(from, to)?;
    Some(ListedDate { circa: is_approximate("Start") || is_approximate("End"), ..date })
}
