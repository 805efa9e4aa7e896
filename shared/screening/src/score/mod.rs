//! How much two names are one name: a pure function of the two and of nothing else.

mod align;
mod context;
mod cost;
mod explain;
pub(super) mod keys;
mod token;

pub(super) use align::{JOINED, LONGEST_SPAN, may_be_joined};
pub(super) use context::bare;
pub(super) use token::INITIAL;

pub use align::{Limit, Pair, Room, Span};
pub use context::{
    Circumstances, Comparison, Outcome, Strength, compare, in_context, least_name_score,
};
pub use explain::{Aligned, Explanation, Leftover, NameMatch, explain};
pub use token::{Part, Reason, letters, similarity};

/// Of the whole of it: normalisation, word lists, weights, similarity, score and context. Scores
/// of different versions are not compared; a change is followed by one full run.
pub const MODEL_VERSION: u32 = 2;

/// The score from which a match is worth a person's time, unless a tenant says otherwise.
pub const DEFAULT_MIN_SCORE: f32 = 0.78;

/// What a token of the list costs that the query leaves out, as a share of its weight. Who is
/// listed with four names goes by two of them.
const LEFT_OUT: f32 = 0.2;
/// What a token of the query costs that the list does not have: a list tells all it knows.
const ADDED: f32 = 0.5;
/// What a token costs that the other name has another one for.
const CONTRADICTION: f32 = 2.4;
/// The most that fewer than two aligned significant tokens can give, when a name has more.
pub(super) const ONE_TOKEN: f32 = 0.65;
/// The most that small words alone can give.
const NO_TOKEN: f32 = 0.5;
/// What is left of a score when father and son have changed places.
const REVERSED: f32 = 0.7;
/// From here on a pair of significant tokens is evidence.
pub(super) const EVIDENT: f32 = 0.7;

/// The score of a query's name and a listed one, from 0 to 1, 1 for equal tokens. The alignment
/// stays in `room`. The names may change places but for one thing: what the query leaves out
/// costs less than what it adds.
pub fn score(query: &[Part<'_>], listed: &[Part<'_>], room: &mut Room) -> f32 {
    room.align(query, listed);
    let mut matched = Sums::default();
    let (mut rest_query, mut rest_listed) = (Rest::of(query), Rest::of(listed));
    let (mut evidence, mut least_similar) = (0, 1.0_f32);
    for pair in &room.pairs {
        matched.add(pair.weight, pair.similarity);
        let of_query = rest_query.take(query, pair.left);
        let of_listed = rest_listed.take(listed, pair.right);
        if of_query == 0 || of_listed == 0 {
            // `Compay` is a word of its own until it is found to be a company.
            rest_query.significant -= of_query;
            rest_listed.significant -= of_listed;
        } else if pair.similarity >= EVIDENT {
            evidence += of_query.max(of_listed);
            least_similar = least_similar.min(pair.similarity);
        }
    }
    let mut score = matched.score(rest_query.weight, rest_listed.weight);
    room.limit = None;
    if fathers_and_sons(query, listed, &room.pairs) {
        score *= REVERSED;
        room.limit = Some(Limit::FatherAndSon);
    }
    let most = match (evidence, rest_query.significant.max(rest_listed.significant)) {
        (0, _) => Some((NO_TOKEN, Limit::NoWord)),
        (1, 2..) => Some((ONE_TOKEN, Limit::OneWord)),
        // One word on both sides: nothing else vouches for its spelling.
        (1, _) => return score * least_similar,
        _ => None,
    };
    match most {
        Some((most, limit)) if score > most => {
            room.limit = Some(limit);
            most
        }
        _ => score,
    }
}

/// Whether one name says `A bin B` and the other `B bin A`.
fn fathers_and_sons(query: &[Part<'_>], listed: &[Part<'_>], pairs: &[Pair]) -> bool {
    let son_of = |part: &Part<'_>| matches!(part.text, b"bin" | b"ibn" | b"ben" | b"bint");
    let partner = |place: usize| {
        let of = |pair: &&Pair| usize::from(pair.left.first) == place && pair.left.count == 1;
        pairs.iter().find(of).map(|pair| usize::from(pair.right.first))
    };
    let fathers = query.iter().enumerate().filter(|(_, part)| son_of(part));
    fathers.into_iter().any(|(place, _)| {
        let (Some(son), Some(father)) =
            (place.checked_sub(1).and_then(partner), partner(place + 1))
        else {
            return false;
        };
        father + 2 == son && listed.get(father + 1).is_some_and(son_of)
    })
}

/// What is not aligned yet.
struct Rest {
    weight: f32,
    significant: usize,
}

impl Rest {
    fn of(parts: &[Part<'_>]) -> Rest {
        let significant = parts.iter().filter(|part| part.class.is_significant()).count();
        Rest { weight: parts.iter().map(Part::weight).sum(), significant }
    }

    /// Takes the tokens of a pair out; answers how many of them were significant.
    fn take(&mut self, parts: &[Part<'_>], span: Span) -> usize {
        let parts = parts.get(span.range()).unwrap_or_default();
        self.weight -= parts.iter().map(Part::weight).sum::<f32>();
        parts.iter().filter(|part| part.class.is_significant()).count()
    }
}

/// The least that names with so much left over have to gain for a score of `least`, where a pair
/// gains its weight times what its similarity is above `least`: [`Sums::score`], solved for it.
pub(super) fn least_gain(rest_query: f32, rest_listed: f32, least: f32) -> f32 {
    least * cost(rest_query, rest_listed)
}

/// What two names have in common, summed up over aligned tokens.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    weight: f32,
    similar: f32,
}

impl Sums {
    fn add(&mut self, weight: f32, similarity: f32) {
        self.weight += weight;
        self.similar += weight * similarity;
    }

    fn score(self, rest_query: f32, rest_listed: f32) -> f32 {
        let cost = cost(rest_query, rest_listed);
        if self.weight > 0.0 { self.similar / (self.weight + cost) } else { 0.0 }
    }
}

/// What is left on both sides contradicts; what only one side has more is an omission.
fn cost(rest_query: f32, rest_listed: f32) -> f32 {
    // Below the rounding of sums of weights nothing is left.
    let rest = |weight: f32| if weight < 1e-4 { 0.0 } else { weight };
    let (query, listed) = (rest(rest_query), rest(rest_listed));
    let both = query.min(listed);
    CONTRADICTION * both + ADDED * (query - both) + LEFT_OUT * (listed - both)
}
