//! Computes the cost of turning one word into another.
#![allow(
    clippy::indexing_slicing,
    reason = "words are cut to the size of the table, and every index is below their length"
)]

use crate::normalise::MAX_TOKEN_LENGTH;

/// Returns the cost of the cheapest sequence of edits between two words, in hundredths of an
/// ordinary edit, or `None` if it exceeds `limit`.
///
/// The cost is a weighted optimal string alignment distance, which is the restricted form of the
/// Damerau-Levenshtein distance. These edits cost less than an ordinary one: replacing a vowel with
/// a vowel, replacing a letter with one of a similar sound or shape, adding or dropping a vowel, an `h` or
/// one letter of a double, and swapping two adjacent letters. Replacing, adding or dropping the
/// first letter costs more.
pub(super) fn edit_cost(a: &[u8], b: &[u8], limit: u16) -> Option<u16> {
    const WIDTH: usize = MAX_TOKEN_LENGTH + 1;
    let (a, b) = (&a[..a.len().min(WIDTH - 1)], &b[..b.len().min(WIDTH - 1)]);
    // The table of the dynamic programming needs only its last three rows.
    let mut rows = [[0_u16; WIDTH]; 3];
    for j in 1..=b.len() {
        rows[0][j] = rows[0][j - 1] + insertion(b, j - 1);
    }
    let mut previous_min = 0;
    for i in 1..=a.len() {
        let [current, previous, before_previous] = row_slots(i);
        let deletion = insertion(a, i - 1);
        rows[current][0] = rows[previous][0] + deletion;
        let mut row_min = rows[current][0];
        for j in 1..=b.len() {
            let first = if i == 1 && j == 1 && a[0] != b[0] { FIRST } else { 0 };
            let mut best = rows[previous][j - 1] + substitution(a[i - 1], b[j - 1]) + first;
            best = best.min(rows[previous][j] + deletion);
            best = best.min(rows[current][j - 1] + insertion(b, j - 1));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[before_previous][j - 2] + SWAP);
            }
            rows[current][j] = best;
            row_min = row_min.min(best);
        }
        // A swap starts from the row before the previous one, so both rows must exceed the limit.
        if row_min > limit && previous_min > limit {
            return None;
        }
        previous_min = row_min;
    }
    let cost = rows[row_slots(a.len())[0]][b.len()];
    (cost <= limit).then_some(cost)
}

/// Returns the slots of row `i`, of the previous row and of the row before that one.
fn row_slots(i: usize) -> [usize; 3] {
    [i % 3, (i + 2) % 3, (i + 1) % 3]
}

/// Additional cost of replacing, adding or dropping the first letter.
const FIRST: u16 = 20;
/// Cost of swapping two adjacent letters.
const SWAP: u16 = 90;
/// Lowest cost of replacing a letter. It applies to two vowels.
pub(super) const MIN_SUBSTITUTION: u16 = 65;

/// Returns the cost of a letter that only one word has.
fn insertion(word: &[u8], at: usize) -> u16 {
    let letter = word[at];
    if (at > 0 && word[at - 1] == letter) || word.get(at + 1) == Some(&letter) {
        50
    } else if at == 0 {
        100 + FIRST
    } else if is_vowel(letter) || letter == b'h' {
        75
    } else {
        100
    }
}

/// Returns the cost of replacing one letter with another.
fn substitution(a: u8, b: u8) -> u16 {
    if a == b {
        0
    } else if is_vowel(a) && is_vowel(b) {
        MIN_SUBSTITUTION
    } else if sound_similar(a, b) {
        70
    } else if look_similar(a, b) {
        75
    } else {
        100
    }
}

/// Returns whether these letters are mistaken for each other when a text is read by a machine.
fn look_similar(a: u8, b: u8) -> bool {
    matches!((a, b), (b'i', b'l') | (b'l', b'i'))
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Returns whether different romanisations use these letters for the same sound.
fn sound_similar(a: u8, b: u8) -> bool {
    const GROUPS: [&[u8]; 6] = [b"ckq", b"sz", b"vwf", b"dt", b"ijy", b"gjh"];
    GROUPS.iter().any(|group| group.contains(&a) && group.contains(&b))
}
