//! The form in which tokens are compared.

use crate::normalise::reading::{self, Languages, Reading};
use crate::normalise::{Class, Origin, Token, variant_group};

/// A token that is borrowed from a prepared name or from an index file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Lower-case ASCII letters and digits.
    pub text: &'a [u8],
    /// Consonants of the text, see [`Token::skeleton`].
    pub skeleton: &'a [u8],
    /// Class of the token, which determines its weight.
    pub class: Class,
    /// Origin of the token, which determines how reliable its letters are.
    pub origin: Origin,
    /// Set of the letters of the text, see [`letters`]. Tokens with few letters in common are not
    /// compared any further.
    pub letters: u32,
    /// Number of the group of interchangeable names that the token belongs to, or 0 for none.
    pub variant: u8,
}

impl<'a> Part<'a> {
    /// Borrows a token and computes the fields that its comparison needs.
    pub fn of(token: &'a Token) -> Part<'a> {
        Part {
            text: token.text.as_bytes(),
            skeleton: token.skeleton.as_bytes(),
            class: token.class,
            origin: token.origin,
            letters: letters(token.text.as_bytes()),
            variant: variant_group(&token.text),
        }
    }

    /// Returns the readings of a token that is a character, and nothing for any other token.
    pub(crate) fn readings(&self) -> &'static [Reading] {
        self.character().map_or(&[], reading::readings)
    }

    /// Returns the languages in which the character is read like this text, or `None` if no language
    /// does so or if the token is not a character.
    pub(crate) fn languages_of(&self, text: &[u8]) -> Option<Languages> {
        reading::languages_of(self.character()?, text)
    }

    fn character(&self) -> Option<char> {
        if self.origin != Origin::Reading {
            return None;
        }
        let digits = std::str::from_utf8(self.skeleton).ok()?;
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    /// Returns the contribution of the token to a score, from 0 to 1. A number has weight 1, and so
    /// has a distinctive word of four letters or more. The weights are part of the matching model
    /// and do not depend on the frequency of a token in a list.
    pub fn weight(&self) -> f32 {
        match self.class {
            Class::Word => match self.text.len() {
                0..=2 => 0.75,
                3 => 0.9,
                _ => 1.0,
            },
            Class::Common => 0.7,
            Class::Number => 1.0,
            Class::Generic => 0.6,
            Class::Patronymic => 0.45,
            Class::Initial => 0.25,
            Class::Particle => 0.1,
            Class::Honorific => 0.08,
            Class::Legal => 0.05,
        }
    }
}

/// Returns the set of letters of a folded word: bits 0 to 25 for `a` to `z`, bit 26 for digits.
pub fn letters(text: &[u8]) -> u32 {
    text.iter().fold(0, |letters, byte| {
        letters | if byte.is_ascii_lowercase() { 1 << (byte - b'a') } else { 1 << 26 }
    })
}
