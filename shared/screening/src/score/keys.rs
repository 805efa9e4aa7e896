//! Computes the keys under which an index finds tokens.
//!
//! Two tokens are compared only if they share a key. An index looks tokens up by their keys, and
//! [`share`] applies the same rule wherever tokens are compared without an index, so that a score
//! does not depend on how a name was found. The rule depends only on the two tokens. Therefore an
//! index of part of a list finds the same tokens in that part as an index of the whole list.
#![allow(clippy::indexing_slicing, reason = "every range lies within the length of the word")]

use super::loose;
use super::part::Part;
use crate::normalise::{Class, Origin};

// Seeds that separate the kinds of keys. TEXT is the offset basis of FNV-1a.
const TEXT: u32 = 0x811c_9dc5;
const SKELETON: u32 = 0x9e37_79b9;
const VARIANT: u32 = 0xc2b2_ae35;
const BEGINNING: u32 = 0x27d4_eb2f;
const NEAR: u32 = 0x85eb_ca6b;
const ARTICLE: u32 = 0x6a09_e667;
/// Separates the echoes of Latin words from those of words in other scripts. Two Latin words are not
/// compared by their echoes.
const LATIN_ECHO: u32 = 0x1656_67b1;
const ROUGH_ECHO: u32 = 0x4cf5_ad43;
/// Separates the echoes that do not distinguish `l` and `r`.
const LATIN_LOAN: u32 = 0x3243_f6a9;
const ROUGH_LOAN: u32 = 0x5851_f42d;
const LOAN_LOAN: u32 = 0x1405_7b7f;

/// Maximum length of a word that is found with any one letter wrong. Longer words are found with
/// any one consonant wrong, or by their beginning.
const MAX_NEAR_LENGTH: usize = 16;
/// Minimum length of a word that is also found by its beginning.
const MIN_BEGINNING_WORD: usize = 7;
/// Number of letters of a beginning.
const BEGINNING_LENGTH: usize = 5;

/// Passes the keys under which an index stores a token to `key`: those of [`basic`], and its echoes.
pub(crate) fn all(part: &Part<'_>, mut key: impl FnMut(u32)) {
    basic(part, &mut key);
    if !has_echo(part) {
        return;
    }
    let (echo, loan) =
        if loose::is_rough(part) { (ROUGH_ECHO, ROUGH_LOAN) } else { (LATIN_ECHO, LATIN_LOAN) };
    if part.origin != Origin::Loan {
        echoes(part, false, |code| key(hash(echo, &code)));
    }
    echoes(part, true, |code| key(hash(loan_seed(part, loan), &code)));
}

/// Passes the keys under which a query looks a token up to `key`. They find exactly the tokens that
/// [`share`] a key with it.
pub(crate) fn wanted(part: &Part<'_>, mut key: impl FnMut(u32)) {
    basic(part, &mut key);
    if !has_echo(part) {
        return;
    }
    if part.origin == Origin::Loan {
        for seed in [LATIN_LOAN, ROUGH_LOAN, LOAN_LOAN] {
            echoes(part, true, |code| key(hash(seed, &code)));
        }
    } else {
        if loose::is_rough(part) {
            echoes(part, false, |code| key(hash(LATIN_ECHO, &code)));
        }
        echoes(part, false, |code| key(hash(ROUGH_ECHO, &code)));
        echoes(part, true, |code| key(hash(LOAN_LOAN, &code)));
    }
}

/// Passes the echoes of a token as bytes.
fn echoes(part: &Part<'_>, loan: bool, mut echo: impl FnMut([u8; 8])) {
    loose::echoes(part, loan).iter().for_each(|code| echo(code.to_le_bytes()));
}

fn loan_seed(part: &Part<'_>, other: u32) -> u32 {
    if part.origin == Origin::Loan { LOAN_LOAN } else { other }
}

fn has_echo(part: &Part<'_>) -> bool {
    part.origin != Origin::Reading && part.class != Class::Number && part.text.len() > 1
}

/// Passes the keys of a token that do not depend on its script to `key`: its text, its skeleton, its
/// group of variants, the text and the skeleton with any one letter missing, and the beginning of a
/// long word. A number or a single letter has only the key of its text. A character has only the keys
/// of its readings. A key can be passed more than once.
fn basic(part: &Part<'_>, key: &mut impl FnMut(u32)) {
    key(exact(part.text));
    if part.origin == Origin::Reading {
        part.readings().iter().for_each(|reading| key(exact(reading.text.as_bytes())));
        return;
    }
    if part.class == Class::Number || part.text.len() < 2 {
        return;
    }
    if part.variant != 0 {
        key(hash(VARIANT, &[part.variant]));
    }
    let skeleton = part.skeleton;
    if !skeleton.is_empty() {
        key(hash(SKELETON, skeleton));
    }
    if let Some(skeleton) = without_article(part) {
        key(hash(ARTICLE, skeleton));
    }
    if part.origin == Origin::Consonants {
        key(hash(ARTICLE, skeleton));
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
        || joins_article(a, b)
        || joins_article(b, a)
        || equal_after_loss(a.skeleton, may_lose_consonant(a), b.skeleton, may_lose_consonant(b))
        || beginning(a).is_some_and(|start| beginning(b) == Some(start))
        || (a.text.len() > 1
            && b.text.len() > 1
            && equal_after_loss(a.text, may_lose_letter(a), b.text, may_lose_letter(b)))
        || share_echo(a, b)
}

/// Returns whether at least one of two tokens comes from a script that writes sounds roughly, and
/// they have an echo in common.
pub(super) fn share_echo(a: &Part<'_>, b: &Part<'_>) -> bool {
    if !(loose::is_rough(a) || loose::is_rough(b)) || !has_echo(a) || !has_echo(b) {
        return false;
    }
    let loan = loose::is_loan(a, b);
    loose::echoes(a, loan).share(&loose::echoes(b, loan))
}

/// Returns whether a token is the Arabic article and a word with the consonants of the other token.
fn joins_article(joined: &Part<'_>, other: &Part<'_>) -> bool {
    other.origin == Origin::Consonants
        && without_article(joined).is_some_and(|skeleton| skeleton == other.skeleton)
}

/// Returns the skeleton of the word behind an Arabic article that is written together with it.
fn without_article<'a>(part: &Part<'a>) -> Option<&'a [u8]> {
    let has_article = part.text.starts_with(b"al") || part.text.starts_with(b"el");
    let skeleton = part.skeleton.strip_prefix(b"l").filter(|skeleton| skeleton.len() >= 2);
    skeleton.filter(|_| has_article && part.text.len() >= 5)
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
    use crate::score::similarity;

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
            let mut stored = HashSet::new();
            all(&b, |key| { stored.insert(key); });
            let mut found = false;
            wanted(&a, |key| found |= stored.contains(&key));
            prop_assert_eq!(share(&a, &b), found, "{:?} {:?}", a, b);
            prop_assert_eq!(share(&a, &b), share(&b, &a), "{:?} {:?}", a, b);
        }

        #[test]
        fn scripts_share_keys_as_the_index_does(
            a in "[бджорку]{2,7}|[アカドルミン]{2,6}|[ابجدروي]{3,6}|[abdglrsu]{2,7}",
            b in "[бджорку]{2,7}|[アカドルミン]{2,6}|[ابجدروي]{3,6}|[abdglrsu]{2,7}",
        ) {
            let (a, b) = (prepare(&a), prepare(&b));
            for (a, b) in a.tokens.iter().flat_map(|a| b.tokens.iter().map(move |b| (a, b))) {
                let (a, b) = (Part::of(a), Part::of(b));
                if a.text.len() < 2 || b.text.len() < 2 {
                    continue;
                }
                let mut stored = HashSet::new();
                all(&b, |key| { stored.insert(key); });
                let mut found = false;
                wanted(&a, |key| found |= stored.contains(&key));
                prop_assert_eq!(share(&a, &b), found, "{:?} {:?}", a, b);
                let (one, other) = (similarity(&a, &b), similarity(&b, &a));
                let difference = one.map_or(0.0, |it| it.0) - other.map_or(0.0, |it| it.0);
                prop_assert!(difference.abs() < 1e-5, "{:?} {:?}", a, b);
            }
        }
    }
}
