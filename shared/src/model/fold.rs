//! Names as a prefix search compares them: blind to case, accents and spacing.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folded names are cut here, so that an index key holds one (a sort key has 1,024 bytes).
pub const MAX_KEY_BYTES: usize = 960;

/// Compatibility-decomposes, drops the marks, lower-cases, and gives the letters that Unicode
/// does not decompose their base letters, as the default collation (DUCET) orders them.
pub fn fold(text: &str) -> String {
    let lower = text.nfkd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase);
    let mut plain = String::with_capacity(text.len());
    for letter in lower.filter(|&c| !is_combining_mark(c)) {
        match letter {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            'ø' => plain.push('o'),
            'đ' | 'ð' => plain.push('d'),
            'ħ' => plain.push('h'),
            'ł' => plain.push('l'),
            'ŧ' => plain.push('t'),
            'ı' => plain.push('i'),
            'ς' => plain.push('σ'),
            other => plain.push(other),
        }
    }
    let spaced: Vec<&str> = plain.split_whitespace().collect();
    spaced.join(" ").nfc().collect()
}

/// [`fold`], cut to what an index key holds.
pub fn fold_key(text: &str) -> String {
    let mut key = fold(text);
    key.truncate(key.floor_char_boundary(MAX_KEY_BYTES));
    key
}

/// A search text, folded. It is shorter than a cut key, so a prefix of the key is one of the name.
pub fn search_prefix(text: &str) -> Result<String, String> {
    let folded = fold(text);
    let fits = (1..=200).contains(&text.chars().count());
    if !fits || text.chars().any(char::is_control) {
        return Err("must be 1 to 200 characters without control characters".to_owned());
    }
    // A cut key may end a few bytes before the limit, at the last whole character.
    if folded.len() > MAX_KEY_BYTES - 4 {
        return Err("has letters that stand for too many others: make it shorter".to_owned());
    }
    Ok(folded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_fold_alike() {
        for (name, folded) in [
            ("  Müller   & Söhne", "muller & sohne"),
            ("ØRSTED", "orsted"),
            ("Łódź", "lodz"),
            ("Straße", "strasse"),
            ("İstanbul", "istanbul"),
            ("ΟΔΟΣ", "οδοσ"),
            ("ﬁrst", "first"),
            ("한국", "한국"),
            ("\u{301}", ""),
        ] {
            assert_eq!(fold(name), folded, "{name}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing_and_a_key_fits(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert!(fold_key(&text).len() <= MAX_KEY_BYTES);
            prop_assert!(once.starts_with(&fold_key(&text)));
        }
    }
}
