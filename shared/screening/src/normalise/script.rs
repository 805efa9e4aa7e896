//! Splits a text in any script into words of lower-case ASCII.

use any_ascii::any_ascii_char;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::arabic;
use super::token::Origin;
use super::word::Word;

/// Maximum number of characters that are read from a name. The limit applies separately to the two
/// parts of a name that is written `LAST, First`.
pub(super) const MAX_CHARACTERS: usize = 600;

/// Folds the first [`MAX_CHARACTERS`] characters of a text to ASCII words and appends them to
/// `out`.
pub(super) fn words(text: &str, out: &mut Vec<Word>) {
    let characters = text.chars().take(MAX_CHARACTERS);
    if text.is_ascii() {
        split(characters, out);
    } else {
        split(characters.nfkc().take(MAX_CHARACTERS), out);
    }
}

fn split(characters: impl Iterator<Item = char>, out: &mut Vec<Word>) {
    let mut word = String::new();
    // A dot or a slash between single letters joins them: L.L.C., M/V.
    let mut letters_since_joint = 0;
    let mut after_joint = false;
    let mut characters = characters.filter(|c| !is_ignored(*c)).peekable();
    while let Some(c) = characters.next() {
        if c.is_alphanumeric() || is_combining_mark(c) {
            let is_single = !characters.peek().is_some_and(|next| next.is_alphanumeric());
            if after_joint && !is_single {
                end_word(&mut word, out);
            }
            after_joint = false;
            word.push(c);
            letters_since_joint += 1;
        } else if matches!(c, '.' | '/') && letters_since_joint == 1 {
            after_joint = true;
            letters_since_joint = 0;
        } else {
            end_word(&mut word, out);
            (after_joint, letters_since_joint) = (false, 0);
            if c == '&' {
                out.extend(Word::new("and", Origin::Letters));
            }
        }
    }
    end_word(&mut word, out);
}

fn end_word(word: &mut String, out: &mut Vec<Word>) {
    if !word.is_empty() {
        fold(word, out);
        word.clear();
    }
}

/// Returns whether a character is dropped without ending the word: apostrophes and similar marks,
/// characters without a visible shape, and the Arabic tatweel.
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\'' | '`' | '\u{b4}' | '\u{2b9}'..='\u{2bf}' | '\u{2c8}' | '\u{2018}'..='\u{201b}'
            | '\u{2032}' | '\u{2035}' | '\u{ff07}' | '\u{5f3}' | '\u{5f4}' | '\u{ad}' | '\u{34f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{640}'
    )
}

/// Folds a written word to ASCII and appends the result to `out`. A word with Arabic letters can
/// become several words. If a word has a Han or Hangul character, each of its characters becomes a
/// word of its own.
fn fold(word: &str, out: &mut Vec<Word>) {
    if word.is_ascii() {
        let undisguised = undisguise(word);
        out.extend(Word::new(undisguised.as_deref().unwrap_or(word), Origin::Letters));
    } else if word.chars().any(arabic::is_arabic) {
        fold_mixed_arabic(word, out);
    } else if word.chars().any(is_reading) {
        for c in word.chars() {
            let sign = Some(format!("{:x}", u32::from(c)));
            let reading = Word::new(any_ascii_char(c), Origin::Reading);
            out.extend(reading.map(|word| Word { sign, ..word }));
        }
    } else {
        let is_hebrew = word.chars().any(|c| matches!(c, '\u{590}'..='\u{5ff}'));
        let origin = if is_hebrew { Origin::Consonants } else { Origin::Letters };
        let latin = word.chars().filter(char::is_ascii_alphabetic).count();
        let other = word.chars().filter(|c| is_clearly_greek_or_cyrillic(*c)).count();
        // A word is Latin if it has at least as many Latin letters as clearly Greek or Cyrillic
        // ones. Look-alikes are replaced only in a Latin word. In a Cyrillic word, a single Latin
        // letter is itself the look-alike.
        let is_latin = latin > 0 && latin >= other;
        let mut ascii = String::with_capacity(word.len());
        for c in word.chars() {
            match latin_look_alike(c) {
                Some(letter) if is_latin => ascii.push(letter),
                _ => ascii.push_str(any_ascii_char(c)),
            }
        }
        out.extend(Word::new(&ascii, origin));
    }
}

/// Returns whether a letter is Greek or Cyrillic and does not look like a Latin letter.
fn is_clearly_greek_or_cyrillic(c: char) -> bool {
    c.is_alphabetic()
        && !c.is_ascii_alphabetic()
        && latin_look_alike(c).is_none()
        && matches!(c, '\u{370}'..='\u{52f}')
}

/// Folds a word with Arabic letters, which may be mixed with other letters. Each run of Arabic
/// letters and each run of other letters is folded separately. Arabic vowel signs are dropped
/// everywhere in the word.
fn fold_mixed_arabic(word: &str, out: &mut Vec<Word>) {
    let mut run = String::new();
    let mut run_is_arabic = false;
    for c in word.chars().filter(|c| !arabic::is_sign(*c)) {
        let is_arabic = arabic::is_arabic(c);
        if is_arabic != run_is_arabic {
            end_run(&mut run, run_is_arabic, out);
        }
        run_is_arabic = is_arabic;
        run.push(c);
    }
    end_run(&mut run, run_is_arabic, out);
}

fn end_run(run: &mut String, is_arabic: bool, out: &mut Vec<Word>) {
    if run.is_empty() {
        return;
    }
    if is_arabic {
        arabic::words(run, out);
    } else {
        fold(run, out);
    }
    run.clear();
}

/// Replaces digits that are used as letters inside a word, as in `Ig0r`. Returns `None` unless the
/// word begins and ends with a letter, has at least three letters, and has one or two digits.
fn undisguise(word: &str) -> Option<String> {
    let inner = word.get(1..word.len().saturating_sub(1))?;
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let has_letters_at_ends = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.ends_with(|c: char| c.is_ascii_alphabetic());
    let digits = inner.bytes().filter(u8::is_ascii_digit).count();
    if !has_letters_at_ends || digits == 0 || digits > 2 || letters < 3 {
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

/// Returns whether a character is Han or Hangul. Such a character stands for a syllable and may
/// have several readings.
fn is_reading(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        || matches!(c, '\u{ac00}'..='\u{d7a3}')
}

/// Returns the Latin letter that a Cyrillic or Greek letter or the Turkish `ı` looks like, or
/// `None` for any other character. [`fold`] replaces look-alikes only in a Latin word, where they
/// are a disguise or a typing mistake.
fn latin_look_alike(c: char) -> Option<char> {
    let letter = match c {
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
    Some(letter)
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
    fn every_script_is_folded_to_ascii() {
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
