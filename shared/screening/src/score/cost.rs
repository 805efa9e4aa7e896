//! What it costs to turn one word into another.
#![allow(
    clippy::indexing_slicing,
    reason = "a fixed table, walked within the lengths it was cut to"
)]

use crate::normalise::LONGEST_TOKEN;

/// The cheapest way from one word to the other, in hundredths of a slip: vowels change for less
/// than consonants, sounds that are near for less than those that are not, a doubled letter and a
/// swapped pair for less than two slips, and the first letter for more. `None` above the limit.
pub(super) fn cost(a: &[u8], b: &[u8], limit: u16) -> Option<u16> {
    const SIDE: usize = LONGEST_TOKEN + 1;
    let (a, b) = (&a[..a.len().min(SIDE - 1)], &b[..b.len().min(SIDE - 1)]);
    let mut rows = [[0_u16; SIDE]; 3];
    for place in 1..=b.len() {
        rows[0][place] = rows[0][place - 1] + insertion(b, place - 1);
    }
    let mut least_before = 0;
    for i in 1..=a.len() {
        let [now, before, earlier] = rotated(i);
        let deletion = insertion(a, i - 1);
        rows[now][0] = rows[before][0] + deletion;
        let mut least = rows[now][0];
        for j in 1..=b.len() {
            let first = if i == 1 && j == 1 && a[0] != b[0] { FIRST } else { 0 };
            let mut best = rows[before][j - 1] + substitution(a[i - 1], b[j - 1]) + first;
            best = best.min(rows[before][j] + deletion);
            best = best.min(rows[now][j - 1] + insertion(b, j - 1));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[earlier][j - 2] + SWAP);
            }
            rows[now][j] = best;
            least = least.min(best);
        }
        // A swap leads from the row before: both must be beyond it.
        if least > limit && least_before > limit {
            return None;
        }
        least_before = least;
    }
    let cost = rows[rotated(a.len())[0]][b.len()];
    (cost <= limit).then_some(cost)
}

/// Where the row of this turn, of the last and of the one before lie.
fn rotated(turn: usize) -> [usize; 3] {
    [turn % 3, (turn + 2) % 3, (turn + 1) % 3]
}

const FIRST: u16 = 20;
const SWAP: u16 = 90;
/// No letter is changed for another one for less.
pub(super) const LEAST_CHANGE: u16 = 65;

/// Of a letter that only one side has.
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

fn substitution(a: u8, b: u8) -> u16 {
    if a == b {
        0
    } else if is_vowel(a) && is_vowel(b) {
        65
    } else if near(a, b) {
        70
    } else {
        100
    }
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Letters that stand for each other in one romanisation or another.
fn near(a: u8, b: u8) -> bool {
    const GROUPS: [&[u8]; 6] = [b"ckq", b"sz", b"vwf", b"dt", b"ijy", b"gjh"];
    GROUPS.iter().any(|group| group.contains(&a) && group.contains(&b))
}
