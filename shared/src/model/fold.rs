//! Folds names for the prefix search, which ignores case, accents and repeated spaces.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Maximum length of a folded name in an index key, in bytes. DynamoDB limits a sort key to 1,024
/// bytes, and the key also contains an id.
pub const MAX_KEY_BYTES: usize = 960;

/// Folds a text: decomposes it (NFKD), removes combining marks, converts it to lower case, replaces
/// white space by single spaces, and composes the result (NFC).
///
/// Unicode does not decompose some letters, such as `ø`. The letters listed in the code are
/// replaced by the base letters under which the default collation (DUCET) sorts them.
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
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").nfc().collect()
}

/// Folds a text and cuts it to at most [`MAX_KEY_BYTES`], at a character boundary.
pub fn fold_key(text: &str) -> String {
    let mut key = fold(text);
    key.truncate(key.floor_char_boundary(MAX_KEY_BYTES));
    key
}

/// Folds a search text. The result is shorter than any key that was cut. Therefore a folded name
/// starts with the result if and only if the key of the name does.
///
/// # Errors
/// Returns the rule that the text breaks. The text must have 1 to 200 characters, no control
/// characters, and at most 956 bytes after folding.
pub fn search_prefix(text: &str) -> Result<String, String> {
    let folded = fold(text);
    let fits = (1..=200).contains(&text.chars().count());
    if !fits || text.chars().any(char::is_control) {
        return Err("must be 1 to 200 characters without control characters".to_owned());
    }
    // A cut key ends at a character boundary, so it is up to 3 bytes shorter than the limit.
    if folded.len() > MAX_KEY_BYTES - 4 {
        return Err(
            "must be shorter, because its letters expand when accents are removed".to_owned()
        );
    }
    Ok(folded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn similar_names_fold_to_the_same_text() {
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
        fn fold_is_idempotent_and_a_key_fits_its_limit(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert!(fold_key(&text).len() <= MAX_KEY_BYTES);
            prop_assert!(once.starts_with(&fold_key(&text)));
        }
    }
}
