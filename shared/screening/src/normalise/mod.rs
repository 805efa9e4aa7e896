//! Turns a name in any script into the tokens that are compared in matching.
//!
//! Normalisation accepts any text. A text without letters and digits results in an empty
//! [`Prepared`] name. [`MAX_CHARACTERS`] and [`MAX_TOKENS`] bound the work. Both limits apply to
//! queries and to listed names alike, so a name above the limits still equals itself.

mod abugida;
mod alphabets;
mod arabic;
mod business;
mod ignorable;
mod kana;
mod look_alikes;
mod manner;
mod patronymic;
pub(crate) mod reading;
mod script;
mod skeleton;
mod split;
mod token;
mod travel;
mod variants;
mod word;
mod words;

use std::borrow::Cow;

pub use token::{Class, MAX_TOKEN_LENGTH, Origin, Token};
pub(super) use variants::variant_group;
use word::Word;

/// Maximum number of characters that are read from a name. The limit applies separately to the two
/// parts of a name that is written `LAST, First`.
pub const MAX_CHARACTERS: usize = script::MAX_CHARACTERS;
/// Maximum number of tokens of a prepared name. Further tokens are not matched.
pub const MAX_TOKENS: usize = 32;

/// A name that is ready to be matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The tokens of the name, [`MAX_TOKENS`] at most. The given name comes first, even if the name
    /// is written `LAST, First`.
    pub tokens: Vec<Token>,
}

/// Prepares a name for matching. The result depends only on the text of the name, so equal texts
/// have equal tokens in queries and in lists.
pub fn prepare(name: &str) -> Prepared {
    let mut words = Vec::new();
    let name = business::without_native_forms(business::without_notes(name));
    let name = travel::from_document(&name).map_or(name, Cow::Owned);
    match name.split_once(',') {
        Some((family, given)) if !family.trim().is_empty() && !is_legal_form(given) => {
            script::words(given, &mut words);
            script::words(family, &mut words);
        }
        _ => script::words(&name, &mut words),
    }
    let mut words = split::split_compounds(words);
    business::write_forms(&mut words);
    patronymic::mark(&mut words);
    let mut tokens: Vec<Token> = Vec::with_capacity(words.len());
    for (position, word) in words.iter().enumerate() {
        let next = words.get(position + 1).map(|next| next.text.as_str());
        let class = match (word.class, word.origin) {
            (Some(class), _) => class,
            // The reading of a Han or Hangul character can look like the particle `de` or an
            // initial.
            (None, Origin::Reading) => Class::Word,
            // Consonants alone can look like any short word.
            (None, Origin::Consonants) if (2..=3).contains(&word.text.len()) => Class::Word,
            (None, _) => classify(&word.text, next),
        };
        tokens.push(Token {
            class,
            origin: word.origin,
            skeleton: word.sign.clone().unwrap_or_else(|| skeleton::skeleton(&word.text)),
            text: word.text.clone(),
        });
    }
    if tokens.len() > MAX_TOKENS {
        // Titles, particles and legal forms must not crowd out the name itself.
        tokens.retain(|token| {
            !matches!(token.class, Class::Particle | Class::Honorific | Class::Legal)
        });
        tokens.truncate(MAX_TOKENS);
    }
    promote_names_at_the_edges(&mut tokens);
    match tokens.iter().filter(|token| token.class.is_significant()).count() {
        0 => promote_minor_words(&mut tokens),
        1 => promote_given_names(&mut tokens),
        _ => {}
    }
    Prepared { tokens }
}

/// Returns whether the text after a comma is a legal form, such as `S.A. de C.V.` or `LTD.`, rather
/// than a given name. Also returns true for a text without words.
fn is_legal_form(text: &str) -> bool {
    let mut words = Vec::new();
    script::words(text, &mut words);
    let is_part_of_legal_form =
        |word: &Word| matches!(words::class(&word.text), Some(Class::Legal)) || word.text == "de";
    words.iter().all(is_part_of_legal_form)
}

fn classify(text: &str, next: Option<&str>) -> Class {
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Class::Number;
    }
    if text.len() == 1 {
        return Class::Initial;
    }
    // The Arabic article assimilates to a sun letter that follows it: as-Sadr, ar-Rahman. The
    // article is also recognised before a word that begins with `a`. Anywhere else, Ar or An is a
    // name.
    if let ("as" | "ash" | "ar" | "an" | "ad" | "at" | "az", Some(next)) = (text, next)
        && text.get(1..).is_some_and(|sun| next.starts_with(sun) || next.starts_with('a'))
    {
        return Class::Particle;
    }
    words::class(text).unwrap_or(Class::Word)
}

/// Makes the words significant in a name that has no significant word, so that `General Trading`
/// matches neither `General` nor `Trading`. Legal forms stay as they are unless the name consists
/// only of legal forms.
fn promote_minor_words(tokens: &mut [Token]) {
    let only_legal = tokens.iter().all(|token| token.class == Class::Legal);
    for token in tokens {
        if only_legal || token.class != Class::Legal {
            token.class = Class::Word;
        }
    }
}

/// Makes a particle, a title or a legal form a word at the beginning and at the end of a personal name
/// if it is also a family name or a given name: `Do Hong Anh` is not `Le Hong Anh`. Inside a name, and
/// in the name of a firm, it stays what it is.
fn promote_names_at_the_edges(tokens: &mut [Token]) {
    let is_business = tokens.iter().any(|token| {
        token.class == Class::Generic
            || (token.class == Class::Legal && !words::is_edge_name(&token.text))
    });
    let significant = tokens.iter().filter(|token| token.class.is_significant()).count();
    if is_business || significant < 2 {
        return;
    }
    let last = tokens.len() - 1;
    for position in [0, last] {
        if let Some(token) = tokens.get_mut(position)
            && !token.class.is_significant()
            && (position == 0 || token.class == Class::Particle)
            && words::is_edge_name(&token.text)
        {
            token.class = Class::Word;
        }
    }
}

/// Makes ambiguous words significant in a name with only one significant word, because a family
/// name must not match alone: `Dan Gertler` is not `von Gertler`. These words can be ambiguous: a particle
/// or a title at the end, and a first word that is also a given name. The first word stays as it is
/// if the name contains a generic business word.
fn promote_given_names(tokens: &mut [Token]) {
    let is_business = tokens.iter().any(|token| token.class == Class::Generic);
    let last = tokens.len().saturating_sub(1);
    for (position, token) in tokens.iter_mut().enumerate() {
        let is_first_name =
            position == 0 && last > 0 && !is_business && words::is_given_name(&token.text);
        let is_last_particle = position == last && position > 0 && token.class == Class::Particle;
        let is_last_title = position == last && position > 0 && words::is_title_name(&token.text);
        if is_first_name || is_last_particle || is_last_title {
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
    fn spellings_of_one_name_result_in_the_same_tokens() {
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
            // Cyrillic look-alikes inside a Latin word.
            ("Mir\u{43a}\u{430} D\u{43e}vello", "Mirka Dovello"),
            ("Abdulqadir Tamoun", "Abd al-Qadir Tamoun"),
            ("Abdel Qadir Tamoun", "Abd Qadir Tamoun"),
            ("Nasruddin Tamoun", "Nasr al-Din Tamoun"),
            ("TAMOUN, Abdul", "Abdel Tamoun"),
            // A Latin letter inside a Cyrillic word, and an Arabic vowel sign in a Latin word.
            ("\u{421}\u{435}\u{440}\u{433}e\u{439}", "Sergey"),
            ("Mirka\u{64b} Dovello\u{64b}", "Mirka Dovello"),
            ("\u{645}\u{62d}\u{645}\u{62f}Ali", "Muhammad Ali"),
        ] {
            let without_article = |texts: Vec<String>| -> Vec<String> {
                texts.into_iter().filter(|text| text != "al").collect()
            };
            assert_eq!(without_article(texts(one)), without_article(texts(other)), "{one}");
        }
    }

    #[test]
    fn words_are_classified() {
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
        // Given names that are also particles, titles or legal forms.
        assert_eq!(classes("DOVELLO, Dan"), [Class::Word, Class::Word]);
        assert_eq!(classes("Asa Dovello"), [Class::Word, Class::Word]);
        assert_eq!(classes("Dovello Das"), [Class::Word, Class::Word]);
        assert_eq!(classes("van Dovello"), [Class::Particle, Class::Word]);
        assert_eq!(classes("Dovello ASA"), [Class::Word, Class::Legal]);
        assert_eq!(classes("Ben Dovello Tamoun"), [Class::Word, Class::Word, Class::Word]);
        assert_eq!(classes("Dovello ben Tamoun"), [Class::Word, Class::Particle, Class::Word]);
        assert_eq!(classes("Do Hong Anh")[0], Class::Word);
        assert_eq!(classes("Brindal Vestrimar SA")[2], Class::Legal);
        // Names without a significant word.
        assert_eq!(classes("General Trading Ltd"), [Class::Word, Class::Word, Class::Legal]);
        assert_eq!(classes("Sheikh Dr."), [Class::Word, Class::Word]);
        assert_eq!(classes("La"), [Class::Word]);
        assert_eq!(classes("..., !"), []);
    }

    proptest! {
        #[test]
        fn any_text_can_be_prepared(text in any::<String>()) {
            let prepared = prepare(&text);
            prop_assert!(prepared.tokens.len() <= MAX_TOKENS);
            for token in &prepared.tokens {
                prop_assert!((1..=MAX_TOKEN_LENGTH).contains(&token.text.len()));
                prop_assert!(token.text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
                prop_assert!(token.skeleton.len() <= 2 * MAX_TOKEN_LENGTH);
            }
        }

        #[test]
        fn folding_a_folded_name_changes_nothing(text in "[a-z]{2,12}( [a-z]{2,12}){0,4}") {
            let once = texts(&text).join(" ");
            prop_assert_eq!(texts(&once).join(" "), once);
        }
    }

    #[test]
    fn titles_do_not_crowd_out_the_name() {
        let flooded = format!("{} Usama bin Laden", "Dr ".repeat(40));
        assert_eq!(texts(&flooded), ["usama", "laden"]);
        assert_eq!(texts("\u{628}\u{679}"), ["bt"]);
    }

    #[test]
    fn a_very_long_name_is_bounded() {
        assert!(prepare(&"ab\u{301} \u{4e2d}".repeat(1_000_000)).tokens.len() <= MAX_TOKENS);
    }
}
