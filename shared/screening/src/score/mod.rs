//! Scores the likelihood that two names belong to the same party.
//!
//! The score depends only on the two names and on the other fields of the query and of the entry.

mod align;
mod context;
mod edit;
mod explain;
pub(super) mod keys;
mod loose;
mod part;
mod similarity;

pub(super) use align::{
    JOINED, MAX_READING_SPAN, MAX_SHORT_PARTS, MAX_SPAN, MIN_PART_OF_MANY, can_be_joined,
    can_be_parts, is_tried,
};
pub(super) use context::bare;
pub(super) use similarity::INITIAL;

pub use align::{Alignment, Limit, Pair, Span};
pub use context::{
    ComparedField, Comparison, Outcome, QueryContext, Strength, compare, in_context, min_name_score,
};
pub use explain::{Aligned, Explanation, Leftover, NameMatch, explain};
pub use part::{Part, letters};
pub use similarity::{Reason, similarity};

use crate::normalise::reading::{ALL_LANGUAGES, DISTINCT_LANGUAGES, LONG_READINGS, Languages};
use crate::normalise::{Class, Origin};

/// Version of the matching model, which includes normalisation, word lists, weights, similarity,
/// score and context. Scores of different versions are not comparable. After a change of this
/// version, all customers are screened again in full.
pub const MODEL_VERSION: u32 = 3;

/// Default minimum score of a match that is worth a review. Tenants can choose another minimum.
pub const DEFAULT_MIN_SCORE: f32 = 0.78;

/// Cost of a listed token that the query does not have, as a share of its weight. The cost is low,
/// because a party that is listed with four names often uses only two of them.
const OMITTED: f32 = 0.2;
/// Additional cost of omitted tokens, as a share of their weight, if a pair is doubtful.
const DOUBTFUL_OMITTED: f32 = 0.25;
/// Similarity of spelling below which a pair is doubtful.
const DOUBTFUL: f32 = 0.84;
/// Similarity of sound below which a pair is doubtful.
const DOUBTFUL_SOUND: f32 = 0.805;
/// Cost of a token of the query that the listed name does not have, as a share of its weight. The
/// cost is higher than [`OMITTED`], because a list gives all known names of a party.
const ADDED: f32 = 0.5;
/// The same cost for a word in the middle of a personal name. Documents often have middle names that a
/// list leaves out.
const ADDED_IN_THE_MIDDLE: f32 = 0.35;
/// Cost if both names have leftover tokens, as a multiple of the smaller of the two leftover
/// weights.
const CONTRADICTION: f32 = 2.4;
/// Maximum score of names with one aligned significant token, if at least one of the names has more
/// significant tokens.
pub(super) const ONE_TOKEN: f32 = 0.65;
/// Maximum score of names without an aligned significant token.
const NO_TOKEN: f32 = 0.5;
/// Factor of the score if father and son are swapped.
const REVERSED: f32 = 0.7;
/// Minimum number of letters that readings of two characters write.
const MIN_LETTERS: usize = 8;
/// Factor of the score if the characters of one name are read in different languages.
const MIXED_READINGS: f32 = 0.85;
/// Minimum similarity of a pair of significant tokens that counts as evidence.
pub(super) const EVIDENT: f32 = 0.7;
/// A sum of weights below this limit is a rounding error.
const NO_WEIGHT: f32 = 1e-4;

/// Returns the score of the name of a query and a listed name, from 0 to 1. Two equal names with at
/// least one token have the score 1. Stores the aligned tokens and the limit of the score in
/// `alignment`. The score is not symmetric: a token that only the listed name has costs less than a
/// token that only the query has.
pub fn score(query: &[Part<'_>], listed: &[Part<'_>], alignment: &mut Alignment) -> f32 {
    alignment.align(query, listed);
    let mut sums = Sums::default();
    let (mut query_rest, mut listed_rest) = (Rest::of(query), Rest::of(listed));
    let (mut evidence, mut min_similarity) = (0, 1.0_f32);
    for pair in &alignment.pairs {
        sums.add(pair.weight, pair.similarity);
        let of_query = query_rest.remove(pair.left.parts(query));
        let of_listed = listed_rest.remove(pair.right.parts(listed));
        if of_query == 0 || of_listed == 0 {
            // `Compay` looks like a significant word until it is paired with `Company`.
            query_rest.significant -= of_query;
            listed_rest.significant -= of_listed;
        } else if pair.similarity >= EVIDENT {
            evidence += of_query.max(of_listed);
            min_similarity = min_similarity.min(pair.similarity);
        }
    }
    let is_aligned =
        |position: usize| alignment.pairs.iter().any(|pair| pair.left.range().contains(&position));
    let middle: f32 = middle_names(query)
        .filter(|(position, _)| !is_aligned(*position))
        .map(|(_, part)| part.weight())
        .sum();
    let mut score = sums.score(query_rest.weight, listed_rest.weight, middle);
    if alignment.pairs.iter().any(is_doubtful) {
        // A misspelt name in a list of more names is usually another name.
        let omitted = (listed_rest.weight - query_rest.weight.max(0.0)).max(0.0);
        score *= sums.weight / (sums.weight + DOUBTFUL_OMITTED * omitted).max(NO_WEIGHT);
    }
    alignment.limit = None;
    if swaps_father_and_son(query, listed, &alignment.pairs) {
        score *= REVERSED;
        alignment.limit = Some(Limit::FatherAndSon);
    }
    let languages = alignment.pairs.iter().fold(ALL_LANGUAGES, |all, pair| all & pair.languages);
    if languages == 0 || is_vague(query, listed, &alignment.pairs, languages) {
        score *= MIXED_READINGS;
        alignment.limit = Some(Limit::MixedReadings);
    }
    let maximum = match (evidence, query_rest.significant.max(listed_rest.significant)) {
        (0, _) => Some((NO_TOKEN, Limit::NoWord)),
        (1, 2..) => Some((ONE_TOKEN, Limit::OneWord)),
        // Neither name has a second significant word that could confirm the spelling of the first.
        (1, _) => return score * min_similarity,
        _ => None,
    };
    match maximum {
        Some((maximum, limit)) if score > maximum => {
            alignment.limit = Some(limit);
            maximum
        }
        _ => score,
    }
}

/// Returns whether a pair may be of two different names, because they differ in several letters.
fn is_doubtful(pair: &Pair) -> bool {
    match pair.reason {
        Reason::Spelling => pair.similarity < DOUBTFUL,
        Reason::Sound => pair.similarity < DOUBTFUL_SOUND,
        _ => false,
    }
}

/// Returns whether characters agree with their readings only by chance: in another order, or only two of
/// them in a language that is not their own. Two syllables of any language are soon found.
fn is_vague(query: &[Part<'_>], listed: &[Part<'_>], pairs: &[Pair], languages: Languages) -> bool {
    if languages == ALL_LANGUAGES {
        return false;
    }
    let of_readings = || pairs.iter().filter(|pair| pair.languages != ALL_LANGUAGES);
    // The family name can be first or last, so the order is the same or rotated.
    let mut order: Vec<Pair> = of_readings().copied().collect();
    order.sort_by_key(|pair| pair.left.first);
    let follows = |(one, other): (&Pair, &Pair)| one.right.first < other.right.first;
    let descents =
        order.iter().zip(order.iter().cycle().skip(1)).filter(|pair| !follows(*pair)).count();
    if order.len() > 2 && descents > 1 {
        return true;
    }
    if languages & DISTINCT_LANGUAGES != 0 {
        return false;
    }
    let (mut characters, mut letters) = (0, 0);
    for pair in of_readings() {
        characters += pair.left.count.max(pair.right.count);
        for part in pair.left.parts(query).iter().chain(pair.right.parts(listed)) {
            letters += if part.origin == Origin::Reading { 0 } else { part.text.len() };
        }
    }
    characters <= 2 && (letters < MIN_LETTERS || languages & LONG_READINGS == 0)
}

/// Returns the tokens in the middle of the name of a query, with their positions, if it is the name of a
/// person. The words in the middle of the name of a firm distinguish it from its sisters.
fn middle_names<'p, 'a>(query: &'p [Part<'a>]) -> impl Iterator<Item = (usize, &'p Part<'a>)> {
    let is_firm = query
        .iter()
        .any(|part| matches!(part.class, Class::Generic | Class::Legal | Class::Number));
    let last = query.len().saturating_sub(1);
    let middle = query.iter().enumerate().skip(1).filter(move |(position, part)| {
        !is_firm && *position < last && matches!(part.class, Class::Word | Class::Common)
    });
    middle.filter(|(_, part)| part.origin != Origin::Reading)
}

/// Returns the sum of the weights of the [`middle_names`] of a query.
pub(super) fn middle_weight(query: &[Part<'_>]) -> f32 {
    middle_names(query).map(|(_, part)| part.weight()).sum()
}

/// Returns whether one name is `A bin B` and the other is `B bin A`. The words `ibn`, `ben` and
/// `bint` count as `bin`.
fn swaps_father_and_son(query: &[Part<'_>], listed: &[Part<'_>], pairs: &[Pair]) -> bool {
    let is_son_of = |part: &Part<'_>| matches!(part.text, b"bin" | b"ibn" | b"ben" | b"bint");
    let partner = |position: usize| {
        let is_single_at =
            |pair: &&Pair| usize::from(pair.left.first) == position && pair.left.count == 1;
        pairs.iter().find(is_single_at).map(|pair| usize::from(pair.right.first))
    };
    query.iter().enumerate().filter(|(_, part)| is_son_of(part)).any(|(position, _)| {
        let (Some(son), Some(father)) =
            (position.checked_sub(1).and_then(partner), partner(position + 1))
        else {
            return false;
        };
        father + 2 == son && listed.get(father + 1).is_some_and(is_son_of)
    })
}

/// Totals of a name, which change as its tokens are aligned.
struct Rest {
    /// Sum of the weights of the tokens that are not aligned.
    weight: f32,
    /// Number of significant tokens, aligned or not. Tokens that are aligned with a minor word
    /// do not count.
    significant: usize,
}

impl Rest {
    fn of(parts: &[Part<'_>]) -> Rest {
        Rest { weight: parts.iter().map(Part::weight).sum(), significant: significant(parts) }
    }

    /// Subtracts the weight of aligned tokens. Returns the number of significant tokens among them.
    fn remove(&mut self, parts: &[Part<'_>]) -> usize {
        self.weight -= parts.iter().map(Part::weight).sum::<f32>();
        significant(parts)
    }
}

fn significant(parts: &[Part<'_>]) -> usize {
    parts.iter().filter(|part| part.class.is_significant()).count()
}

/// Returns the sum of gains that two names need for a score of `min_score` if tokens with these
/// weights are left over, `middle` of which at most are of [`middle_names`]. The gain of a pair is `weight * (similarity - min_score)`. The result is
/// the formula of [`Sums::score`], solved for the gains.
pub(super) fn required_gain(query_rest: f32, listed_rest: f32, middle: f32, min_score: f32) -> f32 {
    min_score * leftover_cost(query_rest, listed_rest, middle)
}

/// Sums over the aligned tokens of two names.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Sum of the weights of the pairs.
    weight: f32,
    /// Sum of weight times similarity of the pairs.
    similarity: f32,
}

impl Sums {
    fn add(&mut self, weight: f32, similarity: f32) {
        self.weight += weight;
        self.similarity += weight * similarity;
    }

    /// Returns the mean similarity of the pairs, weighted by their weights. The cost of the
    /// leftover tokens counts as additional weight with similarity 0. Returns 0 without pairs.
    fn score(self, query_rest: f32, listed_rest: f32, middle: f32) -> f32 {
        let cost = leftover_cost(query_rest, listed_rest, middle);
        if self.weight > 0.0 { self.similarity / (self.weight + cost) } else { 0.0 }
    }
}

/// Returns the cost of leftover tokens, whose weights are given for each name. The smaller of the
/// two weights is a contradiction between the names. The excess of the query counts as added, and
/// the excess of the listed name as omitted. `middle` is the part of the query's weight that belongs to
/// middle names.
fn leftover_cost(query_rest: f32, listed_rest: f32, middle: f32) -> f32 {
    let without_rounding = |weight: f32| if weight < NO_WEIGHT { 0.0 } else { weight };
    let (query, listed) = (without_rounding(query_rest), without_rounding(listed_rest));
    let both = query.min(listed);
    let added = query - both;
    let discount = (ADDED - ADDED_IN_THE_MIDDLE) * middle.min(added);
    CONTRADICTION * both + ADDED * added - discount + OMITTED * (listed - both)
}
