//! Reduces a word to its consonants, which most romanisations of a name have in common.
#![allow(clippy::indexing_slicing, reason = "every position is checked against the length first")]

/// Returns the consonant skeleton of a word of lower-case ASCII letters and digits. A digraph for
/// one sound becomes one letter, and letters with the same sound become the same letter. Vowels,
/// the second letter of a doubled pair and a final `h` are dropped. The skeleton of `mohammed`,
/// `muhamad` and `mokhammad` is `mhmd`. A word that has only vowels has an empty skeleton.
pub(super) fn skeleton(word: &str) -> String {
    let letters = word.as_bytes();
    let mut out = String::with_capacity(letters.len());
    let mut previous = 0;
    let mut at = 0;
    while at < letters.len() {
        let (sound, width) = sound(&letters[at..]);
        let is_doubled = at > 0 && letters[at] == letters[at - 1];
        // A final h is optional: Fatima, Fatimah.
        let is_silent = letters[at] == b'h' && at + 1 == letters.len() && at > 0;
        for &letter in sound {
            if !(letter == previous && (is_doubled || width > 1)) && !is_silent {
                out.push(char::from(letter));
            }
            previous = letter;
        }
        if sound.is_empty() {
            previous = 0;
        }
        at += width;
    }
    out
}

/// Returns the letters of the skeleton for the first sound of a text, and the number of letters
/// that write the sound. A vowel has no letters in the skeleton.
fn sound(rest: &[u8]) -> (&'static [u8], usize) {
    for (written, sound) in DIGRAPHS {
        if rest.starts_with(written) {
            return (sound, written.len());
        }
    }
    let single: &'static [u8] = match rest.first() {
        Some(b'a' | b'e' | b'i' | b'o' | b'u' | b'y') | None => b"",
        Some(b'b') => b"b",
        Some(b'c' | b'k' | b'q') => b"k",
        Some(b'd') => b"d",
        Some(b'f') => b"f",
        Some(b'g') => b"g",
        Some(b'h') => b"h",
        Some(b'j') => b"j",
        Some(b'l') => b"l",
        Some(b'm') => b"m",
        Some(b'n') => b"n",
        Some(b'p') => b"p",
        Some(b'r') => b"r",
        Some(b's' | b'z') => b"s",
        Some(b't') => b"t",
        Some(b'v' | b'w') => b"v",
        Some(b'x') => b"ks",
        // Digits are kept. A folded word has only lower-case letters and digits.
        Some(b'0') => b"0",
        Some(b'1') => b"1",
        Some(b'2') => b"2",
        Some(b'3') => b"3",
        Some(b'4') => b"4",
        Some(b'5') => b"5",
        Some(b'6') => b"6",
        Some(b'7') => b"7",
        Some(b'8') => b"8",
        Some(b'9') => b"9",
        Some(_) => b"",
    };
    (single, 1)
}

/// Letters that write one sound, each with its letter in the skeleton. The longest come first,
/// because the first match counts.
const DIGRAPHS: &[(&[u8], &[u8])] = &[
    (b"shch", b"s"),
    (b"tsch", b"c"),
    (b"tch", b"c"),
    (b"sch", b"s"),
    (b"dzh", b"j"),
    (b"kh", b"h"),
    (b"gh", b"g"),
    (b"dh", b"d"),
    (b"zh", b"j"),
    (b"dj", b"j"),
    (b"sh", b"s"),
    (b"ch", b"c"),
    (b"ck", b"k"),
    (b"ph", b"f"),
    (b"th", b"t"),
    (b"tz", b"s"),
];

#[cfg(test)]
mod tests {
    use super::skeleton;

    #[test]
    fn spellings_of_one_name_have_the_same_skeleton() {
        for group in [
            &["mohammed", "muhamad", "mokhammad", "muhammadh", "mohamed"][..],
            &["vladimir", "wladimir", "vladymyr"],
            &["aleksey", "aleksei", "alexei", "alexey"],
            &["qasim", "kasem", "qassem"],
            &["fatima", "fatimah"],
            &["kuzmichev", "kuzmitchev"],
        ] {
            for word in group {
                assert_eq!(skeleton(word), skeleton(group[0]), "{word}");
            }
        }
        assert_eq!(skeleton("aia"), "");
        assert_eq!(skeleton("lalla"), "ll");
        assert_ne!(skeleton("ivanov"), skeleton("ivanova9"));
    }
}
