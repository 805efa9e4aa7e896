//! Which tokens of two names belong together.
#![allow(clippy::indexing_slicing, reason = "spans are cut within the names they belong to")]

use std::cmp::Ordering;

use serde::Serialize;

use super::token::{Part, Reason, similarity};
use crate::normalise::MOST_TOKENS;

/// Adjacent tokens of a name: the first, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub first: u8,
    pub count: u8,
}

impl Span {
    fn one(place: usize) -> Span {
        Span { first: place as u8, count: 1 }
    }

    pub fn range(self) -> std::ops::Range<usize> {
        usize::from(self.first)..usize::from(self.first) + usize::from(self.count)
    }

    /// A bit for each token.
    fn bits(self) -> u32 {
        self.range().fold(0, |bits, place| bits | 1 << (place % MOST_TOKENS))
    }
}

/// Tokens of both names that were taken for one another.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub left: Span,
    pub right: Span,
    pub similarity: f32,
    pub reason: Reason,
    /// Of the side that says less: the word `Compay` is no better a clue than `Company`.
    pub weight: f32,
}

/// Room for one alignment, kept between calls.
#[derive(Debug, Default)]
pub struct Room {
    found: Vec<Pair>,
    pub pairs: Vec<Pair>,
    /// What kept the last score down.
    pub limit: Option<Limit>,
}

/// A rule that keeps a score down whatever the words give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// No word of weight in common: 0.5 at most.
    NoWord,
    /// One word of weight in common where a name has more: 0.65 at most.
    OneWord,
    /// `A son of B` and `B son of A`: 0.7 of what it would be.
    FatherAndSon,
    /// Of a weak alias only the same name counts, and gives 0.8 at most.
    WeakAlias,
}

impl Room {
    /// One-to-one, the best pairs first. The same whichever name is left and which right.
    pub(super) fn align(&mut self, left: &[Part<'_>], right: &[Part<'_>]) {
        self.found.clear();
        self.pairs.clear();
        for (i, a) in left.iter().enumerate() {
            for (j, b) in right.iter().enumerate() {
                if let Some((similarity, reason)) = similarity(a, b) {
                    // An initial says a part of what the name it stands for would.
                    let weight = match reason {
                        Reason::Initial => a.weight().max(b.weight()),
                        _ => a.weight().min(b.weight()),
                    };
                    let (left, right) = (Span::one(i), Span::one(j));
                    self.found.push(Pair { left, right, similarity, reason, weight });
                }
            }
        }
        joined(left, right, |one, span, pair| {
            self.found.push(Pair { left: one, right: span, ..pair });
        });
        joined(right, left, |one, span, pair| {
            self.found.push(Pair { left: span, right: one, ..pair });
        });
        self.found.sort_unstable_by(|a, b| better(a, b, left, right));
        let (mut taken_left, mut taken_right) = (0, 0);
        for pair in &self.found {
            let (bits_left, bits_right) = (pair.left.bits(), pair.right.bits());
            if taken_left & bits_left == 0 && taken_right & bits_right == 0 {
                taken_left |= bits_left;
                taken_right |= bits_right;
                self.pairs.push(*pair);
            }
        }
    }
}

/// Ties are decided by the words themselves, so that neither side nor place in a list matters.
fn better(a: &Pair, b: &Pair, left: &[Part<'_>], right: &[Part<'_>]) -> Ordering {
    let gain = |pair: &Pair| pair.similarity * pair.weight;
    let words = |pair: &Pair| {
        let (one, other) =
            (left[usize::from(pair.left.first)].text, right[usize::from(pair.right.first)].text);
        if one < other { (one, other) } else { (other, one) }
    };
    let places = |pair: &Pair| {
        let (one, other) = (pair.left.first, pair.right.first);
        (one.abs_diff(other), one.min(other))
    };
    gain(b)
        .total_cmp(&gain(a))
        .then_with(|| b.similarity.total_cmp(&a.similarity))
        .then_with(|| words(a).cmp(&words(b)))
        .then_with(|| places(a).cmp(&places(b)))
        .then_with(|| (a.left.count + a.right.count).cmp(&(b.left.count + b.right.count)))
}

/// The tokens of `ones` that are two or three adjacent tokens of `others` written together,
/// letter by letter: that is how an index finds them.
fn joined(ones: &[Part<'_>], others: &[Part<'_>], mut found: impl FnMut(Span, Span, Pair)) {
    for (place, one) in ones.iter().enumerate().filter(|(_, one)| may_be_joined(one.text)) {
        for first in 0..others.len() {
            let mut rest = one.text;
            for (last, other) in others.iter().enumerate().skip(first).take(LONGEST_SPAN) {
                let Some(behind) = rest.strip_prefix(other.text) else { break };
                if other.origin != one.origin {
                    break;
                }
                rest = behind;
                if rest.is_empty() && last > first {
                    let count = last - first + 1;
                    let weight = others[first..=last].iter().map(Part::weight).sum::<f32>();
                    let span = Span { first: first as u8, count: count as u8 };
                    let pair = Pair {
                        left: span,
                        right: span,
                        similarity: JOINED,
                        reason: Reason::Joined,
                        weight: weight.min(one.weight()),
                    };
                    found(Span::one(place), span, pair);
                }
            }
        }
    }
}

/// Shorter words are written together by chance.
pub(crate) fn may_be_joined(text: &[u8]) -> bool {
    text.len() >= 4
}

/// A token is compared with as many adjacent ones, written together.
pub(crate) const LONGEST_SPAN: usize = 3;

pub(crate) const JOINED: f32 = 0.97;
