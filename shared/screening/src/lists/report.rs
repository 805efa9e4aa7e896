//! What a reading came to: what was handed over, what was left out, and what could not be read.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::{Format, Refused};
use crate::entity::{Entity, NameKind};

/// How many of a kind are listed one by one; the totals count on.
const LISTED: usize = 1_000;

/// In characters; longer than any name there is.
const MAX_NAME: usize = 2_000;

/// A file one record in so many of which is bad is refused.
const ONE_IN: u64 = 20;

/// Fewer bad records than this never refuse a file.
const TOLERATED: u64 = 3;

/// What came out of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub format: Format,
    pub counts: Counts,
    /// Records of kinds that name nobody, by kind: left out on purpose.
    pub passed_over: BTreeMap<String, u64>,
    /// The first thousand records left out, with their place and reason.
    pub skipped: Vec<Skipped>,
    pub skipped_total: u64,
    /// The first thousand values that no field could take; their entries are there without them.
    pub unread: Vec<Unread>,
    pub unread_total: u64,
    /// The date that the files themselves state, as they write it.
    pub published: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub entities: u64,
    /// By kind of entity.
    pub kinds: BTreeMap<&'static str, u64>,
    /// By kind of name.
    pub names: BTreeMap<&'static str, u64>,
    pub dates: u64,
    /// By kind of relation.
    pub countries: BTreeMap<&'static str, u64>,
    /// By kind of identifier.
    pub identifiers: BTreeMap<String, u64>,
}

/// A record that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub file: String,
    pub line: u64,
    /// Its id, as far as it was read.
    pub record: Option<String>,
    pub why: String,
}

/// A value that no field could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Of what: `country`, `date`, …
    pub field: &'static str,
    pub text: String,
    pub times: u64,
    /// Of its first time: the file and the line on which the record begins.
    pub file: String,
    pub line: u64,
}

/// The one door through which readers hand over, skip and note.
pub(super) struct Tally<'a> {
    report: Report,
    hand_over: &'a mut dyn FnMut(Entity),
    /// Hashes of ids: 8 bytes for each of millions.
    seen: HashSet<u64>,
    unread: BTreeMap<(&'static str, String), Unread>,
    /// Where the current record stands.
    file: String,
    line: u64,
    /// Records that tell of an entity, good and bad.
    records: u64,
}

impl<'a> Tally<'a> {
    pub(super) fn new(format: Format, hand_over: &'a mut dyn FnMut(Entity)) -> Tally<'a> {
        let report = Report {
            format,
            counts: Counts::default(),
            passed_over: BTreeMap::new(),
            skipped: Vec::new(),
            skipped_total: 0,
            unread: Vec::new(),
            unread_total: 0,
            published: None,
        };
        Tally {
            report,
            hand_over,
            seen: HashSet::new(),
            unread: BTreeMap::new(),
            file: String::new(),
            line: 0,
            records: 0,
        }
    }

    /// What follows is about the record that begins here.
    pub(super) fn at(&mut self, file: &str, line: u64) {
        if self.file != file {
            file.clone_into(&mut self.file);
        }
        self.line = line;
    }

    pub(super) fn entity(&mut self, mut entity: Entity) {
        for name in entity.names.iter().filter(|name| damaged(&name.text)) {
            self.unread("name", &name.text);
        }
        entity.names.retain(|name| !damaged(&name.text));
        tidy(&mut entity);
        if entity.names.is_empty() {
            return self.skip(Some(&entity.id), "has no name");
        }
        let mut hasher = DefaultHasher::new();
        entity.id.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return self.skip(Some(&entity.id), "has the id of an earlier record");
        }
        self.records += 1;
        self.report.counts.add(&entity);
        (self.hand_over)(entity);
    }

    /// A record that told of nothing new and nothing wrong.
    pub(super) fn record(&mut self) {
        self.records += 1;
    }

    pub(super) fn skip(&mut self, record: Option<&str>, why: impl Into<String>) {
        self.records += 1;
        self.report.skipped_total += 1;
        if self.report.skipped.len() < LISTED {
            let shorten = |text: &str| text.chars().take(200).collect();
            self.report.skipped.push(Skipped {
                file: self.file.clone(),
                line: self.line,
                record: record.map(shorten),
                why: why.into(),
            });
        }
    }

    pub(super) fn unread(&mut self, field: &'static str, text: &str) {
        self.report.unread_total += 1;
        let text: String = text.chars().take(200).collect();
        let value = (field, text.clone());
        if let Some(unread) = self.unread.get_mut(&value) {
            unread.times += 1;
        } else if self.unread.len() < LISTED {
            let (file, line) = (self.file.clone(), self.line);
            self.unread.insert(value, Unread { field, text, times: 1, file, line });
        }
    }

    pub(super) fn pass_over(&mut self, kind: &str) {
        let kind: String = kind.chars().take(50).collect();
        if self.report.passed_over.len() < LISTED || self.report.passed_over.contains_key(&kind) {
            *self.report.passed_over.entry(kind).or_default() += 1;
        }
    }

    /// The first date wins: OFAC's and the UN's stand in the first file.
    pub(super) fn published(&mut self, date: Option<String>) {
        self.report.published = self.report.published.take().or(date);
    }

    pub(super) fn finish(self, file: &str) -> Result<Report, Refused> {
        let mut report = self.report;
        report.unread = self.unread.into_values().collect();
        let bad = report.skipped_total;
        if let Some(first) = report.skipped.first()
            && bad >= TOLERATED
            && bad.saturating_mul(ONE_IN) > self.records
        {
            let why = format!(
                "{bad} of {} records can't be read; the first, line {}: {}",
                self.records, first.line, first.why
            );
            return Err(Refused::new(&first.file, first.line, why));
        }
        if report.counts.entities == 0 {
            let first = report.skipped.first();
            let why = first.map_or_else(
                || "has no entry".to_owned(),
                |first| {
                    format!("has no entry that can be read; line {}: {}", first.line, first.why)
                },
            );
            return Err(Refused::new(file, None, why));
        }
        Ok(report)
    }
}

impl Counts {
    fn add(&mut self, entity: &Entity) {
        self.entities += 1;
        *self.kinds.entry(entity.kind.into_str()).or_default() += 1;
        for name in &entity.names {
            *self.names.entry(name.kind.into_str()).or_default() += 1;
        }
        self.dates += entity.dates.len() as u64;
        for country in &entity.countries {
            *self.countries.entry(country.kind.into_str()).or_default() += 1;
        }
        for identifier in &entity.identifiers {
            *self.identifiers.entry(identifier.kind.clone()).or_default() += 1;
        }
    }
}

/// Whether a name has lost its letters (published, or copied, in an encoding without them), or is
/// another field that slipped.
fn damaged(name: &str) -> bool {
    let lost = name.contains("??") || name.contains('\u{fffd}');
    let long = name.chars().nth(MAX_NAME).is_some();
    !name.is_empty() && (lost || long || !name.chars().any(char::is_alphanumeric))
}

/// What every entity keeps: one primary name, first; nothing twice, the stronger kind of name
/// wins.
fn tidy(entity: &mut Entity) {
    let rank = |kind: NameKind| match kind {
        NameKind::Primary => 0,
        NameKind::StrongAlias => 1,
        NameKind::Former => 2,
        NameKind::WeakAlias => 3,
    };
    entity.names.retain(|name| !name.text.is_empty());
    entity.names.sort_by_key(|name| rank(name.kind));
    for (place, name) in entity.names.iter_mut().enumerate() {
        match (place, name.kind) {
            (0, _) => name.kind = NameKind::Primary,
            (_, NameKind::Primary) => name.kind = NameKind::StrongAlias,
            _ => {}
        }
    }
    let mut seen = HashSet::new();
    entity.names.retain(|name| seen.insert(name.text.clone()));
    let mut seen = HashSet::new();
    entity
        .dates
        .retain(|date| seen.insert((date.year, date.month, date.day, date.until_year, date.circa)));
    let mut seen = HashSet::new();
    entity.countries.retain(|country| seen.insert((country.code.clone(), country.kind)));
    let mut seen = HashSet::new();
    entity.identifiers.retain(|id| seen.insert((id.kind.clone(), id.value.clone())));
    let mut seen = HashSet::new();
    entity.programs.retain(|program| seen.insert(program.clone()));
}
