//! Finds the names of a list that are worth a full comparison with a query.
//!
//! A name is worth a comparison if an upper bound of its score reaches the wanted score. The bound
//! depends only on the query and on that name: the number of results is not limited, and no weight
//! depends on the other entries of the list. An index of a part of a list therefore returns exactly
//! the names of that part that an index of the whole list returns.

use super::view::View;
use super::weights::{Weights, is_searchable};
use crate::normalise::Origin;
use crate::normalise::reading::{ALL_LANGUAGES, Languages};
use crate::score::{
    EVIDENT, INITIAL, JOINED, MAX_READING_SPAN, MAX_SHORT_PARTS, MAX_SPAN, MIN_PART_OF_MANY,
    ONE_TOKEN, Part, can_be_joined, can_be_parts, is_tried, keys, middle_weight, required_gain,
    similarity,
};

/// Totals of the tokens that a listed name has in common with the query so far.
///
/// One turn looks up one token of the query, or one span of adjacent tokens. A turn can find
/// several pairs for a name, but only one of them can be part of the alignment. Each turn therefore
/// adds only the maximum of its pairs to the totals. A token that the query repeats has one turn,
/// which adds its maximum once for each repetition.
#[derive(Clone, Copy, Debug, Default)]
struct Common {
    /// Number of the query for which the other fields were set. If it is not the number of the
    /// current query, the other fields are stale.
    query: u32,
    /// The last turn that found a pair.
    turn: u16,
    /// True if one name writes several tokens that the other name writes as one.
    joined: bool,
    /// Sum of the turns before the last one.
    earlier: Sum,
    /// Maximum of the last turn.
    last: Shared,
}

/// Sums of the maxima in [`Shared`] over several turns.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    /// Sum of the positive gains.
    gain: f32,
    /// Sum of the negative gains.
    loss: f32,
    query_weight: f32,
    name_weight: f32,
    significant: u16,
    mixed: u16,
}

/// Maxima over the pairs of one turn, separately for each field.
#[derive(Clone, Copy, Debug, Default)]
struct Shared {
    /// Weight of the pair times the difference between its similarity and the wanted score.
    gain: f32,
    /// Searchable weight that the pair covers in the query. If the name joins several tokens of the
    /// query, this is the weight of all of them.
    query_weight: f32,
    /// Searchable weight that the pair covers in the name.
    name_weight: f32,
    /// Number of significant tokens for which the pair is evidence.
    significant: u16,
    /// 1 if only one token of the pair is significant, otherwise 0.
    mixed: u16,
}

impl Shared {
    /// Returns the maxima of `count` equal turns together.
    fn times(self, count: u16) -> Shared {
        let factor = f32::from(count);
        Shared {
            gain: factor * self.gain,
            query_weight: factor * self.query_weight,
            name_weight: factor * self.name_weight,
            significant: count * self.significant,
            mixed: count * self.mixed,
        }
    }

    fn max(self, other: Shared) -> Shared {
        Shared {
            gain: self.gain.max(other.gain),
            query_weight: self.query_weight.max(other.query_weight),
            name_weight: self.name_weight.max(other.name_weight),
            significant: self.significant.max(other.significant),
            mixed: self.mixed.max(other.mixed),
        }
    }
}

impl Sum {
    fn plus(self, shared: Shared) -> Sum {
        Sum {
            gain: self.gain + shared.gain.max(0.0),
            loss: self.loss + shared.gain.min(0.0),
            query_weight: self.query_weight + shared.query_weight,
            name_weight: self.name_weight + shared.name_weight,
            significant: self.significant + shared.significant,
            mixed: self.mixed + shared.mixed,
        }
    }
}

/// Buffers for retrieval from one index. The buffers are kept between queries, and their entries
/// are marked with the number of the query instead of being cleared.
#[derive(Debug, Default)]
pub(crate) struct Accumulator {
    query: u32,
    turn: u16,
    names: Vec<Common>,
    /// Names for which the current query has found a pair.
    touched: Vec<u32>,
    /// Value of `lookups` at the last comparison of each token of the list.
    compared: Vec<u64>,
    /// Number of query tokens that were looked up since the accumulator was created.
    lookups: u64,
}

/// The parts of a query, and the score that a name must reach.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'q> {
    pub parts: &'q [Part<'q>],
    pub min_score: f32,
}

/// Upper bound of the rounding error of sums of a few dozen `f32` weights.
const ROUNDING: f32 = 1e-3;

impl Accumulator {
    /// Returns the largest memory in bytes that the buffers for an index with these numbers of names
    /// and tokens take.
    pub(super) fn memory(names: usize, tokens: usize) -> usize {
        names * (size_of::<Common>() + size_of::<u32>()) + tokens * size_of::<u64>()
    }

    /// Replaces the content of `names` by the numbers of the names to compare, in ascending order
    /// and without duplicates. The result includes every name that reaches the wanted score if a
    /// token of the name is similar to a token of the query and at least one of these two tokens is
    /// searchable.
    pub(crate) fn retrieve(&mut self, view: &View<'_>, wanted: Wanted<'_>, names: &mut Vec<u32>) {
        self.begin(view);
        for (part, count) in repetitions(wanted.parts.iter()) {
            self.add_similar(view, part, count, wanted.min_score);
            self.add_split(view, part, count, wanted.min_score);
        }
        self.add_joined(view, wanted);
        let query = Weights::of(wanted.parts);
        let middle = middle_weight(wanted.parts);
        names.clear();
        for &name in &self.touched {
            let Some(common) = self.names.get(name as usize) else { continue };
            let Some(record) = view.name(name) else { continue };
            let listed = Listed { weights: record.weights, length: view.name_length(name) };
            if can_reach(wanted.min_score, *common, (query, middle), listed) {
                names.push(name);
            }
        }
        names.sort_unstable();
    }

    fn begin(&mut self, view: &View<'_>) {
        if self.names.len() < view.name_count() {
            self.names.resize(view.name_count(), Common::default());
        }
        if self.compared.len() < view.token_count() {
            self.compared.resize(view.token_count(), 0);
        }
        self.touched.clear();
        self.turn = 0;
        self.query = self.query.wrapping_add(1);
        if self.query == 0 {
            // The counter has wrapped around, and old entries could look current.
            self.names.fill(Common::default());
            self.query = 1;
        }
    }

    /// Adds the names with a token that is similar to `part`. A pair of two minor tokens does not
    /// retrieve a name. A pair of a minor token and a searchable token does, because one side may
    /// have misspelt `Company` as `Compay`.
    fn add_similar(&mut self, view: &View<'_>, part: &Part<'_>, count: u16, min_score: f32) {
        self.turn += 1;
        self.lookups += 1;
        keys::wanted(part, |key| {
            for token in view.tokens_with_key(key) {
                let Some(compared) = self.compared.get_mut(token as usize) else { continue };
                // Similar tokens usually share several keys.
                if std::mem::replace(compared, self.lookups) == self.lookups {
                    continue;
                }
                let Some(listed) = view.token(token) else { continue };
                if !is_searchable(part.class) && !is_searchable(listed.class) {
                    continue;
                }
                let Some((similarity, _)) = similarity(part, &listed) else { continue };
                let (query_significant, listed_significant) =
                    (part.class.is_significant(), listed.class.is_significant());
                let is_evidence = query_significant && listed_significant && similarity >= EVIDENT;
                let shared = Shared {
                    gain: part.weight().min(listed.weight()) * (similarity - min_score),
                    query_weight: searchable_weight(part),
                    name_weight: searchable_weight(&listed),
                    significant: u16::from(is_evidence),
                    mixed: u16::from(query_significant != listed_significant),
                };
                for name in view.names_with_token(token).iter() {
                    self.add(name, shared.times(count), false);
                }
            }
        });
    }

    fn add(&mut self, name: u32, shared: Shared, joined: bool) {
        let Some(common) = self.names.get_mut(name as usize) else { return };
        if common.query != self.query {
            *common = Common { query: self.query, ..Common::default() };
            self.touched.push(name);
        }
        if common.turn == self.turn {
            common.last = common.last.max(shared);
        } else {
            common.turn = self.turn;
            common.earlier = common.earlier.plus(common.last);
            common.last = shared;
        }
        common.joined |= joined;
    }

    /// Adds the names that may write `part` as several tokens. The order of the tokens in the
    /// name is not checked here.
    fn add_split(&mut self, view: &View<'_>, part: &Part<'_>, count: u16, min_score: f32) {
        if can_be_joined(part.text) && part.origin != Origin::Reading {
            self.turn += 1;
            let mut split = Split {
                part,
                count,
                min_score,
                weight: 0.0,
                name_weight: 0.0,
                tokens: Vec::new(),
                lengths: Vec::new(),
            };
            self.split_rest(view, &mut split, part.text);
        }
    }

    /// Tries all ways to write `rest`, the end of a token of the query, as tokens of the list.
    fn split_rest(&mut self, view: &View<'_>, split: &mut Split<'_>, rest: &[u8]) {
        if rest.is_empty() {
            return self.add_names_of_split(view, split);
        }
        let is_first = split.lengths.is_empty();
        let may_be_letters = split.part.text.len() <= MAX_SPAN;
        let has_short = split.lengths.iter().any(|length| *length < MIN_PART_OF_MANY);
        let max_count = if has_short && !may_be_letters { MAX_SHORT_PARTS } else { MAX_SPAN };
        if split.lengths.len() >= max_count {
            return;
        }
        let is_last = split.lengths.len() + 1 == max_count;
        let shortest = match split.lengths.len() {
            _ if is_last => rest.len(),
            // A fourth token must be followed by a fifth, and all must be long.
            MAX_SHORT_PARTS.. => MIN_PART_OF_MANY,
            _ => 1,
        };
        // More than three tokens must all be long, so a third token ends the text or is long, and leaves
        // enough letters for a fourth.
        let needs_long = split.lengths.len() + 1 >= MAX_SHORT_PARTS;
        for length in shortest..=rest.len() {
            let Some((text, remainder)) = rest.split_at_checked(length) else { continue };
            if remainder.is_empty() && is_first {
                continue;
            }
            let is_long = length >= MIN_PART_OF_MANY && remainder.len() >= MIN_PART_OF_MANY;
            if needs_long && !remainder.is_empty() && !is_long && !may_be_letters {
                continue;
            }
            for token in view.tokens_with_key(keys::exact(text)) {
                let Some(listed) = view.token(token) else { continue };
                let is_part = if listed.origin == Origin::Reading {
                    listed.languages_of(text).is_some()
                } else {
                    // One letter behind another token is tried only in a text of single letters.
                    let is_spelled = listed.origin.is_spelled_like(split.part.origin);
                    listed.text == text && is_spelled && (length > 1 || is_first || may_be_letters)
                };
                if !is_part {
                    continue;
                }
                let (weight, name_weight) = (split.weight, split.name_weight);
                split.weight += listed.weight();
                split.name_weight += searchable_weight(&listed);
                split.tokens.push(token);
                split.lengths.push(length);
                self.split_rest(view, split, remainder);
                split.tokens.pop();
                split.lengths.pop();
                (split.weight, split.name_weight) = (weight, name_weight);
            }
        }
    }

    fn add_names_of_split(&mut self, view: &View<'_>, split: &Split<'_>) {
        let rarest = split.tokens.iter().min_by_key(|token| view.names_with_token(**token).len());
        let Some(&rarest) = rarest else { return };
        let shared = Shared {
            gain: split.weight.min(split.part.weight()) * (JOINED - split.min_score),
            query_weight: searchable_weight(split.part),
            name_weight: split.name_weight,
            significant: 2,
            mixed: 0,
        };
        for name in view.names_with_token(rarest).iter() {
            if split.tokens.iter().all(|token| view.names_with_token(*token).contains(name)) {
                self.add(name, shared.times(split.count), true);
            }
        }
    }

    /// Adds the names that write several adjacent tokens of the query as one token.
    fn add_joined(&mut self, view: &View<'_>, wanted: Wanted<'_>) {
        let mut text = Vec::new();
        for length in 2..=MAX_SPAN {
            for (span, count) in repetitions(wanted.parts.windows(length)) {
                text.clear();
                if span.iter().all(|part| part.origin == Origin::Reading) {
                    if length <= MAX_READING_SPAN {
                        self.turn += 1;
                        let span = Repeated { span, count };
                        self.add_read(view, wanted, span, (span.span, ALL_LANGUAGES), &mut text);
                    }
                    continue;
                }
                text.extend(span.iter().flat_map(|part| part.text));
                let is_spelled = |pair: &[Part<'_>]| match pair {
                    [one, other] => one.origin.is_spelled_like(other.origin),
                    _ => true,
                };
                let is_one_script = span.windows(2).all(is_spelled);
                let can_be_parts = can_be_parts(span.iter().map(|part| part.text.len()));
                if can_be_joined(&text) && can_be_parts && is_one_script {
                    self.turn += 1;
                    self.add_names_of_joined(view, wanted, Repeated { span, count }, &text);
                }
            }
        }
    }

    /// Adds the names that write the readings of adjacent characters as one token. `rest` are the
    /// characters that are not read yet, and the languages of the readings before them.
    fn add_read(
        &mut self,
        view: &View<'_>,
        wanted: Wanted<'_>,
        span: Repeated<'_>,
        (rest, languages): (&[Part<'_>], Languages),
        text: &mut Vec<u8>,
    ) {
        let Some((first, rest)) = rest.split_first() else {
            if can_be_joined(text) {
                self.add_names_of_joined(view, wanted, span, text);
            }
            return;
        };
        for reading in first.readings().iter().filter(|it| is_tried(it.rank, span.span.len())) {
            let common = languages & reading.languages;
            if common != 0 {
                let length = text.len();
                text.extend_from_slice(reading.text.as_bytes());
                self.add_read(view, wanted, span, (rest, common), text);
                text.truncate(length);
            }
        }
    }

    /// Adds the names that write the tokens of a span as one token with this text.
    fn add_names_of_joined(
        &mut self,
        view: &View<'_>,
        wanted: Wanted<'_>,
        Repeated { span, count }: Repeated<'_>,
        text: &[u8],
    ) {
        let Some(first) = span.first() else { return };
        let weight: f32 = span.iter().map(Part::weight).sum();
        for token in view.tokens_with_text(text) {
            let Some(listed) = view.token(token) else { continue };
            let is_joined = match first.origin {
                Origin::Reading => listed.origin != Origin::Reading,
                origin => listed.origin.is_spelled_like(origin),
            };
            if !is_joined {
                continue;
            }
            let shared = Shared {
                gain: weight.min(listed.weight()) * (JOINED - wanted.min_score),
                query_weight: weight,
                name_weight: searchable_weight(&listed),
                significant: 2,
                mixed: 0,
            };
            for name in view.names_with_token(token).iter() {
                self.add(name, shared.times(count), true);
            }
        }
    }
}

/// Returns each of `items` once, with the number of its repetitions.
fn repetitions<T: Copy + PartialEq>(
    items: impl Iterator<Item = T> + Clone,
) -> impl Iterator<Item = (T, u16)> {
    let all = items.clone();
    items.enumerate().filter_map(move |(position, item)| {
        if all.clone().take(position).any(|earlier| earlier == item) {
            return None;
        }
        let count = all.clone().skip(position).filter(|other| *other == item).count();
        // A query has at most `MAX_TOKENS` tokens.
        Some((item, count as u16))
    })
}

/// Adjacent tokens of a query, and the number of their repetitions in it.
#[derive(Clone, Copy)]
struct Repeated<'q> {
    span: &'q [Part<'q>],
    count: u16,
}

/// A token of a query that is being split, and the tokens of the list that spell its beginning.
struct Split<'q> {
    part: &'q Part<'q>,
    /// Number of repetitions of the token in the query.
    count: u16,
    min_score: f32,
    /// Sum of the weights of `tokens`.
    weight: f32,
    /// Sum of the searchable weights of `tokens`.
    name_weight: f32,
    tokens: Vec<u32>,
    /// Number of letters that each of the tokens spells.
    lengths: Vec<usize>,
}

/// Returns the weight of a token if a name can be retrieved by it, and 0 otherwise.
fn searchable_weight(part: &Part<'_>) -> f32 {
    if is_searchable(part.class) { part.weight() } else { 0.0 }
}

/// Totals of a listed name.
#[derive(Clone, Copy)]
struct Listed {
    weights: Weights,
    /// Number of tokens.
    length: usize,
}

/// Returns whether an upper bound of the score of a name reaches `min_score`. The query is given by its
/// totals and by the weight of its middle names.
fn can_reach(
    min_score: f32,
    common: Common,
    (query, middle): (Weights, f32),
    listed: Listed,
) -> bool {
    let sum = common.earlier.plus(common.last);
    let Listed { weights: listed, length } = listed;
    let initials = query.initials + listed.initials;
    let most_significant = u16::from(query.significant.max(listed.significant));
    let evidence_needed =
        most_significant.saturating_sub(sum.mixed + u16::from(initials)).clamp(1, 2);
    if min_score > ONE_TOKEN && sum.significant < evidence_needed {
        return false;
    }
    // A pair with a loss still costs less than two tokens without a partner, so the bound includes
    // the loss. If there is also a joined pair, it may use the tokens of the pair with the loss, so
    // the bound leaves the loss out.
    let mut pairs = sum.gain + if common.joined { 0.0 } else { sum.loss };
    let mut query_weight = sum.query_weight;
    // Each pair needs a token of the listed name, and covers a weight of at most 1 per token of the
    // query. A query of many similar words therefore cannot cover more than this weight.
    let max_query_weight = (if common.joined { length * MAX_SPAN } else { length }) as f32;
    if query_weight > max_query_weight {
        // Some of the pairs cannot be part of the alignment. They may be those with a loss, so the
        // bound leaves the loss out.
        query_weight = max_query_weight;
        pairs = sum.gain.min(max_query_weight * (1.0 - min_score));
    }
    let minor = query.minor.min(listed.minor) * (1.0 - min_score);
    let initial = f32::from(initials) * (INITIAL - min_score).max(0.0);
    // An initial may pair with any token of the other name, and this token is then not left over.
    let query_rest = query.searchable - query_weight - f32::from(listed.initials);
    let listed_rest = listed.searchable - sum.name_weight - f32::from(query.initials);
    pairs + minor + initial >= required_gain(query_rest, listed_rest, middle, min_score) - ROUNDING
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{Entity, EntityKind, ListedName, NameKind};
    use crate::index::{Index, Source, build};
    use crate::normalise::prepare;

    fn retrieved(index: &Index, query: &str) -> usize {
        let query = prepare(query);
        let parts: Vec<Part<'_>> = query.tokens.iter().map(Part::of).collect();
        let mut names = Vec::new();
        let wanted = Wanted { parts: &parts, min_score: 0.7 };
        Accumulator::default().retrieve(&index.view(), wanted, &mut names);
        names.len()
    }

    /// A query of many similar words covers at most as many of its words as a listed name has. It
    /// must not be compared with every name that has one of them.
    #[test]
    fn similar_words_in_a_query_do_not_retrieve_every_name_with_one_of_them() {
        let entities = (0..100).map(|number| {
            let name = format!("Mohammed Ali {}", "kova".repeat(number % 7 + 1));
            Entity {
                names: vec![ListedName::whole(name, NameKind::Primary)],
                ..Entity::new(number.to_string(), EntityKind::Person)
            }
        });
        let source = Source { list: "synthetic", version: "1", date: None };
        let index = Index::open(build(source, entities).unwrap()).unwrap();
        assert_eq!(retrieved(&index, "Mohammed Ali"), 100);
        assert_eq!(retrieved(&index, &"Mohammed ".repeat(20)), 0);
        assert_eq!(retrieved(&index, &"Mohammed Ali ".repeat(10)), 0);
        assert_eq!(retrieved(&index, &"Mohammed Muhammad Mohamad Mohamed ".repeat(5)), 0);
    }
}
