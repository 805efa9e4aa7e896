//! Decodes and normalises the text in list files.

use std::borrow::Cow;

/// Character encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8, and Windows-1252 for each field that is not valid UTF-8. OFAC and the EU have
    /// published files in both encodings.
    Utf8OrWindows1252,
}

impl Encoding {
    /// Decodes a field. The error is the reason why its row must be skipped.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, String> {
        match (std::str::from_utf8(bytes), self) {
            (Ok(text), _) => Ok(Cow::Borrowed(text)),
            (Err(_), Encoding::Utf8) => Err("a field is not UTF-8".to_owned()),
            (Err(_), Encoding::Utf8OrWindows1252) => {
                let text = bytes.iter().map(|byte| windows_1252(*byte)).collect::<Option<String>>();
                text.map(Cow::Owned)
                    .ok_or_else(|| "a field is neither UTF-8 nor Windows-1252".to_owned())
            }
        }
    }
}

/// Returns the character of a byte in Windows-1252, or `None` for the five bytes that do not encode
/// a character.
///
/// Source: <https://encoding.spec.whatwg.org/index-windows-1252.txt>.
fn windows_1252(byte: u8) -> Option<char> {
    let character = match byte {
        0x81 | 0x8d | 0x8f | 0x90 | 0x9d => return None,
        0x80 => '€',
        0x82 => '‚',
        0x83 => 'ƒ',
        0x84 => '„',
        0x85 => '…',
        0x86 => '†',
        0x87 => '‡',
        0x88 => 'ˆ',
        0x89 => '‰',
        0x8a => 'Š',
        0x8b => '‹',
        0x8c => 'Œ',
        0x8e => 'Ž',
        0x91 => '‘',
        0x92 => '’',
        0x93 => '“',
        0x94 => '”',
        0x95 => '•',
        0x96 => '–',
        0x97 => '—',
        0x98 => '˜',
        0x99 => '™',
        0x9a => 'š',
        0x9b => '›',
        0x9c => 'œ',
        0x9e => 'ž',
        0x9f => 'Ÿ',
        _ => char::from(byte),
    };
    Some(character)
}

/// Replaces each run of white space and control characters with one space, and trims both ends.
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

/// Cleans a text. Returns `None` if it is empty or a placeholder for an empty field.
pub(super) fn non_empty(text: &str) -> Option<String> {
    let text = clean(text);
    let is_placeholder = matches!(text.as_str(), "" | "-" | "-0-" | "N/A" | "n/a");
    (!is_placeholder).then_some(text)
}

/// Splits a field into its non-empty values, which are separated by `;`.
pub(super) fn split_values(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(';').filter_map(non_empty)
}

/// Joins the parts with `; `. Returns `None` if the result is empty.
pub(super) fn join(parts: impl IntoIterator<Item = String>) -> Option<String> {
    let text = parts.into_iter().collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}

/// Returns `label: text`, or `None` if the text is empty or a placeholder.
pub(super) fn with_label(label: &str, text: &str) -> Option<String> {
    non_empty(text).map(|text| format!("{label}: {text}"))
}
