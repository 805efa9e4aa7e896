//! A name goes in, and out come the entries it may be.

use serde::Serialize;

use super::entity::{Entity, EntityKind, Gender, Identifier, ListedDate, NameKind};
use super::index::{Accumulator, Index, View, Wanted};
use super::normalise::{Prepared, prepare};
use super::score::{
    Circumstances, Comparison, Explanation, Limit, MODEL_VERSION, Part, Reason, Room, Strength,
    compare, explain, in_context, least_name_score, score,
};

/// Who is asked for. Only the name is needed; what else is known makes the answer better.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    pub name: &'a str,
    pub kind: Option<EntityKind>,
    /// Of birth, of founding or of building.
    pub date: Option<ListedDate>,
    /// ISO 3166-1 alpha-2.
    pub countries: &'a [&'a str],
    pub identifiers: &'a [Identifier],
    pub gender: Option<Gender>,
}

impl<'a> Query<'a> {
    pub fn of_name(name: &'a str) -> Query<'a> {
        Query { name, ..Query::default() }
    }

    fn circumstances(&self) -> Circumstances<'a> {
        Circumstances {
            kind: self.kind,
            date: self.date,
            countries: self.countries,
            identifiers: self.identifiers,
            gender: self.gender,
        }
    }
}

/// An entry that the one who was asked for may be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    pub list: String,
    pub list_version: String,
    /// Of the entry, as its list numbers it.
    pub id: String,
    pub kind: EntityKind,
    /// The name of the query, as it was written.
    pub query: String,
    /// The name of the entry that fits best, as the list writes it.
    pub name: String,
    pub name_kind: NameKind,
    /// From 0 to 1: the names, and what is known besides.
    pub score: f32,
    pub explanation: Explanation,
    /// The whole entry.
    pub entity: Entity,
}

/// The most that an alias can give which the list itself calls weak.
const WEAK_ALIAS: f32 = 0.8;

/// Screens against any number of lists. It keeps room for its work: make one a thread.
pub struct Screener<'i> {
    lists: Vec<(&'i Index, Accumulator)>,
    room: Room,
    names: Vec<u32>,
}

impl<'i> Screener<'i> {
    pub fn new(lists: impl IntoIterator<Item = &'i Index>) -> Screener<'i> {
        let lists = lists.into_iter().map(|list| (list, Accumulator::default())).collect();
        Screener { lists, room: Room::default(), names: Vec::new() }
    }

    /// The entries with a score of `least` or more, the best first; of each entry its best name.
    pub fn screen(&mut self, query: &Query<'_>, least: f32) -> Vec<Match> {
        self.screen_prepared(query, &prepare(query.name), least)
    }

    /// As [`Screener::screen`], with the name prepared before: worth it where one name is
    /// screened again and again.
    pub fn screen_prepared(
        &mut self,
        query: &Query<'_>,
        prepared: &Prepared,
        least: f32,
    ) -> Vec<Match> {
        let parts: Vec<Part<'_>> = prepared.tokens.iter().map(Part::of).collect();
        let circumstances = query.circumstances();
        let mut matches = Vec::new();
        for (index, accumulator) in &mut self.lists {
            let view = index.view();
            let asked = Asked { query, circumstances: &circumstances, parts: &parts, least };
            let found = candidates(&view, &asked, accumulator, &mut self.room, &mut self.names);
            for candidate in found {
                matches.extend(judge(index, &view, &asked, candidate, &mut self.room));
            }
        }
        matches.sort_by(|a, b| {
            b.score.total_cmp(&a.score).then_with(|| (&a.list, &a.id).cmp(&(&b.list, &b.id)))
        });
        matches
    }
}

struct Asked<'q> {
    query: &'q Query<'q>,
    circumstances: &'q Circumstances<'q>,
    parts: &'q [Part<'q>],
    least: f32,
}

/// An entity, and the best of its names so far.
#[derive(Clone, Copy)]
struct Candidate {
    entity: u32,
    /// Among its names; `None` where an identifier led to it.
    place: Option<u16>,
    score: f32,
}

/// The entities that may reach the score, each with its best name.
fn candidates(
    view: &View<'_>,
    asked: &Asked<'_>,
    accumulator: &mut Accumulator,
    room: &mut Room,
    names: &mut Vec<u32>,
) -> Vec<Candidate> {
    let least = least_name_score(asked.least, asked.circumstances);
    accumulator.retrieve(view, Wanted { parts: asked.parts, least }, names);
    let mut found: Vec<Candidate> = Vec::new();
    let mut parts = Vec::new();
    for &name in names.iter() {
        let Some(record) = view.name(name) else { continue };
        view.parts(name, &mut parts);
        let score = listed_score(asked.parts, &parts, record.kind, room);
        if score < least {
            continue;
        }
        let candidate = Candidate { entity: record.entity, place: Some(record.place), score };
        // Names are numbered along with their entities.
        match found.last_mut().filter(|last| last.entity == record.entity) {
            Some(last) if last.score < score => *last = candidate,
            Some(_) => {}
            None => found.push(candidate),
        }
    }
    let identifiers = asked.circumstances.identifiers.iter();
    let mut led: Vec<u32> =
        identifiers.flat_map(|identifier| view.with_identifier(&identifier.value)).collect();
    led.sort_unstable();
    led.dedup();
    led.retain(|entity| found.binary_search_by_key(entity, |named| named.entity).is_err());
    found.extend(led.into_iter().map(|entity| Candidate { entity, place: None, score: 0.0 }));
    found
}

/// The score of a query with a listed name: a weak alias counts only where it is the same name,
/// and then only as a hint.
fn listed_score(query: &[Part<'_>], listed: &[Part<'_>], kind: NameKind, room: &mut Room) -> f32 {
    let score = score(query, listed, room);
    if kind != NameKind::WeakAlias {
        return score;
    }
    let equal = room.pairs.iter().all(|pair| matches!(pair.reason, Reason::Equal | Reason::Joined));
    room.limit = Some(Limit::WeakAlias);
    if equal && score > 0.95 { score.min(WEAK_ALIAS) } else { 0.0 }
}

/// The final score of a candidate, with its parts; `None` below what is asked for.
fn judge(
    index: &Index,
    view: &View<'_>,
    asked: &Asked<'_>,
    candidate: Candidate,
    room: &mut Room,
) -> Option<Match> {
    let entity = view.entity(candidate.entity)?;
    let context = compare(asked.circumstances, &entity);
    let place = match candidate.place {
        Some(place) => usize::from(place),
        // The hash of an identifier led here: its kind and country must agree as well.
        None if strength_of(&context) == Strength::Identifier => best_name(asked, &entity, room),
        None => return None,
    };
    let listed = entity.names.get(place)?;
    let prepared = prepare(&listed.text);
    let parts: Vec<Part<'_>> = prepared.tokens.iter().map(Part::of).collect();
    let name_score = listed_score(asked.parts, &parts, listed.kind, room);
    let (score, strength) = in_context(name_score, &context);
    if score < asked.least {
        return None;
    }
    let name = explain(asked.parts, &parts, &room.pairs);
    Some(Match {
        list: index.meta().list.clone(),
        list_version: index.meta().version.clone(),
        kind: entity.kind,
        query: asked.query.name.to_owned(),
        name: listed.text.clone(),
        name_kind: listed.kind,
        score,
        explanation: Explanation {
            name_score,
            name,
            limit: room.limit,
            context,
            strength,
            model_version: MODEL_VERSION,
        },
        id: entity.id.clone(),
        entity,
    })
}

fn strength_of(context: &[Comparison]) -> Strength {
    in_context(0.0, context).1
}

/// Where among the names of an entity the one lies that fits best.
fn best_name(asked: &Asked<'_>, entity: &Entity, room: &mut Room) -> usize {
    let mut best = (0, 0.0);
    for (place, name) in entity.names.iter().enumerate() {
        let prepared = prepare(&name.text);
        let parts: Vec<Part<'_>> = prepared.tokens.iter().map(Part::of).collect();
        let score = listed_score(asked.parts, &parts, name.kind, room);
        if score > best.1 {
            best = (place, score);
        }
    }
    best.0
}
