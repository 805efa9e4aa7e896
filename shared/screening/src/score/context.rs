//! What else is known of both sides. A missing value says nothing and is reported as such;
//! agreement moves the score towards 1, contradiction takes a share of it away.

use serde::Serialize;

use crate::entity::{Entity, EntityKind, Gender, Identifier, ListedDate};

/// What a query knows besides the name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Circumstances<'a> {
    pub kind: Option<EntityKind>,
    /// Of birth, of founding or of building.
    pub date: Option<ListedDate>,
    /// ISO 3166-1 alpha-2.
    pub countries: &'a [&'a str],
    pub identifiers: &'a [Identifier],
    pub gender: Option<Gender>,
}

impl Circumstances<'_> {
    fn is_empty(&self) -> bool {
        self.date.is_none()
            && self.countries.is_empty()
            && self.identifiers.is_empty()
            && self.gender.is_none()
    }
}

/// How one comparison came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// One side or both don't say.
    NotCompared,
    Equal,
    /// Not the same, but explained by a slip or by imprecision.
    Near,
    Different,
}

/// One comparison, with both values as they were compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// `kind`, `date`, `country`, `identifier` or `gender`.
    pub of: &'static str,
    pub outcome: Outcome,
    pub query: Vec<String>,
    pub listed: Vec<String>,
}

/// What a match rests on, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    Identifier,
    NameAndDate,
    NameAndCountry,
    NameOnly,
}

/// How far agreement moves a score towards 1, and what share of it contradiction takes.
struct Effect {
    equal: f32,
    near: f32,
    different: f32,
}

const KIND: Effect = Effect { equal: 0.0, near: 0.0, different: 0.15 };
const DATE: Effect = Effect { equal: 0.2, near: 0.0, different: 0.2 };
const COUNTRY: Effect = Effect { equal: 0.08, near: 0.0, different: 0.08 };
const GENDER: Effect = Effect { equal: 0.0, near: 0.0, different: 0.15 };
/// Another number of the same document: people renew passports.
const IDENTIFIER: Effect = Effect { equal: 0.0, near: 0.0, different: 0.08 };
/// What an equal identifier is worth, whatever the name.
const SAME_IDENTIFIER: f32 = 0.95;

/// All comparisons of a query with an entry, in a fixed order.
pub fn compare(query: &Circumstances<'_>, entity: &Entity) -> Vec<Comparison> {
    vec![
        kind(query, entity),
        date(query, entity),
        country(query, entity),
        identifier(query, entity),
        gender(query, entity),
    ]
}

/// The score of a name with its comparisons, and what it rests on.
pub fn in_context(name: f32, comparisons: &[Comparison]) -> (f32, Strength) {
    let mut score = name;
    let mut strength = Strength::NameOnly;
    let mut floor = 0.0;
    for comparison in comparisons {
        let effect = match comparison.of {
            "kind" => KIND,
            "date" => DATE,
            "country" => COUNTRY,
            "gender" => GENDER,
            _ => IDENTIFIER,
        };
        score = match comparison.outcome {
            Outcome::NotCompared => score,
            Outcome::Equal => score + (1.0 - score) * effect.equal,
            Outcome::Near => score + (1.0 - score) * effect.near,
            Outcome::Different => score * (1.0 - effect.different),
        };
        if comparison.outcome == Outcome::Equal {
            strength = match (comparison.of, strength) {
                ("identifier", _) => {
                    floor = SAME_IDENTIFIER;
                    Strength::Identifier
                }
                ("date", Strength::NameOnly | Strength::NameAndCountry) => Strength::NameAndDate,
                ("country", Strength::NameOnly) => Strength::NameAndCountry,
                (_, strength) => strength,
            };
        }
    }
    (score.clamp(floor, 1.0), strength)
}

/// The least score of a name that the context could still lift to `least`.
pub fn least_name_score(least: f32, query: &Circumstances<'_>) -> f32 {
    if query.is_empty() {
        return least;
    }
    let kept = (1.0 - DATE.equal) * (1.0 - COUNTRY.equal);
    1.0 - (1.0 - least) / kept
}

fn kind(query: &Circumstances<'_>, entity: &Entity) -> Comparison {
    let told = |kind: EntityKind| (kind != EntityKind::Unknown).then_some(kind);
    let (asked, listed) = (query.kind.and_then(told), told(entity.kind));
    let outcome = match (asked, listed) {
        (Some(asked), Some(listed)) if asked == listed => Outcome::Equal,
        (Some(_), Some(_)) => Outcome::Different,
        _ => Outcome::NotCompared,
    };
    let word = |kind: Option<EntityKind>| kind.map(|kind| kind.into_str().to_owned());
    Comparison {
        of: "kind",
        outcome,
        query: word(asked).into_iter().collect(),
        listed: word(listed).into_iter().collect(),
    }
}

fn date(query: &Circumstances<'_>, entity: &Entity) -> Comparison {
    let outcomes = query
        .date
        .iter()
        .flat_map(|asked| entity.dates.iter().map(|listed| one_date(asked, listed)));
    Comparison {
        of: "date",
        outcome: best(outcomes),
        query: query.date.iter().map(written).collect(),
        listed: entity.dates.iter().map(written).collect(),
    }
}

fn one_date(a: &ListedDate, b: &ListedDate) -> Outcome {
    let years = |date: &ListedDate| {
        let (from, to) = (i32::from(date.year), i32::from(date.until_year.unwrap_or(date.year)));
        if date.circa { (from - 2, to + 2) } else { (from, to) }
    };
    let ((from_a, to_a), (from_b, to_b)) = (years(a), years(b));
    let apart = (from_a - to_b).max(from_b - to_a);
    let ranged = a.circa || b.circa || a.until_year.is_some() || b.until_year.is_some();
    if apart > 1 {
        return Outcome::Different;
    }
    if apart == 1 {
        return Outcome::Near;
    }
    if ranged {
        return Outcome::Equal;
    }
    match (a.month.zip(a.day), b.month.zip(b.day)) {
        (Some(a), Some(b)) if a == b => Outcome::Equal,
        (Some((month, day)), Some(b)) if (day, month) == b => Outcome::Near,
        // The year and one of both: a slip.
        (Some(a), Some(b)) if a.0 == b.0 || a.1 == b.1 => Outcome::Near,
        (Some(_), Some(_)) => Outcome::Different,
        _ if a.month.zip(b.month).is_some_and(|(a, b)| a != b) => Outcome::Near,
        _ => Outcome::Equal,
    }
}

fn country(query: &Circumstances<'_>, entity: &Entity) -> Comparison {
    let same =
        |code: &str| entity.countries.iter().any(|listed| listed.code.eq_ignore_ascii_case(code));
    // Who is listed with a country that is no more is of one of those that came after it.
    let gone = ["SU", "YU", "CS", "DD", "AN"];
    let was = entity.countries.iter().any(|listed| gone.contains(&listed.code.as_str()));
    let outcome = if query.countries.is_empty() || entity.countries.is_empty() {
        Outcome::NotCompared
    } else if query.countries.iter().any(|code| same(code)) {
        Outcome::Equal
    } else if was {
        Outcome::NotCompared
    } else {
        Outcome::Different
    };
    Comparison {
        of: "country",
        outcome,
        query: query.countries.iter().map(|code| (*code).to_owned()).collect(),
        listed: entity.countries.iter().map(|listed| listed.code.clone()).collect(),
    }
}

fn gender(query: &Circumstances<'_>, entity: &Entity) -> Comparison {
    let outcome = match (query.gender, entity.gender) {
        (Some(asked), Some(listed)) if asked == listed => Outcome::Equal,
        (Some(_), Some(_)) => Outcome::Different,
        _ => Outcome::NotCompared,
    };
    let word = |gender: Option<Gender>| gender.map(|gender| gender.into_str().to_owned());
    Comparison {
        of: "gender",
        outcome,
        query: word(query.gender).into_iter().collect(),
        listed: word(entity.gender).into_iter().collect(),
    }
}

fn identifier(query: &Circumstances<'_>, entity: &Entity) -> Comparison {
    let outcomes = query
        .identifiers
        .iter()
        .flat_map(|asked| entity.identifiers.iter().map(|listed| one_identifier(asked, listed)));
    let written = |identifiers: &[Identifier]| {
        identifiers.iter().map(|one| format!("{} {}", one.kind, one.value)).collect()
    };
    Comparison {
        of: "identifier",
        outcome: best(outcomes),
        query: written(query.identifiers),
        listed: written(&entity.identifiers),
    }
}

fn one_identifier(a: &Identifier, b: &Identifier) -> Outcome {
    let country = a.country.as_deref().zip(b.country.as_deref());
    let abroad = country.is_some_and(|(a, b)| !a.eq_ignore_ascii_case(b));
    let told = a.kind == b.kind;
    let other = a.kind == "other" || b.kind == "other";
    let contact = |one: &Identifier| matches!(one.kind.as_str(), "phone" | "email" | "website");
    if !(told || other) || abroad || contact(a) || contact(b) {
        return Outcome::NotCompared;
    }
    let (value_a, value_b) = (bare(&a.value), bare(&b.value));
    // Where nobody says what kind it is or who issued it, it has to be longer to be one of its own.
    let vague = other || country.is_none();
    let shortest = if vague { SHORTEST_VAGUE } else { SHORTEST_IDENTIFIER };
    if value_a.len() >= shortest && value_a == value_b {
        Outcome::Equal
    } else if a.kind == b.kind && country.is_some() {
        Outcome::Different
    } else {
        Outcome::NotCompared
    }
}

/// Shorter ones are shared by chance.
const SHORTEST_IDENTIFIER: usize = 5;
const SHORTEST_VAGUE: usize = 7;

/// The letters and digits of an identifier, in upper case.
pub(crate) fn bare(value: &str) -> String {
    value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).take(200).collect()
}

/// The most favourable of several: an entry has one true date of birth and lists four.
fn best(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::NotCompared => 0,
        Outcome::Different => 1,
        Outcome::Near => 2,
        Outcome::Equal => 3,
    };
    outcomes.max_by_key(rank).unwrap_or(Outcome::NotCompared)
}

fn written(date: &ListedDate) -> String {
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
