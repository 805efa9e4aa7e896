//! Compares all fields other than the names, such as dates and countries.
//!
//! An equal date or country moves the score towards 1, an equal identifier raises it to at least
//! 0.95, and a contradiction in any field reduces it by a share. A missing value does not change
//! the score and is reported as not compared.

use serde::Serialize;

use crate::entity::{Entity, EntityKind, Gender, Identifier, ListedDate};

/// The fields of a query other than the name.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueryContext<'a> {
    /// Kind of party or object.
    pub kind: Option<EntityKind>,
    /// Date of birth, founding or construction.
    pub date: Option<ListedDate>,
    /// ISO 3166-1 alpha-2 codes of related countries.
    pub countries: &'a [&'a str],
    /// Numbers of documents and registers.
    pub identifiers: &'a [Identifier],
    /// Gender.
    pub gender: Option<Gender>,
}

impl QueryContext<'_> {
    /// Returns whether the context has neither a date nor countries, identifiers or a gender. The
    /// kind does not matter here, because an equal kind does not raise a score.
    fn cannot_raise(&self) -> bool {
        self.date.is_none()
            && self.countries.is_empty()
            && self.identifiers.is_empty()
            && self.gender.is_none()
    }
}

/// A field that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ComparedField {
    /// Kind of party or object.
    Kind,
    /// Date of birth, founding or construction.
    Date,
    /// Related countries.
    Country,
    /// Numbers of documents and registers.
    Identifier,
    /// Gender.
    Gender,
}

/// The result of one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The values cannot be compared, for example because one side has none.
    NotCompared,
    /// The values agree.
    Equal,
    /// The values differ, but a typing mistake or imprecision can explain the difference.
    Near,
    /// The values contradict each other.
    Different,
}

/// The comparison of one field, with the values that were compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The field that was compared. Serialized as `of`.
    #[serde(rename = "of")]
    pub field: ComparedField,
    /// Result of the comparison.
    pub outcome: Outcome,
    /// Values of the query.
    pub query: Vec<String>,
    /// Values of the listed entry.
    pub listed: Vec<String>,
}

/// The evidence that a match is based on, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// An identifier agrees.
    Identifier,
    /// The names are similar and the date agrees.
    NameAndDate,
    /// The names are similar and a country agrees.
    NameAndCountry,
    /// Only the names are similar.
    NameOnly,
}

/// Effect of a comparison on a score. Each number is a share from 0 to 1.
struct Effect {
    /// Share of the distance to 1 that the score gains if the values agree.
    equal: f32,
    /// Share of the distance to 1 that the score gains if the values nearly agree.
    near: f32,
    /// Share of the score that is lost if the values contradict each other.
    different: f32,
}

const KIND: Effect = Effect { equal: 0.0, near: 0.0, different: 0.15 };
const DATE: Effect = Effect { equal: 0.2, near: 0.0, different: 0.2 };
const COUNTRY: Effect = Effect { equal: 0.08, near: 0.0, different: 0.08 };
const GENDER: Effect = Effect { equal: 0.0, near: 0.0, different: 0.15 };
/// A different number of the same kind of document has little effect, because people renew
/// passports.
const IDENTIFIER: Effect = Effect { equal: 0.0, near: 0.0, different: 0.08 };
/// Minimum score of an entry with an equal identifier, regardless of the names.
const EQUAL_IDENTIFIER: f32 = 0.95;

impl ComparedField {
    fn effect(self) -> Effect {
        match self {
            ComparedField::Kind => KIND,
            ComparedField::Date => DATE,
            ComparedField::Country => COUNTRY,
            ComparedField::Identifier => IDENTIFIER,
            ComparedField::Gender => GENDER,
        }
    }
}

/// Compares a query with an entry in all fields other than the name. Returns one comparison per
/// field, in the order of the variants of [`ComparedField`].
pub fn compare(query: &QueryContext<'_>, entity: &Entity) -> Vec<Comparison> {
    vec![
        compare_kind(query, entity),
        compare_date(query, entity),
        compare_country(query, entity),
        compare_identifier(query, entity),
        compare_gender(query, entity),
    ]
}

/// Applies comparisons to the score of the names. Returns the final score, from 0 to 1, and the
/// evidence that the score is based on.
pub fn in_context(name_score: f32, comparisons: &[Comparison]) -> (f32, Strength) {
    let mut score = name_score;
    let mut strength = Strength::NameOnly;
    let mut floor = 0.0;
    for comparison in comparisons {
        let effect = comparison.field.effect();
        score = match comparison.outcome {
            Outcome::NotCompared => score,
            Outcome::Equal => score + (1.0 - score) * effect.equal,
            Outcome::Near => score + (1.0 - score) * effect.near,
            Outcome::Different => score * (1.0 - effect.different),
        };
        if comparison.outcome == Outcome::Equal {
            strength = match (comparison.field, strength) {
                (ComparedField::Identifier, _) => {
                    floor = EQUAL_IDENTIFIER;
                    Strength::Identifier
                }
                (ComparedField::Date, Strength::NameOnly | Strength::NameAndCountry) => {
                    Strength::NameAndDate
                }
                (ComparedField::Country, Strength::NameOnly) => Strength::NameAndCountry,
                (_, strength) => strength,
            };
        }
    }
    (score.clamp(floor, 1.0), strength)
}

/// Returns the lowest score of the names that the context of a query could still raise to
/// `min_score`. An equal date and an equal country leave `(1 - 0.2) * (1 - 0.08)` of the distance
/// between the score and 1. Equal identifiers are not considered here, because the index finds
/// their entries without the names.
pub fn min_name_score(min_score: f32, query: &QueryContext<'_>) -> f32 {
    if query.cannot_raise() {
        return min_score;
    }
    let remaining_distance = (1.0 - DATE.equal) * (1.0 - COUNTRY.equal);
    1.0 - (1.0 - min_score) / remaining_distance
}

fn compare_kind(query: &QueryContext<'_>, entity: &Entity) -> Comparison {
    let known = |kind: EntityKind| (kind != EntityKind::Unknown).then_some(kind);
    let (kind, listed) = (query.kind.and_then(known), known(entity.kind));
    let outcome = compare_options(kind, listed);
    let word = |kind: Option<EntityKind>| kind.map(|kind| kind.into_str().to_owned());
    Comparison {
        field: ComparedField::Kind,
        outcome,
        query: word(kind).into_iter().collect(),
        listed: word(listed).into_iter().collect(),
    }
}

fn compare_options<T: PartialEq>(query: Option<T>, listed: Option<T>) -> Outcome {
    match query.zip(listed) {
        Some((query, listed)) if query == listed => Outcome::Equal,
        Some(_) => Outcome::Different,
        None => Outcome::NotCompared,
    }
}

fn compare_date(query: &QueryContext<'_>, entity: &Entity) -> Comparison {
    let outcomes = query
        .date
        .iter()
        .flat_map(|date| entity.dates.iter().map(move |listed| compare_dates(date, listed)));
    Comparison {
        field: ComparedField::Date,
        outcome: most_favourable(outcomes),
        query: query.date.iter().map(format_date).collect(),
        listed: entity.dates.iter().map(format_date).collect(),
    }
}

fn compare_dates(a: &ListedDate, b: &ListedDate) -> Outcome {
    let ((from_a, to_a), (from_b, to_b)) = (years(a), years(b));
    let years_apart = (from_a - to_b).max(from_b - to_a);
    if years_apart > 1 {
        return Outcome::Different;
    }
    if years_apart == 1 {
        return Outcome::Near;
    }
    let is_range = a.circa || b.circa || a.until_year.is_some() || b.until_year.is_some();
    if is_range {
        return Outcome::Equal;
    }
    match (a.month.zip(a.day), b.month.zip(b.day)) {
        (Some(a), Some(b)) if a == b => Outcome::Equal,
        // Day and month may be swapped.
        (Some((month, day)), Some(b)) if (day, month) == b => Outcome::Near,
        // The year and either the month or the day agree.
        (Some(a), Some(b)) if a.0 == b.0 || a.1 == b.1 => Outcome::Near,
        (Some(_), Some(_)) => Outcome::Different,
        _ if a.month.zip(b.month).is_some_and(|(a, b)| a != b) => Outcome::Near,
        _ => Outcome::Equal,
    }
}

/// Returns the first and the last year that a date can mean. An approximate date extends two years
/// in both directions.
fn years(date: &ListedDate) -> (i32, i32) {
    let (from, to) = (i32::from(date.year), i32::from(date.until_year.unwrap_or(date.year)));
    if date.circa { (from - 2, to + 2) } else { (from, to) }
}

/// ISO 3166 codes of countries that were dissolved. A party that is listed under such a country may
/// belong to any of its successor countries.
const FORMER_COUNTRIES: [&str; 5] = ["SU", "YU", "CS", "DD", "AN"];

fn compare_country(query: &QueryContext<'_>, entity: &Entity) -> Comparison {
    let is_listed =
        |code: &str| entity.countries.iter().any(|listed| listed.code.eq_ignore_ascii_case(code));
    let has_former_country =
        entity.countries.iter().any(|listed| FORMER_COUNTRIES.contains(&listed.code.as_str()));
    let outcome = if query.countries.is_empty() || entity.countries.is_empty() {
        Outcome::NotCompared
    } else if query.countries.iter().any(|code| is_listed(code)) {
        Outcome::Equal
    } else if has_former_country {
        Outcome::NotCompared
    } else {
        Outcome::Different
    };
    Comparison {
        field: ComparedField::Country,
        outcome,
        query: query.countries.iter().map(|code| (*code).to_owned()).collect(),
        listed: entity.countries.iter().map(|listed| listed.code.clone()).collect(),
    }
}

fn compare_gender(query: &QueryContext<'_>, entity: &Entity) -> Comparison {
    let outcome = compare_options(query.gender, entity.gender);
    let word = |gender: Option<Gender>| gender.map(|gender| gender.into_str().to_owned());
    Comparison {
        field: ComparedField::Gender,
        outcome,
        query: word(query.gender).into_iter().collect(),
        listed: word(entity.gender).into_iter().collect(),
    }
}

fn compare_identifier(query: &QueryContext<'_>, entity: &Entity) -> Comparison {
    let outcomes = query.identifiers.iter().flat_map(|it| {
        entity.identifiers.iter().map(move |listed| compare_identifiers(it, listed))
    });
    let format_all = |identifiers: &[Identifier]| {
        identifiers.iter().map(|one| format!("{} {}", one.kind, one.value)).collect()
    };
    Comparison {
        field: ComparedField::Identifier,
        outcome: most_favourable(outcomes),
        query: format_all(query.identifiers),
        listed: format_all(&entity.identifiers),
    }
}

fn compare_identifiers(a: &Identifier, b: &Identifier) -> Outcome {
    let countries = a.country.as_deref().zip(b.country.as_deref());
    let has_other_issuer = countries.is_some_and(|(a, b)| !a.eq_ignore_ascii_case(b));
    let same_kind = a.kind == b.kind;
    let unstated_kind = a.kind == "other" || b.kind == "other";
    if !(same_kind || unstated_kind) || has_other_issuer || is_contact(a) || is_contact(b) {
        return Outcome::NotCompared;
    }
    let (value_a, value_b) = (bare(&a.value), bare(&b.value));
    let is_vague = unstated_kind || countries.is_none();
    let min_length = if is_vague { MIN_VAGUE_LENGTH } else { MIN_LENGTH };
    if value_a.len() >= min_length && value_a == value_b {
        Outcome::Equal
    } else if same_kind && countries.is_some() {
        Outcome::Different
    } else {
        Outcome::NotCompared
    }
}

/// Returns whether an identifier is a contact detail, which several parties can share.
fn is_contact(identifier: &Identifier) -> bool {
    matches!(identifier.kind.as_str(), "phone" | "email" | "website")
}

/// Minimum length of an identifier that is evidence, in bytes of its letters and digits. Shorter
/// identifiers of different parties can be equal by chance.
const MIN_LENGTH: usize = 5;
/// Minimum length, in the same unit, if the kind of either identifier is `other` or if either has
/// no issuing country.
const MIN_VAGUE_LENGTH: usize = 7;

/// Returns the first 200 letters and digits of an identifier in upper case.
pub(crate) fn bare(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).take(200).collect()
}

/// Returns the most favourable of several outcomes, since a list can give several possible dates of
/// birth for one party. Returns [`Outcome::NotCompared`] if there are no outcomes.
fn most_favourable(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::NotCompared => 0,
        Outcome::Different => 1,
        Outcome::Near => 2,
        Outcome::Equal => 3,
    };
    outcomes.max_by_key(rank).unwrap_or(Outcome::NotCompared)
}

fn format_date(date: &ListedDate) -> String {
    let mut text = if date.circa { "about ".to_owned() } else { String::new() };
    text.push_str(&format!("{:04}", date.year));
    if let Some(month) = date.month {
        text.push_str(&format!("-{month:02}"));
        if let Some(day) = date.day {
            text.push_str(&format!("-{day:02}"));
        }
    }
    if let Some(until) = date.until_year {
        text.push_str(&format!(" to {until:04}"));
    }
    text
}
