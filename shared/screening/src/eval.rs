//! How good the matching is: labelled queries and innocuous names, run through an index.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::entity::{EntityKind, ListedDate};
use super::index::Index;
use super::lists::{countries, dates};
use super::normalise::prepare;
use super::score::{Part, Room, score};
use super::screen::{Query, Screener};

/// A query of which it is known who should be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    pub name: String,
    pub kind: Option<EntityKind>,
    pub category: String,
    /// Ids, any of which will do; none for a query that should find nothing.
    pub expected: Vec<String>,
    pub sort: Sort,
    /// What else is known; compared only where the context is asked for.
    pub date: Option<ListedDate>,
    pub countries: Vec<&'static str>,
}

impl Labelled {
    fn query(&self, context: bool) -> Query<'_> {
        let query = Query { kind: self.kind, ..Query::of_name(&self.name) };
        if context { Query { date: self.date, countries: &self.countries, ..query } } else { query }
    }
}

/// What a labelled query is a test of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Positive,
    /// A name as any.
    Random,
    /// A name near one that is listed.
    Hard,
}

/// Reads labelled queries: a CSV with a header and at least the columns `kind` (`positive` or
/// `negative`), `category` (of negatives, near misses begin with `hard_`), `query` and
/// `expected_ids` (separated by `|`); `schema`, `birth_date` and `country` are optional.
pub fn read_queries(from: impl io::Read) -> csv::Result<Vec<Labelled>> {
    let mut reader = csv::Reader::from_reader(from);
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let needed = |name: &str| column(name).ok_or_else(|| missing(name));
    let (sort, category) = (needed("kind")?, needed("category")?);
    let (query, expected) = (needed("query")?, needed("expected_ids")?);
    let (schema, date, country) = (column("schema"), column("birth_date"), column("country"));
    let mut queries = Vec::new();
    for record in reader.records() {
        let record = record?;
        let text = |place: usize| record.get(place).unwrap_or_default();
        let category = text(category).to_owned();
        let sort = match text(sort) {
            "positive" => Sort::Positive,
            other if other != "negative" => {
                let why = format!("the kind {other:?} is neither positive nor negative");
                return Err(io::Error::new(io::ErrorKind::InvalidData, why).into());
            }
            _ if category.starts_with("hard_") => Sort::Hard,
            _ => Sort::Random,
        };
        queries.push(Labelled {
            name: text(query).to_owned(),
            kind: schema.and_then(|schema| kind(text(schema))),
            category,
            expected: text(expected)
                .split('|')
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect(),
            sort,
            date: date.and_then(|date| dates::parse(text(date))),
            countries: country
                .and_then(|country| countries::code(text(country)))
                .into_iter()
                .collect(),
        });
    }
    Ok(queries)
}

/// Reads names: the column `full_name` or `name` of a CSV with a header, or its first column.
pub fn read_names(from: impl io::Read) -> csv::Result<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(from);
    let headers = reader.headers()?.clone();
    let is_name =
        |header: &str| matches!(header.trim().to_ascii_lowercase().as_str(), "full_name" | "name");
    let place = headers.iter().position(is_name);
    let place = place.unwrap_or_default();
    reader.records().map(|record| Ok(record?.get(place).unwrap_or_default().to_owned())).collect()
}

fn missing(column: &str) -> csv::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the CSV has no column {column}")).into()
}

/// The kind that a schema of the FollowTheMoney model names.
fn kind(schema: &str) -> Option<EntityKind> {
    match schema {
        "Person" => Some(EntityKind::Person),
        "Company" | "Organization" => Some(EntityKind::Organization),
        "Vessel" => Some(EntityKind::Vessel),
        "Airplane" => Some(EntityKind::Aircraft),
        _ => None,
    }
}

/// The three shares at one threshold, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shares {
    pub threshold: f32,
    pub recall: f64,
    pub random_negative_hits: f64,
    pub hard_negative_hits: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    #[serde(flatten)]
    pub shares: Shares,
    /// Of each category the recall, or of negatives the share that hits.
    pub classes: BTreeMap<String, f64>,
    /// At thresholds from 0.50 to 0.95 in steps of 0.01.
    pub sweep: Vec<Shares>,
}

const LOWEST: f32 = 0.5;

/// Runs labelled queries by name and kind, and with `context` by dates and countries as well.
/// `progress` is told how many are done.
pub fn evaluate(
    lists: &[&Index],
    queries: &[Labelled],
    threshold: f32,
    context: bool,
    mut progress: impl FnMut(usize),
) -> Report {
    let mut screener = Screener::new(lists.iter().copied());
    let mut best = Vec::with_capacity(queries.len());
    for (done, labelled) in queries.iter().enumerate() {
        let matches = screener.screen(&labelled.query(context), LOWEST.min(threshold));
        // Of a positive only what was expected counts.
        let counts =
            |id: &String| labelled.sort != Sort::Positive || labelled.expected.contains(id);
        let scores = matches.iter().filter(|found| counts(&found.id)).map(|found| found.score);
        best.push(scores.fold(0.0, f32::max));
        progress(done + 1);
    }
    let scored: Vec<(&Labelled, f32)> = queries.iter().zip(best).collect();
    let mut classes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (labelled, score) in &scored {
        let (hits, all) = classes.entry(labelled.category.clone()).or_default();
        *hits += usize::from(*score >= threshold);
        *all += 1;
    }
    let steps = 50_u8..=95;
    Report {
        shares: shares(&scored, threshold),
        classes: classes.into_iter().map(|(name, (hits, all))| (name, share(hits, all))).collect(),
        sweep: steps.map(|step| shares(&scored, f32::from(step) / 100.0)).collect(),
    }
}

/// Runs every query once at the threshold, as a caller would, and answers how many matches there
/// were: what a caller times for queries per second, on as many threads as it likes.
pub fn run(lists: &[&Index], queries: &[Labelled], threshold: f32, context: bool) -> usize {
    let mut screener = Screener::new(lists.iter().copied());
    let one = |labelled: &Labelled| screener.screen(&labelled.query(context), threshold).len();
    queries.iter().map(one).sum()
}

fn shares(scored: &[(&Labelled, f32)], threshold: f32) -> Shares {
    let share_of = |sort: Sort| {
        let scores = scored.iter().filter(|(labelled, _)| labelled.sort == sort);
        let (hits, all) = scores.fold((0, 0), |(hits, all), (_, score)| {
            (hits + usize::from(*score >= threshold), all + 1)
        });
        share(hits, all)
    };
    Shares {
        threshold,
        recall: share_of(Sort::Positive),
        random_negative_hits: share_of(Sort::Random),
        hard_negative_hits: share_of(Sort::Hard),
    }
}

/// The share of names that find anything at the threshold.
pub fn alert_rate(
    lists: &[&Index],
    names: &[String],
    threshold: f32,
    mut progress: impl FnMut(usize),
) -> f64 {
    let mut screener = Screener::new(lists.iter().copied());
    let mut hits = 0;
    for (done, name) in names.iter().enumerate() {
        hits += usize::from(!screener.screen(&Query::of_name(name), threshold).is_empty());
        progress(done + 1);
    }
    share(hits, names.len())
}

/// Two names, and whether they are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledPair {
    pub asked: String,
    pub listed: String,
    pub same: bool,
}

/// Reads pairs: a CSV with the columns `name1`, `name2` and `is_match` (`true` or `false`).
pub fn read_pairs(from: impl io::Read) -> csv::Result<Vec<LabelledPair>> {
    let mut reader = csv::Reader::from_reader(from);
    let headers = reader.headers()?.clone();
    let needed =
        |name: &str| headers.iter().position(|header| header == name).ok_or_else(|| missing(name));
    let (asked, listed, same) = (needed("name1")?, needed("name2")?, needed("is_match")?);
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record?;
        let text = |place: usize| record.get(place).unwrap_or_default();
        pairs.push(LabelledPair {
            asked: text(asked).to_owned(),
            listed: text(listed).to_owned(),
            same: text(same).eq_ignore_ascii_case("true"),
        });
    }
    Ok(pairs)
}

/// How well one threshold tells pairs that are one name from pairs that are not; all from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Separation {
    pub threshold: f32,
    pub f1: f64,
    pub precision: f64,
    pub recall: f64,
}

/// The names of every pair compared, at each threshold from 0.01 to 1 in steps of 0.01.
pub fn separate(pairs: &[LabelledPair]) -> Vec<Separation> {
    let mut room = Room::default();
    let mut scored = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (asked, listed) = (prepare(&pair.asked), prepare(&pair.listed));
        let parts = |tokens| -> Vec<Part<'_>> { <[_]>::iter(tokens).map(Part::of).collect() };
        scored.push((score(&parts(&asked.tokens), &parts(&listed.tokens), &mut room), pair.same));
    }
    let at = |threshold: f32| {
        let found = |wanted: bool| {
            scored.iter().filter(|(score, same)| *same == wanted && *score >= threshold).count()
        };
        let (right, wrong) = (found(true), found(false));
        let same = pairs.iter().filter(|pair| pair.same).count();
        Separation {
            threshold,
            f1: share(2 * right, same + right + wrong),
            precision: share(right, right + wrong),
            recall: share(right, same),
        }
    };
    (1_u8..=100).map(|step| at(f32::from(step) / 100.0)).collect()
}

fn share(hits: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { hits as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::index_of_list;

    const QUERIES: &str = "\
query_id,kind,category,schema,query,expected_ids
1,positive,exact,Person,Mirka Ilinovna Dovello,9|1
2,positive,exact,Company,Nobody Knows Ltd,4
3,negative,negative_us,Person,Ann Lindqvist,
4,negative,hard_family,Person,Vestrimar,
";

    #[test]
    fn shares_are_counted_by_sort_and_category() {
        let index = index_of_list();
        let queries = read_queries(QUERIES.as_bytes()).unwrap();
        let report = evaluate(&[&index], &queries, 0.78, false, |_| ());
        assert_eq!(report.shares.recall, 0.5);
        assert_eq!(
            (report.shares.random_negative_hits, report.shares.hard_negative_hits),
            (0.0, 1.0)
        );
        assert_eq!((report.classes["exact"], report.classes["hard_family"]), (0.5, 1.0));
        assert_eq!((report.sweep.len(), report.sweep[0].threshold), (46, 0.5));
        assert_eq!(report.sweep[45].threshold, 0.95);
        assert_eq!(run(&[&index], &queries, 0.78, false), 2);
    }

    #[test]
    fn pairs_are_told_apart() {
        let pairs = "name1,name2,is_match
Mirka Dovello,\"DOVELLO, Mirka\",true
Mirka Dovello,Ann Lindqvist,false
";
        let steps = separate(&read_pairs(pairs.as_bytes()).unwrap());
        assert_eq!((steps.len(), steps[77].threshold, steps[77].f1), (100, 0.78, 1.0));
        assert!(read_pairs("name1,name2\na,b\n".as_bytes()).is_err());
    }

    #[test]
    fn context_counts_where_it_is_asked_for() {
        let index = index_of_list();
        let queries = "kind,category,query,expected_ids,birth_date,country
positive,born,Mirka Dovello,1,1950-01-01,Germany
";
        let queries = read_queries(queries.as_bytes()).unwrap();
        assert_eq!(queries[0].countries, ["DE"]);
        let recall = |context| evaluate(&[&index], &queries, 0.78, context, |_| ()).shares.recall;
        assert_eq!((recall(false), recall(true)), (1.0, 0.0));
    }

    #[test]
    fn names_are_read_from_the_column_that_has_them() {
        let names =
            read_names("id,full_name\n1,Mirka Dovello\n2,Ann Lindqvist\n".as_bytes()).unwrap();
        assert_eq!(alert_rate(&[&index_of_list()], &names, 0.78, |_| ()), 0.5);
        assert_eq!(read_names("whatever\nAnn\n".as_bytes()).unwrap(), ["Ann"]);
        assert!(read_queries("query\nAnn\n".as_bytes()).is_err());
    }
}
