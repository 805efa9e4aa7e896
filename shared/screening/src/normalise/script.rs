//! From any script to words of lower-case ASCII.

use any_ascii::any_ascii_char;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{LONGEST_TOKEN, MOST_CHARACTERS, Origin, arabic};

/// A word of lower-case ASCII letters and digits, never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub origin: Origin,
    /// The character that a reading is of.
    pub sign: Option<String>,
}

impl Word {
    pub(super) fn new(text: &str, origin: Origin) -> Option<Word> {
        let kept = text.chars().filter(char::is_ascii_alphanumeric).take(LONGEST_TOKEN);
        let text: String = kept.map(|c| c.to_ascii_lowercase()).collect();
        (!text.is_empty()).then_some(Word { text, origin, sign: None })
    }
}

/// The words of a text, appended to `out`.
pub(super) fn words(text: &str, out: &mut Vec<Word>) {
    let characters = text.chars().take(MOST_CHARACTERS);
    if text.is_ascii() {
        split(characters, out);
    } else {
        split(characters.nfkc().take(MOST_CHARACTERS), out);
    }
}

fn split(characters: impl Iterator<Item = char>, out: &mut Vec<Word>) {
    let mut word = String::new();
    // A dot or slash between single letters binds them: L.L.C., M/V.
    let mut letters_before = 0;
    let mut bound = false;
    let end = |word: &mut String, out: &mut Vec<Word>| {
        if !word.is_empty() {
            fold(word, out);
            word.clear();
        }
    };
    let mut characters = characters.filter(|c| !is_dropped(*c)).peekable();
    while let Some(c) = characters.next() {
        if c.is_alphanumeric() || is_combining_mark(c) {
            let alone = !characters.peek().is_some_and(|next| next.is_alphanumeric());
            if bound && !alone {
                end(&mut word, out);
            }
            bound = false;
            word.push(c);
            letters_before += 1;
        } else if matches!(c, '.' | '/') && letters_before == 1 {
            bound = true;
            letters_before = 0;
        } else {
            end(&mut word, out);
            (bound, letters_before) = (false, 0);
            if c == '&' {
                out.extend(Word::new("and", Origin::Letters));
            }
        }
    }
    end(&mut word, out);
}

/// Apostrophes of every shape, and what has no shape at all.
fn is_dropped(c: char) -> bool {
    matches!(
        c,
        '\'' | '`' | '\u{b4}' | '\u{2b9}'..='\u{2bf}' | '\u{2c8}' | '\u{2018}'..='\u{201b}'
            | '\u{2032}' | '\u{2035}' | '\u{ff07}' | '\u{5f3}' | '\u{5f4}' | '\u{ad}' | '\u{34f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{640}'
    )
}

/// One written word to ASCII; of Han and Hangul a word a character.
fn fold(word: &str, out: &mut Vec<Word>) {
    if word.is_ascii() {
        out.extend(match disguised(word) {
            Some(word) => Word::new(&word, Origin::Letters),
            None => Word::new(word, Origin::Letters),
        });
    } else if word.chars().any(arabic::is_arabic) {
        arabic_and_others(word, out);
    } else if word.chars().any(is_reading) {
        for c in word.chars() {
            let word = Word::new(any_ascii_char(c), Origin::Reading);
            out.extend(word.map(|word| Word { sign: Some(format!("{:x}", u32::from(c))), ..word }));
        }
    } else {
        let hebrew = word.chars().any(|c| matches!(c, '\u{590}'..='\u{5ff}'));
        let origin = if hebrew { Origin::Consonants } else { Origin::Letters };
        let latin = word.chars().filter(char::is_ascii_alphabetic).count();
        // Whose look-alikes they are, the many decide: a Latin letter among Cyrillic ones is one.
        let mixed = latin > 0 && latin >= word.chars().filter(|c| is_other(*c)).count();
        let mut ascii = String::with_capacity(word.len());
        for c in word.chars() {
            match twin(c) {
                Some(twin) if mixed => ascii.push(twin),
                _ => ascii.push_str(any_ascii_char(c)),
            }
        }
        out.extend(Word::new(&ascii, origin));
    }
}

/// A letter that has no Latin look-alike, and so must be meant.
fn is_other(c: char) -> bool {
    c.is_alphabetic()
        && !c.is_ascii_alphabetic()
        && twin(c).is_none()
        && matches!(c, '\u{370}'..='\u{52f}')
}

/// Arabic letters and others in one written word are words of their own; a vowel sign that
/// stands with letters of another script says nothing.
fn arabic_and_others(word: &str, out: &mut Vec<Word>) {
    let mut run = String::new();
    let mut was_arabic = false;
    let end = |run: &mut String, is_arabic: bool, out: &mut Vec<Word>| {
        if !run.is_empty() {
            if is_arabic {
                arabic::words(run, out)
            } else {
                fold(run, out)
            }
            run.clear();
        }
    };
    for c in word.chars() {
        if arabic::is_sign(c) {
            continue;
        }
        let is_arabic = arabic::is_arabic(c);
        if is_arabic != was_arabic {
            end(&mut run, was_arabic, out);
        }
        was_arabic = is_arabic;
        run.push(c);
    }
    end(&mut run, was_arabic, out);
}

/// A word with digits for letters inside it, as in `Ig0r`, with letters.
fn disguised(word: &str) -> Option<String> {
    let inner = word.get(1..word.len().saturating_sub(1))?;
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let ends = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.ends_with(|c: char| c.is_ascii_alphabetic());
    let digits = inner.bytes().filter(u8::is_ascii_digit).count();
    if !ends || digits == 0 || digits > 2 || letters < 3 {
        return None;
    }
    let letter = |c: char| match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        c => c,
    };
    Some(word.chars().map(letter).collect())
}

/// Han and Hangul: a character is a syllable, with one of several readings.
fn is_reading(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        || matches!(c, '\u{ac00}'..='\u{d7a3}')
}

/// The Latin letter that a Cyrillic or Greek one looks like. Only asked for inside a word that
/// has Latin letters, where the other is a disguise or a slip.
fn twin(c: char) -> Option<char> {
    let twin = match c {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'В' | 'в' | 'Β' => 'b',
        'с' | 'С' => 'c',
        'ԁ' => 'd',
        'е' | 'Е' | 'ё' | 'Ε' => 'e',
        'Н' | 'Η' | 'һ' => 'h',
        'і' | 'І' | 'ı' | 'Ι' | 'ι' => 'i',
        'ј' | 'Ј' => 'j',
        'К' | 'к' | 'Κ' | 'κ' => 'k',
        'М' | 'м' | 'Μ' => 'm',
        'Ν' => 'n',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'т' | 'Τ' | 'τ' => 't',
        'ν' => 'v',
        'х' | 'Х' | 'Χ' | 'χ' => 'x',
        'у' | 'У' | 'Υ' => 'y',
        'Ζ' => 'z',
        _ => return None,
    };
    Some(twin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascii(text: &str) -> String {
        let mut out = Vec::new();
        words(text, &mut out);
        let texts: Vec<String> = out.into_iter().map(|word| word.text).collect();
        texts.join(" ")
    }

    #[test]
    fn scripts_become_letters() {
        for (text, expected) in [
            ("Łódź Straße Þór", "lodz strasse thor"),
            ("Щукин", "shchukin"),
            ("Αλέξανδρος", "alexandros"),
            ("Հայաստան", "hayastan"),
            ("საქართველო", "sakartvelo"),
            ("たなか", "tanaka"),
            ("山田", "shan tian"),
            ("박지", "bag ji"),
            ("דוד", "dvd"),
            ("A. B. Dell", "a b dell"),
            ("S.A. de C.V.", "sa de cv"),
            ("J.R.Dell", "jr dell"),
            ("St.Dell", "st dell"),
            ("A/S Dell", "as dell"),
        ] {
            assert_eq!(ascii(text), expected, "{text}");
        }
    }
}
