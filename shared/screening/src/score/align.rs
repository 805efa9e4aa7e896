//! Pairs the tokens of two names that correspond to each other.
#![allow(clippy::indexing_slicing, reason = "spans lie within the names that they belong to")]

use std::cmp::Ordering;

use serde::Serialize;

use super::part::Part;
use super::similarity::{READING, Reason, languages, similarity};
use crate::normalise::reading::{ALL_LANGUAGES, FREQUENT_READINGS, Languages, Reading};
use crate::normalise::{MAX_TOKENS, Origin};

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
    /// Languages in which the pair is one of characters and their reading. All other pairs fit any
    /// language.
    pub(super) languages: Languages,
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
    /// The characters of one name are read in different languages, or only two of them are read, so the
    /// agreement may be by chance. The score is multiplied by 0.85.
    MixedReadings,
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
                    let languages = match reason {
                        Reason::Script if similarity < 1.0 => {
                            languages(a, b).unwrap_or(ALL_LANGUAGES)
                        }
                        _ => ALL_LANGUAGES,
                    };
                    self.candidates.push(Pair {
                        left,
                        right,
                        similarity,
                        reason,
                        weight,
                        languages,
                    });
                }
            }
        }
        for_each_joined(left, right, |joined| {
            self.candidates.push(joined.pair(joined.single, joined.span));
        });
        for_each_joined(right, left, |joined| {
            self.candidates.push(joined.pair(joined.span, joined.single));
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

/// A token of one name that equals several adjacent tokens of the other.
struct Joined {
    single: Span,
    span: Span,
    weight: f32,
    /// Languages in which the adjacent tokens, if they are characters, are read like the token.
    languages: Option<Languages>,
}

impl Joined {
    fn pair(&self, left: Span, right: Span) -> Pair {
        let (similarity, reason, languages) = match self.languages {
            Some(languages) => (READING, Reason::Script, languages),
            None => (JOINED, Reason::Joined, ALL_LANGUAGES),
        };
        Pair { left, right, similarity, reason, weight: self.weight, languages }
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

/// Calls `visit` for each token of `singles` that equals several adjacent tokens of `others` written
/// together. The letters must be the same, because an index finds such tokens by their exact text.
/// Characters equal a token if their readings in one language do.
fn for_each_joined(singles: &[Part<'_>], others: &[Part<'_>], mut visit: impl FnMut(Joined)) {
    for (position, single) in
        singles.iter().enumerate().filter(|(_, single)| can_be_joined(single.text))
    {
        if single.origin == Origin::Reading {
            continue;
        }
        for first in 0..others.len() {
            let mut joined = |last: usize, languages: Option<Languages>| {
                let count = last - first + 1;
                let weight = others[first..=last].iter().map(Part::weight).sum::<f32>();
                visit(Joined {
                    single: Span::single(position),
                    span: Span { first: first as u8, count: count as u8 },
                    weight: weight.min(single.weight()),
                    languages,
                });
            };
            if others[first].origin == Origin::Reading {
                for count in 2..=MAX_READING_SPAN {
                    let Some(span) = others.get(first..first + count) else { break };
                    let languages = languages_of_span(span, single.text, count, ALL_LANGUAGES);
                    if languages != 0 {
                        joined(first + count - 1, Some(languages));
                    }
                }
                continue;
            }
            let mut rest = single.text;
            for (last, other) in others.iter().enumerate().skip(first).take(MAX_SPAN) {
                let Some(remainder) = rest.strip_prefix(other.text) else { break };
                if !other.origin.is_spelled_like(single.origin) {
                    break;
                }
                rest = remainder;
                let count = last - first + 1;
                let lengths = others[first..=last].iter().map(|part| part.text.len());
                if rest.is_empty() && count > 1 && can_be_parts(lengths) {
                    joined(last, None);
                }
            }
        }
    }
}

/// Returns the languages in which characters are read one after the other like a text.
fn languages_of_span(
    span: &[Part<'_>],
    text: &[u8],
    count: usize,
    languages: Languages,
) -> Languages {
    let Some((first, rest)) = span.split_first() else {
        return if text.is_empty() { languages } else { 0 };
    };
    let readings = first.readings().iter().filter(|reading| is_tried(reading.rank, count));
    let of_reading = |all: Languages, reading: &Reading| {
        let common = languages & reading.languages;
        match text.strip_prefix(reading.text.as_bytes()) {
            Some(text) if common != 0 => all | languages_of_span(rest, text, count, common),
            _ => all,
        }
    };
    readings.fold(0, of_reading)
}

/// Returns whether a reading is tried in a span of this many characters. The number of combinations
/// is bounded, because a query looks each of them up.
pub(crate) fn is_tried(rank: u8, count: usize) -> bool {
    count < MAX_READING_SPAN || rank < FREQUENT_READINGS
}

/// Returns whether a text has at least three letters, so that it can equal several tokens.
pub(crate) fn can_be_joined(text: &[u8]) -> bool {
    text.len() >= 3
}

/// Returns whether tokens of these lengths may be written as one. Short tokens could equal a part of a
/// word by chance. They may be separate letters (`K D M` and `KDM`), or there may be two or three tokens
/// of at least two letters, of which the first may have one, or more tokens of at least three letters.
pub(crate) fn can_be_parts(lengths: impl Iterator<Item = usize>) -> bool {
    let (mut count, mut total, mut short, mut single) = (0, 0, 0, 0);
    for length in lengths {
        count += 1;
        total += length;
        short += usize::from(length < MIN_PART_OF_MANY);
        single += usize::from(length == 1 && count > 1);
    }
    let are_letters = total == count && total >= 3;
    are_letters || (total > 3 && single == 0 && (count <= MAX_SHORT_PARTS || short == 0))
}

/// Minimum length of each token if more than [`MAX_SHORT_PARTS`] are written as one.
pub(crate) const MIN_PART_OF_MANY: usize = 3;
/// Maximum number of tokens that are written as one and can be short.
pub(crate) const MAX_SHORT_PARTS: usize = 3;

/// Maximum number of adjacent characters that are compared with one token of the other name.
pub(crate) const MAX_READING_SPAN: usize = 3;

/// Maximum number of adjacent tokens that are compared with one token of the other name.
pub(crate) const MAX_SPAN: usize = 5;

/// Similarity of a token and the same letters written as several tokens.
pub(crate) const JOINED: f32 = 0.97;
