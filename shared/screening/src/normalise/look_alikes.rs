//! Finds letters of one script that look like letters of another.

/// Returns the Cyrillic letter that a Latin letter looks like.
pub(super) fn cyrillic_look_alike(c: char) -> Option<char> {
    let letter = match c {
        'A' => '\u{410}',
        'a' => '\u{430}',
        'B' => '\u{412}',
        'C' => '\u{421}',
        'c' => '\u{441}',
        'E' => '\u{415}',
        'e' => '\u{435}',
        'H' => '\u{41d}',
        'I' => '\u{406}',
        'i' => '\u{456}',
        'K' => '\u{41a}',
        'k' => '\u{43a}',
        'M' => '\u{41c}',
        'O' => '\u{41e}',
        'o' => '\u{43e}',
        'P' => '\u{420}',
        'p' => '\u{440}',
        'T' => '\u{422}',
        'X' => '\u{425}',
        'x' => '\u{445}',
        'y' | 'Y' => '\u{443}',
        _ => return None,
    };
    Some(letter)
}

/// Returns whether a letter is Greek or Cyrillic and does not look like a Latin letter.
pub(super) fn is_clearly_greek_or_cyrillic(c: char) -> bool {
    c.is_alphabetic()
        && !c.is_ascii_alphabetic()
        && latin_look_alike(c).is_none()
        && matches!(c, '\u{370}'..='\u{52f}')
}

/// Returns the Latin letter that a Cyrillic or Greek letter or the Turkish `ı` looks like, or
/// `None` for any other character. Look-alikes are replaced only in a Latin word, where they are
/// a disguise or a typing mistake.
pub(super) fn latin_look_alike(c: char) -> Option<char> {
    let letter = match c {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'В' | 'в' | 'Β' => 'b',
        'с' | 'С' => 'c',
        'ԁ' => 'd',
        'е' | 'Е' | 'ё' | 'Ε' => 'e',
        'Н' | 'Η' | 'һ' => 'h',
        'і' | 'І' | 'ı' | 'Ι' | 'ι' => 'i',
        'ј' | 'Ј' => 'j',
        'К' | 'к' | 'Κ' | 'κ' => 'k',
        'М' | 'м' | 'Μ' => 'm',
        'Ν' => 'n',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'т' | 'Τ' | 'τ' => 't',
        'ν' => 'v',
        'х' | 'Х' | 'Χ' | 'χ' => 'x',
        'у' | 'У' | 'Υ' => 'y',
        'Ζ' => 'z',
        _ => return None,
    };
    Some(letter)
}
