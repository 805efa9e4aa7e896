//! Compares words from different scripts by their sounds.
//!
//! A script that was made for one language writes the sounds of another only roughly: Katakana has no
//! `l`, Arabic has no `p`, and Chinese has no consonants before others. Words are therefore compared
//! by classes of sounds. This comparison is used only if at least one word comes from such a script.
#![allow(
    clippy::indexing_slicing,
    reason = "every index is checked against the length of its word"
)]

use std::sync::LazyLock;

use super::part::Part;
use crate::normalise::{MAX_TOKEN_LENGTH, Origin};

/// Returns whether a word comes from a script that writes sounds roughly.
pub(super) fn is_rough(part: &Part<'_>) -> bool {
    matches!(part.origin, Origin::Sound | Origin::Loan | Origin::Consonants)
}

/// Returns whether at least one of two words comes from a script without some of the sounds that
/// other scripts distinguish, such as `l` and `r`.
pub(super) fn is_loan(a: &Part<'_>, b: &Part<'_>) -> bool {
    a.origin == Origin::Loan || b.origin == Origin::Loan
}

/// Maximum number of [echoes] of a word.
const MAX_ECHOES: usize = 8;
/// Minimum number of consonants of an echo.
const MIN_CONSONANTS: u32 = 2;

/// The echoes of a word: the classes of its consonants, in order, as hexadecimal digits. A word
/// has several if a letter can stand for several sounds.
#[derive(Clone, Copy)]
pub(super) struct Echoes {
    codes: [u64; MAX_ECHOES],
    count: usize,
}

impl Echoes {
    /// Returns the echoes that have at least two consonants.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.codes[..self.count]
            .iter()
            .copied()
            .filter(|code| *code >= 1 << (4 * (MIN_CONSONANTS - 1)))
    }

    pub(super) fn share(&self, other: &Echoes) -> bool {
        self.iter().any(|code| other.iter().any(|other| other == code))
    }

    fn push(&mut self, class: Class) {
        for code in &mut self.codes[..self.count] {
            // A word of more than 15 consonants is compared by the first ones.
            if *code < 1 << 60 {
                *code = (*code << 4) | class as u64;
            }
        }
    }

    /// Continues each echo in two ways.
    fn fork(&mut self, one: Option<Class>, other: Option<Class>) {
        let copied = (MAX_ECHOES - self.count).min(self.count);
        let mut second = Echoes { codes: self.codes, count: copied };
        if let Some(class) = one {
            self.push(class);
        }
        if let Some(class) = other {
            second.push(class);
        }
        for &code in &second.codes[..copied] {
            if !self.codes[..self.count].contains(&code) {
                self.codes[self.count] = code;
                self.count += 1;
            }
        }
    }
}

/// Classes of consonants that scripts confuse. Zero means that there is no consonant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Labial = 1,
    Dental = 2,
    Velar = 3,
    Sibilant = 4,
    L = 5,
    M = 6,
    N = 7,
    R = 8,
}

/// Returns the echoes of a word. If `loan` is true, `l` and `r` are one class, and an `r` before a
/// consonant or at the end may be silent.
pub(super) fn echoes(part: &Part<'_>, loan: bool) -> Echoes {
    let text = part.text;
    let rough = is_rough(part);
    let mut out = Echoes { codes: [0; MAX_ECHOES], count: 1 };
    let mut at = 0;
    let mut previous = 0;
    while at < text.len() {
        let (sound, width) = sound(text, at);
        let letter = text[at];
        let is_doubled = letter == previous;
        previous = letter;
        at += width;
        if width > 1 {
            previous = 0;
        }
        if is_doubled {
            continue;
        }
        let next = text.get(at).copied().unwrap_or(0);
        match sound {
            Sound::None => {}
            Sound::One(Class::R) if loan && !is_vowel(next) => out.fork(Some(Class::L), None),
            Sound::One(Class::R) if loan => out.push(Class::L),
            // Some scripts write b as mb, and d as nd.
            Sound::One(class @ (Class::M | Class::N))
                if rough && matches!(next, b'b' | b'p' | b'd' | b't' | b'g' | b'k') =>
            {
                out.fork(Some(class), None);
            }
            Sound::One(class) => out.push(class),
            Sound::Either(one, other) => out.fork(Some(one), Some(other)),
            Sound::Maybe(class) => out.fork(Some(class), None),
            Sound::X => {
                out.fork(Some(Class::Velar), None);
                out.push(Class::Sibilant);
            }
        }
    }
    out
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

enum Sound {
    /// A vowel or a sound that many scripts do not write.
    None,
    One(Class),
    Either(Class, Class),
    Maybe(Class),
    /// The two sounds of `x`, or only the second.
    X,
}

/// Returns the sound at a position of a word, and the number of letters that write it.
fn sound(text: &[u8], at: usize) -> (Sound, usize) {
    use Class::{Dental, L, Labial, M, N, R, Sibilant, Velar};
    let rest = &text[at..];
    if let (b'S' | b'C' | b'J' | b's', width @ 2..) = phone(rest)
        && !rest.starts_with(b"ch")
    {
        return (Sound::One(Sibilant), width);
    }
    if rest.starts_with(b"cz") || rest.starts_with(b"sz") {
        return (Sound::One(Sibilant), 2);
    }
    let next = rest.get(1).copied().unwrap_or(0);
    let is_soft = matches!(next, b'e' | b'i' | b'y');
    match (rest[0], next) {
        (b'c', b'h') => {
            let third = rest.get(2).copied().unwrap_or(0);
            let hard = matches!(third, b'r' | b'l' | b'n' | b'm');
            (if hard { Sound::One(Velar) } else { Sound::Either(Sibilant, Velar) }, 2)
        }
        (b'k', b'h') => (Sound::Maybe(Velar), 2),
        (b'g', b'h') => (Sound::Maybe(Velar), 2),
        (b'p', b'h') => (Sound::One(Labial), 2),
        (b't' | b'd', b'h') => (Sound::One(Dental), 2),
        (b'c', b'k') => (Sound::One(Velar), 2),
        (b'c', _) if is_soft => (Sound::Either(Sibilant, Velar), 1),
        (b'g', _) if is_soft => (Sound::Either(Velar, Sibilant), 1),
        (b'j', _) => (Sound::Maybe(Sibilant), 1),
        (b'v' | b'w', _) => (Sound::Maybe(Labial), 1),
        (b'x', _) => (Sound::X, 1),
        // In ng, the g is often silent.
        (b'g', _) if at > 0 && text[at - 1] == b'n' && !is_vowel(next) => (Sound::Maybe(Velar), 1),
        (b'b' | b'p' | b'f', _) => (Sound::One(Labial), 1),
        (b't' | b'd', _) => (Sound::One(Dental), 1),
        (b'k' | b'q' | b'g' | b'c', _) => (Sound::One(Velar), 1),
        (b's' | b'z', _) => (Sound::One(Sibilant), 1),
        // Before b and p, n sounds like m.
        (b'n', b'b' | b'p') | (b'm', _) => (Sound::One(M), 1),
        (b'n', _) => (Sound::One(N), 1),
        (b'l', _) => (Sound::One(L), 1),
        (b'r', _) => (Sound::One(R), 1),
        _ => (Sound::None, 1),
    }
}

/// Returns the similarity of two words by their sounds, or `None` if they are different words. At
/// least one of them must be [rough](is_rough).
pub(super) fn similarity(a: &Part<'_>, b: &Part<'_>) -> Option<f32> {
    let costs = if a.origin == Origin::Consonants || b.origin == Origin::Consonants {
        CONSONANTS
    } else if is_loan(a, b) {
        LOAN
    } else {
        SOUND
    };
    // A script without short vowels writes the long ones, so its word is the first argument, and has no vowels that
    // the other word does not have.
    let is_first = |one: &Part<'_>, other: &Part<'_>| {
        one.origin == Origin::Consonants
            && (other.origin != Origin::Consonants || one.text < other.text)
    };
    let (a, b) = if is_first(b, a) { (b, a) } else { (a, b) };
    let (a, b) = (Phones::of(a.text), Phones::of(b.text));
    let longer = a.length.max(b.length);
    if longer == 0 {
        return None;
    }
    let first = match (a.letters().first(), b.letters().first()) {
        (Some(a), Some(b)) if substitution(*a, *b, &costs) > SIMILAR => FIRST,
        _ => 0.0,
    };
    let limit = (1.0 - costs.min_similarity) * longer as f32 - first;
    let cost = cost(a.letters(), b.letters(), limit, &costs)?;
    let similarity = 1.0 - (first + cost) / longer as f32;
    (similarity >= costs.min_similarity).then_some(similarity.min(MAX_SIMILARITY))
}

/// Maximum similarity by sound of words that are not equal.
const MAX_SIMILARITY: f32 = 0.93;

/// Cost of an `h` that is not spoken.
const SILENT: f32 = 0.15;
/// Additional cost if the first letters are different sounds.
const FIRST: f32 = 0.3;
/// Maximum cost of replacing a letter with one of a similar sound.
const SIMILAR: f32 = 0.55;

/// Costs of edits. An edit that turns one word into another one costs 1.
struct Costs {
    vowel_for_vowel: f32,
    /// Cost of a vowel that only the first word has.
    vowel: f32,
    /// Cost of a vowel that only the second word has.
    other_vowel: f32,
    /// Cost of a consonant for another one of its class.
    same_class: f32,
    /// Cost of an `r` that only one word has.
    r: f32,
    /// Cost of an `h` that only one word has.
    h: f32,
    /// Cost of i, o or u at the end that only the first word has.
    last_vowel: f32,
    /// Cost of i, o or u at the end that only the second word has.
    other_last_vowel: f32,
    /// Minimum similarity. Words below it are different words.
    min_similarity: f32,
}

const SOUND: Costs = Costs {
    vowel_for_vowel: 0.55,
    vowel: 0.45,
    other_vowel: 0.45,
    same_class: 0.35,
    r: 1.0,
    h: 0.3,
    last_vowel: 0.45,
    other_last_vowel: 0.45,
    min_similarity: 0.72,
};
const LOAN: Costs = Costs {
    vowel_for_vowel: 0.4,
    vowel: 0.25,
    other_vowel: 0.25,
    same_class: 0.3,
    r: 0.5,
    h: 0.3,
    last_vowel: 0.25,
    other_last_vowel: 0.25,
    min_similarity: 0.7,
};
const CONSONANTS: Costs = Costs {
    vowel_for_vowel: 0.45,
    vowel: 0.7,
    other_vowel: 0.12,
    same_class: 0.55,
    r: 1.0,
    h: 0.7,
    last_vowel: 1.1,
    other_last_vowel: 0.5,
    min_similarity: 0.7,
};

impl Costs {
    /// Returns the costs of a vowel that only the second word has, inside the word and at its end.
    fn second_vowels(&self) -> (f32, f32) {
        (self.other_vowel, self.other_last_vowel)
    }
}

/// A word with one letter per sound.
struct Phones {
    letters: [u8; MAX_TOKEN_LENGTH],
    length: usize,
}

impl Phones {
    fn of(text: &[u8]) -> Phones {
        let mut phones = Phones { letters: [0; MAX_TOKEN_LENGTH], length: 0 };
        let mut at = 0;
        while at < text.len() && phones.length < MAX_TOKEN_LENGTH {
            let rest = &text[at..];
            let (letter, width) = phone(rest);
            at += width;
            if letter == b'x' && phones.length + 1 < MAX_TOKEN_LENGTH {
                phones.letters[phones.length] = b'k';
                phones.letters[phones.length + 1] = b's';
                phones.length += 2;
                continue;
            }
            if phones.length > 0 && phones.letters[phones.length - 1] == letter {
                continue;
            }
            phones.letters[phones.length] = letter;
            phones.length += 1;
        }
        phones
    }

    fn letters(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}

/// Returns the sound at the beginning of a text, and the number of letters that write it.
fn phone(rest: &[u8]) -> (u8, usize) {
    let at = |position: usize| rest.get(position).copied().unwrap_or(0);
    match (at(0), at(1), at(2), at(3)) {
        (b't', b's', b'c', b'h') => (b'C', 4),
        (b's', b'h', b'c', b'h') => (b'S', 4),
        (b'd', b'z', b'h', _) => (b'J', 3),
        (b't', b'c', b'h', _) => (b'C', 3),
        (b's', b'c', b'h', _) => (b'S', 3),
        (b's', b'h', ..) => (b'S', 2),
        (b'c', b'h', ..) => (b'C', 2),
        (b'z', b'h', ..) | (b'd', b'j', ..) => (b'J', 2),
        (b't', b's' | b'z', ..) | (b'd', b'z', ..) => (b's', 2),
        (b'p', b'h', ..) => (b'f', 2),
        (b't', b'h', ..) => (b't', 2),
        (b'd', b'h', ..) => (b'd', 2),
        (b'k', b'h', ..) => (b'X', 2),
        (b'g', b'h', ..) => (b'g', 2),
        (b'c', b'k', ..) | (b'q', b'u', ..) => (b'k', 2),
        (b'o', b'u' | b'o', ..) => (b'u', 2),
        (b'e', b'e', ..) => (b'i', 2),
        (b'q', ..) => (b'k', 1),
        (b'y', ..) => (b'i', 1),
        (letter, ..) => (letter, 1),
    }
}

/// Returns the cost of the cheapest sequence of edits between two words, or `None` if it exceeds
/// `limit`.
fn cost(a: &[u8], b: &[u8], limit: f32, costs: &Costs) -> Option<f32> {
    let mut previous = [0.0_f32; MAX_TOKEN_LENGTH + 1];
    for j in 0..b.len() {
        previous[j + 1] = previous[j] + gap(b, j, costs.second_vowels(), costs);
    }
    for (i, letter) in a.iter().enumerate() {
        let deletion = gap(a, i, (costs.vowel, costs.last_vowel), costs);
        let mut current = [0.0_f32; MAX_TOKEN_LENGTH + 1];
        current[0] = previous[0] + deletion;
        let mut least = current[0];
        for (j, other) in b.iter().enumerate() {
            let replaced = previous[j] + substitution(*letter, *other, costs);
            let deleted = previous[j + 1] + deletion;
            let inserted = current[j] + gap(b, j, costs.second_vowels(), costs);
            current[j + 1] = replaced.min(deleted).min(inserted);
            least = least.min(current[j + 1]);
        }
        // No later row has a lower cost. The margin covers rounding.
        if least > limit + 1e-3 {
            return None;
        }
        previous = current;
    }
    Some(previous[b.len()])
}

/// Returns the cost of a letter that only one word has. `vowels` are the costs of a vowel inside the word
/// and of i, o and u at its end.
fn gap(word: &[u8], at: usize, (vowel, last_vowel): (f32, f32), costs: &Costs) -> f32 {
    let next = word.get(at + 1).copied();
    match word[at] {
        b'i' | b'o' | b'u' if next.is_none() => last_vowel,
        b'a' | b'e' | b'i' | b'o' | b'u' => vowel,
        // Silent, as in John.
        b'h' if !next.is_some_and(is_vowel) => SILENT,
        b'h' => costs.h,
        b'r' => costs.r,
        b'w' => 0.3,
        b'X' => 0.6,
        _ => 1.0,
    }
}

fn substitution(a: u8, b: u8, costs: &Costs) -> f32 {
    match REPLACED[usize::from(a % 128)][usize::from(b % 128)] {
        Replaced::Equal => 0.0,
        Replaced::Vowel => costs.vowel_for_vowel,
        Replaced::Alike(cost) => cost,
        Replaced::SameClass => costs.same_class,
        Replaced::Other => 1.1,
    }
}

/// The relation of two letters, which determines the cost of replacing one with the other.
#[derive(Clone, Copy)]
enum Replaced {
    Equal,
    Vowel,
    Alike(f32),
    SameClass,
    Other,
}

/// The relation of each letter to each other one.
static REPLACED: LazyLock<Box<[[Replaced; 128]; 128]>> = LazyLock::new(|| {
    let mut table = Box::new([[Replaced::Other; 128]; 128]);
    for (a, row) in (0_u8..).zip(table.iter_mut()) {
        for (b, replaced) in (0_u8..).zip(row.iter_mut()) {
            *replaced = relation(a, b);
        }
    }
    table
});

fn relation(a: u8, b: u8) -> Replaced {
    if a == b {
        return Replaced::Equal;
    }
    let pair = |one: &[u8], other: &[u8]| {
        (one.contains(&a) && other.contains(&b)) || (one.contains(&b) && other.contains(&a))
    };
    if is_vowel(a) && is_vowel(b) {
        return Replaced::Vowel;
    }
    if let Some((.., cost)) = ALIKE.iter().find(|(one, other, _)| pair(one, other)) {
        return Replaced::Alike(*cost);
    }
    let classes: [&[u8]; 4] = [b"pbfv", b"td", b"kgqX", b"szSxC"];
    if classes.iter().any(|class| pair(class, class)) {
        Replaced::SameClass
    } else {
        Replaced::Other
    }
}

/// Letters for one sound in different languages, and the cost of replacing one with the other. `X`, `C`,
/// `S` and `J` stand for kh, ch, sh and zh.
const ALIKE: &[(&[u8], &[u8], f32)] = &[
    (b"uo", b"vw", 0.25),
    (b"i", b"jJ", 0.25),
    (b"v", b"w", 0.25),
    (b"c", b"ksCS", 0.25),
    (b"X", b"hk", 0.25),
    (b"C", b"SJkX", 0.25),
    (b"J", b"jSsgz", 0.25),
    (b"j", b"gCs", 0.25),
    (b"j", b"z", 0.8),
    (b"b", b"p", 0.35),
    (b"f", b"vp", 0.35),
    (b"h", b"gk", 0.35),
    (b"w", b"pbf", 0.8),
    (b"m", b"n", 0.6),
    // Only words with an echo of a loan can differ in them.
    (b"l", b"r", 0.3),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::prepare;

    fn compare(a: &str, b: &str) -> f32 {
        let (a, b) = (prepare(a), prepare(b));
        crate::score::similarity(&Part::of(&a.tokens[0]), &Part::of(&b.tokens[0]))
            .map_or(0.0, |it| it.0)
    }

    #[test]
    fn foreign_words_are_recognised_by_their_sounds() {
        for (foreign, latin) in [
            ("アンドリュー", "Andrew"),
            ("フィリップ", "Philippe"),
            ("Άντριου", "Andrew"),
            ("Джон", "John"),
            ("موسوی", "Mousavi"),
            ("דייוויד", "David"),
            ("জুলি", "Julie"),
            ("მოგერინი", "Mogherini"),
        ] {
            assert!(
                compare(foreign, latin) >= 0.78,
                "{foreign} {latin} {}",
                compare(foreign, latin)
            );
        }
        assert_eq!(compare("John", "Джон"), compare("Джон", "John"));
        for (foreign, latin) in [("アンドリュー", "Martin"), ("Джон", "Kevin"), ("Μαρία", "Petra")]
        {
            assert_eq!(compare(foreign, latin), 0.0, "{foreign} {latin}");
        }
    }
}
