//! Screens a query against lists and returns explained matches.

use serde::Serialize;

use super::entity::{Entity, EntityKind, Gender, Identifier, ListedDate, NameKind};
use super::index::{Accumulator, Index, View, Wanted};
use super::normalise::{Prepared, prepare};
use super::score::{
    Alignment, Comparison, Explanation, Limit, MODEL_VERSION, Part, QueryContext, Reason, Strength,
    compare, explain, in_context, min_name_score, score,
};

/// The party or object to screen. Only the name is required. Every other field makes the result
/// more precise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// Name, in any script.
    pub name: &'a str,
    /// Kind of party or object, if it is known.
    pub kind: Option<EntityKind>,
    /// Date of birth, founding or construction, if it is known.
    pub date: Option<ListedDate>,
    /// ISO 3166-1 alpha-2 codes of related countries.
    pub countries: &'a [&'a str],
    /// Numbers of documents and registers.
    pub identifiers: &'a [Identifier],
    /// Gender, if it is known.
    pub gender: Option<Gender>,
}

impl<'a> Query<'a> {
    /// Returns a query that has only a name.
    pub fn of_name(name: &'a str) -> Query<'a> {
        Query { name, ..Query::default() }
    }

    fn context(&self) -> QueryContext<'a> {
        QueryContext {
            kind: self.kind,
            date: self.date,
            countries: self.countries,
            identifiers: self.identifiers,
            gender: self.gender,
        }
    }
}

/// A listed entry that may be the party of the query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// Name of the list.
    pub list: String,
    /// Version of the list.
    pub list_version: String,
    /// Id of the entry within its list.
    pub id: String,
    /// Kind of the entry.
    pub kind: EntityKind,
    /// Name in the query, exactly as given.
    pub query: String,
    /// The best-scoring name of the entry, as the list writes it.
    pub name: String,
    /// Classification of `name` by the list.
    pub name_kind: NameKind,
    /// Final score, from 0 to 1, after the comparison of all fields.
    pub score: f32,
    /// Explanation of the score, part by part.
    pub explanation: Explanation,
    /// The whole entry.
    pub entity: Entity,
}

/// Maximum score of a weak alias.
const WEAK_ALIAS: f32 = 0.8;
/// Score that a weak alias must exceed to match at all. At this value, only minor words may lack a
/// counterpart.
const MIN_WEAK_ALIAS: f32 = 0.95;

/// Screens queries against any number of lists.
///
/// A screener owns buffers that it reuses for every query, so each thread should keep a screener of
/// its own.
pub struct Screener<'i> {
    lists: Vec<(&'i Index, Accumulator)>,
    alignment: Alignment,
    names: Vec<u32>,
    last: Option<ByName>,
}

/// The result of the last search by name. If several parties have one name and differ in other
/// fields, the lists are searched once, provided that these queries follow one another.
struct ByName {
    name: Prepared,
    min_score: f32,
    /// The candidates of each list.
    candidates: Vec<Vec<Candidate>>,
}

impl<'i> Screener<'i> {
    /// Creates a screener for these lists.
    pub fn new(lists: impl IntoIterator<Item = &'i Index>) -> Screener<'i> {
        let lists = lists.into_iter().map(|list| (list, Accumulator::default())).collect();
        Screener { lists, alignment: Alignment::default(), names: Vec::new(), last: None }
    }

    /// Returns the entries with a score of at least `min_score`, which is from 0 to 1, best first.
    /// Each entry is returned once, with its best name.
    pub fn screen(&mut self, query: &Query<'_>, min_score: f32) -> Vec<Match> {
        self.screen_prepared(query, &prepare(query.name), min_score)
    }

    /// Screens like [`Screener::screen`], but with a name that is already prepared. This saves work
    /// if the same name is screened repeatedly. `prepared` must be [`prepare`]`(query.name)`.
    pub fn screen_prepared(
        &mut self,
        query: &Query<'_>,
        prepared: &Prepared,
        min_score: f32,
    ) -> Vec<Match> {
        let parts: Vec<Part<'_>> = prepared.tokens.iter().map(Part::of).collect();
        let context = query.context();
        let request = Request { query, context: &context, parts: &parts, min_score };
        let by_name = self.search(prepared, &request);
        let mut matches = Vec::new();
        for ((index, _), candidates) in self.lists.iter().zip(&by_name.candidates) {
            let view = index.view();
            let by_identifier = by_identifier(&view, &request, candidates);
            for candidate in candidates.iter().copied().chain(by_identifier) {
                matches.extend(judge(index, &view, &request, candidate, &mut self.alignment));
            }
        }
        self.last = Some(by_name);
        matches.sort_by(|a, b| {
            b.score.total_cmp(&a.score).then_with(|| (&a.list, &a.id).cmp(&(&b.list, &b.id)))
        });
        matches
    }

    /// Searches the lists by name, unless the last search was the same.
    fn search(&mut self, name: &Prepared, request: &Request<'_>) -> ByName {
        let min_score = min_name_score(request.min_score, request.context);
        let same = |last: &ByName| last.name == *name && last.min_score == min_score;
        if let Some(last) = self.last.take().filter(same) {
            return last;
        }
        let (alignment, names) = (&mut self.alignment, &mut self.names);
        let lists = self.lists.iter_mut();
        let candidates = lists.map(|(index, accumulator)| {
            candidates(&index.view(), request.parts, min_score, accumulator, alignment, names)
        });
        ByName { candidates: candidates.collect(), name: name.clone(), min_score }
    }
}

/// A query in the form that scoring needs.
struct Request<'q> {
    query: &'q Query<'q>,
    context: &'q QueryContext<'q>,
    parts: &'q [Part<'q>],
    min_score: f32,
}

/// An entity with the best of its names so far.
#[derive(Clone, Copy)]
struct Candidate {
    entity: u32,
    /// Position of the name among the names of the entity, or `None` if the entity was found by an
    /// identifier.
    position: Option<u16>,
    /// Score of the name, or 0 if the entity was found by an identifier.
    score: f32,
}

/// Returns the entities with a name that reaches `min_score`, each with its best name, in ascending
/// order.
fn candidates(
    view: &View<'_>,
    query: &[Part<'_>],
    min_score: f32,
    accumulator: &mut Accumulator,
    alignment: &mut Alignment,
    names: &mut Vec<u32>,
) -> Vec<Candidate> {
    accumulator.retrieve(view, Wanted { parts: query, min_score }, names);
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut parts = Vec::new();
    for &name in names.iter() {
        let Some(record) = view.name(name) else { continue };
        view.parts(name, &mut parts);
        let score = score_listed(query, &parts, record.kind, alignment);
        if score < min_score {
            continue;
        }
        let candidate = Candidate { entity: record.entity, position: Some(record.position), score };
        // The names of an entity have consecutive numbers.
        match candidates.last_mut().filter(|last| last.entity == record.entity) {
            Some(last) if last.score < score => *last = candidate,
            Some(_) => {}
            None => candidates.push(candidate),
        }
    }
    candidates
}

/// Returns the entities that have an identifier of the query and are not in `by_name`.
fn by_identifier(
    view: &View<'_>,
    request: &Request<'_>,
    by_name: &[Candidate],
) -> impl Iterator<Item = Candidate> + use<> {
    let identifiers = request.context.identifiers.iter();
    let mut by_identifier: Vec<u32> = identifiers
        .flat_map(|identifier| view.entities_with_identifier(&identifier.value))
        .collect();
    by_identifier.sort_unstable();
    by_identifier.dedup();
    by_identifier.retain(|entity| {
        by_name.binary_search_by_key(entity, |candidate| candidate.entity).is_err()
    });
    by_identifier.into_iter().map(|entity| Candidate { entity, position: None, score: 0.0 })
}

/// Returns the score of a query and a listed name. The score of a weak alias is [`WEAK_ALIAS`] at
/// most, and 0 unless all its aligned words are equal and its score exceeds [`MIN_WEAK_ALIAS`].
fn score_listed(
    query: &[Part<'_>],
    listed: &[Part<'_>],
    kind: NameKind,
    alignment: &mut Alignment,
) -> f32 {
    let score = score(query, listed, alignment);
    if kind != NameKind::WeakAlias {
        return score;
    }
    alignment.limit = Some(Limit::WeakAlias);
    let has_equal_words =
        alignment.pairs.iter().all(|pair| matches!(pair.reason, Reason::Equal | Reason::Joined));
    if has_equal_words && score > MIN_WEAK_ALIAS { score.min(WEAK_ALIAS) } else { 0.0 }
}

/// Compares all fields of a candidate with the query and returns the match. Returns `None` if the
/// final score is too low, or if the candidate was found by an identifier that does not agree in
/// kind and country.
fn judge(
    index: &Index,
    view: &View<'_>,
    request: &Request<'_>,
    candidate: Candidate,
    alignment: &mut Alignment,
) -> Option<Match> {
    let entity = view.entity(candidate.entity)?;
    let context = compare(request.context, &entity);
    let position = match candidate.position {
        // The explanation below takes longer than the comparison of the other fields.
        Some(_) if in_context(candidate.score, &context).0 < request.min_score => return None,
        Some(position) => usize::from(position),
        // The index finds an identifier by the hash of its value. Kind and country must agree as
        // well.
        None if has_equal_identifier(&context) => best_name(request, &entity, alignment),
        None => return None,
    };
    let listed = entity.names.get(position)?;
    let prepared = prepare(&listed.text);
    let parts: Vec<Part<'_>> = prepared.tokens.iter().map(Part::of).collect();
    let name_score = score_listed(request.parts, &parts, listed.kind, alignment);
    let (score, strength) = in_context(name_score, &context);
    if score < request.min_score {
        return None;
    }
    let name = explain(request.parts, &parts, &alignment.pairs);
    Some(Match {
        list: index.meta().list.clone(),
        list_version: index.meta().version.clone(),
        kind: entity.kind,
        query: request.query.name.to_owned(),
        name: listed.text.clone(),
        name_kind: listed.kind,
        score,
        explanation: Explanation {
            name_score,
            name,
            limit: alignment.limit,
            context,
            strength,
            model_version: MODEL_VERSION,
        },
        id: entity.id.clone(),
        entity,
    })
}

fn has_equal_identifier(context: &[Comparison]) -> bool {
    let (_, strength) = in_context(0.0, context);
    strength == Strength::Identifier
}

/// Returns the position of the best-scoring name of an entity, or 0 if all names have the score 0.
fn best_name(request: &Request<'_>, entity: &Entity, alignment: &mut Alignment) -> usize {
    let mut best = (0, 0.0);
    for (position, name) in entity.names.iter().enumerate() {
        let prepared = prepare(&name.text);
        let parts: Vec<Part<'_>> = prepared.tokens.iter().map(Part::of).collect();
        let score = score_listed(request.parts, &parts, name.kind, alignment);
        if score > best.1 {
            best = (position, score);
        }
    }
    best.0
}
