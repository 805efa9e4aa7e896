//! The words that a name is split into before they are classified.

use super::token::{MAX_TOKEN_LENGTH, Origin};

/// A word of lower-case ASCII letters and digits. It is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub origin: Origin,
    /// If the word is a reading, the code point of the character in hexadecimal digits.
    pub sign: Option<String>,
}

impl Word {
    /// Returns a word of the ASCII letters and digits of a text, or `None` if it has none.
    pub(super) fn new(text: &str, origin: Origin) -> Option<Word> {
        let letters = text.chars().filter(char::is_ascii_alphanumeric).take(MAX_TOKEN_LENGTH);
        let text: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        (!text.is_empty()).then_some(Word { text, origin, sign: None })
    }
}
