//! Transliterates Japanese syllables.

use any_ascii::any_ascii_char;

/// Returns whether a character is Hiragana.
pub(super) fn is_hiragana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{309f}')
}

/// Returns whether a character is Katakana or the sign for a long vowel.
pub(super) fn is_katakana(c: char) -> bool {
    matches!(c, '\u{30a1}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}') && c != '\u{30fb}'
}

/// Transliterates a word in kana by the Hepburn system, without marks for long vowels: `yuichi` for
/// ゆういち. A small letter changes the syllable before it, and a small tsu doubles the consonant
/// after it.
pub(super) fn kana(word: &str) -> String {
    let hiragana: Vec<char> = word.chars().map(as_hiragana).collect();
    let mut out = String::new();
    let mut doubles = false;
    for (position, &c) in hiragana.iter().enumerate() {
        let next = hiragana.get(position + 1).copied();
        match c {
            'ー' => continue,
            'っ' => {
                doubles = true;
                continue;
            }
            'ゃ' | 'ゅ' | 'ょ' if out.ends_with('i') => {
                out.pop();
                let after_hush = out.ends_with("sh") || out.ends_with("ch") || out.ends_with('j');
                if !after_hush {
                    out.push('y');
                }
                out.push_str(vowel(c));
                continue;
            }
            'ぁ' | 'ぃ' | 'ぅ' | 'ぇ' | 'ぉ' if out.ends_with(|c: char| "aiueo".contains(c)) =>
            {
                out.pop();
                out.push_str(vowel(c));
                continue;
            }
            // A long vowel. The next syllable may still begin with it: Inoue is ino and ue.
            'う' if out.ends_with(['o', 'u']) && next != Some('え') => continue,
            'お' if out.ends_with('o') && next != Some('え') => continue,
            _ => {}
        }
        let latin = syllable(c);
        if std::mem::take(&mut doubles) {
            let first = if latin.starts_with("ch") { Some('t') } else { latin.chars().next() };
            out.extend(first.filter(|first| !"aiueon".contains(*first)));
        }
        out.push_str(latin);
    }
    out.retain(|c| c.is_ascii_alphanumeric());
    out
}

fn as_hiragana(c: char) -> char {
    match c {
        'ー' => c,
        '\u{30a1}'..='\u{30f6}' => char::from_u32(u32::from(c) - 0x60).unwrap_or(c),
        c => c,
    }
}

fn vowel(small: char) -> &'static str {
    match small {
        'ぁ' | 'ゃ' => "a",
        'ぃ' => "i",
        'ぅ' | 'ゅ' => "u",
        'ぇ' => "e",
        _ => "o",
    }
}

fn syllable(c: char) -> &'static str {
    match c {
        'し' => "shi",
        'ち' => "chi",
        'つ' => "tsu",
        'じ' | 'ぢ' => "ji",
        'づ' => "zu",
        'ふ' => "fu",
        'を' => "o",
        'ん' => "n",
        'ゔ' => "vu",
        c => any_ascii_char(c),
    }
}

#[cfg(test)]
mod tests {
    use super::kana;

    #[test]
    fn syllables_are_read_together() {
        for (word, latin) in [
            ("きょうと", "kyoto"),
            ("いっしん", "isshin"),
            ("りゅうぞう", "ryuzo"),
            ("いのうえ", "inoue"),
            ("よういち", "yoichi"),
            ("フィリップ", "firippu"),
            ("シャ", "sha"),
            ("ジョン", "jon"),
            ("カール", "karu"),
        ] {
            assert_eq!(kana(word), latin, "{word}");
        }
    }
}
