//! The words of a name before classification. Each word then becomes one token.

use super::token::{Class, MAX_TOKEN_LENGTH, Origin};

/// A word of 1 to [`MAX_TOKEN_LENGTH`] lower-case ASCII letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub origin: Origin,
    /// Code point of the character in hexadecimal digits, if the word is a reading. For a patronymic, its
    /// skeleton.
    pub sign: Option<String>,
    /// Class of the word, if its place in the name decides it.
    pub class: Option<Class>,
}

impl Word {
    /// Returns a word of the first [`MAX_TOKEN_LENGTH`] ASCII letters and digits of a text, or
    /// `None` if the text has none.
    pub(super) fn new(text: &str, origin: Origin) -> Option<Word> {
        let letters = text.chars().filter(char::is_ascii_alphanumeric).take(MAX_TOKEN_LENGTH);
        let text: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        (!text.is_empty()).then_some(Word { text, origin, sign: None, class: None })
    }
}
