//! Recognises characters that a reader cannot see.

/// Returns whether a character is dropped from a name without ending the word.
///
/// These are the characters with the property `Default_Ignorable_Code_Point` of the Unicode
/// Character Database, all format and control characters that are not white space, characters that
/// are displayed as a blank, enclosing marks, and variation selectors. They are invisible, so two
/// names that differ only in them look the same to a reader.
pub(super) fn is_ignorable(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\t'..='\r' | '\u{85}' => false,
        '\0'..='\u{9f}' => true,
        // Default ignorable.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        // Other format characters.
        '\u{600}'..='\u{605}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}' => true,
        // Blank: an empty Braille cell and a musical symbol without a note head.
        '\u{2800}' | '\u{1d159}' => true,
        // Marks that enclose the letter before them.
        '\u{488}'..='\u{489}'
        | '\u{1abe}'
        | '\u{20dd}'..='\u{20e0}'
        | '\u{20e2}'..='\u{20e4}'
        | '\u{a670}'..='\u{a672}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, WhiteSpace};
    use icu_properties::{CodePointMapData, CodePointSetData};

    use crate::normalise::prepare;

    #[test]
    fn the_invisible_characters_of_unicode_never_change_a_name() {
        let default_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let white_space = CodePointSetData::new::<WhiteSpace>();
        let categories = CodePointMapData::<GeneralCategory>::new();
        let names = ["Mirka Dovello", "Мирка Довелло", "محمد علي", "王小明", "김정은", "Ю́лия Ким"];
        let mut invisible = 0;
        for c in '\0'..=char::MAX {
            let is_invisible = default_ignorable.contains(c)
                || matches!(
                    categories.get(c),
                    GeneralCategory::Format
                        | GeneralCategory::Control
                        | GeneralCategory::EnclosingMark
                )
                || matches!(c, '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{1d159}');
            if !is_invisible || white_space.contains(c) {
                continue;
            }
            invisible += 1;
            for name in names {
                let plain = prepare(name);
                for (at, _) in name.char_indices().skip(invisible % 3).step_by(3) {
                    let mut hidden = name.to_owned();
                    hidden.insert(at, c);
                    assert_eq!(prepare(&hidden), plain, "U+{:04X} in {name}", u32::from(c));
                }
            }
        }
        assert!(invisible > 4_000);
    }
}
