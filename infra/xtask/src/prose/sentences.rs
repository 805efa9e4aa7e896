//! Splits passages into sentences, and leaves out code blocks and inline code.

use super::sources::Passage;

/// A sentence, a list item, a table cell or a heading.
#[derive(Debug, PartialEq)]
pub(super) struct Sentence {
    pub(super) text: String,
    /// Whether the rules for the first words of a sentence apply. They do not apply to headings,
    /// table cells, questions, and list items that continue a sentence.
    pub(super) has_start: bool,
    /// Byte offset in `text` where each line starts, and the number of that line.
    lines: Vec<(usize, usize)>,
}

impl Sentence {
    /// Returns the number of the line that contains the byte offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        let line = self.lines.iter().rev().find(|(start, _)| *start <= offset);
        line.or(self.lines.first()).map_or(1, |(_, number)| *number)
    }

    pub(super) fn words(&self) -> usize {
        self.text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
    }
}

/// Comments that switch the checker off and on again, in documents that quote bad examples.
const OFF: &str = "<!-- prose: off -->";
const ON: &str = "<!-- prose: on -->";

/// Character that replaces inline code and URLs, so their words do not count.
const CODE: char = 'X';

/// Maximum number of words in a quotation that does not count. A longer quotation is treated as
/// prose.
const MAX_QUOTED_WORDS: usize = 3;

pub(super) fn sentences(passage: &Passage) -> Vec<Sentence> {
    let mut splitter = Splitter::default();
    let mut fence: Option<&str> = None;
    let mut is_off = false;
    for (number, line) in &passage.lines {
        let content = line.trim();
        is_off = (is_off || content == OFF) && content != ON;
        let marker = ["```", "~~~"].into_iter().find(|marker| content.starts_with(marker));
        if let Some(marker) = marker {
            splitter.end_paragraph(true);
            fence = match fence {
                Some(open) if open == marker => None,
                Some(open) => Some(open),
                None => Some(marker),
            };
        } else if fence.is_none() && !is_off {
            splitter.add_line(*number, content);
        }
    }
    splitter.end_paragraph(true);
    splitter.sentences
}

#[derive(Default)]
struct Splitter {
    sentences: Vec<Sentence>,
    text: String,
    lines: Vec<(usize, usize)>,
    is_continuation: bool,
}

impl Splitter {
    fn add_line(&mut self, number: usize, content: &str) {
        let is_link_definition = content.starts_with('[') && content.contains("]: ");
        if content.is_empty() || content.starts_with("<!--") || is_link_definition {
            self.end_paragraph(true);
        } else if content.starts_with("# ") || content.starts_with("##") {
            self.end_paragraph(true);
            self.push(number, content.trim_start_matches('#').trim());
            self.end_paragraph(false);
        } else if content.starts_with('|') {
            self.end_paragraph(true);
            for cell in content.split('|').map(str::trim) {
                self.push(number, cell);
                self.end_paragraph(false);
            }
        } else if let Some(item) = list_item(content) {
            self.end_paragraph(true);
            // An item that starts in lower case continues the sentence before the list.
            self.is_continuation = item.starts_with(char::is_lowercase);
            self.push(number, item);
        } else {
            self.push(number, content.trim_start_matches("> "));
        }
    }

    fn push(&mut self, number: usize, content: &str) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.lines.push((self.text.len(), number));
        self.text.push_str(content);
    }

    fn end_paragraph(&mut self, has_start: bool) {
        let text = without_markup(&std::mem::take(&mut self.text));
        let lines = std::mem::take(&mut self.lines);
        let is_continuation = std::mem::take(&mut self.is_continuation);
        let mut start = 0;
        for end in sentence_ends(&text) {
            let sentence = &text[start..end];
            let shift = sentence.len() - sentence.trim_start().len();
            let first = start + shift;
            let own = lines.iter().filter(|(offset, _)| *offset > first && *offset < end);
            let opening = lines.iter().rev().find(|(offset, _)| *offset <= first);
            let own = opening.into_iter().chain(own);
            let sentence_lines =
                own.map(|(offset, number)| (offset.saturating_sub(first), *number)).collect();
            let trimmed = sentence.trim().to_owned();
            if !trimmed.is_empty() {
                let continues = is_continuation && start == 0;
                let has_start = has_start && !continues && !trimmed.ends_with('?');
                self.sentences.push(Sentence { text: trimmed, has_start, lines: sentence_lines });
            }
            start = end;
        }
    }
}

fn list_item(content: &str) -> Option<&str> {
    let bullet = ["- ", "* ", "+ "].into_iter().find_map(|bullet| content.strip_prefix(bullet));
    bullet.or_else(|| {
        let rest = content.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_number = rest.len() < content.len() && content.len() - rest.len() <= 2;
        rest.strip_prefix(". ").filter(|_| is_number)
    })
}

/// Replaces inline code, URLs and markup with characters of the same length in bytes, so that
/// offsets remain valid.
fn without_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = markup_length(rest);
        if length > 0 {
            let (markup, after) = rest.split_at(length);
            let filler = if markup.starts_with("](") { ' ' } else { CODE };
            plain.extend(std::iter::repeat_n(filler, markup.len()));
            rest = after;
        } else {
            let is_markup = matches!(c, '*' | '_' | '[' | ']');
            plain.push(if is_markup { ' ' } else { c });
            rest = &rest[c.len_utf8()..];
        }
    }
    plain
}

/// Returns the length in bytes of the inline code, quoted words, link target or URL at the start of
/// the text. Returns 0 if the text starts with other characters.
fn markup_length(text: &str) -> usize {
    if text.starts_with('`') {
        let inner = text.trim_start_matches('`');
        let ticks = &text[..text.len() - inner.len()];
        return inner.find(ticks).map_or(0, |end| ticks.len() + end + ticks.len());
    }
    if let Some(inner) = text.strip_prefix('"') {
        let quoted = inner.split('"').next().unwrap_or_default();
        let is_short = quoted.len() < inner.len() && quoted.split(' ').count() <= MAX_QUOTED_WORDS;
        return if is_short { quoted.len() + 2 } else { 0 };
    }
    if text.starts_with("](") {
        return text.find(')').map_or(0, |end| end + 1);
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        let end = text.find(|c: char| c.is_whitespace() || matches!(c, ')' | '>' | '<' | '"'));
        return text[..end.unwrap_or(text.len())].trim_end_matches(['.', ',', ';']).len();
    }
    0
}

/// Returns the byte offset of the end of each sentence. The last offset is the end of the text.
fn sentence_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    for (position, c) in text.char_indices() {
        if !matches!(c, '.' | '?' | '!') || is_abbreviation(&text[..position]) {
            continue;
        }
        let after = &text[position + 1..];
        let closed = after.trim_start_matches([')', '"', '\'', '”']);
        let next = closed.trim_start();
        let starts_sentence = next.starts_with(|c: char| {
            c.is_uppercase() || c.is_ascii_digit() || matches!(c, '"' | '(' | '“')
        });
        if next.len() < closed.len() && starts_sentence {
            ends.push(text.len() - next.len());
        }
    }
    ends.push(text.len());
    ends
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    matches!(word, "e.g" | "i.e" | "etc" | "vs" | "cf" | "Art" | "No" | "approx")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prose::Kind;

    fn split(text: &str) -> Vec<Sentence> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned()));
        sentences(&Passage { kind: Kind::Document, lines: lines.collect() })
    }

    fn texts(text: &str) -> Vec<String> {
        split(text).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn sentences_end_at_full_stops_and_keep_their_lines() {
        let sentences = split("One two. Three\nfour, e.g. five. `Six`\nseven.");
        let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
        assert_eq!(texts, ["One two.", "Three four, e.g. five.", "XXXXX seven."]);
        let third = &sentences[2];
        assert_eq!((third.line(0), third.line(6)), (2, 3));
        assert_eq!(sentences[1].words(), 4);
    }

    #[test]
    fn code_links_and_switched_off_parts_do_not_count() {
        let document = "See [the `b`](https://c.d/e).\n```\nWho is this\n```\n<!-- prose: off -->\n\
                        Who\n<!-- prose: on -->\nEnd.";
        let words: usize = split(document).iter().map(Sentence::words).sum();
        assert_eq!(words, 4);
    }

    #[test]
    fn headings_cells_and_questions_have_no_start() {
        let starts = |text| split(text).iter().map(|s| s.has_start).collect::<Vec<_>>();
        assert_eq!(starts("# What it costs"), [false]);
        assert_eq!(starts("| what | who |"), [false, false]);
        assert_eq!(starts("Who is it?"), [false]);
        assert_eq!(starts("- Of two"), [true]);
        assert_eq!(starts("- whose share is 25 %. Who else?"), [false, false]);
        assert_eq!(texts("No \"nobody\" here."), ["No XXXXXXXX here."]);
        assert_eq!(texts("1. One\n2. Two"), ["One", "Two"]);
    }
}
