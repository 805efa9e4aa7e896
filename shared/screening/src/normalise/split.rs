//! Names that one writer glues and another does not: Abdulrahman, Nasruddin.

use super::LONGEST_TOKEN;
use super::script::Word;

/// Compounds of `abd` and of `din` in their parts, however they were spelt.
pub(super) fn compounds(words: Vec<Word>) -> Vec<Word> {
    let mut out: Vec<Word> = Vec::with_capacity(words.len() + 2);
    let mut rest = words.into_iter().peekable();
    while let Some(mut word) = rest.next() {
        let abd = is_abd(&word.text);
        if abd && rest.peek().is_some_and(|next| matches!(next.text.as_str(), "allah" | "ullah")) {
            rest.next();
            word.text = "abdullah".to_owned();
            out.push(word);
        } else if abd {
            word.text = "abd".to_owned();
            out.push(word);
        } else if let Some(servant_of) = after_abd(&word.text) {
            out.push(Word { text: "abd".to_owned(), origin: word.origin, sign: None });
            out.push(Word { text: servant_of, ..word });
        } else if let Some(stem) = before_din(&word.text) {
            out.push(Word { text: stem, origin: word.origin, sign: None });
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

/// `rahman` of abdulrahman, abdelrahman, abdurrahman, abdirahman.
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
    // Assimilated and written once, or Somali: abdusalam, abdirahman.
    let single = || matches!(vowel, "u" | "i").then_some(rest);
    let name = article.or_else(doubled).or_else(single)?;
    let god = name.starts_with("ah") || name.starts_with("lah") || name.starts_with("la");
    let long = name.len() >= 4 && name.len() < LONGEST_TOKEN;
    (long && !(god && name.len() < 6))
        .then(|| name.trim_start_matches('l').to_owned())
        .filter(|name| name.len() >= 3)
}

/// `nasr` of nasruddin, nasreddine, nasraldin.
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
    fn compounds_come_apart() {
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
