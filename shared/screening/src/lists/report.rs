//! The result of reading a list: counts, skipped records and unreadable values.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::{Format, Refused};
use crate::entity::{Entity, NameKind};

/// Maximum number of skipped records, of distinct unreadable values, and of kinds of passed-over
/// records that a report lists. The totals of skipped records and unreadable values count all of
/// them.
const MAX_LISTED: usize = 1_000;

/// Maximum length of a name in characters. Real names are far shorter.
const MAX_NAME_CHARS: usize = 2_000;

/// Maximum length in characters of a text that a report quotes.
const MAX_QUOTE_CHARS: usize = 200;

/// Maximum length in characters of a record kind that a report names.
const MAX_KIND_CHARS: usize = 50;

/// A list is refused if more than 1 in this number of its records is bad, and at least
/// [`MIN_BAD_RECORDS`] are bad.
const BAD_RECORD_RATIO: u64 = 20;

/// Minimum number of bad records for which a list is refused, so that one or two bad records do not
/// make a short list unusable.
const MIN_BAD_RECORDS: u64 = 3;

/// The result of reading a list. The entities themselves are passed on while the list is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Format of the files.
    pub format: Format,
    /// Numbers of entities and of their parts.
    pub counts: Counts,
    /// Numbers of records that do not describe a party, by kind. Such records are left out on
    /// purpose.
    pub passed_over: BTreeMap<String, u64>,
    /// The first 1,000 records that could not be used, each with its position and the reason.
    pub skipped: Vec<SkippedRecord>,
    /// Number of all records that could not be used.
    pub skipped_total: u64,
    /// The first 1,000 distinct values that could not be read. The entities are kept without these
    /// values.
    pub unread: Vec<UnreadableValue>,
    /// Number of all values that could not be read.
    pub unread_total: u64,
    /// Publication date from the content of the files, exactly as written there.
    pub published: Option<String>,
}

/// Numbers of entities and of their parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Number of entities.
    pub entities: u64,
    /// Numbers of entities by [`EntityKind`](crate::entity::EntityKind).
    pub kinds: BTreeMap<&'static str, u64>,
    /// Numbers of names by [`NameKind`].
    pub names: BTreeMap<&'static str, u64>,
    /// Number of dates.
    pub dates: u64,
    /// Numbers of countries by [`CountryKind`](crate::entity::CountryKind).
    pub countries: BTreeMap<&'static str, u64>,
    /// Numbers of identifiers by kind, one of [`IDENTIFIER_KINDS`](super::IDENTIFIER_KINDS).
    pub identifiers: BTreeMap<String, u64>,
}

/// A record that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedRecord {
    /// Name of the file.
    pub file: String,
    /// Line on which the record begins, counted from 1.
    pub line: u64,
    /// Id of the record, if it could be read. At most 200 characters.
    pub record: Option<String>,
    /// Reason why the record could not be used.
    pub why: String,
}

/// A value that could not be read. Its entity is kept without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnreadableValue {
    /// Field for which the value was meant, such as `country` or `date`.
    pub field: &'static str,
    /// The value. At most 200 characters.
    pub text: String,
    /// Number of occurrences.
    pub times: u64,
    /// Name of the file with the first occurrence.
    pub file: String,
    /// Line on which the record with the first occurrence begins, counted from 1.
    pub line: u64,
}

/// Collects the results of a reader. A tally passes entities on, and counts skipped records and
/// unreadable values.
pub(super) struct Tally<'a> {
    report: Report,
    hand_over: &'a mut dyn FnMut(Entity),
    /// Hashes of the ids of all entities. Hashes are stored instead of ids to save memory: a hash
    /// takes 8 bytes, and a list can have millions of entities.
    seen_ids: HashSet<u64>,
    unread: BTreeMap<(&'static str, String), UnreadableValue>,
    /// File of the current record.
    file: String,
    /// Line on which the current record begins.
    line: u64,
    /// Number of records that describe a party, good and bad.
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
            seen_ids: HashSet::new(),
            unread: BTreeMap::new(),
            file: String::new(),
            line: 0,
            records: 0,
        }
    }

    /// Sets the position of the current record. All later calls refer to this record.
    pub(super) fn start_record(&mut self, file: &str, line: u64) {
        if self.file != file {
            file.clone_into(&mut self.file);
        }
        self.line = line;
    }

    /// Normalises an entity and passes it on. Reports damaged names and removes them. Skips the
    /// entity if no usable name is left or if its id was already used.
    pub(super) fn add(&mut self, mut entity: Entity) {
        for name in entity.names.iter().filter(|name| is_damaged(&name.text)) {
            self.note_unread("name", &name.text);
        }
        entity.names.retain(|name| !is_damaged(&name.text));
        normalise(&mut entity);
        if entity.names.is_empty() {
            return self.skip(Some(&entity.id), "the record has no name");
        }
        let mut hasher = DefaultHasher::new();
        entity.id.hash(&mut hasher);
        if !self.seen_ids.insert(hasher.finish()) {
            return self.skip(Some(&entity.id), "the record has the same id as an earlier record");
        }
        self.records += 1;
        self.report.counts.add(&entity);
        (self.hand_over)(entity);
    }

    /// Counts a good record that adds to another record instead of becoming an entity.
    pub(super) fn count_record(&mut self) {
        self.records += 1;
    }

    /// Counts and reports a bad record.
    pub(super) fn skip(&mut self, record: Option<&str>, reason: impl Into<String>) {
        self.records += 1;
        self.report.skipped_total += 1;
        if self.report.skipped.len() < MAX_LISTED {
            self.report.skipped.push(SkippedRecord {
                file: self.file.clone(),
                line: self.line,
                record: record.map(|id| truncate(id, MAX_QUOTE_CHARS)),
                why: reason.into(),
            });
        }
    }

    /// Counts and reports a value that could not be read.
    pub(super) fn note_unread(&mut self, field: &'static str, text: &str) {
        self.report.unread_total += 1;
        let text = truncate(text, MAX_QUOTE_CHARS);
        let key = (field, text.clone());
        if let Some(value) = self.unread.get_mut(&key) {
            value.times += 1;
        } else if self.unread.len() < MAX_LISTED {
            let (file, line) = (self.file.clone(), self.line);
            self.unread.insert(key, UnreadableValue { field, text, times: 1, file, line });
        }
    }

    /// Counts a record of a kind that does not describe a party.
    pub(super) fn pass_over(&mut self, kind: &str) {
        let kind = truncate(kind, MAX_KIND_CHARS);
        let passed_over = &mut self.report.passed_over;
        if passed_over.len() < MAX_LISTED || passed_over.contains_key(&kind) {
            *passed_over.entry(kind).or_default() += 1;
        }
    }

    /// Sets the publication date, unless an earlier record or file has set it.
    pub(super) fn set_published(&mut self, date: Option<String>) {
        self.report.published = self.report.published.take().or(date);
    }

    /// Returns the report. Refuses the list if too many of its records are bad, or if it has no
    /// entity. The error for a list without an entity names `first_file`.
    pub(super) fn finish(self, first_file: &str) -> Result<Report, Refused> {
        let mut report = self.report;
        report.unread = self.unread.into_values().collect();
        let bad = report.skipped_total;
        if let Some(first) = report.skipped.first()
            && bad >= MIN_BAD_RECORDS
            && bad.saturating_mul(BAD_RECORD_RATIO) > self.records
        {
            let reason = format!(
                "{bad} of {} records cannot be read; the limit is 1 in {BAD_RECORD_RATIO}. \
                 First fault: {}. Correct the file or download it again",
                self.records, first.why
            );
            return Err(Refused::new(&first.file, first.line, reason));
        }
        if report.counts.entities == 0 {
            let reason = match report.skipped.first() {
                Some(first) => format!(
                    "none of the records can be read. First fault, on line {}: {}. \
                     Correct the file or download it again",
                    first.line, first.why
                ),
                None => "the file has no entries; check that it is the right file".to_owned(),
            };
            return Err(Refused::new(first_file, None, reason));
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

/// Returns the first `max_chars` characters of `text`.
fn truncate(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}

/// Returns whether a name cannot be a real name: it has lost letters, is too long, or has neither
/// letters nor digits. Letters are lost if a list is published or copied in an encoding that does
/// not have them. A text that is too long was meant for another field.
fn is_damaged(name: &str) -> bool {
    let has_lost_letters = name.contains("??") || name.contains('\u{fffd}');
    let is_too_long = name.chars().nth(MAX_NAME_CHARS).is_some();
    let has_letters = name.chars().any(char::is_alphanumeric);
    !name.is_empty() && (has_lost_letters || is_too_long || !has_letters)
}

/// Sorts the names from strong to weak and makes the first one the only primary name. Removes empty
/// names and all duplicate values. The stronger of two equal names stays.
fn normalise(entity: &mut Entity) {
    entity.names.retain(|name| !name.text.is_empty());
    entity.names.sort_by_key(|name| rank(name.kind));
    for (place, name) in entity.names.iter_mut().enumerate() {
        match (place, name.kind) {
            (0, _) => name.kind = NameKind::Primary,
            (_, NameKind::Primary) => name.kind = NameKind::StrongAlias,
            _ => {}
        }
    }
    deduplicate(&mut entity.names, |name| name.text.clone());
    deduplicate(&mut entity.dates, |date| {
        (date.year, date.month, date.day, date.until_year, date.circa)
    });
    deduplicate(&mut entity.countries, |country| (country.code.clone(), country.kind));
    deduplicate(&mut entity.identifiers, |id| (id.kind.clone(), id.value.clone()));
    deduplicate(&mut entity.programs, String::clone);
}

/// Returns the rank of a kind of name. The strongest kind has rank 0.
fn rank(kind: NameKind) -> u8 {
    match kind {
        NameKind::Primary => 0,
        NameKind::StrongAlias => 1,
        NameKind::Former => 2,
        NameKind::WeakAlias => 3,
    }
}

/// Removes all but the first of the values with the same key.
fn deduplicate<T, K: Eq + Hash>(values: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut seen = HashSet::new();
    values.retain(|value| seen.insert(key(value)));
}
