//! Reads Han characters and Hangul syllables.
//!
//! A Han character has a reading in each language that uses it, and each language has several ways
//! to write a reading in Latin letters. The readings of Han characters come from the Unihan database
//! (see `docs/adr/0011-readings.md`).

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

/// Languages in which a reading occurs, one bit per language. The readings of one name should all
/// belong to one language.
pub(crate) type Languages = u8;

pub(crate) const ALL_LANGUAGES: Languages = 0xff;
const MANDARIN: Languages = 1;
/// Cantonese, Hokkien, Hakka and Teochew.
const SOUTHERN: Languages = 2;
const KOREAN: Languages = 4;
const JAPANESE: Languages = 8;
/// Korean that is written in Hangul.
const HANGUL_KOREAN: Languages = 16;
/// Languages with readings of several syllables.
pub(crate) const LONG_READINGS: Languages = JAPANESE;
/// Languages that most names in the characters themselves belong to.
pub(crate) const DISTINCT_LANGUAGES: Languages = MANDARIN | HANGUL_KOREAN;

/// A way to write a character in Latin letters.
#[derive(Debug)]
pub(crate) struct Reading {
    pub text: Box<str>,
    pub languages: Languages,
    /// Position among the readings of the same language, the most frequent first.
    pub rank: u8,
}

/// One character per line, sorted. Either the character and the form that stands for it, or its
/// readings: Mandarin, Cantonese, Korean, Japanese, and as a family name of Southeast Asia.
const HAN: &str = include_str!("../../data/han.txt");
/// One syllable per line: `m` for Mandarin or `c` for Cantonese, the syllable in Pinyin or Jyutping,
/// and its spellings in Latin letters.
const SYLLABLES: &str = include_str!("../../data/syllables.txt");

const HANGUL: std::ops::RangeInclusive<char> = '\u{ac00}'..='\u{d7a3}';

/// Returns whether a character is a Hangul syllable.
pub(super) fn is_hangul(c: char) -> bool {
    HANGUL.contains(&c)
}

/// Returns whether a character is Han.
pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        || c == REPEAT
}

/// The character that repeats the one before it.
pub(super) const REPEAT: char = '\u{3005}';

/// Returns the character that stands for all forms of a Han character: simplified, traditional and
/// Japanese. Returns any other character unchanged.
pub(super) fn canonical(c: char) -> char {
    match row(c) {
        Some((_, line)) => {
            line.split('\t').nth(1).and_then(|form| form.chars().next()).unwrap_or(c)
        }
        None => c,
    }
}

/// Returns the readings of a [canonical] character, the most frequent first in each language.
pub(crate) fn readings(c: char) -> &'static [Reading] {
    if let Some(cell) = hangul_number(c).and_then(|number| HANGUL_READINGS.get(number)) {
        return cell.get_or_init(|| collect(|add| hangul(c, KOREAN | HANGUL_KOREAN, add)));
    }
    let Some((number, line)) = row(c) else { return &[] };
    match HAN_READINGS.get(number) {
        Some(cell) => cell.get_or_init(|| collect(|add| han(line, add))),
        None => &[],
    }
}

/// Returns whether a reading of a [canonical] character is written like this, and the languages of
/// the reading.
pub(crate) fn languages_of(c: char, text: &[u8]) -> Option<Languages> {
    readings(c).iter().find(|one| one.text.as_bytes() == text).map(|one| one.languages)
}

/// Number of readings per language that are tried if three characters are written as one word.
pub(crate) const FREQUENT_READINGS: u8 = 8;

static HAN_ROWS: LazyLock<Vec<&'static str>> = LazyLock::new(|| HAN.lines().collect());
static HAN_READINGS: LazyLock<Cells> = LazyLock::new(|| empty_cells(HAN_ROWS.len()));
static HANGUL_READINGS: LazyLock<Cells> = LazyLock::new(|| empty_cells(11_172));
static SPELLINGS: LazyLock<HashMap<(&str, &str), &str>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut columns = line.split('\t');
        Some(((columns.next()?, columns.next()?), columns.next()?))
    };
    SYLLABLES.lines().filter_map(row).collect()
});

type Cells = Vec<OnceLock<Box<[Reading]>>>;

fn empty_cells(count: usize) -> Cells {
    (0..count).map(|_| OnceLock::new()).collect()
}

/// Returns the number and the content of the line of a Han character.
fn row(c: char) -> Option<(usize, &'static str)> {
    let rows = &*HAN_ROWS;
    let number = rows.binary_search_by_key(&Some(c), |line| line.chars().next()).ok()?;
    Some((number, rows.get(number)?))
}

fn hangul_number(c: char) -> Option<usize> {
    is_hangul(c).then(|| u32::from(c) as usize - 0xac00)
}

/// Collects readings that are written in the same way into one.
fn collect(read: impl FnOnce(&mut dyn FnMut(&str, Languages))) -> Box<[Reading]> {
    let mut all: Vec<Reading> = Vec::new();
    let mut ranks = [0_u8; 8];
    read(&mut |text: &str, languages: Languages| {
        let rank = ranks.get_mut(languages.trailing_zeros() as usize);
        let rank = rank.map_or(u8::MAX, |rank| {
            *rank = rank.saturating_add(1);
            *rank - 1
        });
        match all.iter_mut().find(|one| *one.text == *text) {
            Some(known) => {
                known.languages |= languages;
                known.rank = known.rank.min(rank);
            }
            None if !text.is_empty() => all.push(Reading { text: text.into(), languages, rank }),
            None => {}
        }
    });
    all.into_boxed_slice()
}

fn han(line: &str, add: &mut dyn FnMut(&str, Languages)) {
    let mut columns =
        line.split('\t').skip(2).map(|column| column.split(',').filter(|it| !it.is_empty()));
    let mut column = || columns.next().into_iter().flatten();
    let mandarin: Vec<&str> = column().collect();
    let cantonese: Vec<&str> = column().collect();
    let korean: Vec<char> = column().flat_map(str::chars).collect();
    let japanese: Vec<&str> = column().collect();
    let family: Vec<&str> = column().collect();
    for name in family {
        add(name, SOUTHERN | MANDARIN);
    }
    for (system, syllables, languages) in [("m", mandarin, MANDARIN), ("c", cantonese, SOUTHERN)] {
        for syllable in syllables {
            let spellings = SPELLINGS.get(&(system, syllable)).copied().unwrap_or(syllable);
            spellings.split(',').for_each(|spelling| add(spelling, languages));
        }
    }
    for syllable in korean {
        hangul(syllable, KOREAN, add);
    }
    for reading in &japanese {
        add(reading, JAPANESE);
    }
    for reading in &japanese {
        voiced(reading, |voiced| add(voiced, JAPANESE));
    }
}

/// Passes the forms that a Japanese reading takes behind another one: `ta` becomes `da` in Yamada.
fn voiced(reading: &str, mut add: impl FnMut(&str)) {
    let initials = [
        ("sh", "j"),
        ("ts", "z"),
        ("ch", "j"),
        ("k", "g"),
        ("s", "z"),
        ("t", "d"),
        ("f", "b"),
        ("h", "b"),
        ("h", "p"),
    ];
    let mut was_digraph = false;
    for (plain, voiced) in initials {
        if was_digraph && plain.len() == 1 {
            break;
        }
        if let Some(rest) = reading.strip_prefix(plain) {
            add(&format!("{voiced}{rest}"));
            was_digraph = plain.len() == 2;
        }
    }
}

/// Passes the spellings of a Hangul syllable: first those of a family name, then Revised
/// Romanization, McCune-Reischauer and the free spellings in passports.
fn hangul(syllable: char, languages: Languages, add: &mut dyn FnMut(&str, Languages)) {
    for (family, spellings) in KOREAN_FAMILY_NAMES {
        if *family == syllable {
            spellings.split(' ').for_each(|spelling| add(spelling, languages));
        }
    }
    let Some(number) = hangul_number(syllable) else { return };
    let part =
        |table: &[&'static str], number: usize| table.get(number).copied().unwrap_or_default();
    let (initial, vowel) = (part(&INITIALS, number / 588), part(&VOWELS, number % 588 / 28));
    let last = part(&FINALS, number % 28);
    for vowel in vowel.split(' ') {
        for initial in initial.split(' ') {
            for last in last.split(' ') {
                add(&format!("{initial}{vowel}{last}").replace('_', ""), languages);
            }
        }
    }
}

/// Returns whether a Hangul syllable is a frequent family name.
pub(super) fn is_korean_family_name(syllable: char) -> bool {
    KOREAN_FAMILY_NAMES.iter().any(|(family, _)| *family == syllable)
        || "고곽구국권금기길나노단도마맹명모목문민반방변복봉부빈사석선설성소손승시안양엄여연염예오옥온왕용우원위유육은음이인임장전정제조주지진채천추탁태편표피하함현형호홍화황"
            .contains(syllable)
}

/// Family names and those of their spellings that no rule gives.
const KOREAN_FAMILY_NAMES: &[(char, &str)] = &[
    ('김', "kim gim"),
    ('이', "lee yi i rhee ri li"),
    ('박', "park pak bak"),
    ('최', "choi choe"),
    ('정', "jung jeong chung chong jong"),
    ('강', "kang gang"),
    ('조', "cho jo"),
    ('윤', "yoon yun"),
    ('장', "jang chang"),
    ('임', "lim im rim"),
    ('한', "han"),
    ('오', "oh o"),
    ('서', "seo suh so"),
    ('신', "shin sin"),
    ('권', "kwon gwon"),
    ('황', "hwang"),
    ('안', "ahn an"),
    ('송', "song"),
    ('류', "ryu yoo yu"),
    ('유', "yoo yu you ryu"),
    ('홍', "hong"),
    ('전', "jeon jun chun"),
    ('고', "ko go koh"),
    ('문', "moon mun"),
    ('양', "yang"),
    ('손', "son sohn"),
    ('배', "bae pae"),
    ('백', "baek paek baik"),
    ('허', "heo huh hur"),
    ('남', "nam"),
    ('심', "shim sim"),
    ('노', "noh roh no"),
    ('하', "ha"),
    ('곽', "kwak gwak"),
    ('성', "sung seong song"),
    ('차', "cha"),
    ('주', "joo ju"),
    ('우', "woo u wu"),
    ('구', "koo ku gu"),
    ('민', "min"),
    ('진', "jin chin"),
    ('나', "na ra"),
    ('지', "ji chi"),
    ('엄', "um eom"),
    ('채', "chae"),
    ('원', "won"),
    ('천', "chun cheon"),
    ('방', "bang pang"),
    ('공', "kong gong"),
    ('현', "hyun hyeon"),
    ('함', "ham"),
    ('변', "byun byeon pyon"),
    ('염', "yum yeom"),
    ('여', "yeo yo"),
    ('추', "choo chu"),
    ('도', "do to"),
    ('석', "seok suk sok"),
    ('선', "sun seon"),
    ('설', "sul seol"),
    ('마', "ma"),
    ('길', "gil kil"),
    ('표', "pyo"),
    ('명', "myung myeong"),
    ('기', "ki gi"),
    ('반', "ban pan"),
    ('왕', "wang"),
    ('금', "keum geum kum"),
    ('옥', "ok"),
    ('육', "yuk yook"),
    ('인', "in"),
    ('맹', "maeng"),
    ('제', "je jae"),
    ('모', "mo moh"),
];

// The spellings of the 19 initial consonants, 21 vowels and 28 final consonants, each in the order
// of Unicode. An underscore stands for no letter.
const INITIALS: [&str; 19] = [
    "g k",
    "kk gg k g",
    "n",
    "d t",
    "tt dd t d",
    "r l n",
    "m",
    "b p",
    "pp bb p b",
    "s sh",
    "ss s",
    "_",
    "j ch z",
    "jj tch j ch",
    "ch",
    "k",
    "t",
    "p",
    "h",
];
const VOWELS: [&str; 21] = [
    "a ah",
    "ae ai e ay ie",
    "ya yah",
    "yae",
    "eo o u ou uh ur",
    "e eh",
    "yeo yo you yu yuh",
    "ye ie yeh",
    "o oh oo",
    "wa oa",
    "wae wai",
    "oe oi we oy",
    "yo",
    "u oo ou woo w",
    "wo weo wu",
    "we",
    "wi ui wee uy",
    "yu yoo you yew",
    "eu u oo e uh",
    "ui ee eui euy yi i",
    "i ee yi y ie",
];
const FINALS: [&str; 28] = [
    "_", "k g ck", "k", "k", "n", "n", "n", "t d", "l r", "k", "m", "l", "l", "l", "p", "l", "m",
    "p b", "p", "t s", "t s", "ng", "t j", "t ch", "k", "t", "p", "t h _",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn has(c: char, text: &str) -> bool {
        languages_of(canonical(c), text.as_bytes()).is_some()
    }

    #[test]
    fn characters_are_read_in_every_language() {
        for (c, texts) in [
            ('劉', &["liu", "lau", "ryu"][..]),
            ('林', &["lin", "lam", "lim", "im", "hayashi", "bayashi"]),
            ('許', &["xu", "hsu", "hui", "heo", "koh"]),
            ('田', &["tian", "tien", "tin", "jeon", "ta", "da", "den"]),
            ('수', &["su", "soo"]),
            ('정', &["jung", "jeong", "chong"]),
        ] {
            for text in texts {
                assert!(has(c, text), "{c} {text}");
            }
        }
        assert!(!has('王', "li"));
        assert_eq!(languages_of('수', b"soo"), Some(KOREAN | HANGUL_KOREAN));
    }

    #[test]
    fn forms_of_a_character_have_one_sign() {
        for (one, other) in [('劉', '刘'), ('廣', '広'), ('澤', '沢'), ('龍', '竜')] {
            assert_eq!(canonical(one), canonical(other), "{one}");
        }
        assert_eq!(canonical('a'), 'a');
        assert!(readings('a').is_empty());
    }

    #[test]
    fn the_table_is_sorted_and_names_only_known_forms() {
        let firsts: Vec<char> = HAN.lines().filter_map(|line| line.chars().next()).collect();
        assert!(firsts.is_sorted_by(|a, b| a < b));
        for &c in &firsts {
            assert!(!readings(canonical(c)).is_empty(), "{c}");
        }
    }
}
