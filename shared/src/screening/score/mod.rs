//! How much two names are one name: a pure function of the two, the same whichever comes first.

mod align;
mod context;
mod explain;
mod token;

pub(super) use context::bare;

pub use align::{Pair, Room, Span};
pub use context::{
    Circumstances, Comparison, Outcome, Strength, compare, in_context, least_name_score,
};
pub use explain::{Aligned, Explanation, Leftover, NameMatch, explain};
pub use token::{Part, Reason, letters, similarity};

/// Of the whole of it: normalisation, word lists, weights, similarity, score and context. Scores
/// of different versions are not compared; a change is followed by one full run.
pub const MODEL_VERSION: u32 = 1;

/// The score from which a match is worth a person's time, unless a tenant says otherwise.
pub const DEFAULT_MIN_SCORE: f32 = 0.77;

/// What a token costs that one name has and the other leaves out, as a share of its weight.
const OMISSION: f32 = 0.30;
/// What a token costs that the other name has another one for.
const CONTRADICTION: f32 = 1.35;
/// The most that fewer than two aligned significant tokens can give, when a name has more.
pub(super) const ONE_TOKEN: f32 = 0.65;
/// The most that small words alone can give.
const NO_TOKEN: f32 = 0.5;
/// From here on a pair of significant tokens is evidence.
pub(super) const EVIDENT: f32 = 0.7;

/// The score of two names, from 0 to 1, 1 for equal tokens. The alignment stays in `room`.
pub fn score(left: &[Part<'_>], right: &[Part<'_>], room: &mut Room) -> f32 {
    room.align(left, right);
    let mut matched = Sums::default();
    let (mut rest_left, mut rest_right) = (Rest::of(left), Rest::of(right));
    let most_significant = rest_left.significant.max(rest_right.significant);
    let mut evidence = 0;
    for pair in &room.pairs {
        matched.add(pair.weight, pair.similarity);
        let significant = rest_left.take(left, pair.left).max(rest_right.take(right, pair.right));
        let both = part_significant(left, pair.left) && part_significant(right, pair.right);
        if both && pair.similarity >= EVIDENT {
            evidence += significant;
        }
    }
    let score = matched.score(rest_left.weight, rest_right.weight);
    let most = match (evidence, most_significant) {
        (0, _) => NO_TOKEN,
        (1, 2..) => ONE_TOKEN,
        _ => 1.0,
    };
    score.min(most)
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

fn part_significant(parts: &[Part<'_>], span: Span) -> bool {
    parts.get(span.range()).unwrap_or_default().iter().any(|part| part.class.is_significant())
}

/// A score before the tokens were aligned, from above: `small` is the weight of what was not
/// looked at, and `rest` that of what was found in one name only.
pub(super) fn estimate(weight: f32, similar: f32, small: f32, rest: (f32, f32)) -> f32 {
    let sums = Sums { weight: weight + small, similar: similar + small };
    sums.score(rest.0, rest.1)
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

    /// What is left on both sides contradicts; what only one side has more is an omission.
    fn score(self, rest_left: f32, rest_right: f32) -> f32 {
        let (left, right) = (rest_left.max(0.0), rest_right.max(0.0));
        // Below the rounding of sums of weights nothing is left.
        let (less, more) = (left.min(right), left.max(right));
        let (less, more) =
            (if less < 1e-4 { 0.0 } else { less }, if more < 1e-4 { 0.0 } else { more });
        let cost = OMISSION * (more - less) + CONTRADICTION * less;
        if self.weight > 0.0 { self.similar / (self.weight + cost) } else { 0.0 }
    }
}
