//! Computes the similarity of two tokens.
#![allow(
    clippy::indexing_slicing,
    reason = "every index is checked against the length of its word"
)]

use serde::Serialize;

use super::edit::{MIN_SUBSTITUTION, edit_cost};
use super::part::Part;
use super::{keys, loose};
use crate::normalise::reading::Languages;
use crate::normalise::{Class, Origin};

/// The reason why two tokens are similar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The tokens have the same letters.
    Equal,
    /// The spelling differs by a few typing mistakes.
    Spelling,
    /// The consonants are the same, as in two romanisations of a name.
    Sound,
    /// One token is the first letter of the other.
    Initial,
    /// The tokens are forms of the same name, such as Bill and William.
    Variant,
    /// One name writes the same letters as one token, and the other name as several tokens.
    Joined,
    /// Either one token comes from a script that does not write vowels and the consonants agree, or
    /// one token is a reading of a Han or Hangul character.
    Script,
}

/// Returns the similarity of two tokens, above 0 and up to 1, and the reason for it. Returns `None`
/// if the tokens are different words. Tokens can be similar only if they share a key, because an
/// index finds no others. The exception is an initial and a name. The order of the arguments does
/// not matter.
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
        let can_abbreviate = |initial: &Part<'_>, name: &Part<'_>| {
            initial.class == Class::Initial && name.class.is_significant()
        };
        let is_initial =
            a.text.first() == b.text.first() && (can_abbreviate(a, b) || can_abbreviate(b, a));
        return is_initial.then_some((INITIAL, Reason::Initial));
    }
    if !keys::share(a, b) {
        return None;
    }
    let is_rough = loose::is_rough(a) || loose::is_rough(b);
    let by_sound = if is_rough { loose::similarity(a, b) } else { None };
    // Words with other classes of consonants must agree in most of their sounds.
    let by_sound = by_sound.filter(|sound| *sound >= WITHOUT_ECHO || keys::share_echo(a, b));
    if a.origin == Origin::Consonants || b.origin == Origin::Consonants {
        // The order of vowels and the exact consonants confirm the coarse skeleton. Two consonants alone are
        // too few.
        let by_consonants = consonants(a, b).and_then(|consonants| {
            match loose::similarity(&behind_article(a, b), &behind_article(b, a)) {
                Some(sound) => Some(consonants.min(sound + CONFIRMED)),
                None => (shorter_skeleton(a, b) > 2).then_some(consonants - UNCONFIRMED),
            }
        });
        let best = by_consonants.into_iter().chain(by_sound).reduce(f32::max);
        return best.map(|score| (score, Reason::Script));
    }
    let by_spelling = match (spelling(a, b), by_sound) {
        (Some((spelling, _)), Some(sound)) if sound > spelling => Some((sound, Reason::Script)),
        (None, Some(sound)) => Some((sound, Reason::Script)),
        (spelling, _) => spelling,
    };
    let are_variants = a.variant != 0 && a.variant == b.variant;
    match by_spelling {
        Some((similarity, _)) if similarity >= VARIANT => by_spelling,
        _ if are_variants => Some((VARIANT, Reason::Variant)),
        _ => by_spelling,
    }
}

/// Compares two words that are written with vowels, by spelling and by sound. Returns the higher
/// similarity, or `None` if the words are different.
fn spelling(a: &Part<'_>, b: &Part<'_>) -> Option<(f32, Reason)> {
    let (short, long) = if a.text.len() <= b.text.len() { (a, b) } else { (b, a) };
    let (shorter, longer) = (short.text.len(), long.text.len());
    if shorter == 2 && longer == 3 && short.text[0] == long.text[0] {
        let omits_a_letter = long.text[1..].contains(&short.text[1]);
        return omits_a_letter.then_some((TWO_LETTERS, Reason::Spelling));
    }
    // Each letter that only one word has costs an edit. Counting such letters is cheaper than
    // `edit_cost`.
    let unshared = (a.letters & !b.letters).count_ones().max((b.letters & !a.letters).count_ones());
    if shorter < 3 || unshared > 4 || longer - shorter > 4 || differ_by_gender(short, long) {
        return None;
    }
    let same_sound = a.skeleton == b.skeleton && a.skeleton.len() >= 2;
    let budget = match longer {
        0..=3 => 100,
        4..=6 => 140,
        7..=9 => 200,
        _ => 280,
    };
    let limit = if same_sound { budget.max(50 * longer as u16) } else { budget };
    if unshared as u16 * MIN_SUBSTITUTION > limit {
        return None;
    }
    let hundredths = edit_cost(a.text, b.text, limit)?;
    let (cost, length) = (f32::from(hundredths) / 100.0, longer as f32);
    let by_spelling = (hundredths <= budget).then(|| 1.0 - cost / length * SPELLING);
    let max_by_sound = match a.skeleton.len() {
        2 => 0.87,
        3 => 0.95,
        _ => 0.98,
    };
    let by_sound =
        (same_sound && cost <= 0.5 * length).then_some(max_by_sound - cost / length * SOUND);
    match (by_spelling, by_sound) {
        (Some(spelling), Some(sound)) if sound > spelling => Some((sound, Reason::Sound)),
        (Some(spelling), _) => Some((spelling, Reason::Spelling)),
        (None, Some(sound)) => Some((sound, Reason::Sound)),
        (None, None) => None,
    }
}

/// Compares tokens of which at least one is a character. Equal characters have similarity 1. Different
/// characters with the same reading are only a hint, except for a Han character and a Hangul syllable.
fn reading(a: &Part<'_>, b: &Part<'_>) -> Option<f32> {
    if a.origin == b.origin {
        if a.skeleton == b.skeleton {
            return Some(1.0);
        }
        let is_hangul = |part: &Part<'_>| matches!(part.skeleton, [b'a'..=b'd', _, _, _]);
        return if is_hangul(a) == is_hangul(b) {
            (a.text == b.text).then_some(SAME_READING)
        } else {
            languages(a, b).map(|_| READING)
        };
    }
    languages(a, b).map(|_| READING)
}

/// Returns the languages in which a character is read like the other token, or `None` if no language
/// reads it so.
pub(super) fn languages(a: &Part<'_>, b: &Part<'_>) -> Option<Languages> {
    a.languages_of(b.text).or_else(|| b.languages_of(a.text))
}

/// Returns whether two words are the male and the female form of a name, such as Antonio and
/// Antonia or Martin and Martina, and at least one of the words is a frequent name. The two forms
/// do not belong to one person.
fn differ_by_gender(short: &Part<'_>, long: &Part<'_>) -> bool {
    let (Some((last_short, stem_short)), Some((last_long, stem_long))) =
        (short.text.split_last(), long.text.split_last())
    else {
        return false;
    };
    let is_common = short.class == Class::Common || long.class == Class::Common;
    let ends_in_a_and_o = matches!((last_short, last_long), (b'a', b'o') | (b'o', b'a'));
    let swaps_vowel =
        ends_in_a_and_o && (stem_short == stem_long || short.skeleton == long.skeleton);
    let adds_vowel = *last_long == b'a' && stem_long == short.text && *last_short != b'a';
    is_common && (swaps_vowel || adds_vowel)
}

/// Factor by which the edit cost per letter lowers the similarity of two spellings.
const SPELLING: f32 = 1.0;
/// Factor by which the edit cost per letter lowers the similarity of two words with the same
/// consonants.
const SOUND: f32 = 0.45;
/// Similarity of an initial and a name.
pub(crate) const INITIAL: f32 = 0.6;
/// Similarity of two forms of a name, such as Bill and William or Lee and Ri.
const VARIANT: f32 = 0.79;
/// Similarity of a word of three letters and the same word without its second or third letter, such
/// as Ali and Al.
const TWO_LETTERS: f32 = 0.72;
/// Similarity of a character and a word that is one of its readings. Many characters share a reading,
/// so the value is only slightly above the default threshold.
pub(super) const READING: f32 = 0.85;
/// Similarity of two different characters with the same reading.
const SAME_READING: f32 = 0.6;

/// Minimum similarity by sound of words without a common echo.
const WITHOUT_ECHO: f32 = 0.78;
/// Maximum difference between the similarities of two skeletons and of the sounds of their words.
const CONFIRMED: f32 = 0.05;
/// Reduction of the similarity of two skeletons if the words do not sound similar.
const UNCONFIRMED: f32 = 0.14;

fn shorter_skeleton(a: &Part<'_>, b: &Part<'_>) -> usize {
    a.skeleton.len().min(b.skeleton.len())
}

/// Returns a token without the Arabic article that is written together with it, if the other token has
/// the consonants of the rest.
fn behind_article<'a>(one: &Part<'a>, other: &Part<'_>) -> Part<'a> {
    if has_article_before(one, other) { Part { text: &one.text[2..], ..*one } } else { *one }
}

/// Compares tokens of which at least one is written without short vowels. The consonants must be
/// the same, or one token must have one consonant more. The similarity is lower if one token is
/// written with long vowels that the other token does not have.
fn consonants(a: &Part<'_>, b: &Part<'_>) -> Option<f32> {
    let shorter = shorter_skeleton(a, b);
    let similarity = if a.skeleton == b.skeleton {
        match shorter {
            0 | 1 => return None,
            2 => 0.9,
            _ => 0.95,
        }
    } else if shorter >= 2 && (has_article_before(a, b) || has_article_before(b, a)) {
        0.93
    } else if shorter >= 3 && differ_by_one_letter(a.skeleton, b.skeleton) {
        0.84
    } else {
        return None;
    };
    let misses_vowels = |one: &Part<'_>, other: &Part<'_>| {
        one.origin == Origin::Consonants && !has_vowels_of(one.text, other.text)
    };
    let penalty = if misses_vowels(a, b) || misses_vowels(b, a) { 0.12 } else { 0.0 };
    Some(similarity - penalty)
}

/// Returns whether one token is the Arabic article written together with a word that has the
/// consonants of the other token.
fn has_article_before(one: &Part<'_>, other: &Part<'_>) -> bool {
    (one.text.starts_with(b"al") || one.text.starts_with(b"el"))
        && one.skeleton.strip_prefix(b"l") == Some(other.skeleton)
}

/// Returns whether `full` has the vowels of `written` in the same order. The first letter of
/// `written` is skipped, because the first letter of an Arabic or Hebrew word can stand for any
/// vowel.
fn has_vowels_of(written: &[u8], full: &[u8]) -> bool {
    let vowel = |letter: &u8| match letter {
        b'a' => Some(b'a'),
        b'e' | b'i' | b'y' => Some(b'i'),
        b'o' | b'u' | b'w' | b'v' => Some(b'u'),
        _ => None,
    };
    let mut full_vowels = full.iter().filter_map(vowel);
    let mut written_vowels = written.iter().skip(1).filter_map(vowel);
    written_vowels.all(|wanted| full_vowels.any(|vowel| vowel == wanted))
}

/// Returns whether one word equals the other without one of its letters. Skeletons differ in this
/// way if a consonant was mistaken for a long vowel.
fn differ_by_one_letter(a: &[u8], b: &[u8]) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    long.len() == short.len() + 1
        && (0..long.len()).any(|at| long[..at] == short[..at] && long[at + 1..] == short[at..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::normalise::prepare;

    fn compare(a: &str, b: &str) -> Option<(f32, Reason)> {
        let (a, b) = (prepare(a), prepare(b));
        similarity(&Part::of(&a.tokens[0]), &Part::of(&b.tokens[0]))
    }

    #[test]
    fn similar_and_different_words_are_distinguished() {
        assert_eq!(compare("dovello", "dovello"), Some((1.0, Reason::Equal)));
        assert_eq!(compare("dovello", "dovelo").unwrap().1, Reason::Spelling);
        assert_eq!(compare("dovello", "duvillo").unwrap().1, Reason::Sound);
        assert_eq!(compare("dovello", "donello").unwrap().1, Reason::Spelling);
        assert_eq!(compare("d tamoun", "dovello"), Some((INITIAL, Reason::Initial)));
        assert_eq!(compare("dovello", "tamoun"), None);
        assert_eq!(compare("8672", "8671"), None);
        assert_eq!(compare("xi", "si"), None);
        assert_eq!(compare("طرابلس", "tarabulus").unwrap().1, Reason::Script);
        assert!(
            compare("michail", "mikhail").unwrap().0
                > compare("micnail", "mikhail").map_or(0.0, |s| s.0)
        );
    }

    proptest! {
        #[test]
        fn similarity_is_symmetric_and_in_range(a in "[a-z]{1,12}", b in "[a-z]{1,12}") {
            let (one, other) = (compare(&a, &b), compare(&b, &a));
            prop_assert_eq!(one.map(|s| s.1), other.map(|s| s.1));
            if let (Some(one), Some(other)) = (one, other) {
                prop_assert!((one.0 - other.0).abs() < 1e-6);
                prop_assert!(one.0 > 0.0 && one.0 <= 1.0);
            }
        }
    }
}
