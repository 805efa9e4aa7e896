//! Computes the keys under which an index finds tokens.
//!
//! Two tokens are compared only if they share a key. An index looks tokens up by their keys, and
//! [`share`] applies the same rule wherever tokens are compared without an index, so that a score
//! does not depend on how a name was found. The rule depends only on the two tokens. Therefore an
//! index of part of a list finds the same tokens in that part as an index of the whole list.
#![allow(clippy::indexing_slicing, reason = "every range lies within the length of the word")]

use super::part::Part;
use crate::normalise::{Class, Origin};

// Seeds that separate the kinds of keys. TEXT is the offset basis of FNV-1a.
const TEXT: u32 = 0x811c_9dc5;
const SKELETON: u32 = 0x9e37_79b9;
const VARIANT: u32 = 0xc2b2_ae35;
const BEGINNING: u32 = 0x27d4_eb2f;
const NEAR: u32 = 0x85eb_ca6b;

/// Maximum length of a word that is found with any one letter wrong. Longer words are found with
/// any one consonant wrong, or by their beginning.
const MAX_NEAR_LENGTH: usize = 16;
/// Minimum length of a word that is also found by its beginning.
const MIN_BEGINNING_WORD: usize = 7;
/// Number of letters of a beginning.
const BEGINNING_LENGTH: usize = 5;

/// Passes all keys of a token to `key`: its text, its skeleton, its group of variants, the text and
/// the skeleton with any one letter missing, and the beginning of a long word. A number or a single
/// letter has only the key of its text. A reading has only the keys of its text and its group. A
/// key can be passed more than once.
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
    let skeleton = part.skeleton;
    if !skeleton.is_empty() {
        key(hash(SKELETON, skeleton));
    }
    if may_lose_consonant(part) {
        for lost in 0..skeleton.len() {
            key(hash(hash(SKELETON, &skeleton[..lost]), &skeleton[lost + 1..]));
        }
    }
    let text = part.text;
    if let Some(beginning) = beginning(part) {
        key(hash(BEGINNING, beginning));
    }
    if text.len() == 2 {
        // A word of three letters that has lost one letter has this key as well.
        key(hash(NEAR, text));
    }
    if may_lose_letter(part) {
        key(hash(NEAR, text));
        for lost in 0..text.len() {
            key(hash(hash(NEAR, &text[..lost]), &text[lost + 1..]));
        }
    }
}

/// Returns whether two tokens share a key. Both tokens must have at least two letters, and neither
/// may be a number or the reading of a character.
pub(super) fn share(a: &Part<'_>, b: &Part<'_>) -> bool {
    a.text == b.text
        || (a.variant != 0 && a.variant == b.variant)
        || (!a.skeleton.is_empty() && a.skeleton == b.skeleton)
        || equal_after_loss(a.skeleton, may_lose_consonant(a), b.skeleton, may_lose_consonant(b))
        || beginning(a).is_some_and(|start| beginning(b) == Some(start))
        || (a.text.len() > 1
            && b.text.len() > 1
            && equal_after_loss(a.text, may_lose_letter(a), b.text, may_lose_letter(b)))
}

/// Returns whether an index also finds a token by its skeleton with one consonant missing.
fn may_lose_consonant(part: &Part<'_>) -> bool {
    part.skeleton.len() >= if part.origin == Origin::Consonants { 3 } else { 4 }
}

/// Returns whether an index also finds a token by its text with one letter missing.
fn may_lose_letter(part: &Part<'_>) -> bool {
    (3..=MAX_NEAR_LENGTH).contains(&part.text.len())
}

/// Returns the first [`BEGINNING_LENGTH`] letters of a token, or `None` if it has fewer than
/// [`MIN_BEGINNING_WORD`].
fn beginning<'a>(part: &Part<'a>) -> Option<&'a [u8]> {
    (part.text.len() >= MIN_BEGINNING_WORD).then(|| &part.text[..BEGINNING_LENGTH])
}

/// Returns whether two words become equal if each loses at most one letter. A word may lose a
/// letter only if its flag is set. Two words that are equal from the start also need both flags, so
/// callers compare the whole words first.
fn equal_after_loss(a: &[u8], a_may_lose: bool, b: &[u8], b_may_lose: bool) -> bool {
    let prefix = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - suffix], &b[..b.len() - suffix]);
    match (a.len(), b.len()) {
        (1, 0) => a_may_lose,
        (0, 1) => b_may_lose,
        (length, other) if length == other => {
            a_may_lose
                && b_may_lose
                && (length <= 1 || a[1..] == b[..length - 1] || a[..length - 1] == b[1..])
        }
        _ => false,
    }
}

/// Returns the key of a text. A token has this key only if it has the same text, or if one of its
/// other keys collides with this one.
pub(crate) fn exact(text: &[u8]) -> u32 {
    hash(TEXT, text)
}

/// Continues a 32-bit FNV-1a hash (<http://www.isthe.com/chongo/tech/comp/fnv/>). A comparison of
/// the tokens distinguishes those whose keys collide.
fn hash(seed: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Spreads a key over all bits, because the highest bits of a key select its bucket. The function
/// is the 32-bit integer hash `lowbias32` (<https://github.com/skeeto/hash-prospector>).
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
        fn share_agrees_with_the_keys_of_the_index(
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
