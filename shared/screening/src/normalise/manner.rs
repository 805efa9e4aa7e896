//! Finds out how the scripts of a name are used: the same letters stand for different sounds in
//! Russian and in Ukrainian, or in Arabic and in Persian.

use super::{look_alikes, reading};

/// The way in which a name uses its scripts. One word is often too short for a decision, so all words
/// of a name decide together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Manner {
    pub cyrillic: Cyrillic,
    /// Arabic letters are read as in Persian and Urdu.
    pub is_persian: bool,
    /// The name has the letter `ə`, so `x` is read as `kh`.
    pub is_azerbaijani: bool,
    /// Hangul syllables write a Korean name, and not the transcription of a foreign one.
    pub is_korean: bool,
    /// A middle dot separates the parts of a foreign name in Han characters.
    pub has_middle_dot: bool,
    /// Some letter is Latin and does not look like a Cyrillic one.
    pub has_latin: bool,
    /// Some letter is Cyrillic or Greek and does not look like a Latin one.
    pub has_cyrillic: bool,
}

/// The language whose rules transliterate Cyrillic letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cyrillic {
    #[default]
    Russian,
    Ukrainian,
    Belarusian,
    /// Serbian, Montenegrin and Macedonian.
    Serbian,
}

impl Manner {
    pub(super) fn of(text: &str) -> Manner {
        let mut manner = Manner { cyrillic: cyrillic(text), ..Manner::default() };
        for c in text.chars() {
            match c {
                'پ' | 'چ' | 'ژ' | 'گ' | 'ک' | 'ی' | 'ہ' | 'ے' | 'ۀ' | 'ٹ' | 'ڈ' | 'ڑ' | 'ں' =>
                {
                    manner.is_persian = true;
                }
                'ə' | 'Ə' => manner.is_azerbaijani = true,
                '\u{b7}' | '\u{2022}' | '\u{2027}' | '\u{30fb}' => manner.has_middle_dot = true,
                _ => {}
            }
        }
        let is_clearly_latin =
            |c: char| c.is_ascii_alphabetic() && look_alikes::cyrillic_look_alike(c).is_none();
        manner.has_latin = text.chars().any(is_clearly_latin);
        manner.has_cyrillic = text.chars().any(look_alikes::is_clearly_greek_or_cyrillic);
        manner.is_korean =
            is_korean(text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '-' | '/')));
        manner
    }
}

fn cyrillic(text: &str) -> Cyrillic {
    let has = |letters: &str| text.chars().any(|c| letters.contains(c));
    let is_turkic = has("әғқңөұүһҷҳӣӯ");
    if has("ђјљњћџѓќѕЂЈЉЊЋЏЃЌЅ") {
        Cyrillic::Serbian
    } else if has("ўЎ") && !is_turkic {
        Cyrillic::Belarusian
    } else if has("іїєґІЇЄҐ") && !is_turkic {
        if has("ыэёЫЭЁ") { Cyrillic::Belarusian } else { Cyrillic::Ukrainian }
    } else {
        Cyrillic::Russian
    }
}

/// Returns whether words in Hangul are a Korean name: a family name and a given name of one or two
/// syllables, written together or apart, in either order. A foreign name has longer words or other family names.
fn is_korean<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let lengths: Vec<(usize, Option<char>)> = words
        .map(|word| {
            let mut hangul = word.chars().filter(|c| reading::is_hangul(*c));
            let first = hangul.next();
            (hangul.count() + usize::from(first.is_some()), first)
        })
        .filter(|(length, _)| *length > 0)
        .collect();
    let is_family = |word: Option<&(usize, Option<char>)>| match word {
        Some((1, Some(family))) => reading::is_korean_family_name(*family),
        _ => false,
    };
    match lengths.as_slice() {
        [(2..=4, _)] => true,
        [_] | [] => false,
        words => {
            words.iter().all(|(length, _)| *length <= 2)
                && (is_family(words.first()) || is_family(words.last()))
        }
    }
}
