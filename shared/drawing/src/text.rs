//! Callers' text: what of it may be drawn, how wide it is, and where it breaks.

/// White space of any kind becomes a space. What XML 1.0 forbids is dropped, and so are the controls
/// that reorder the text around them: a name must not change how its neighbours read.
pub(super) fn clean(text: &str) -> String {
    let dropped = |c: char| {
        let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        c.is_control() || reorders || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    let spaced: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !dropped(*c))
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The width in pixels, at most a little too large: the reader's font is not known.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// Measured on the widest of the fonts asked for.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '.' | ',' | ':' | ';' | '|' | '!' => 0.34,
        ' ' | 'f' | 'r' | 't' | 'I' | '(' | ')' | '[' | ']' | '-' | '/' | '"' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 1.0,
        'A'..='Z' | '&' | '+' | '<' | '=' | '>' | '~' | '#' => 0.76,
        '\u{0}'..='\u{ff}' => 0.62,
        // Marks and selectors that join what stands before them.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        '\u{1f3fb}'..='\u{1f3ff}' => 0.0,
        // Chinese, Japanese, Korean, full-width forms, emoji.
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 1.24,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 1.24,
        '\u{ffe0}'..='\u{ffe6}' | '\u{1f000}'..='\u{3fffd}' => 1.24,
        '\u{2013}'..='\u{206f}' | '\u{fb50}'..='\u{fdff}' => 1.0,
        _ => 0.76,
    }
}

/// Lines no wider than `room`, broken at spaces where there are some. What is more than `most` lines
/// is cut, with an ellipsis.
pub(super) fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let spaced = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&spaced, size) <= room {
            line = spaced;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        let mut so_far = 0.0;
        for c in word.chars() {
            let more = em(c) * size;
            if so_far + more > room {
                lines.push(std::mem::take(&mut line));
                so_far = 0.0;
            }
            line.push(c);
            so_far += more;
        }
    }
    lines.push(line);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while width(last, size) + em('…') * size > room && last.pop().is_some() {}
            last.push('…');
        }
    }
    lines
}
