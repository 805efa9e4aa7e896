//! A score, in parts that a person can check.

use serde::Serialize;

use super::{Comparison, Limit, Pair, Part, Reason, Span, Strength};
use crate::normalise::Class;

/// Why a name was taken for that of an entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// Of the names alone, from 0 to 1.
    pub name_score: f32,
    pub name: NameMatch,
    /// What kept the score of the names below what their words give.
    pub limit: Option<Limit>,
    /// What was compared besides, and what could not be.
    pub context: Vec<Comparison>,
    pub strength: Strength,
    pub model_version: u32,
}

/// Two names, token by token.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NameMatch {
    pub aligned: Vec<Aligned>,
    pub only_query: Vec<Leftover>,
    pub only_listed: Vec<Leftover>,
}

/// Tokens that were taken for one another; more than one are written together on the other side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Aligned {
    pub query: String,
    pub listed: String,
    pub reason: Reason,
    /// From 0 to 1.
    pub similarity: f32,
    /// How much the pair counts; 1 for a word of its own.
    pub weight: f32,
}

/// A token that the other name has nothing for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leftover {
    pub token: String,
    pub class: Class,
    pub weight: f32,
}

/// The alignment of two names in words.
pub fn explain(query: &[Part<'_>], listed: &[Part<'_>], pairs: &[Pair]) -> NameMatch {
    let mut aligned: Vec<&Pair> = pairs.iter().collect();
    aligned.sort_by_key(|pair| pair.left);
    NameMatch {
        aligned: aligned
            .iter()
            .map(|pair| Aligned {
                query: words(query, pair.left),
                listed: words(listed, pair.right),
                reason: pair.reason,
                similarity: pair.similarity,
                weight: pair.weight,
            })
            .collect(),
        only_query: rest(query, pairs.iter().map(|pair| pair.left)),
        only_listed: rest(listed, pairs.iter().map(|pair| pair.right)),
    }
}

fn words(parts: &[Part<'_>], span: Span) -> String {
    let parts = parts.get(span.range()).unwrap_or_default();
    parts.iter().map(|part| String::from_utf8_lossy(part.text)).collect::<Vec<_>>().join(" ")
}

fn rest(parts: &[Part<'_>], taken: impl Iterator<Item = Span>) -> Vec<Leftover> {
    let mut left = vec![true; parts.len()];
    for place in taken.flat_map(Span::range) {
        if let Some(left) = left.get_mut(place) {
            *left = false;
        }
    }
    let parts = parts.iter().zip(left).filter(|(_, left)| *left);
    parts
        .map(|(part, _)| Leftover {
            token: String::from_utf8_lossy(part.text).into_owned(),
            class: part.class,
            weight: part.weight(),
        })
        .collect()
}
