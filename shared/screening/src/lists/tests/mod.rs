//! Lists that we made up, read field by field; then the same lists cut, damaged and made hostile.

mod hostile;
mod ofac;
mod official;
mod own;

use std::io::{BufReader, Cursor};

use super::*;
use crate::entity::ListedDate;

const SDN: &[u8] = include_bytes!("../fixtures/sdn.csv");
const ALT: &[u8] = include_bytes!("../fixtures/alt.csv");
const ADD: &[u8] = include_bytes!("../fixtures/add.csv");
const COMMENTS: &[u8] = include_bytes!("../fixtures/sdn_comments.csv");
const ADVANCED: &[u8] = include_bytes!("../fixtures/sdn_advanced.xml");
const UN: &[u8] = include_bytes!("../fixtures/un.xml");
const EU: &[u8] = include_bytes!("../fixtures/eu.xml");
const EU_CSV: &[u8] = include_bytes!("../fixtures/eu.csv");
const EU_2018: &[u8] = include_bytes!("../fixtures/eu_2018.csv");
const UK: &[u8] = include_bytes!("../fixtures/uk.csv");
const FTM: &[u8] = include_bytes!("../fixtures/ftm.json");
const PLAIN: &[u8] = include_bytes!("../fixtures/plain.csv");

const ALL: &[&[u8]] = &[SDN, ALT, ADD, COMMENTS, ADVANCED, UN, EU, EU_CSV, EU_2018, UK, FTM, PLAIN];

/// Reads files, a few bytes at a time so that nothing depends on where a buffer ends.
fn read_files(files: &[&[u8]]) -> Result<(Vec<Entity>, Report), Refused> {
    let mut entities = Vec::new();
    let inputs = files.iter().map(|bytes| Input {
        name: "list",
        read: Box::new(BufReader::with_capacity(61, Cursor::new(bytes.to_vec()))),
    });
    let report = read(inputs.collect(), &mut |entity| entities.push(entity))?;
    assert_eq!(report.counts.entities, entities.len() as u64);
    Ok((entities, report))
}

fn refused(files: &[&[u8]]) -> String {
    match read_files(files) {
        Ok((entities, report)) => panic!("{} entities were read: {report:?}", entities.len()),
        Err(refused) => refused.to_string(),
    }
}

fn entity<'e>(entities: &'e [Entity], id: &str) -> &'e Entity {
    entities.iter().find(|entity| entity.id == id).unwrap_or_else(|| panic!("no entity {id}"))
}

fn names(entity: &Entity) -> Vec<String> {
    entity.names.iter().map(|name| format!("{}: {}", name.kind.into_str(), name.text)).collect()
}

/// Given and family of the primary name.
fn parts(entity: &Entity) -> (Option<&str>, Option<&str>) {
    let primary = &entity.names[0];
    (primary.given.as_deref(), primary.family.as_deref())
}

fn dates(entity: &Entity) -> String {
    let text = |date: &ListedDate| {
        let mut text = if date.circa { "~".to_owned() } else { String::new() };
        text += &date.year.to_string();
        for part in [date.month, date.day].into_iter().flatten() {
            text += &format!("-{part:02}");
        }
        date.until_year.map_or(text.clone(), |until| format!("{text}..{until}"))
    };
    entity.dates.iter().map(text).collect::<Vec<_>>().join(" ")
}

fn lands(entity: &Entity) -> String {
    let text = |country: &crate::entity::ListedCountry| {
        format!("{}:{}", country.kind.into_str(), country.code)
    };
    entity.countries.iter().map(text).collect::<Vec<_>>().join(" ")
}

fn ids(entity: &Entity) -> Vec<String> {
    let text = |id: &crate::entity::Identifier| {
        let country = id.country.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{}:{}{country}", id.kind, id.value)
    };
    entity.identifiers.iter().map(text).collect()
}

fn remarks(entity: &Entity) -> &str {
    entity.remarks.as_deref().unwrap_or_default()
}

fn unread(report: &Report) -> Vec<(&str, &str, u64)> {
    report.unread.iter().map(|unread| (unread.field, unread.text.as_str(), unread.line)).collect()
}

fn skipped(report: &Report) -> Vec<(u64, &str, &str)> {
    let skipped = report.skipped.iter();
    skipped.map(|s| (s.line, s.record.as_deref().unwrap_or_default(), s.why.as_str())).collect()
}
