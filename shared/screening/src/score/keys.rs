//! The keys under which a token is found. Two tokens are compared when they share one: in an
//! index, which looks up keys, and wherever else ([`share`]), so that what is asked for never
//! changes a score. It is a matter of the two tokens alone, never of what else a list has, and so
//! a part of a list finds what the whole of it would.
#![allow(clippy::indexing_slicing, reason = "cut within the length of the word")]

use super::Part;
use crate::normalise::{Class, Origin};

const TEXT: u32 = 0x811c_9dc5;
const SKELETON: u32 = 0x9e37_79b9;
const VARIANT: u32 = 0xc2b2_ae35;
const FIRST: u32 = 0x27d4_eb2f;
const NEAR: u32 = 0x85eb_ca6b;

/// Longer words are not found with any letter wrong, only with any consonant wrong or with the
/// same beginning.
const LONGEST_NEAR: usize = 16;
/// Words from here on are also found by their first letters.
const LONG: usize = 7;
const BEGINNING: usize = 5;

/// All keys of a token: itself, its consonants, both without any one of their letters, and the
/// beginning of a long word.
pub(crate) fn all(part: &Part<'_>, mut key: impl FnMut(u32)) {
    key(exact(part.text));
    if part.class == Class::Number || part.text.len() < 2 {
        return;
    }
    if part.variant != 0 {
        key(hash(VARIANT, &[part.variant]));
    }
    if part.origin == Origin::Reading {
        return;
    }
    sounds(part, &mut key);
    let skeleton = part.skeleton;
    if loses_a_consonant(part) {
        for gone in 0..skeleton.len() {
            key(hash(hash(SKELETON, &skeleton[..gone]), &skeleton[gone + 1..]));
        }
    }
    let text = part.text;
    if text.len() >= LONG {
        key(hash(FIRST, &text[..BEGINNING]));
    }
    if text.len() == 2 {
        // And one of three letters may be found from two.
        key(hash(NEAR, text));
    }
    if loses_a_letter(part) {
        key(hash(NEAR, text));
        for gone in 0..text.len() {
            key(hash(hash(NEAR, &text[..gone]), &text[gone + 1..]));
        }
    }
}

/// Whether two tokens share a key, both of two letters and more, neither of them a number or one
/// of several readings.
pub(super) fn share(a: &Part<'_>, b: &Part<'_>) -> bool {
    a.text == b.text
        || (a.variant != 0 && a.variant == b.variant)
        || (!a.skeleton.is_empty() && a.skeleton == b.skeleton)
        || one_less(a.skeleton, loses_a_consonant(a), b.skeleton, loses_a_consonant(b))
        || begins(a).is_some_and(|beginning| begins(b) == Some(beginning))
        || (a.text.len() > 1
            && b.text.len() > 1
            && one_less(a.text, loses_a_letter(a), b.text, loses_a_letter(b)))
}

fn loses_a_consonant(part: &Part<'_>) -> bool {
    part.skeleton.len() >= if part.origin == Origin::Consonants { 3 } else { 4 }
}

fn loses_a_letter(part: &Part<'_>) -> bool {
    (3..=LONGEST_NEAR).contains(&part.text.len())
}

fn begins<'a>(part: &Part<'a>) -> Option<&'a [u8]> {
    (part.text.len() >= LONG).then(|| &part.text[..BEGINNING])
}

/// Whether the two are the same once each that may has lost one letter, or none.
fn one_less(a: &[u8], a_loses: bool, b: &[u8], b_loses: bool) -> bool {
    let before = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[before..], &b[before..]);
    let behind = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - behind], &b[..b.len() - behind]);
    match (a.len(), b.len()) {
        (1, 0) => a_loses,
        (0, 1) => b_loses,
        (long, other) if long == other => {
            a_loses && b_loses && (long <= 1 || a[1..] == b[..long - 1] || a[..long - 1] == b[1..])
        }
        _ => false,
    }
}

pub(crate) fn exact(text: &[u8]) -> u32 {
    hash(TEXT, text)
}

fn sounds(part: &Part<'_>, key: &mut impl FnMut(u32)) {
    if !part.skeleton.is_empty() && part.class != Class::Number {
        key(hash(SKELETON, part.skeleton));
    }
}

/// FNV-1a. Two words that share a hash by chance are told apart when they are compared.
fn hash(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Spreads a key over all bits: buckets go by the highest ones.
pub(crate) fn spread(key: u32) -> u32 {
    let key = (key ^ (key >> 16)).wrapping_mul(0x7feb_352d);
    let key = (key ^ (key >> 15)).wrapping_mul(0x846c_a68b);
    key ^ (key >> 16)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::normalise::prepare;

    proptest! {
        #[test]
        fn tokens_share_a_key_where_it_is_said(
            a in "[abdlmin]{2,9}|[abdlmin]{15,18}", at in any::<prop::sample::Index>(),
            b in "[abdlmin]{1,2}", cut in 0..3_usize,
        ) {
            let mut other = a.clone();
            let at = at.index(a.len());
            other.replace_range(at..(at + cut).min(a.len()), &b);
            let (a, b) = (prepare(&a), prepare(&other));
            let (Some(a), Some(b)) = (a.tokens.first(), b.tokens.first()) else { return Ok(()) };
            let (a, b) = (Part::of(a), Part::of(b));
            prop_assume!(a.text.len() > 1 && b.text.len() > 1);
            let keys = |part| {
                let mut keys = HashSet::new();
                all(part, |key| { keys.insert(key); });
                keys
            };
            prop_assert_eq!(share(&a, &b), !keys(&a).is_disjoint(&keys(&b)), "{:?} {:?}", a, b);
        }
    }
}
