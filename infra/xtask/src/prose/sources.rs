//! Extracts prose from source files: comments, Markdown, descriptions in YAML and string literals.

use std::path::Path;

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

use super::Kind;

/// A run of adjacent prose lines with their line numbers, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Passage {
    pub(super) kind: Kind,
    pub(super) lines: Vec<(usize, String)>,
}

/// Minimum number of words in a string literal that is prose. A shorter literal is a name or a
/// piece of data.
const MIN_LITERAL_WORDS: usize = 4;

/// YAML keys whose values are prose.
const DESCRIPTION_KEYS: [&str; 4] = ["description", "summary", "Description", "AlarmDescription"];

/// Returns the passages of a file. Returns an empty list if files of its type contain no prose.
pub(super) fn passages(path: &Path, text: &str) -> Vec<Passage> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.or_else(|| shebang_extension(text)) {
        Some("rs") => rust(text),
        Some("md") => markdown(text),
        Some("py") => [hash_comments(text), docstrings(text)].concat(),
        Some("sh" | "toml") => hash_comments(text),
        Some("yaml" | "yml") => [hash_comments(text), descriptions(text)].concat(),
        _ => Vec::new(),
    }
}

/// Returns the usual extension for a script without an extension, from the interpreter in the first
/// line. Returns `None` for other files.
fn shebang_extension(text: &str) -> Option<&'static str> {
    let first = text.lines().next().filter(|line| line.starts_with("#!"))?;
    if first.contains("python") { Some("py") } else { first.ends_with("sh").then_some("sh") }
}

fn rust(text: &str) -> Vec<Passage> {
    let mut passages = Passages::default();
    let mut offset = 0;
    let mut line = 1;
    for token in tokenize(text, FrontmatterAllowed::No) {
        let end = offset + token.len as usize;
        let source = text.get(offset..end).unwrap_or_default();
        match token.kind {
            TokenKind::LineComment { .. } => {
                let marker = ["///", "//!", "//"].into_iter().find(|m| source.starts_with(m));
                let marker = marker.unwrap_or_default();
                passages.add(Kind::Comment, line, marker, &source[marker.len()..]);
            }
            TokenKind::BlockComment { .. } => {
                let inner = source.trim_start_matches(['/', '*', '!']).trim_end_matches(['*', '/']);
                for (index, inner_line) in inner.lines().enumerate() {
                    let content = inner_line.trim_start().trim_start_matches('*');
                    passages.add(Kind::Comment, line + index, "/*", content);
                }
            }
            TokenKind::Literal { kind, .. } if is_string(kind) && is_sentence(source) => {
                passages.add_alone(Kind::Literal, line, source);
            }
            _ => {}
        }
        line += source.matches('\n').count();
        offset = end;
    }
    passages.finish()
}

fn is_string(kind: LiteralKind) -> bool {
    matches!(kind, LiteralKind::Str { .. } | LiteralKind::RawStr { .. })
}

/// Returns whether a literal is a text for people, in contrast to names, JSON and other data. A text
/// has at least [`MIN_LITERAL_WORDS`] words, and at least 80 % of its characters are letters, spaces
/// and common punctuation.
fn is_sentence(literal: &str) -> bool {
    let is_prose = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '.' | ',' | ';' | '\'');
    let prose = literal.chars().filter(|c| is_prose(*c)).count();
    literal.split_whitespace().count() >= MIN_LITERAL_WORDS
        && prose * 10 >= literal.chars().count() * 8
}

fn markdown(text: &str) -> Vec<Passage> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned()));
    vec![Passage { kind: Kind::Document, lines: lines.collect() }]
}

/// Finds `# ...` comments, both on separate lines and after code.
fn hash_comments(text: &str) -> Vec<Passage> {
    let mut passages = Passages::default();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("#!") {
            continue;
        }
        if let Some(start) = hash_position(line) {
            let marker = if line[..start].trim().is_empty() { "#" } else { "after code" };
            passages.add(Kind::Comment, index + 1, marker, line[start..].trim_start_matches('#'));
        }
    }
    passages.finish()
}

/// Returns the byte position of the first `#` that is at the start of a word and outside quotes.
fn hash_position(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut previous = ' ';
    for (position, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' && previous.is_whitespace() => return Some(position),
            // An apostrophe inside a word is not a quote.
            None if c == '"' || (c == '\'' && !previous.is_alphanumeric()) => quote = Some(c),
            None => {}
        }
        previous = c;
    }
    None
}

/// Finds Python's docstrings: strings in triple quotes that start a line.
fn docstrings(text: &str) -> Vec<Passage> {
    const QUOTES: &str = "\"\"\"";
    let mut passages = Passages::default();
    let mut is_inside = false;
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        let opens = !is_inside && content.starts_with(QUOTES);
        if is_inside || opens {
            passages.add(Kind::Comment, index + 1, QUOTES, &content.replace(QUOTES, ""));
        }
        let quotes = content.matches(QUOTES).count();
        is_inside = if opens { quotes == 1 } else { is_inside && quotes == 0 };
    }
    passages.finish()
}

/// Finds the values of `DESCRIPTION_KEYS` in YAML, as plain, quoted or block scalars.
fn descriptions(text: &str) -> Vec<Passage> {
    let mut passages = Passages::default();
    let mut open_indent = None;
    for (index, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if let Some(key_indent) = open_indent {
            if indent > key_indent || line.trim().is_empty() {
                passages.add(Kind::Description, index + 1, "value", line.trim());
                continue;
            }
            open_indent = None;
        }
        if let Some(value) = description_value(line) {
            open_indent = Some(indent);
            passages.end();
            if !value.starts_with(['|', '>']) {
                passages.add(
                    Kind::Description,
                    index + 1,
                    "value",
                    value.trim_matches(['\'', '"']),
                );
            }
        }
    }
    passages.finish()
}

fn description_value(line: &str) -> Option<&str> {
    let (key, value) = line.split_once(':')?;
    let key = key.trim().trim_start_matches("- ");
    let value = value.trim();
    let is_prose = DESCRIPTION_KEYS.contains(&key) && !value.starts_with(['{', '!', '&', '*']);
    (is_prose && !value.is_empty()).then_some(value)
}

/// Joins adjacent lines of the same kind and marker into passages.
#[derive(Default)]
struct Passages {
    done: Vec<Passage>,
    open: Option<(&'static str, Passage)>,
}

impl Passages {
    fn add(&mut self, kind: Kind, line: usize, marker: &'static str, text: &str) {
        let text = text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned();
        let continues = self.open.as_ref().is_some_and(|(open_marker, passage)| {
            let last = passage.lines.last().map(|(number, _)| *number);
            *open_marker == marker && passage.kind == kind && last == Some(line - 1)
        });
        if !continues {
            self.end();
            self.open = Some((marker, Passage { kind, lines: Vec::new() }));
        }
        if let Some((_, passage)) = &mut self.open {
            passage.lines.push((line, text));
        }
    }

    fn add_alone(&mut self, kind: Kind, line: usize, literal: &str) {
        self.end();
        let numbered = literal.lines().enumerate().map(|(index, text)| {
            let text = text.trim_end_matches('\\').replace("\\n", " ");
            (line + index, text.trim_matches(['"', '#', 'r', ' ']).to_owned())
        });
        self.done.push(Passage { kind, lines: numbered.collect() });
    }

    fn end(&mut self) {
        self.done.extend(self.open.take().map(|(_, passage)| passage));
    }

    fn finish(mut self) -> Vec<Passage> {
        self.end();
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(path: &str, text: &str) -> Vec<(usize, String)> {
        passages(Path::new(path), text).into_iter().flat_map(|passage| passage.lines).collect()
    }

    #[test]
    fn rust_comments_are_separated_from_strings() {
        let source =
            "//! Top.\nlet a = \"// no\"; // yes\n/// One.\n/// Two.\n/* Three\n * four */\n";
        let expected = ["Top.", "yes", "One.", "Two.", "Three", "four"].map(str::to_owned);
        let lines = texts("a.rs", source);
        assert_eq!(lines.iter().map(|(_, text)| text.trim()).collect::<Vec<_>>(), expected);
        assert_eq!(lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(passages(Path::new("a.rs"), source).len(), 4);
    }

    #[test]
    fn long_string_literals_are_prose() {
        let source = "let e = \"the name must not be empty\"; let k = \"T#{a}#C#{b} is {c}\";";
        assert_eq!(texts("a.rs", source), [(1, "the name must not be empty".to_owned())]);
    }

    #[test]
    fn hash_comments_are_found_outside_quotes() {
        let source = "#!/bin/sh\n# One.\na: '# no' # Two.\nb: x#y\n";
        assert_eq!(texts("a.yaml", source), [(2, "One.".to_owned()), (3, "Two.".to_owned())]);
        assert_eq!(texts("run", source).len(), 2);
    }

    #[test]
    fn descriptions_are_found_in_every_yaml_style() {
        let source =
            "summary: One.\ndescription: >-\n  Two\n  three.\nother: no\nDescription: 'Four.'\n";
        let lines = texts("a.yaml", source);
        let lines: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(lines, ["One.", "Two", "three.", "Four."]);
    }

    #[test]
    fn docstrings_are_found() {
        let source =
            "\"\"\"One.\"\"\"\ndef f():\n    \"\"\"Two\n    three.\n    \"\"\"\n    x = 1\n";
        let lines = texts("a.py", source);
        let lines: Vec<&str> = lines.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(lines, ["One.", "Two", "three.", ""]);
    }
}
