//! How much two tokens are the same word.
#![allow(
    clippy::indexing_slicing,
    reason = "a fixed table, walked within the lengths it was cut to"
)]

use serde::Serialize;

use super::cost::{LEAST_CHANGE, cost};
use super::keys;
use crate::normalise::{Class, Origin, Token, variant};

/// Why two tokens were taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Letter by letter.
    Equal,
    /// A slip of the pen apart.
    Spelling,
    /// The same consonants: another romanisation.
    Sound,
    /// The first letter of it.
    Initial,
    /// Another form of the same name: Bill for William.
    Variant,
    /// One side writes together what the other writes apart.
    Joined,
    /// The same consonants, one side from a script that writes no vowels, or one reading of it.
    Script,
}

/// A token as it is compared: borrowed from a prepared name or from an index file.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub text: &'a [u8],
    pub skeleton: &'a [u8],
    pub class: Class,
    pub origin: Origin,
    /// See [`letters`]: two words with few letters in common are not compared any further.
    pub letters: u32,
    /// The group of names that stand for each other which it belongs to; 0 for none.
    pub variant: u8,
}

impl<'a> Part<'a> {
    pub const EMPTY: Part<'static> = Part {
        text: b"",
        skeleton: b"",
        class: Class::Word,
        origin: Origin::Letters,
        letters: 0,
        variant: 0,
    };

    pub fn of(token: &'a Token) -> Part<'a> {
        Part {
            text: token.text.as_bytes(),
            skeleton: token.skeleton.as_bytes(),
            class: token.class,
            origin: token.origin,
            letters: letters(token.text.as_bytes()),
            variant: variant(&token.text),
        }
    }

    /// How much it says who is named: 1 for a word of its own. The weights belong to the model
    /// version and to nothing else: not to the list, not to its build.
    pub fn weight(&self) -> f32 {
        match self.class {
            Class::Word => match self.text.len() {
                0..=2 => 0.75,
                3 => 0.9,
                _ => 1.0,
            },
            Class::Common => 0.7,
            Class::Number => 1.0,
            Class::Generic => 0.6,
            Class::Initial => 0.25,
            Class::Particle => 0.1,
            Class::Honorific => 0.08,
            Class::Legal => 0.05,
        }
    }
}

/// Which letters a word has, a bit each; digits share one.
pub fn letters(text: &[u8]) -> u32 {
    text.iter().fold(0, |letters, byte| {
        letters | if byte.is_ascii_lowercase() { 1 << (byte - b'a') } else { 1 << 26 }
    })
}

/// The similarity of two tokens, above 0 and up to 1, and what it rests on; `None` for two
/// words, and for any two that share no key. Symmetric.
pub fn similarity(a: &Part<'_>, b: &Part<'_>) -> Option<(f32, Reason)> {
    if a.origin == Origin::Reading || b.origin == Origin::Reading {
        return reading(a, b).map(|score| (score, Reason::Script));
    }
    if a.text == b.text {
        return Some((1.0, Reason::Equal));
    }
    if a.class == Class::Number || b.class == Class::Number {
        return None;
    }
    if a.text.len() == 1 || b.text.len() == 1 {
        let stands = |initial: &Part<'_>, name: &Part<'_>| {
            initial.class == Class::Initial && name.class.is_significant()
        };
        let initial = a.text.first() == b.text.first() && (stands(a, b) || stands(b, a));
        return initial.then_some((INITIAL, Reason::Initial));
    }
    if !keys::share(a, b) {
        return None;
    }
    if a.origin == Origin::Consonants || b.origin == Origin::Consonants {
        return consonants(a, b).map(|score| (score, Reason::Script));
    }
    let written = spelling(a, b);
    let same = a.variant != 0 && a.variant == b.variant;
    let variant = || same.then_some((VARIANT, Reason::Variant));
    match written {
        Some(written) if written.0 >= VARIANT => Some(written),
        written => variant().or(written),
    }
}

/// Two words with their vowels: a slip apart, or of the same sound.
fn spelling(a: &Part<'_>, b: &Part<'_>) -> Option<(f32, Reason)> {
    let (short, long) = if a.text.len() <= b.text.len() { (a, b) } else { (b, a) };
    let (shorter, longer) = (short.text.len(), long.text.len());
    if shorter == 2 && longer == 3 && short.text[0] == long.text[0] {
        let left_out = long.text[1..].contains(&short.text[1]);
        return left_out.then_some((TWO_LETTERS, Reason::Spelling));
    }
    // A cheap bound first: a letter that only one of them has costs an edit of its own.
    let strange = (a.letters & !b.letters).count_ones().max((b.letters & !a.letters).count_ones());
    if shorter < 3 || strange > 4 || longer - shorter > 4 || gendered(short, long) {
        return None;
    }
    let sounds = a.skeleton == b.skeleton && a.skeleton.len() >= 2;
    let budget = match longer {
        0..=3 => 100,
        4..=6 => 140,
        7..=9 => 200,
        _ => 280,
    };
    let limit = if sounds { budget.max(50 * longer as u16) } else { budget };
    if strange as u16 * LEAST_CHANGE > limit {
        return None;
    }
    let cost = cost(a.text, b.text, limit)?;
    let within = cost <= budget;
    let (cost, length) = (f32::from(cost) / 100.0, longer as f32);
    let spelt = within.then(|| 1.0 - cost / length * SPELLING);
    let most = match a.skeleton.len() {
        2 => 0.87,
        3 => 0.95,
        _ => 0.98,
    };
    let sounding = (sounds && cost <= 0.5 * length).then_some(most - cost / length * SOUND);
    match (spelt, sounding) {
        (Some(spelt), Some(sounding)) if sounding > spelt => Some((sounding, Reason::Sound)),
        (Some(spelt), _) => Some((spelt, Reason::Spelling)),
        (None, Some(sounding)) => Some((sounding, Reason::Sound)),
        (None, None) => None,
    }
}

/// Han and Hangul: the same character is the same; the same reading is no more than a hint.
fn reading(a: &Part<'_>, b: &Part<'_>) -> Option<f32> {
    match (a.text == b.text, a.origin == b.origin) {
        (true, true) if a.skeleton == b.skeleton => Some(1.0),
        (true, true) => Some(SAME_READING),
        (true, false) => Some(READING),
        (false, _) => None,
    }
}

/// Antonio and Antonia, Martin and Martina: frequent names of a man and of a woman, and not of
/// one person.
fn gendered(short: &Part<'_>, long: &Part<'_>) -> bool {
    let (Some((last_short, stem_short)), Some((last_long, stem_long))) =
        (short.text.split_last(), long.text.split_last())
    else {
        return false;
    };
    let common = short.class == Class::Common || long.class == Class::Common;
    let pair = matches!((last_short, last_long), (b'a', b'o') | (b'o', b'a'));
    let swapped = pair && (stem_short == stem_long || short.skeleton == long.skeleton);
    let added = *last_long == b'a' && stem_long == short.text && *last_short != b'a';
    common && (swapped || added)
}

/// What a slip costs, over the length of the word.
const SPELLING: f32 = 1.0;
/// The same of a word whose consonants are the same.
const SOUND: f32 = 0.45;
pub(crate) const INITIAL: f32 = 0.6;
/// Bill for William, Lee for Ri.
const VARIANT: f32 = 0.88;
/// Al for Ali: a third of the word is gone.
const TWO_LETTERS: f32 = 0.72;
/// A reading of Han or Hangul, however equal: below every threshold by itself.
const READING: f32 = 0.7;
const SAME_READING: f32 = 0.6;

/// Of a word without its short vowels: the consonants must be the same, and the long vowels that
/// it does write should be there.
fn consonants(a: &Part<'_>, b: &Part<'_>) -> Option<f32> {
    let shorter = a.skeleton.len().min(b.skeleton.len());
    let most = if a.skeleton == b.skeleton {
        match shorter {
            0 | 1 => return None,
            2 => 0.9,
            _ => 0.95,
        }
    } else if shorter >= 3 && one_apart(a.skeleton, b.skeleton) {
        0.84
    } else {
        return None;
    };
    let missing = |one: &Part<'_>, other: &Part<'_>| {
        one.origin == Origin::Consonants && !has_vowels(one.text, other.text)
    };
    Some(if missing(a, b) || missing(b, a) { most - 0.12 } else { most })
}

/// Whether the vowels that `written` has stand in `full` in the same order. The first letter is
/// left out: it carries any vowel.
fn has_vowels(written: &[u8], full: &[u8]) -> bool {
    let vowel = |letter: &u8| match letter {
        b'a' => Some(b'a'),
        b'e' | b'i' | b'y' => Some(b'i'),
        b'o' | b'u' | b'w' | b'v' => Some(b'u'),
        _ => None,
    };
    let mut there = full.iter().filter_map(vowel);
    written.iter().skip(1).filter_map(vowel).all(|sought| there.any(|vowel| vowel == sought))
}

/// One consonant more or less: a long vowel that was a consonant after all.
fn one_apart(a: &[u8], b: &[u8]) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    long.len() == short.len() + 1
        && (0..long.len()).any(|at| long[..at] == short[..at] && long[at + 1..] == short[at..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::normalise::prepare;

    fn of(a: &str, b: &str) -> Option<(f32, Reason)> {
        let (a, b) = (prepare(a), prepare(b));
        similarity(&Part::of(&a.tokens[0]), &Part::of(&b.tokens[0]))
    }

    #[test]
    fn words_are_told_apart() {
        assert_eq!(of("dovello", "dovello"), Some((1.0, Reason::Equal)));
        assert_eq!(of("dovello", "dovelo").unwrap().1, Reason::Spelling);
        assert_eq!(of("dovello", "duvillo").unwrap().1, Reason::Sound);
        assert_eq!(of("dovello", "donello").unwrap().1, Reason::Spelling);
        assert_eq!(of("d tamoun", "dovello"), Some((INITIAL, Reason::Initial)));
        assert_eq!(of("dovello", "tamoun"), None);
        assert_eq!(of("8672", "8671"), None);
        assert_eq!(of("xi", "si"), None);
        assert_eq!(of("طرابلس", "tarabulus").unwrap().1, Reason::Script);
        assert!(
            of("michail", "mikhail").unwrap().0 > of("micnail", "mikhail").map_or(0.0, |s| s.0)
        );
    }

    proptest! {
        #[test]
        fn similarity_is_symmetric_and_in_range(a in "[a-z]{1,12}", b in "[a-z]{1,12}") {
            let (one, other) = (of(&a, &b), of(&b, &a));
            prop_assert_eq!(one.map(|s| s.1), other.map(|s| s.1));
            if let (Some(one), Some(other)) = (one, other) {
                prop_assert!((one.0 - other.0).abs() < 1e-6);
                prop_assert!(one.0 > 0.0 && one.0 <= 1.0);
            }
        }
    }
}
