//! Recognises the name of the father in East Slavic names.

use super::skeleton::skeleton;
use super::token::{Class, Origin};
use super::variants::canonical_stem;
use super::word::Word;

/// Marks the patronymic of a name with at least three words, and gives it the consonants of its Russian
/// form, so that `ihorovych` and `igoryevich` sound the same. A name has one patronymic at most. Family names such as
/// Abramovich end in the same way, so the first word of a name is none.
pub(super) fn mark(words: &mut [Word]) {
    let spelled = words.iter().filter(|word| word.text.len() > 1).count();
    if spelled < 3 {
        return;
    }
    let candidate = words.iter_mut().skip(1).find_map(|word| {
        let is_readable = !matches!(word.origin, Origin::Reading | Origin::Consonants);
        let (stem, is_male) = split(&word.text).filter(|_| is_readable)?;
        Some((stem.to_owned(), is_male, word))
    });
    if let Some((stem, is_male, word)) = candidate {
        let stem = canonical_stem(&stem).unwrap_or(&stem);
        word.sign = Some(skeleton(&format!("{stem}{}", if is_male { "ovich" } else { "ovna" })));
        word.class = Some(Class::Patronymic);
    }
}

/// Splits a patronymic into the stem of the father's name and whether it belongs to a man.
fn split(word: &str) -> Option<(&str, bool)> {
    const MALE: [&str; 4] = ["vich", "vych", "vitch", "vitsch"];
    const FEMALE: [&str; 4] = ["ovna", "evna", "ivna", "auna"];
    let (stem, is_male) =
        MALE.iter().find_map(|ending| Some((word.strip_suffix(ending)?, true))).or_else(|| {
            FEMALE.iter().find_map(|ending| Some((word.strip_suffix(ending)?, false)))
        })?;
    let stem = if is_male { stem.strip_suffix(['o', 'e', 'a'])? } else { stem };
    let stem = stem.trim_end_matches(['i', 'y', 'e', 'j', 'a', 'o']);
    (stem.len() >= 2).then_some((stem, is_male))
}

#[cfg(test)]
mod tests {
    use crate::normalise::{Class, prepare};

    #[test]
    fn forms_of_a_patronymic_sound_the_same() {
        let patronymic = |name: &str| {
            let tokens = prepare(name).tokens;
            let mut all = tokens.into_iter().filter(|token| token.class == Class::Patronymic);
            all.next().map(|token| token.skeleton)
        };
        let igor = patronymic("Mirka Igorevich Dovello");
        assert!(igor.is_some());
        for name in ["Dovello Mirka Ihorovych", "Довелло Мирка Игоревич", "Довелло Мірка Ігорович"]
        {
            assert_eq!(patronymic(name), igor, "{name}");
        }
        assert_ne!(patronymic("Mirka Igorevna Dovello"), igor);
        assert_ne!(patronymic("Mirka Petrovich Dovello"), igor);
        assert_eq!(patronymic("Abramovich Mirka"), None);
        assert_eq!(patronymic("Mirka Igorevich Abramovich"), igor);
    }
}
