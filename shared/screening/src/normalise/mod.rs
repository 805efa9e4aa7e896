//! From a name as somebody wrote it to the tokens that are matched.
//!
//! Nothing here can fail: any text gives a [`Prepared`] name, if need be an empty one, and the
//! work is bounded by [`MOST_CHARACTERS`] and [`MOST_TOKENS`], on both sides alike, so that a
//! longer name still equals itself.

mod arabic;
mod script;
mod skeleton;
mod split;
mod variants;
mod words;

use serde::Serialize;

pub(super) use variants::variant;

/// Of a name, as many are read.
pub const MOST_CHARACTERS: usize = 600;
/// Of a name, as many are matched.
pub const MOST_TOKENS: usize = 32;
/// Of a token, as many ASCII letters are matched.
pub const LONGEST_TOKEN: usize = 32;

/// What a token says about who is named. The order is part of the index format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A word of its own: most family names, the coined word of a firm.
    Word = 0,
    /// A name that very many people bear.
    Common = 1,
    /// With a digit in it. Matches itself only.
    Number = 2,
    /// What half of all firms are called: trading, general.
    Generic = 3,
    /// A single letter.
    Initial = 4,
    /// al, bin, de.
    Particle = 5,
    /// Sheikh, Dr.
    Honorific = 6,
    /// Limited, GmbH.
    Legal = 7,
}

impl Class {
    pub(super) fn of_byte(byte: u8) -> Option<Class> {
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

    /// Two tokens of these kinds are what a match is made of; the others only adorn it.
    pub fn is_significant(self) -> bool {
        matches!(self, Class::Word | Class::Common | Class::Number)
    }
}

/// How sure the letters of a token are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Written in Latin, or in a script that writes its vowels.
    Letters = 0,
    /// From a script without its vowels: Arabic, Hebrew. Only the skeleton counts.
    Consonants = 1,
    /// One of several readings: Han, Hangul.
    Reading = 2,
}

impl Origin {
    pub(super) fn of_byte(byte: u8) -> Option<Origin> {
        [Origin::Letters, Origin::Consonants, Origin::Reading].get(usize::from(byte)).copied()
    }
}

/// A token of a name, folded to lower-case ASCII letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    pub text: String,
    pub class: Class,
    pub origin: Origin,
    /// Its consonants, see [`skeleton::skeleton`]; of a reading the code point it is read from.
    pub skeleton: String,
}

/// A name, ready to be matched: its tokens in the order of speech, given name first where the
/// writing tells (`LAST, First`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    pub tokens: Vec<Token>,
}

/// Prepares a name for matching. Pure, total, and the same for queries and lists.
pub fn prepare(name: &str) -> Prepared {
    let mut words = Vec::new();
    match name.split_once(',') {
        Some((family, given)) if !family.trim().is_empty() && !is_legal_form(given) => {
            script::words(given, &mut words);
            script::words(family, &mut words);
        }
        _ => script::words(name, &mut words),
    }
    let words = split::compounds(words);
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
    for (place, word) in words.iter().enumerate() {
        let next = words.get(place + 1).map(|next| next.text.as_str());
        let class = match word.origin {
            // A syllable of several readings is no `de` and no initial.
            Origin::Reading => Class::Word,
            _ => class(&word.text, next),
        };
        tokens.push(Token {
            class,
            origin: word.origin,
            skeleton: word.sign.clone().unwrap_or_else(|| skeleton::skeleton(&word.text)),
            text: word.text.clone(),
        });
    }
    if tokens.len() > MOST_TOKENS {
        // Titles and little words must not push out the name.
        tokens.retain(|token| {
            !matches!(token.class, Class::Particle | Class::Honorific | Class::Legal)
        });
        tokens.truncate(MOST_TOKENS);
    }
    match tokens.iter().filter(|token| token.class.is_significant()).count() {
        0 => promote(&mut tokens),
        1 => given(&mut tokens),
        _ => {}
    }
    Prepared { tokens }
}

/// What follows the comma is `S.A. de C.V.` or `LTD.`, no given name.
fn is_legal_form(text: &str) -> bool {
    let mut words = Vec::new();
    script::words(text, &mut words);
    let small = |word: &script::Word| {
        matches!(words::class(&word.text), Some(Class::Legal)) || word.text == "de"
    };
    words.iter().all(small)
}

fn class(text: &str, next: Option<&str>) -> Class {
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Class::Number;
    }
    if text.len() == 1 {
        return Class::Initial;
    }
    // The Arabic article before a sun letter: as-Sadr, ar-Rahman. Elsewhere Ar or An is a name.
    if let ("as" | "ash" | "ar" | "an" | "ad" | "at" | "az", Some(next)) = (text, next) {
        let sun = text.get(1..).is_some_and(|sun| next.starts_with(sun) || next.starts_with('a'));
        if sun {
            return Class::Particle;
        }
    }
    words::class(text).unwrap_or(Class::Word)
}

/// A name of nothing but small words is named by all of them: `General Trading` is neither
/// `General` nor `Trading`. Its legal form stays one, unless there is nothing else.
fn promote(tokens: &mut [Token]) {
    let only_legal = tokens.iter().all(|token| token.class == Class::Legal);
    for token in tokens {
        if only_legal || token.class != Class::Legal {
            token.class = Class::Word;
        }
    }
}

/// Beside a single word of its own, what is also a given name is one: `Dan Gertler` is not `von
/// Gertler`, and no family name stands alone. A little word in the last place is one as well.
fn given(tokens: &mut [Token]) {
    let generic = tokens.iter().any(|token| token.class == Class::Generic);
    let last = tokens.len().saturating_sub(1);
    for (place, token) in tokens.iter_mut().enumerate() {
        let first = place == 0 && last > 0 && !generic && words::is_given(&token.text);
        if first || (place == last && place > 0 && token.class == Class::Particle) {
            token.class = Class::Word;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(name: &str) -> Vec<String> {
        prepare(name).tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn writing_does_not_matter() {
        for (one, other) in [
            ("DOVELLO, Mirka Ilin", "Mirka Ilin Dovello"),
            ("Dr. Mirka  DOVELLÖ", "dr mirka dovello"),
            ("L.L.C. Brindal", "LLC Brindal"),
            ("Qa'im O\u{2019}Dell", "qaim odell"),
            ("\u{ff2d}\u{ff49}\u{ff52}\u{ff4b}\u{ff41}", "Mirka"),
            ("Mir\u{200b}ka", "Mirka"),
            ("M/V Tarn", "MV Tarn"),
            ("Brindal, S.A. de C.V.", "Brindal SA de CV"),
            ("Brindal & Sons", "Brindal and Sons"),
            ("Мирка Довелло", "Mirka Dovello"),
            // Look-alikes of another alphabet inside a Latin word.
            ("Mir\u{43a}\u{430} D\u{43e}vello", "Mirka Dovello"),
            ("Abdulqadir Tamoun", "Abd al-Qadir Tamoun"),
            ("Abdel Qadir Tamoun", "Abd Qadir Tamoun"),
            ("Nasruddin Tamoun", "Nasr al-Din Tamoun"),
            ("TAMOUN, Abdul", "Abdel Tamoun"),
            // A Latin letter inside a Cyrillic word, and a vowel sign of Arabic in a Latin one.
            ("\u{421}\u{435}\u{440}\u{433}e\u{439}", "Sergey"),
            ("Mirka\u{64b} Dovello\u{64b}", "Mirka Dovello"),
            ("\u{645}\u{62d}\u{645}\u{62f}Ali", "Muhammad Ali"),
        ] {
            let small = |texts: Vec<String>| -> Vec<String> {
                texts.into_iter().filter(|text| text != "al").collect()
            };
            assert_eq!(small(texts(one)), small(texts(other)), "{one}");
        }
    }

    #[test]
    fn words_have_their_class() {
        let classes = |name: &str| -> Vec<Class> {
            prepare(name).tokens.into_iter().map(|token| token.class).collect()
        };
        assert_eq!(
            classes("Sheikh Ali bin Dovello"),
            [Class::Honorific, Class::Common, Class::Particle, Class::Word]
        );
        assert_eq!(
            classes("Brindal Trading 7 Ltd"),
            [Class::Word, Class::Generic, Class::Number, Class::Legal]
        );
        // A given name that is also a little word, a title or a legal form.
        assert_eq!(classes("DOVELLO, Dan"), [Class::Word, Class::Word]);
        assert_eq!(classes("Asa Dovello"), [Class::Word, Class::Word]);
        assert_eq!(classes("Dovello Das"), [Class::Word, Class::Word]);
        assert_eq!(classes("van Dovello"), [Class::Particle, Class::Word]);
        assert_eq!(classes("Dovello ASA"), [Class::Word, Class::Legal]);
        assert_eq!(classes("Ben Dovello Tamoun"), [Class::Particle, Class::Word, Class::Word]);
        // Nothing else remains.
        assert_eq!(classes("General Trading Ltd"), [Class::Word, Class::Word, Class::Legal]);
        assert_eq!(classes("Sheikh Dr."), [Class::Word, Class::Word]);
        assert_eq!(classes("La"), [Class::Word]);
        assert_eq!(classes("..., !"), []);
    }

    proptest! {
        #[test]
        fn any_text_is_prepared(text in any::<String>()) {
            let prepared = prepare(&text);
            prop_assert!(prepared.tokens.len() <= MOST_TOKENS);
            for token in &prepared.tokens {
                prop_assert!((1..=LONGEST_TOKEN).contains(&token.text.len()));
                prop_assert!(token.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
                prop_assert!(token.skeleton.len() <= 2 * LONGEST_TOKEN);
            }
        }

        #[test]
        fn what_is_folded_folds_to_itself(text in "[a-z]{2,12}( [a-z]{2,12}){0,4}") {
            let once = texts(&text).join(" ");
            prop_assert_eq!(texts(&once).join(" "), once);
        }
    }

    #[test]
    fn titles_push_out_no_name() {
        let flooded = format!("{} Usama bin Laden", "Dr ".repeat(40));
        assert_eq!(texts(&flooded), ["usama", "laden"]);
        assert_eq!(texts("\u{628}\u{679}"), ["bt"]);
    }

    #[test]
    fn a_very_long_name_is_bounded() {
        assert!(prepare(&"ab\u{301} \u{4e2d}".repeat(1_000_000)).tokens.len() <= MOST_TOKENS);
    }
}
