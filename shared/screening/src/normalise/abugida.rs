//! Transliterates scripts of South and Southeast Asia. Their consonants carry a vowel unless a sign
//! replaces or removes it.

use any_ascii::any_ascii_char;
use unicode_normalization::char::is_combining_mark;

/// Returns whether a character belongs to a script of India, Nepal, Bangladesh or Sri Lanka.
pub(super) fn is_indic(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{dff}')
}

/// Returns whether a character is Thai or Lao.
pub(super) fn is_thai_or_lao(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}')
}

/// Transliterates a word in an Indic script. The vowel `a` is added between two consonants, and not
/// at the end of the word.
pub(super) fn indic(word: &str) -> String {
    let letters: Vec<char> = word.chars().collect();
    let mut out = String::new();
    for (position, &c) in letters.iter().enumerate() {
        // Long vowels and vowel signs are written twice or in capitals.
        let next = letters.get(position + 1).copied();
        let latin = match any_ascii_char(c).to_ascii_lowercase() {
            // The sign for a nasal sounds like the consonant after it.
            nasal if nasal == "m" && is_nasal_sign(c) && !next.is_some_and(is_labial) => {
                "n".to_owned()
            }
            latin if is_tamil(c) => tamil(&latin, &out, next).to_owned(),
            latin => latin,
        };
        out.push_str(&latin);
        let is_consonant = !is_combining_mark(c)
            && latin.bytes().next().is_some_and(|first| !b"aeiou".contains(&first));
        let keeps_vowel = match next {
            None => false,
            // The signs for a nasal or an h follow the vowel.
            Some(next) if is_nasal_sign(next) => true,
            Some(next) => !is_combining_mark(next) && is_indic(next),
        };
        if is_consonant && keeps_vowel {
            out.push('a');
        }
    }
    out
}

fn is_tamil(c: char) -> bool {
    matches!(c, '\u{b80}'..='\u{bff}')
}

fn is_labial(c: char) -> bool {
    any_ascii_char(c).starts_with(['p', 'b', 'm'])
}

/// Returns the sound of a Tamil letter, which depends on the letters around it: `p` between vowels and
/// behind a nasal is `b`.
fn tamil<'a>(latin: &'a str, before: &str, next: Option<char>) -> &'a str {
    let is_doubled = next == Some('\u{bcd}');
    let is_soft = before.ends_with(['a', 'e', 'i', 'o', 'u', 'm', 'n']) && !is_doubled;
    match latin {
        "c" => "s",
        "k" if is_soft => "g",
        "t" if is_soft => "d",
        "p" if is_soft => "b",
        latin => latin,
    }
}

/// Returns whether a character is candrabindu, anusvara or visarga. The blocks of the scripts have
/// these signs at the same places.
fn is_nasal_sign(c: char) -> bool {
    is_indic(c) && matches!(u32::from(c) % 0x80, 1..=3) && is_combining_mark(c)
}

/// Transliterates a Thai or Lao word. Some vowels are written before the consonant that they follow,
/// and the letters that a mark silences are kept, because foreign names are spelled with them.
pub(super) fn thai(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let mut position = 1;
    while let (Some(&vowel), Some(&consonant)) = (letters.get(position - 1), letters.get(position))
    {
        let stands_before =
            matches!(vowel, 'เ' | 'แ' | 'โ' | 'ใ' | 'ไ' | 'ເ' | 'ແ' | 'ໂ' | 'ໃ' | 'ໄ');
        if stands_before && !is_combining_mark(consonant) {
            letters.swap(position - 1, position);
            position += 1;
        }
        position += 1;
    }
    let mut out = String::new();
    for (position, &c) in letters.iter().enumerate() {
        out.push_str(match c {
            '\u{e47}'..='\u{e4e}' => "",
            'อ' if position == 0 => "",
            'อ' => "o",
            'ง' => "ng",
            'ญ' | 'ย' => "y",
            'ว' => "w",
            'จ' => "j",
            'ฉ' | 'ช' | 'ฌ' => "ch",
            'ร' | 'ฤ' => "r",
            'ล' | 'ฬ' => "l",
            'แ' => "e",
            'โ' => "o",
            'ใ' | 'ไ' => "ai",
            'เ' => "e",
            'ึ' | 'ื' => "u",
            'ั' | 'ะ' | 'า' => "a",
            'ำ' => "am",
            'ท' | 'ธ' | 'ถ' | 'ฐ' | 'ฑ' | 'ฒ' | 'ต' => "t",
            'ด' | 'ฎ' | 'ฏ' => "d",
            'พ' | 'ภ' | 'ผ' | 'ป' => "p",
            'ค' | 'ข' | 'ฆ' | 'ก' => "k",
            'ซ' | 'ส' | 'ศ' | 'ษ' => "s",
            c => any_ascii_char(c),
        });
    }
    out.retain(|c| c.is_ascii_alphanumeric());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vowels_that_are_not_written_are_read() {
        assert_eq!(indic("अशोक"), "asok");
        assert_eq!(indic("सिंह"), "sinh");
        assert_eq!(indic("சம்பந்தன்"), "sambandan");
        assert_eq!(indic("करपाल"), "karapal");
    }

    #[test]
    fn thai_vowels_follow_their_consonants() {
        assert_eq!(thai("เฮเกล"), "hekel");
        assert_eq!(thai("จอห์น"), "john");
    }
}
