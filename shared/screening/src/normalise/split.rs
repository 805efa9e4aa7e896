//! Splits compound names that some writers join and others separate: Abdulrahman, Nasruddin.

use super::token::MAX_TOKEN_LENGTH;
use super::word::Word;

/// Splits compounds with `abd` and `din` into their parts, and brings the spellings of these two
/// words and of Abdullah into one form. `Abd Allah` becomes one word.
pub(super) fn split_compounds(words: Vec<Word>) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(words.len() + 2);
    let mut rest = words.into_iter().peekable();
    while let Some(mut word) = rest.next() {
        let is_abd = is_abd(&word.text);
        if is_abd && rest.peek().is_some_and(|next| matches!(next.text.as_str(), "allah" | "ullah"))
        {
            rest.next();
            word.text = "abdullah".to_owned();
            out.push(word);
        } else if is_abd {
            word.text = "abd".to_owned();
            out.push(word);
        } else if let Some(name) = after_abd(&word.text) {
            out.push(Word { text: "abd".to_owned(), origin: word.origin, sign: None, class: None });
            out.push(Word { text: name, ..word });
        } else if let Some(stem) = before_din(&word.text) {
            out.push(Word { text: stem, origin: word.origin, sign: None, class: None });
            out.push(Word { text: "din".to_owned(), ..word });
        } else {
            if matches!(word.text.as_str(), "abdallah" | "abdalla" | "abdulla" | "abdellah") {
                word.text = "abdullah".to_owned();
            }
            if matches!(
                word.text.as_str(),
                "deen" | "dine" | "addin" | "eddin" | "eddine" | "uddin"
            ) {
                word.text = "din".to_owned();
            }
            out.push(word);
        }
    }
    out
}

fn is_abd(text: &str) -> bool {
    matches!(
        text,
        "abd"
            | "abdul"
            | "abdal"
            | "abdel"
            | "abdol"
            | "abdoul"
            | "abdu"
            | "abdur"
            | "abder"
            | "abdus"
    )
}

/// Returns the name after `abd` and the article: `rahman` for abdulrahman, abdelrahman, abdurrahman
/// and abdirahman. Returns `None` if the text is not such a compound, or if it is a spelling of
/// Abdullah.
fn after_abd(text: &str) -> Option<String> {
    let rest = text.strip_prefix("abd")?;
    let vowel = rest.find(|c| !matches!(c, 'a' | 'e' | 'i' | 'o' | 'u'))?;
    let (vowel, rest) = rest.split_at_checked(vowel)?;
    if vowel.is_empty() || vowel.len() > 2 {
        return None;
    }
    let article = rest.strip_prefix('l').filter(|rest| !rest.starts_with('l') || rest.len() > 4);
    let doubled = || {
        let (first, rest) = rest.split_at_checked(1)?;
        (rest.starts_with(first) && !rest.starts_with('l')).then_some(rest)
    };
    // Some writers do not double the assimilated consonant (abdusalam). Somali names also have only
    // one consonant (abdirahman).
    let single = || matches!(vowel, "u" | "i").then_some(rest);
    let name = article.or_else(doubled).or_else(single)?;
    let has_valid_length = name.len() >= 4 && name.len() < MAX_TOKEN_LENGTH;
    // Abdullah is a name of its own, so it is not split.
    let may_be_allah = name.starts_with("ah") || name.starts_with("lah") || name.starts_with("la");
    (has_valid_length && !(may_be_allah && name.len() < 6))
        .then(|| name.trim_start_matches('l').to_owned())
        .filter(|name| name.len() >= 3)
}

/// Returns the name before `din`: `nasr` for nasruddin, nasreddine and nasraldin. Returns `None` if
/// the text does not end with `din`, or if the name before it has fewer than three letters.
fn before_din(text: &str) -> Option<String> {
    let ends = [
        "uddin", "eddin", "addin", "iddin", "oddin", "aldin", "eldin", "uldin", "eddine", "uddeen",
        "adine", "edine", "oldin",
    ];
    let stem = ends.iter().find_map(|end| text.strip_suffix(end))?;
    (stem.len() >= 3).then(|| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{after_abd, before_din};

    #[test]
    fn compounds_are_split() {
        for (text, name) in [
            ("abdulrahman", Some("rahman")),
            ("abdelqadir", Some("qadir")),
            ("abdurrahman", Some("rahman")),
            ("abdirahman", Some("rahman")),
            ("abdusalam", Some("salam")),
            ("abdulatif", Some("atif")),
            ("abdullah", None),
            ("abdulla", None),
            ("abdo", None),
            ("abdrah", None),
            ("abd", None),
        ] {
            assert_eq!(after_abd(text).as_deref(), name, "{text}");
        }
        assert_eq!(before_din("nasruddin").as_deref(), Some("nasr"));
        assert_eq!(before_din("aladdin"), None);
    }
}
