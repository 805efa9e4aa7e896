//! The tokens that names consist of after normalisation.

use serde::Serialize;

/// Maximum number of ASCII letters and digits of a token that are matched.
pub const MAX_TOKEN_LENGTH: usize = 32;

/// The kind of word that a token is. The discriminants are part of the index format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A distinctive word, such as most family names or the coined word in the name of a firm.
    Word = 0,
    /// A name that very many people have.
    Common = 1,
    /// A token with a digit in it. It matches only itself.
    Number = 2,
    /// A word that many firms have in their names, such as `trading` or `general`.
    Generic = 3,
    /// A single letter.
    Initial = 4,
    /// A particle, such as `al`, `bin` or `de`.
    Particle = 5,
    /// A title, such as `Sheikh` or `Dr`.
    Honorific = 6,
    /// A legal form, such as `Limited` or `GmbH`.
    Legal = 7,
}

impl Class {
    /// Returns the class with this discriminant.
    pub(crate) fn from_byte(byte: u8) -> Option<Class> {
        let all = [
            Class::Word,
            Class::Common,
            Class::Number,
            Class::Generic,
            Class::Initial,
            Class::Particle,
            Class::Honorific,
            Class::Legal,
        ];
        all.get(usize::from(byte)).copied()
    }

    /// Whether tokens of this class are evidence for a match. A match needs two of them if either
    /// name has two. Tokens of the other classes only raise or lower its score.
    pub fn is_significant(self) -> bool {
        matches!(self, Class::Word | Class::Common | Class::Number)
    }
}

/// How reliable the Latin letters of a token are. The discriminants are part of the index format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The token was written in Latin, or in another script that writes vowels.
    Letters = 0,
    /// The token comes from a script that does not write short vowels, such as Arabic or Hebrew.
    /// Its consonants and long vowels are compared.
    Consonants = 1,
    /// The token is one of several readings of a Han or Hangul character.
    Reading = 2,
}

impl Origin {
    /// Returns the origin with this discriminant.
    pub(crate) fn from_byte(byte: u8) -> Option<Origin> {
        [Origin::Letters, Origin::Consonants, Origin::Reading].get(usize::from(byte)).copied()
    }
}

/// A token of a name, folded to lower-case ASCII letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// Between 1 and [`MAX_TOKEN_LENGTH`] lower-case ASCII letters and digits.
    pub text: String,
    /// Kind of word.
    pub class: Class,
    /// How reliable the letters are.
    pub origin: Origin,
    /// The consonants of the text. If the token is a reading, the code point of the character in
    /// hexadecimal digits.
    pub skeleton: String,
}
