//! Counts stilted constructions in comments, documents and messages.
//!
//! Comments in this project are written in plain English. This module finds the constructions that
//! break the writing rules most often. The check does not judge grammar.

mod rules;
mod sentences;
mod sources;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::repository;
use rules::{RULES, Rule};
use sentences::Sentence;
use sources::Passage;

/// Kind of text from which a piece of prose comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A comment of a source file.
    Comment,
    /// Text of a Markdown file.
    Document,
    /// A summary or description in YAML.
    Description,
    /// A string literal of at least four words, such as an error message, a help text or an
    /// assertion.
    Literal,
}

/// One use of a stilted construction.
#[derive(Debug)]
pub struct Hit {
    pub path: PathBuf,
    /// Line number, counted from 1.
    pub line: usize,
    pub kind: Kind,
    /// Name of the rule.
    pub rule: &'static str,
    /// The sentence, with inline code replaced by X.
    pub sentence: String,
}

/// The result of checking files.
#[derive(Debug, Default)]
pub struct Report {
    pub hits: Vec<Hit>,
    /// Number of words that were read, by kind.
    pub words: BTreeMap<Kind, usize>,
}

impl Report {
    /// Returns the number of words that were read.
    #[must_use]
    pub fn total_words(&self) -> usize {
        self.words.values().sum()
    }

    /// Returns the number of hits per 1,000 words of one kind, 0 if there are no words.
    #[must_use]
    pub fn rate(&self, kind: Kind) -> f64 {
        let hits = self.hits.iter().filter(|hit| hit.kind == kind).count();
        per_thousand(hits, self.words.get(&kind).copied().unwrap_or_default())
    }

    /// Returns the number of hits per 1,000 words of all kinds, 0 if there are no words.
    #[must_use]
    pub fn total_rate(&self) -> f64 {
        per_thousand(self.hits.len(), self.total_words())
    }
}

fn per_thousand(hits: usize, words: usize) -> f64 {
    if words == 0 { 0.0 } else { hits as f64 * 1000.0 / words as f64 }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path.display(), self.line, self.rule, self.sentence)
    }
}

/// Prints the totals, by kind of text and by rule.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, words) in &self.words {
            let hits = self.hits.iter().filter(|hit| hit.kind == *kind).count();
            let name = format!("{kind:?}").to_lowercase();
            writeln!(
                f,
                "{name:<12} {hits:>5} in {words:>7} words, {:>6.2} per 1,000",
                self.rate(*kind)
            )?;
        }
        let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
        for hit in &self.hits {
            *by_rule.entry(hit.rule).or_default() += 1;
        }
        let mut by_rule: Vec<_> = by_rule.into_iter().collect();
        by_rule.sort_by_key(|(_, hits)| std::cmp::Reverse(*hits));
        for (rule, hits) in by_rule {
            writeln!(f, "  {hits:>5} {rule}")?;
        }
        let total = self.total_words();
        write!(f, "{} in {total} words, {:.2} per 1,000", self.hits.len(), self.total_rate())
    }
}

/// The file whose string literals are examples of bad constructions and do not count.
const EXAMPLES: &str = "infra/xtask/src/prose/rules.rs";

/// Finds stilted constructions with the compiled rules.
pub struct Checker {
    rules: Vec<Compiled>,
}

struct Compiled {
    rule: &'static Rule,
    pattern: Regex,
    except: Option<Regex>,
}

impl Default for Checker {
    fn default() -> Checker {
        Checker::new()
    }
}

impl Checker {
    /// Compiles the rules.
    ///
    /// # Panics
    /// Panics if a rule is not a valid regular expression.
    #[must_use]
    pub fn new() -> Checker {
        let compile = |rule: &'static Rule| {
            let anchor = if rule.is_at_start { "^\\W*" } else { "" };
            Compiled {
                rule,
                pattern: compile(&format!("{anchor}(?:{})", rule.pattern)),
                except: rule.except.map(|except| compile(&format!("^\\W*(?:{except})"))),
            }
        };
        Checker { rules: RULES.iter().map(compile).collect() }
    }

    /// Checks files and folders. Files that are not UTF-8 are skipped. Paths in the report are
    /// relative to `root` if the files are below `root`.
    ///
    /// # Errors
    /// Fails if a folder or a file cannot be read.
    pub fn check(&self, root: &Path, paths: &[PathBuf]) -> Result<Report, String> {
        let mut report = Report::default();
        for path in paths {
            for file in repository::files(path)? {
                let bytes = std::fs::read(&file);
                let bytes = bytes.map_err(|error| format!("{}: {error}", file.display()))?;
                if let Ok(text) = String::from_utf8(bytes) {
                    self.check_text(file.strip_prefix(root).unwrap_or(&file), &text, &mut report);
                }
            }
        }
        Ok(report)
    }

    fn check_text(&self, path: &Path, text: &str, report: &mut Report) {
        for passage in sources::passages(path, text) {
            if passage.kind == Kind::Literal && path.ends_with(EXAMPLES) {
                continue;
            }
            self.check_passage(path, &passage, report);
        }
    }

    fn check_passage(&self, path: &Path, passage: &Passage, report: &mut Report) {
        for sentence in sentences::sentences(passage) {
            *report.words.entry(passage.kind).or_default() += sentence.words();
            for (rule, offset) in self.matches(&sentence, passage.kind) {
                report.hits.push(Hit {
                    path: path.to_owned(),
                    line: sentence.line(offset),
                    kind: passage.kind,
                    rule: rule.name,
                    sentence: sentence.text.clone(),
                });
            }
        }
    }

    /// Finds the rules that a sentence breaks, with the byte offset of each match. If matches
    /// overlap, only the rule that is listed first counts.
    fn matches(&self, sentence: &Sentence, kind: Kind) -> Vec<(&'static Rule, usize)> {
        let text = sentence.text.as_str();
        let has_start = sentence.has_start && kind != Kind::Literal;
        let mut taken: Vec<std::ops::Range<usize>> = Vec::new();
        let mut matches = Vec::new();
        for compiled in &self.rules {
            if compiled.rule.is_at_start && !has_start {
                continue;
            }
            for found in compiled.pattern.find_iter(text) {
                let is_excepted =
                    compiled.except.as_ref().is_some_and(|e| e.is_match(&text[found.start()..]));
                let overlaps = taken.iter().any(|t| t.start < found.end() && found.start() < t.end);
                if !is_excepted && !overlaps {
                    taken.push(found.range());
                    matches.push((compiled.rule, found.start()));
                }
            }
        }
        matches
    }

    #[cfg(test)]
    fn rules_of(&self, text: &str) -> Vec<&'static str> {
        let lines = vec![(1, text.to_owned())];
        let mut report = Report::default();
        self.check_passage(Path::new("a.rs"), &Passage { kind: Kind::Comment, lines }, &mut report);
        report.hits.iter().map(|hit| hit.rule).collect()
    }
}

#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles them")]
fn compile(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){}", pattern.replace(' ', "\\s+"))).expect("rules compile")
}
