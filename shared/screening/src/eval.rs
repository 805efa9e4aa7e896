//! Measures the quality of the matching with labelled queries, innocuous names and labelled pairs.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::entity::{EntityKind, ListedDate};
use super::index::Index;
use super::lists::{countries, dates};
use super::normalise::prepare;
use super::score::{Alignment, Part, score};
use super::screen::{Query, Screener};

/// A query with the entries that it should match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Name to screen.
    pub name: String,
    /// Kind of party or object.
    pub kind: Option<EntityKind>,
    /// Category under which the result is counted.
    pub category: String,
    /// Ids of entries, any of which is a correct match. Empty if the query should not match.
    pub expected: Vec<String>,
    /// Kind of test case.
    pub case: Case,
    /// Date of birth, founding or construction. Compared only in an evaluation with context.
    pub date: Option<ListedDate>,
    /// ISO 3166-1 alpha-2 codes of related countries. Compared only in an evaluation with context.
    pub countries: Vec<&'static str>,
}

impl Labelled {
    fn query(&self, context: bool) -> Query<'_> {
        let query = Query { kind: self.kind, ..Query::of_name(&self.name) };
        if context { Query { date: self.date, countries: &self.countries, ..query } } else { query }
    }
}

/// Kind of a test case. The results of each kind are counted separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// The query should match one of its expected entries.
    Positive,
    /// The query should not match, and its name is an ordinary one.
    Random,
    /// The query should not match, but its name is similar to a listed one.
    Hard,
}

/// Reads labelled queries from a CSV with a header.
///
/// The columns `kind` (`positive` or `negative`), `category` (begins with `hard_` in a negative
/// query that is a near miss), `query` and `expected_ids` (separated by `|`) are required. The
/// columns `schema` (a schema of the [FollowTheMoney](https://followthemoney.tech/explorer/)
/// model), `birth_date` and `country` are optional. An optional value that is not recognised is
/// ignored.
///
/// # Errors
/// Returns an error if the CSV is malformed, if a required column is missing, or if `kind` has
/// another value.
pub fn read_queries(from: impl io::Read) -> csv::Result<Vec<Labelled>> {
    let mut table = Table::open(from)?;
    let (kind, category) = (table.required("kind")?, table.required("category")?);
    let (query, expected) = (table.required("query")?, table.required("expected_ids")?);
    let (schema, date) = (table.optional("schema"), table.optional("birth_date"));
    let country = table.optional("country");
    let mut queries = Vec::new();
    for row in table.rows() {
        let row = row?;
        let category = row.text(category).to_owned();
        let case = match row.text(kind) {
            "positive" => Case::Positive,
            "negative" if category.starts_with("hard_") => Case::Hard,
            "negative" => Case::Random,
            other => {
                return Err(invalid(format!("kind must be positive or negative, not {other:?}")));
            }
        };
        let expected = row.text(expected).split('|').filter(|id| !id.is_empty());
        queries.push(Labelled {
            name: row.text(query).to_owned(),
            kind: schema.and_then(|column| kind_of_schema(row.text(column))),
            category,
            expected: expected.map(str::to_owned).collect(),
            case,
            date: date.and_then(|column| dates::parse(row.text(column))),
            countries: country
                .and_then(|column| countries::code(row.text(column)))
                .into_iter()
                .collect(),
        });
    }
    Ok(queries)
}

/// Reads names from a CSV with a header: from the column `full_name` or `name`, or from the first
/// column if there is no such column. Rows may have different lengths.
///
/// # Errors
/// Returns an error if the CSV is malformed, or if a row is too short to have a name.
pub fn read_names(from: impl io::Read) -> csv::Result<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(from);
    let is_name =
        |header: &str| matches!(header.trim().to_ascii_lowercase().as_str(), "full_name" | "name");
    let column = reader.headers()?.iter().position(is_name).unwrap_or(0);
    let name = |record: csv::StringRecord| match record.get(column) {
        Some(name) => Ok(name.to_owned()),
        None => {
            let line = record.position().map_or(0, csv::Position::line);
            Err(invalid(format!("line {line} of the CSV has no name in column {}", column + 1)))
        }
    };
    reader.records().map(|record| name(record?)).collect()
}

fn invalid(reason: String) -> csv::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason).into()
}

/// A CSV with a header. Each row must have as many cells as the header.
struct Table<R> {
    reader: csv::Reader<R>,
    headers: csv::StringRecord,
}

/// The position of a column of a [`Table`].
#[derive(Clone, Copy)]
struct Column(usize);

struct Row(csv::StringRecord);

impl<R: io::Read> Table<R> {
    fn open(from: R) -> csv::Result<Table<R>> {
        // The reader is not flexible: it refuses rows that are shorter or longer than the header.
        let mut reader = csv::Reader::from_reader(from);
        let headers = reader.headers()?.clone();
        Ok(Table { reader, headers })
    }

    fn optional(&self, name: &str) -> Option<Column> {
        self.headers.iter().position(|header| header == name).map(Column)
    }

    fn required(&self, name: &str) -> csv::Result<Column> {
        self.optional(name).ok_or_else(|| {
            invalid(format!("the CSV must have a column {name}; add it to the header"))
        })
    }

    fn rows(&mut self) -> impl Iterator<Item = csv::Result<Row>> + '_ {
        self.reader.records().map(|record| record.map(Row))
    }
}

impl Row {
    #[expect(clippy::indexing_slicing, reason = "a row of a `Table` is as long as its header")]
    fn text(&self, column: Column) -> &str {
        &self.0[column.0]
    }
}

/// Returns the kind of entity for a schema of the FollowTheMoney model, or `None` for a schema
/// without such a kind.
fn kind_of_schema(schema: &str) -> Option<EntityKind> {
    match schema {
        "Person" => Some(EntityKind::Person),
        "Company" | "Organization" => Some(EntityKind::Organization),
        "Vessel" => Some(EntityKind::Vessel),
        "Airplane" => Some(EntityKind::Aircraft),
        _ => None,
    }
}

/// Results at one threshold. Each share is from 0 to 1, and 0 if there are no queries of its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Shares {
    /// Minimum score of a match that counts.
    pub threshold: f32,
    /// Share of the positive queries that match one of their expected entries.
    pub recall: f64,
    /// Share of the random negative queries that match any entry.
    pub random_negative_hits: f64,
    /// Share of the hard negative queries that match any entry.
    pub hard_negative_hits: f64,
}

/// Results of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Results at the requested threshold.
    #[serde(flatten)]
    pub shares: Shares,
    /// Share of the queries of each category that match: the recall for positive queries, and the
    /// rate of false hits for negative queries.
    pub classes: BTreeMap<String, f64>,
    /// Results at thresholds from 0.50 to 0.95 in steps of 0.01.
    pub sweep: Vec<Shares>,
}

/// Lowest threshold of the sweep.
const MIN_THRESHOLD: f32 = 0.5;

/// Screens labelled queries and returns the results. The queries are compared by name and kind and,
/// if `context` is true, also by date and country. `progress` is called after each query with the
/// number of queries done so far.
pub fn evaluate(
    lists: &[&Index],
    queries: &[Labelled],
    threshold: f32,
    context: bool,
    mut progress: impl FnMut(usize),
) -> Report {
    let mut screener = Screener::new(lists.iter().copied());
    let mut scored: Vec<(&Labelled, f32)> = Vec::with_capacity(queries.len());
    for (position, labelled) in queries.iter().enumerate() {
        scored.push((labelled, best_score(&mut screener, labelled, threshold, context)));
        progress(position + 1);
    }
    let mut classes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (labelled, score) in &scored {
        let (hits, total) = classes.entry(labelled.category.clone()).or_default();
        *hits += usize::from(*score >= threshold);
        *total += 1;
    }
    let steps = 50_u8..=95;
    Report {
        shares: shares(&scored, threshold),
        classes: classes
            .into_iter()
            .map(|(name, (hits, total))| (name, share(hits, total)))
            .collect(),
        sweep: steps.map(|step| shares(&scored, f32::from(step) / 100.0)).collect(),
    }
}

/// Returns the highest score among the matches of a query, or 0 if there are none. For a positive
/// query, only matches with its expected entries count.
fn best_score(
    screener: &mut Screener<'_>,
    labelled: &Labelled,
    threshold: f32,
    context: bool,
) -> f32 {
    let matches = screener.screen(&labelled.query(context), MIN_THRESHOLD.min(threshold));
    let counts = |id: &String| labelled.case != Case::Positive || labelled.expected.contains(id);
    matches.iter().filter(|it| counts(&it.id)).map(|it| it.score).fold(0.0, f32::max)
}

/// Screens every query once at the threshold and returns the number of matches. Callers measure the
/// duration of this function on one thread or on several.
pub fn run(lists: &[&Index], queries: &[Labelled], threshold: f32, context: bool) -> usize {
    let mut screener = Screener::new(lists.iter().copied());
    let count = |labelled: &Labelled| screener.screen(&labelled.query(context), threshold).len();
    queries.iter().map(count).sum()
}

fn shares(scored: &[(&Labelled, f32)], threshold: f32) -> Shares {
    let share_of = |case: Case| {
        let scores = scored.iter().filter(|(labelled, _)| labelled.case == case);
        let (hits, total) = scores.fold((0, 0), |(hits, total), (_, score)| {
            (hits + usize::from(*score >= threshold), total + 1)
        });
        share(hits, total)
    };
    Shares {
        threshold,
        recall: share_of(Case::Positive),
        random_negative_hits: share_of(Case::Random),
        hard_negative_hits: share_of(Case::Hard),
    }
}

/// Returns the share of names, from 0 to 1, that match any entry at the threshold. `progress` is
/// called after each name with the number of names done so far.
pub fn alert_rate(
    lists: &[&Index],
    names: &[String],
    threshold: f32,
    mut progress: impl FnMut(usize),
) -> f64 {
    let mut screener = Screener::new(lists.iter().copied());
    let mut hits = 0;
    for (position, name) in names.iter().enumerate() {
        hits += usize::from(!screener.screen(&Query::of_name(name), threshold).is_empty());
        progress(position + 1);
    }
    share(hits, names.len())
}

/// A pair of names that is labelled as one party or as two parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelledPair {
    /// The name that is scored as the name of a query.
    pub query: String,
    /// The name that is scored as a listed name.
    pub listed: String,
    /// True if the names belong to the same party.
    pub is_match: bool,
}

/// Reads pairs of names from a CSV with the columns `name1`, `name2` and `is_match` (`true` or
/// `false`).
///
/// # Errors
/// Returns an error if the CSV is malformed, if a column is missing, or if `is_match` has another
/// value.
pub fn read_pairs(from: impl io::Read) -> csv::Result<Vec<LabelledPair>> {
    let mut table = Table::open(from)?;
    let (query, listed) = (table.required("name1")?, table.required("name2")?);
    let label = table.required("is_match")?;
    let mut pairs = Vec::new();
    for row in table.rows() {
        let row = row?;
        let is_match = match row.text(label).to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            other => return Err(invalid(format!("is_match must be true or false, not {other:?}"))),
        };
        pairs.push(LabelledPair {
            query: row.text(query).to_owned(),
            listed: row.text(listed).to_owned(),
            is_match,
        });
    }
    Ok(pairs)
}

/// Quality of one threshold for separating pairs of one party from pairs of two parties. All values
/// are from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Separation {
    /// Minimum score of two names that are assumed to belong to the same party.
    pub threshold: f32,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Share of pairs of the same party among all pairs at or above the threshold.
    pub precision: f64,
    /// Share of pairs at or above the threshold among all pairs of the same party.
    pub recall: f64,
}

/// Scores the names of every pair, and returns the results at thresholds from 0.01 to 1 in steps of
/// 0.01.
pub fn separate(pairs: &[LabelledPair]) -> Vec<Separation> {
    let mut alignment = Alignment::default();
    let scored: Vec<(f32, bool)> =
        pairs.iter().map(|pair| (score_pair(pair, &mut alignment), pair.is_match)).collect();
    (1_u8..=100).map(|step| separation(&scored, f32::from(step) / 100.0)).collect()
}

fn score_pair(pair: &LabelledPair, alignment: &mut Alignment) -> f32 {
    let (query, listed) = (prepare(&pair.query), prepare(&pair.listed));
    let query_parts: Vec<Part<'_>> = query.tokens.iter().map(Part::of).collect();
    let listed_parts: Vec<Part<'_>> = listed.tokens.iter().map(Part::of).collect();
    score(&query_parts, &listed_parts, alignment)
}

fn separation(scored: &[(f32, bool)], threshold: f32) -> Separation {
    let count_hits = |label: bool| {
        scored.iter().filter(|(score, is_match)| *is_match == label && *score >= threshold).count()
    };
    let (true_hits, false_hits) = (count_hits(true), count_hits(false));
    let positives = scored.iter().filter(|(_, is_match)| *is_match).count();
    Separation {
        threshold,
        f1: share(2 * true_hits, positives + true_hits + false_hits),
        precision: share(true_hits, true_hits + false_hits),
        recall: share(true_hits, positives),
    }
}

/// Returns `hits / total`, or 0 if the total is 0.
fn share(hits: usize, total: usize) -> f64 {
    if total == 0 { 0.0 } else { hits as f64 / total as f64 }
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
    fn shares_are_counted_by_case_and_category() {
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
    fn pairs_are_separated() {
        let pairs = "name1,name2,is_match
Mirka Dovello,\"DOVELLO, Mirka\",true
Mirka Dovello,Ann Lindqvist,false
";
        let steps = separate(&read_pairs(pairs.as_bytes()).unwrap());
        assert_eq!((steps.len(), steps[77].threshold, steps[77].f1), (100, 0.78, 1.0));
        assert!(read_pairs("name1,name2\na,b\n".as_bytes()).is_err());
        assert!(read_pairs("name1,name2,is_match\na,b,maybe\n".as_bytes()).is_err());
    }

    #[test]
    fn dates_and_countries_count_only_with_context() {
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
    fn names_are_read_from_a_name_column_or_the_first() {
        let names =
            read_names("id,full_name\n1,Mirka Dovello\n2,Ann Lindqvist\n".as_bytes()).unwrap();
        assert_eq!(alert_rate(&[&index_of_list()], &names, 0.78, |_| ()), 0.5);
        assert_eq!(read_names("whatever\nAnn\n".as_bytes()).unwrap(), ["Ann"]);
        assert!(read_names("id,name\n1\n".as_bytes()).is_err());
        assert!(read_queries("query\nAnn\n".as_bytes()).is_err());
    }
}
