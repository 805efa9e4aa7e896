//! The tokens that names consist of after normalisation.

use serde::Serialize;

/// Maximum length of a token in ASCII letters and digits. Longer words are cut.
pub const MAX_TOKEN_LENGTH: usize = 32;

/// Kind of a token, which determines its weight and whether it is evidence for a match. The
/// discriminants are part of the index format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A distinctive word, such as most family names or the coined word in the name of a firm.
    Word = 0,
    /// A name that very many people have.
    Common = 1,
    /// A token with a digit in it. Only an equal token matches it.
    Number = 2,
    /// A word that many firms have in their names, such as `trading` or `general`.
    Generic = 3,
    /// A single letter.
    Initial = 4,
    /// A particle, an article or a conjunction, such as `bin`, `al` or `and`.
    Particle = 5,
    /// A title or the prefix of a ship, such as `Sheikh`, `Dr` or `MV`.
    Honorific = 6,
    /// A legal form, such as `Limited` or `GmbH`.
    Legal = 7,
    /// The name of the father in a name with other words, such as `Ivanovich`. Many lists and many
    /// documents leave it out.
    Patronymic = 8,
}

impl Class {
    /// Returns the class with this discriminant, or `None` if no class has it.
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
            Class::Patronymic,
        ];
        all.get(usize::from(byte)).copied()
    }

    /// Returns whether tokens of this class are evidence for a match. If either name has at least
    /// two such tokens, a score above 0.65 needs at least two aligned ones. Tokens of the other
    /// classes only raise or lower the score.
    pub fn is_significant(self) -> bool {
        matches!(self, Class::Word | Class::Common | Class::Number | Class::Patronymic)
    }
}

/// Origin of a token, which determines the reliability of its Latin letters. The discriminants are
/// part of the index format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The token was written in Latin, or in another script that writes vowels.
    Letters = 0,
    /// The token comes from a script that does not write short vowels, such as Arabic or Hebrew.
    /// Its consonants and long vowels are compared.
    Consonants = 1,
    /// The token is a Han character or a Hangul syllable, which may have several readings.
    Reading = 2,
    /// The token was written in another alphabet than Latin. Each of its letters stands for a sound,
    /// which the language of the name may write in another way.
    Sound = 3,
    /// The token is a foreign name in a script that cannot write all of its sounds, such as Katakana.
    Loan = 4,
}

impl Origin {
    /// Returns whether tokens of both origins are written with vowels, so that their letters can be
    /// compared one by one.
    pub(crate) fn is_spelled_like(self, other: Origin) -> bool {
        let is_spelled = |origin| matches!(origin, Origin::Letters | Origin::Sound | Origin::Loan);
        self == other || (is_spelled(self) && is_spelled(other))
    }

    /// Returns the origin with this discriminant, or `None` if no origin has it.
    pub(crate) fn from_byte(byte: u8) -> Option<Origin> {
        let all =
            [Origin::Letters, Origin::Consonants, Origin::Reading, Origin::Sound, Origin::Loan];
        all.get(usize::from(byte)).copied()
    }
}

/// A token of a name, folded to lower-case ASCII letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// Between 1 and [`MAX_TOKEN_LENGTH`] lower-case ASCII letters and digits.
    pub text: String,
    /// Class of the token, which determines its weight.
    pub class: Class,
    /// Origin of the token, which determines how reliable its letters are.
    pub origin: Origin,
    /// Consonants of the text or, for a reading, the code point of the character in hexadecimal
    /// digits.
    pub skeleton: String,
}
