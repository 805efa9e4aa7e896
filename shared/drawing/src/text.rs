//! Prepares caller-supplied text: cleans it, measures it, and breaks it into lines.

/// Removes characters that a drawing must not show, and normalises white space.
///
/// Each run of white space becomes a single space, and white space at both ends is removed. Other
/// control characters and the characters that XML 1.0 forbids are dropped. The characters that
/// embed, override or isolate a text direction are also dropped, because a name must not reorder
/// neighbouring text.
pub(crate) fn clean(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_dropped(*c))
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_dropped(c: char) -> bool {
    let reorders_text = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders_text || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Estimates the width of a text in pixels at a font size in pixels. The reader's font is unknown,
/// so the estimate errs on the large side.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// Returns the width of a character in units of the font size, measured on the widest of the fonts
/// that a drawing requests.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '.' | ',' | ':' | ';' | '|' | '!' => 0.34,
        ' ' | 'f' | 'r' | 't' | 'I' | '(' | ')' | '[' | ']' | '-' | '/' | '"' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 1.0,
        'A'..='Z' | '&' | '+' | '<' | '=' | '>' | '~' | '#' => 0.76,
        '\u{0}'..='\u{ff}' => 0.62,
        // Combining marks, joiners and variation selectors merge with the preceding character.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        // Skin tones of emoji also have no width.
        '\u{1f3fb}'..='\u{1f3ff}' => 0.0,
        // Chinese, Japanese and Korean characters, full-width forms and emoji are wider than a
        // Latin letter.
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 1.24,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 1.24,
        '\u{ffe0}'..='\u{ffe6}' | '\u{1f000}'..='\u{3fffd}' => 1.24,
        '\u{2013}'..='\u{206f}' | '\u{fb50}'..='\u{fdff}' => 1.0,
        _ => 0.76,
    }
}

/// Breaks a text into lines that are at most `max_width` pixels wide, at spaces where possible. If
/// there are more than `max_lines` lines, the rest is cut, and the last line ends with an ellipsis.
pub(crate) fn wrap(text: &str, size: f64, max_width: f64, max_lines: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let extended = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&extended, size) <= max_width {
            line = extended;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut line_width = 0.0;
        for c in word.chars() {
            let char_width = em(c) * size;
            if line_width + char_width > max_width {
                lines.push(std::mem::take(&mut line));
                line_width = 0.0;
            }
            line.push(c);
            line_width += char_width;
        }
    }
    lines.push(line);
    if lines.len() > max_lines {
        lines.truncate(max_lines);
        if let Some(last) = lines.last_mut() {
            while width(last, size) + em('…') * size > max_width && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines
}
