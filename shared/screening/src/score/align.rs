//! Pairs the tokens of two names that correspond to each other.
#![allow(clippy::indexing_slicing, reason = "spans lie within the names that they belong to")]

use std::cmp::Ordering;

use serde::Serialize;

use super::part::Part;
use super::similarity::{Reason, similarity};
use crate::normalise::MAX_TOKENS;

/// One or more adjacent tokens of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Position of the first token.
    pub first: u8,
    /// Number of tokens, at least 1.
    pub count: u8,
}

impl Span {
    fn single(position: usize) -> Span {
        Span { first: position as u8, count: 1 }
    }

    /// Returns the positions of the tokens.
    pub fn range(self) -> std::ops::Range<usize> {
        usize::from(self.first)..usize::from(self.first) + usize::from(self.count)
    }

    /// Returns the tokens of this span.
    pub(super) fn parts<'p, 'a>(self, name: &'p [Part<'a>]) -> &'p [Part<'a>] {
        &name[self.range()]
    }

    /// Returns the set of positions as bits, one bit per token.
    fn bits(self) -> u32 {
        self.range().fold(0, |bits, position| bits | 1 << (position % MAX_TOKENS))
    }
}

/// Tokens of two names that correspond to each other.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Tokens of the first name.
    pub left: Span,
    /// Tokens of the second name.
    pub right: Span,
    /// Similarity, above 0 and up to 1.
    pub similarity: f32,
    /// Reason for the similarity.
    pub reason: Reason,
    /// Contribution of the pair to the score, from 0 to 1. The pair has the lower weight of its two
    /// sides, because the word `Compay` identifies a firm no better than `Company`. A pair with an
    /// initial has the higher weight.
    pub weight: f32,
}

/// The alignment of two names, together with the buffers of the computation. One alignment can be
/// reused for many names.
#[derive(Debug, Default)]
pub struct Alignment {
    candidates: Vec<Pair>,
    /// The pairs of the last alignment, best first. Each token is in one pair at most.
    pub pairs: Vec<Pair>,
    /// The rule that limits the last score, if any.
    pub limit: Option<Limit>,
}

/// A rule that limits a score regardless of the similarity of the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The names have no significant token in common. The maximum is 0.5.
    NoWord,
    /// The names have one significant token in common, and at least one of them has more. The
    /// maximum is 0.65.
    OneWord,
    /// One name is `A son of B` and the other is `B son of A`. The score is multiplied by 0.7.
    FatherAndSon,
    /// The listed name is a weak alias. Its aligned words must be equal, and the maximum is 0.8.
    WeakAlias,
}

impl Alignment {
    /// Pairs the tokens of two names, the best pairs first. Each token is in one pair at most. The
    /// result does not depend on which name is left and which is right.
    pub(super) fn align(&mut self, left: &[Part<'_>], right: &[Part<'_>]) {
        self.candidates.clear();
        self.pairs.clear();
        for (i, a) in left.iter().enumerate() {
            for (j, b) in right.iter().enumerate() {
                if let Some((similarity, reason)) = similarity(a, b) {
                    // An initial already has a low similarity, so its pair gets the full weight of
                    // the name that the initial abbreviates.
                    let weight = match reason {
                        Reason::Initial => a.weight().max(b.weight()),
                        _ => a.weight().min(b.weight()),
                    };
                    let (left, right) = (Span::single(i), Span::single(j));
                    self.candidates.push(Pair { left, right, similarity, reason, weight });
                }
            }
        }
        for_each_joined(left, right, |single, span, weight| {
            self.candidates.push(Pair::joined(single, span, weight));
        });
        for_each_joined(right, left, |single, span, weight| {
            self.candidates.push(Pair::joined(span, single, weight));
        });
        self.candidates.sort_unstable_by(|a, b| rank(a, b, left, right));
        let (mut used_left, mut used_right) = (0, 0);
        for pair in &self.candidates {
            let (left_bits, right_bits) = (pair.left.bits(), pair.right.bits());
            if used_left & left_bits == 0 && used_right & right_bits == 0 {
                used_left |= left_bits;
                used_right |= right_bits;
                self.pairs.push(*pair);
            }
        }
    }
}

impl Pair {
    fn joined(left: Span, right: Span, weight: f32) -> Pair {
        Pair { left, right, similarity: JOINED, reason: Reason::Joined, weight }
    }
}

/// Orders pairs from best to worst. The tokens and their positions break ties, so the result
/// depends neither on the side of a name nor on the order of a list.
fn rank(a: &Pair, b: &Pair, left: &[Part<'_>], right: &[Part<'_>]) -> Ordering {
    let gain = |pair: &Pair| pair.similarity * pair.weight;
    let words = |pair: &Pair| {
        let (one, other) =
            (left[usize::from(pair.left.first)].text, right[usize::from(pair.right.first)].text);
        if one < other { (one, other) } else { (other, one) }
    };
    let positions = |pair: &Pair| {
        let (one, other) = (pair.left.first, pair.right.first);
        (one.abs_diff(other), one.min(other))
    };
    gain(b)
        .total_cmp(&gain(a))
        .then_with(|| b.similarity.total_cmp(&a.similarity))
        .then_with(|| words(a).cmp(&words(b)))
        .then_with(|| positions(a).cmp(&positions(b)))
        .then_with(|| (a.left.count + a.right.count).cmp(&(b.left.count + b.right.count)))
}

/// Calls `visit` for each token of `singles` that equals two or three adjacent tokens of `others`
/// written together. The arguments of `visit` are the token, the adjacent tokens, and the weight of
/// the pair. The letters and origins must be the same, because an index finds such tokens by their
/// exact text.
fn for_each_joined(
    singles: &[Part<'_>],
    others: &[Part<'_>],
    mut visit: impl FnMut(Span, Span, f32),
) {
    for (position, single) in
        singles.iter().enumerate().filter(|(_, single)| can_be_joined(single.text))
    {
        for first in 0..others.len() {
            let mut rest = single.text;
            for (last, other) in others.iter().enumerate().skip(first).take(MAX_SPAN) {
                let Some(remainder) = rest.strip_prefix(other.text) else { break };
                if other.origin != single.origin {
                    break;
                }
                rest = remainder;
                if rest.is_empty() && last > first {
                    let count = last - first + 1;
                    let weight = others[first..=last].iter().map(Part::weight).sum::<f32>();
                    let span = Span { first: first as u8, count: count as u8 };
                    visit(Span::single(position), span, weight.min(single.weight()));
                }
            }
        }
    }
}

/// Returns whether a text has at least four letters. A shorter text could equal two adjacent tokens
/// by chance.
pub(crate) fn can_be_joined(text: &[u8]) -> bool {
    text.len() >= 4
}

/// Maximum number of adjacent tokens that are compared with one token of the other name.
pub(crate) const MAX_SPAN: usize = 3;

/// Similarity of a token and the same letters written as several tokens.
pub(crate) const JOINED: f32 = 0.97;
