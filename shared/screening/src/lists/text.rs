//! Text as files hold it, made fit to keep.

use std::borrow::Cow;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    /// UTF-8, and where a field is not, Windows-1252: how OFAC and the EU have published.
    Utf8OrWindows1252,
}

impl Encoding {
    pub(super) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, String> {
        match (std::str::from_utf8(bytes), self) {
            (Ok(text), _) => Ok(Cow::Borrowed(text)),
            (Err(_), Encoding::Utf8) => Err("is not UTF-8".to_owned()),
            (Err(_), Encoding::Utf8OrWindows1252) => {
                let text = bytes.iter().map(|byte| windows_1252(*byte)).collect::<Option<String>>();
                text.map(Cow::Owned).ok_or_else(|| "is neither UTF-8 nor Windows-1252".to_owned())
            }
        }
    }
}

/// <https://encoding.spec.whatwg.org/index-windows-1252.txt>; five bytes mean nothing.
fn windows_1252(byte: u8) -> Option<char> {
    const FROM_80: [Option<char>; 32] = {
        const NONE: Option<char> = None;
        [
            Some('€'),
            NONE,
            Some('‚'),
            Some('ƒ'),
            Some('„'),
            Some('…'),
            Some('†'),
            Some('‡'),
            Some('ˆ'),
            Some('‰'),
            Some('Š'),
            Some('‹'),
            Some('Œ'),
            NONE,
            Some('Ž'),
            NONE,
            NONE,
            Some('‘'),
            Some('’'),
            Some('“'),
            Some('”'),
            Some('•'),
            Some('–'),
            Some('—'),
            Some('˜'),
            Some('™'),
            Some('š'),
            Some('›'),
            Some('œ'),
            NONE,
            Some('ž'),
            Some('Ÿ'),
        ]
    };
    match byte {
        0x80..=0x9f => FROM_80.get(usize::from(byte - 0x80)).copied().flatten(),
        _ => Some(char::from(byte)),
    }
}

/// One line: control characters and runs of white space become one space.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !clean.is_empty() {
                clean.push(' ');
            }
            clean.push_str(word);
        }
    }
    clean
}

/// [`clean`], and nothing for what is empty or stands for it.
pub(super) fn value(text: &str) -> Option<String> {
    let text = clean(text);
    let empty = text.is_empty() || matches!(text.as_str(), "-" | "-0-" | "N/A" | "n/a");
    (!empty).then_some(text)
}

/// The parts of a list within a field.
pub(super) fn parts(text: &str, separators: &[char]) -> Vec<String> {
    text.split(|c| separators.contains(&c)).filter_map(value).collect()
}

/// Joined by `; `, nothing for nothing.
pub(super) fn joined(parts: impl IntoIterator<Item = String>) -> Option<String> {
    let text = parts.into_iter().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}

/// `Some` of `prefix` and the value.
pub(super) fn labelled(label: &str, text: &str) -> Option<String> {
    value(text).map(|text| format!("{label}: {text}"))
}
