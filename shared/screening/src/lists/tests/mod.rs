//! Tests the readers with fictional lists, one per format. Each list is read and compared field by
//! field. The same lists are then cut off, damaged and extended with hostile content.

mod hostile;
mod ofac;
mod official;
mod own;

use std::io::{BufReader, Cursor};

use super::*;
use crate::entity::{Identifier, ListedCountry, ListedDate};

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

/// Reads files with a small buffer, so that records cross the ends of buffers.
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

/// Reads files that must be refused and returns the error text.
fn refusal(files: &[&[u8]]) -> String {
    match read_files(files) {
        Ok((entities, report)) => panic!("{} entities were read: {report:?}", entities.len()),
        Err(error) => error.to_string(),
    }
}

fn entity<'e>(entities: &'e [Entity], id: &str) -> &'e Entity {
    entities.iter().find(|entity| entity.id == id).unwrap_or_else(|| panic!("no entity {id}"))
}

fn names(entity: &Entity) -> Vec<String> {
    entity.names.iter().map(|name| format!("{}: {}", name.kind.into_str(), name.text)).collect()
}

/// Returns the given name and the family name of the primary name.
fn name_parts(entity: &Entity) -> (Option<&str>, Option<&str>) {
    let primary = &entity.names[0];
    (primary.given.as_deref(), primary.family.as_deref())
}

/// Returns the dates in a short form such as `1954-10-07 ~1950 1941..1943`.
fn dates(entity: &Entity) -> String {
    entity.dates.iter().map(date).collect::<Vec<_>>().join(" ")
}

fn date(date: &ListedDate) -> String {
    let mut text = if date.circa { "~".to_owned() } else { String::new() };
    text += &date.year.to_string();
    for part in [date.month, date.day].into_iter().flatten() {
        text += &format!("-{part:02}");
    }
    if let Some(until) = date.until_year {
        text += &format!("..{until}");
    }
    text
}

/// Returns the countries in the form `birth:CD nationality:KP`.
fn countries(entity: &Entity) -> String {
    let text = |country: &ListedCountry| format!("{}:{}", country.kind.into_str(), country.code);
    entity.countries.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// Returns the identifiers in the form `passport:X7712345 (IR)`.
fn identifiers(entity: &Entity) -> Vec<String> {
    let text = |id: &Identifier| match &id.country {
        Some(country) => format!("{}:{} ({country})", id.kind, id.value),
        None => format!("{}:{}", id.kind, id.value),
    };
    entity.identifiers.iter().map(text).collect()
}

fn remarks(entity: &Entity) -> &str {
    entity.remarks.as_deref().unwrap_or_default()
}

/// Returns the unreadable values as (field, text, line).
fn unread_values(report: &Report) -> Vec<(&str, &str, u64)> {
    report.unread.iter().map(|value| (value.field, value.text.as_str(), value.line)).collect()
}

/// Returns the skipped records as (line, id, reason).
fn skipped_records(report: &Report) -> Vec<(u64, &str, &str)> {
    report
        .skipped
        .iter()
        .map(|skipped| {
            let id = skipped.record.as_deref().unwrap_or_default();
            (skipped.line, id, skipped.why.as_str())
        })
        .collect()
}
