//! Explains a score in parts that a person can check.

use serde::Serialize;

use super::align::{Limit, Pair, Span};
use super::context::{Comparison, Strength};
use super::part::Part;
use super::similarity::Reason;
use crate::normalise::Class;

/// The explanation of a match, with the parts that its score is computed from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Score of the names alone, from 0 to 1.
    pub name_score: f32,
    /// Comparison of the names, token by token.
    pub name: NameMatch,
    /// The rule that limits the score of the names, if any.
    pub limit: Option<Limit>,
    /// Comparisons of all other fields, including those that could not be compared.
    pub context: Vec<Comparison>,
    /// Evidence that the match is based on.
    pub strength: Strength,
    /// [`MODEL_VERSION`](super::MODEL_VERSION) of the program that computed the score.
    pub model_version: u32,
}

/// The comparison of two names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NameMatch {
    /// Tokens that correspond to each other, in the order of the query.
    pub aligned: Vec<Aligned>,
    /// Tokens that only the query has.
    pub only_query: Vec<Leftover>,
    /// Tokens that only the listed name has.
    pub only_listed: Vec<Leftover>,
}

/// Tokens that correspond to each other. If one side has several tokens, the other side writes
/// them as one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Aligned {
    /// Tokens of the query, separated by spaces.
    pub query: String,
    /// Tokens of the listed name, separated by spaces.
    pub listed: String,
    /// Reason for the similarity.
    pub reason: Reason,
    /// Similarity, above 0 and up to 1.
    pub similarity: f32,
    /// Contribution of the pair to the score, from 0 to 1. A pair of distinctive words of four
    /// letters or more has weight 1.
    pub weight: f32,
}

/// A token without a counterpart in the other name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leftover {
    /// The token, in lower-case ASCII.
    pub token: String,
    /// Class of the token.
    pub class: Class,
    /// Weight of the token, from 0 to 1.
    pub weight: f32,
}

/// Describes the alignment of two names, token by token.
///
/// # Panics
/// Panics if `pairs` is not an alignment of these two names.
pub fn explain(query: &[Part<'_>], listed: &[Part<'_>], pairs: &[Pair]) -> NameMatch {
    let mut sorted: Vec<&Pair> = pairs.iter().collect();
    sorted.sort_by_key(|pair| pair.left);
    let aligned = sorted.iter().map(|pair| Aligned {
        query: words(pair.left.parts(query)),
        listed: words(pair.right.parts(listed)),
        reason: pair.reason,
        similarity: pair.similarity,
        weight: pair.weight,
    });
    NameMatch {
        aligned: aligned.collect(),
        only_query: leftovers(query, pairs.iter().map(|pair| pair.left)),
        only_listed: leftovers(listed, pairs.iter().map(|pair| pair.right)),
    }
}

fn words(parts: &[Part<'_>]) -> String {
    parts.iter().map(text).collect::<Vec<_>>().join(" ")
}

fn leftovers(parts: &[Part<'_>], spans: impl Iterator<Item = Span>) -> Vec<Leftover> {
    let aligned: Vec<usize> = spans.flat_map(Span::range).collect();
    let rest = parts.iter().enumerate().filter(|(position, _)| !aligned.contains(position));
    rest.map(|(_, part)| Leftover { token: text(part), class: part.class, weight: part.weight() })
        .collect()
}

/// Returns the text of a token. All tokens are ASCII in an index that this program builds, so the
/// conversion does not replace any byte.
fn text(part: &Part<'_>) -> String {
    String::from_utf8_lossy(part.text).into_owned()
}
