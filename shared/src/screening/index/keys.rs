//! The keys under which a token is found: two tokens are looked at when they share one. That is
//! a matter of the two tokens alone, never of what else a list has, and so a part of a list finds
//! what the whole of it would.
#![allow(clippy::indexing_slicing, reason = "cut within the length of the word")]

use crate::screening::normalise::{Class, Origin};
use crate::screening::score::Part;

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
pub(super) fn all(part: &Part<'_>, mut key: impl FnMut(u32)) {
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
    if skeleton.len() >= if part.origin == Origin::Consonants { 3 } else { 4 } {
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
    if (3..=LONGEST_NEAR).contains(&text.len()) {
        key(hash(NEAR, text));
        if text.len() == 3 {
            // A word of two letters may be one of three that lost one.
            key(exact(&text[..2]));
            key(exact(&[text[0], text[2]]));
        }
        for gone in 0..text.len() {
            key(hash(hash(NEAR, &text[..gone]), &text[gone + 1..]));
        }
    }
}

/// The keys of a word made of several tokens: itself and its consonants.
pub(super) fn joined(part: &Part<'_>, mut key: impl FnMut(u32)) {
    key(exact(part.text));
    sounds(part, &mut key);
}

pub(super) fn exact(text: &[u8]) -> u32 {
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
pub(super) fn spread(key: u32) -> u32 {
    let key = (key ^ (key >> 16)).wrapping_mul(0x7feb_352d);
    let key = (key ^ (key >> 15)).wrapping_mul(0x846c_a68b);
    key ^ (key >> 16)
}
