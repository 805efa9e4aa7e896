//! The consonants of a word: what is left of it whichever way it was romanised.
#![allow(clippy::indexing_slicing, reason = "every place is checked against the length first")]

/// The consonant skeleton of a folded word (lower-case ASCII): digraphs that stand for one sound
/// become one letter, letters that share a sound become one of them, vowels and doubles go.
/// `mohammed`, `muhamad` and `mokhammad` are all `mhmd`. Empty for a word of vowels.
pub(super) fn skeleton(word: &str) -> String {
    let letters = word.as_bytes();
    let mut out = String::with_capacity(letters.len());
    let mut before = 0;
    let mut at = 0;
    while at < letters.len() {
        let (sound, width) = sound(&letters[at..]);
        let doubled = at > 0 && letters[at] == letters[at - 1];
        // A last h is written or not: Fatima, Fatimah.
        let silent = letters[at] == b'h' && at + 1 == letters.len() && at > 0;
        for &letter in sound {
            if !(letter == before && (doubled || width > 1)) && !silent {
                out.push(char::from(letter));
            }
            before = letter;
        }
        if sound.is_empty() {
            before = 0;
        }
        at += width;
    }
    out
}

/// The sound that begins here, and how many letters write it.
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
        // Digits stand for themselves; nothing else is left after folding.
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

/// The longest first.
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
    fn spellings_of_one_name_share_it() {
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
