//! Transliterates alphabets by the rules of their languages. Several letters together often stand
//! for one sound, so a letter is read with its neighbours.

use any_ascii::any_ascii_char;

use super::manner::Cyrillic;

/// Transliterates a Cyrillic word in lower case.
pub(super) fn cyrillic(word: &str, language: Cyrillic) -> String {
    let word = word.to_lowercase();
    let mut out = String::new();
    let mut previous = None;
    for c in word.chars() {
        let at_start = previous.is_none_or(|c: char| !c.is_alphabetic());
        let latin = match language {
            Cyrillic::Russian => None,
            Cyrillic::Ukrainian => ukrainian(c, at_start),
            Cyrillic::Belarusian => belarusian(c, at_start || is_cyrillic_vowel(previous)),
            Cyrillic::Serbian => serbian(c),
        };
        match latin {
            Some(latin) => out.push_str(latin),
            None => out.push_str(any_ascii_char(c)),
        }
        previous = Some(c);
    }
    out
}

fn is_cyrillic_vowel(c: Option<char>) -> bool {
    c.is_some_and(|c| "аеёиоуыэюяії'ь".contains(c))
}

/// The rule for passports of Ukraine (resolution 55 of the Cabinet of Ministers, 2010).
fn ukrainian(c: char, at_start: bool) -> Option<&'static str> {
    let at = |start, elsewhere| if at_start { start } else { elsewhere };
    Some(match c {
        'г' => "h",
        'ґ' => "g",
        'и' => "y",
        'і' => "i",
        'й' => at("y", "i"),
        'є' => at("ye", "ie"),
        'ї' => at("yi", "i"),
        'ю' => at("yu", "iu"),
        'я' => at("ya", "ia"),
        _ => return None,
    })
}

/// The rule for passports of Belarus, without its diacritics.
fn belarusian(c: char, at_start: bool) -> Option<&'static str> {
    let at = |start, elsewhere| if at_start { start } else { elsewhere };
    Some(match c {
        'г' => "h",
        'і' => "i",
        'ў' => "u",
        'е' => at("ye", "ie"),
        'ё' => at("yo", "io"),
        'ю' => at("yu", "iu"),
        'я' => at("ya", "ia"),
        _ => return None,
    })
}

/// The Latin alphabet of Serbian, without its diacritics.
fn serbian(c: char) -> Option<&'static str> {
    Some(match c {
        'ђ' | 'ѓ' => "dj",
        'ж' => "z",
        'ј' => "j",
        'љ' => "lj",
        'њ' => "nj",
        'ћ' | 'ч' | 'ц' => "c",
        'ќ' => "k",
        'х' => "h",
        'џ' | 'ѕ' => "dz",
        'ш' => "s",
        _ => return None,
    })
}

/// Returns whether a transliterated word ends like a Slavic name. Foreign names in Cyrillic letters
/// are compared by their sound, because each letter stands for a sound of the foreign language.
pub(super) fn is_slavic(word: &str) -> bool {
    const ENDINGS: [&str; 30] = [
        "ov", "ev", "in", "yn", "ova", "eva", "ina", "yna", "skiy", "skyi", "skii", "sky", "ski",
        "tsky", "skaya", "ska", "ko", "chuk", "yuk", "iuk", "ich", "ych", "vna", "enko", "ic",
        "iev", "aia", "aya", "uk", "yi",
    ];
    word.len() >= 5 && ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Transliterates a Greek word.
pub(super) fn greek(word: &str) -> String {
    let word = word.to_lowercase();
    let letters: Vec<(char, bool)> = word.chars().map(plain_greek).collect();
    let mut accents = word.chars().map(|c| "άέήίόύώ".contains(c));
    let mut out = String::new();
    let mut rest = letters.as_slice();
    let mut previous = None;
    while let [(c, _), tail @ ..] = rest {
        let next = tail.first().copied();
        // An accent on the first of two vowels separates them.
        let has_accent = accents.next() == Some(true);
        let (latin, width) = match (c, next) {
            ('α', Some(('υ', false))) => (before_vowel(tail, "av", "af"), 2),
            ('ε', Some(('υ', false))) => (before_vowel(tail, "ev", "ef"), 2),
            ('η', Some(('υ', false))) => (before_vowel(tail, "iv", "if"), 2),
            ('ο', Some(('υ', false))) => ("u", 2),
            ('α', Some(('ι', false))) if !has_accent => ("e", 2),
            ('ε' | 'ο' | 'υ', Some(('ι', false))) if !has_accent => ("i", 2),
            ('μ', Some(('π', _))) => (if is_vowel(previous) { "mb" } else { "b" }, 2),
            ('ν', Some(('τ', _))) => (if is_vowel(previous) { "nd" } else { "d" }, 2),
            ('γ', Some(('κ', _))) => (if is_vowel(previous) { "ng" } else { "g" }, 2),
            ('γ', Some(('γ', _))) => ("ng", 2),
            ('γ', Some(('χ' | 'ξ', _))) => ("n", 1),
            ('τ', Some(('σ', _))) => ("ts", 2),
            ('τ', Some(('ζ', _))) => ("j", 2),
            // Before i and e the letter sounds like y: Giannis is Yannis.
            ('γ', Some(('ι' | 'υ' | 'η' | 'ε', _))) => ("y", 1),
            _ => (greek_letter(*c), 1),
        };
        out.push_str(latin);
        previous = rest.get(width - 1).map(|(c, _)| *c);
        if width == 2 {
            accents.next();
        }
        rest = rest.get(width..).unwrap_or_default();
    }
    out
}

/// Returns a Greek letter without its accent, and whether it has a diaeresis. Such a letter is read
/// apart from the vowel before it.
fn plain_greek(c: char) -> (char, bool) {
    match c {
        'ά' | 'ἀ' | 'ἁ' => ('α', false),
        'έ' | 'ἐ' | 'ἑ' => ('ε', false),
        'ή' => ('η', false),
        'ί' | 'ἰ' | 'ἱ' => ('ι', false),
        'ό' | 'ὀ' | 'ὁ' => ('ο', false),
        'ύ' => ('υ', false),
        'ώ' => ('ω', false),
        'ϊ' | 'ΐ' => ('ι', true),
        'ϋ' | 'ΰ' => ('υ', true),
        'ς' => ('σ', false),
        c => (c, false),
    }
}

fn is_vowel(c: Option<char>) -> bool {
    c.is_some_and(|c| "αεηιουω".contains(c))
}

/// Returns `voiced` if the letter after the first one of `tail` is a vowel or a voiced consonant.
fn before_vowel(
    tail: &[(char, bool)],
    voiced: &'static str,
    voiceless: &'static str,
) -> &'static str {
    match tail.get(1) {
        Some((next, _)) if "αεηιουωβγδζλμνρ".contains(*next) => voiced,
        _ => voiceless,
    }
}

fn greek_letter(c: char) -> &'static str {
    match c {
        'η' | 'υ' | 'ι' => "i",
        'β' => "v",
        'ξ' => "x",
        'χ' => "kh",
        'ω' => "o",
        c => any_ascii_char(c),
    }
}

/// Transliterates an Armenian word.
pub(super) fn armenian(word: &str) -> String {
    let word = word.to_lowercase().replace("ու", "u").replace('և', "ev");
    let mut out = String::new();
    for c in word.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        let latin = match c {
            'ո' if out.is_empty() => "vo",
            'ո' | 'օ' => "o",
            'ե' if out.is_empty() => "ye",
            'ե' | 'է' | 'ը' => "e",
            'ծ' | 'ց' => "ts",
            'ձ' => "dz",
            'ղ' => "gh",
            'խ' => "kh",
            'ճ' | 'չ' => "ch",
            'ջ' => "j",
            'ժ' => "zh",
            'շ' => "sh",
            'ւ' | 'վ' => "v",
            'փ' => "p",
            'թ' => "t",
            'ք' => "k",
            'ռ' | 'ր' => "r",
            c => any_ascii_char(c),
        };
        out.push_str(latin);
    }
    out
}

/// Transliterates the consonants and the written vowels of a Hebrew word. An apostrophe behind a
/// letter marks a foreign sound. `ו` and `י` are read as vowels inside a word.
pub(super) fn hebrew(word: &str) -> String {
    let letters: Vec<char> = word.chars().filter(|c| !matches!(c, '\u{591}'..='\u{5c7}')).collect();
    let mut out = String::new();
    for (position, c) in letters.iter().enumerate() {
        let has_mark = letters.get(position + 1) == Some(&'\u{5f3}');
        let is_double = position > 0 && letters.get(position - 1) == Some(c);
        if c.is_ascii() || *c == '\u{5f3}' {
            out.extend(Some(*c).filter(char::is_ascii));
            continue;
        }
        let latin = match c {
            'א' | 'ע' => {
                if position == 0 {
                    "a"
                } else {
                    ""
                }
            }
            'ג' if has_mark => "j",
            'ז' if has_mark => "zh",
            'צ' | 'ץ' if has_mark => "ch",
            'ת' if has_mark => "th",
            'ב' => "b",
            'ג' => "g",
            'ד' => "d",
            'ה' => "h",
            'ו' if position == 0 || is_double => "v",
            'ו' => "u",
            'ז' => "z",
            'ח' => "h",
            'ט' | 'ת' => "t",
            'י' if position == 0 => "y",
            'י' => "i",
            'כ' | 'ך' | 'ק' => "k",
            'ל' => "l",
            'מ' | 'ם' => "m",
            'נ' | 'ן' => "n",
            'ס' => "s",
            'פ' | 'ף' => "p",
            'צ' | 'ץ' => "ts",
            'ר' => "r",
            'ש' => "sh",
            c => any_ascii_char(*c),
        };
        out.push_str(latin);
    }
    // A word that has only letters without a Latin counterpart must not vanish.
    if out.is_empty() { "a".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_reads_its_letters_in_its_own_way() {
        for (word, language, latin) in [
            ("Сергій", Cyrillic::Ukrainian, "serhii"),
            ("Юрій", Cyrillic::Ukrainian, "yurii"),
            ("Сяргей", Cyrillic::Belarusian, "siarhiey"),
            ("Зорица", Cyrillic::Serbian, "zorica"),
            ("Сергей", Cyrillic::Russian, "sergey"),
        ] {
            assert_eq!(cyrillic(word, language), latin, "{word}");
        }
        for (word, latin) in [
            ("Μπαμπατζάν", "bambajan"),
            ("Ρούμπιο", "rumbio"),
            ("Γιάννης", "yiannis"),
            ("Ευάγγελος", "evangelos"),
            ("Ντουμπάι", "dumbai"),
        ] {
            assert_eq!(greek(word), latin, "{word}");
        }
        assert_eq!(armenian("Հարությունյան"), "harutyunyan");
        assert_eq!(hebrew("ג\u{5f3}ון"), "jun");
        assert_eq!(hebrew("דויד"), "duid");
    }
}
