//! A party of OFAC's advanced model: its names, documents and features.

use std::collections::HashMap;
use std::str::FromStr;

use super::entry::{country, empty};
use super::ofac_xml::List;
use super::report::Tally;
use super::text::{joined, labelled, value};
use super::xml::Node;
use super::{countries, dates, identifiers};
use crate::entity::{
    CountryKind, Entity, EntityKind, Gender, Identifier, ListedDate, ListedName, NameKind,
};

impl List {
    /// A party with the ID of its profile.
    pub(super) fn party(
        &self,
        node: &Node,
        tally: &mut Tally<'_>,
    ) -> Result<(String, Entity), String> {
        let profile = node.child("Profile").ok_or("has no profile")?;
        let id = value(node.attribute("FixedRef")).ok_or("has no FixedRef")?;
        let subtype = profile.attribute("PartySubTypeID");
        let party = self.party_types.get(subtype).map(String::as_str).unwrap_or_default();
        let kind = match (self.meaning("PartySubType", subtype), self.meaning("PartyType", party)) {
            ("Vessel", _) => EntityKind::Vessel,
            ("Aircraft", _) => EntityKind::Aircraft,
            (_, "Individual") => EntityKind::Person,
            (_, "Entity") => EntityKind::Organization,
            (_, other) => {
                tally.unread("kind", other);
                EntityKind::Unknown
            }
        };
        let mut entity = empty(id, kind);
        for identity in profile.all("Identity") {
            self.names(identity, &mut entity, tally);
            let documents = self.documents.get(identity.attribute("ID"));
            entity.identifiers.extend(documents.into_iter().flatten().cloned());
        }
        let mut remarks = Vec::new();
        for feature in profile.all("Feature") {
            let label = self.meaning("FeatureType", feature.attribute("FeatureTypeID"));
            for version in feature.all("FeatureVersion") {
                remarks.extend(self.feature(label, version, &mut entity, tally));
            }
        }
        remarks.extend(value(&node.text_of("Comment")));
        entity.remarks = joined(remarks);
        Ok((profile.attribute("ID").to_owned(), entity))
    }

    fn names(&self, identity: &Node, entity: &mut Entity, tally: &mut Tally<'_>) {
        let groups = identity.child("NamePartGroups").into_iter();
        let groups = groups.flat_map(|groups| groups.all("MasterNamePartGroup"));
        let groups = groups.flat_map(|group| group.all("NamePartGroup"));
        let kinds: HashMap<&str, &str> = groups
            .map(|group| {
                let kind = self.meaning("NamePartType", group.attribute("NamePartTypeID"));
                (group.attribute("ID"), kind)
            })
            .collect();
        for alias in identity.all("Alias") {
            let written = self.meaning("AliasType", alias.attribute("AliasTypeID"));
            let kind = match (alias.attribute("LowQuality"), alias.attribute("Primary"), written) {
                ("true", ..) => NameKind::WeakAlias,
                (_, "true", _) => NameKind::Primary,
                (.., "F.K.A.") => NameKind::Former,
                _ => NameKind::StrongAlias,
            };
            for (place, name) in alias.all("DocumentedName").enumerate() {
                // The first is Latin; those behind it are the same name in its own script.
                let kind = match (place, kind) {
                    (1.., NameKind::Primary) => NameKind::StrongAlias,
                    _ => kind,
                };
                match documented(name, kind, &kinds) {
                    Some(name) => entity.names.push(name),
                    None => tally.unread("name", name.attribute("ID")),
                }
            }
        }
    }

    /// Reads a feature; what no field takes is a remark.
    fn feature(
        &self,
        label: &str,
        version: &Node,
        entity: &mut Entity,
        tally: &mut Tally<'_>,
    ) -> Option<String> {
        let detail = version.child("VersionDetail");
        let reference = detail.map(|detail| detail.attribute("DetailReferenceID"));
        let reference = reference.map(|id| self.meaning("DetailReference", id).to_owned());
        let text = detail.and_then(|detail| value(&detail.text()));
        let text = text.or(reference.filter(|text| !text.is_empty())).unwrap_or_default();
        if let Some(period) = version.child("DatePeriod") {
            match date(period) {
                Some(date) => entity.dates.push(date),
                None => tally.unread("date", label),
            }
            return None;
        }
        let locations = version.all("VersionLocation").map(|l| l.attribute("LocationID"));
        let located = locations.filter_map(|id| self.locations.get(id)).next().cloned();
        let place = located.unwrap_or_else(|| text.clone());
        let about = match label {
            "Nationality Country" | "Citizenship Country" => Some(CountryKind::Nationality),
            "Place of Birth" => Some(CountryKind::Birth),
            "Location" => Some(CountryKind::Residence),
            "VESSEL FLAG" | "Vessel Flag" | "Nationality of Registration" => {
                Some(CountryKind::Registration)
            }
            "Former Vessel Flag" => Some(CountryKind::Other),
            _ => None,
        };
        if let Some(about) = about {
            // `Moscow, Russia`: places of birth are one text.
            let last = place.rsplit(',').next().unwrap_or_default();
            let known = countries::code(&place).is_some();
            country(if known { &place } else { last }, about, entity, tally);
            return (about == CountryKind::Birth).then(|| labelled("POB", &place)).flatten();
        }
        if label == "Gender" {
            match Gender::from_str(&text.to_ascii_lowercase()) {
                Ok(gender) => entity.gender = Some(gender),
                Err(_) => tally.unread("gender", &text),
            }
            return None;
        }
        if label == "Vessel Year of Build" {
            entity.dates.extend(dates::parse(&text));
        }
        match identifiers::kind(label) {
            Some(kind) if !text.is_empty() => {
                let kind = kind.to_owned();
                entity.identifiers.push(Identifier { kind, value: text, country: None });
                None
            }
            _ => labelled(if label.is_empty() { "Feature" } else { label }, &text),
        }
    }
}

/// `LAST, First Middle`, as the CSV files have it; without a last name as it stands.
fn documented(name: &Node, kind: NameKind, kinds: &HashMap<&str, &str>) -> Option<ListedName> {
    let (mut family, mut given) = (Vec::new(), Vec::new());
    for part in name.all("DocumentedNamePart").filter_map(|part| part.child("NamePartValue")) {
        let Some(text) = value(&part.text()) else { continue };
        match kinds.get(part.attribute("NamePartGroupID")).copied() {
            Some("Last Name") => family.push(text),
            _ => given.push(text),
        }
    }
    let (family, given) = (value(&family.join(" ")), value(&given.join(" ")));
    match (family, given) {
        (Some(family), Some(given)) => Some(ListedName {
            text: format!("{family}, {given}"),
            kind,
            given: Some(given),
            family: Some(family),
        }),
        (family, given) => {
            let text = family.or(given)?;
            Some(ListedName { text, kind, given: None, family: None })
        }
    }
}

/// From the start of a period to its end: a year is written as its first and last day.
fn date(period: &Node) -> Option<ListedDate> {
    let edge =
        |edge: &str, side: &str| period.child(edge).and_then(|e| e.child(side)).and_then(day);
    let from = edge("Start", "From").or_else(|| edge("Start", "To"))?;
    let to = edge("End", "To").or_else(|| edge("Start", "To")).unwrap_or(from);
    let about =
        |edge: &str| period.child(edge).is_some_and(|edge| edge.attribute("Approximate") == "true");
    let date = dates::between(from, to)?;
    Some(ListedDate { circa: about("Start") || about("End"), ..date })
}

pub(super) fn day(node: &Node) -> Option<ListedDate> {
    let part = |name: &str| node.text_of(name);
    let year = part("Year").parse().ok()?;
    dates::known(year, part("Month").parse().ok(), part("Day").parse().ok())
}
