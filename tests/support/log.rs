//! Searches every line that the servers of this process log for the personal data and the tokens
//! that tests have sent so far. Once a line contains any of them, every later request of a test
//! fails.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::Write;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use serde_json::Value;

/// Names of the fields and query parameters that contain personal data. A field with such a name is
/// personal at any depth of a body, and so is everything inside it.
const PERSONAL: [&str; 16] = [
    "name",
    "client_id",
    "tax_id",
    "date_of_birth",
    "incorporated_on",
    "email",
    "phone",
    "website",
    "industry",
    "tags",
    "metadata",
    "note",
    "retain_reason",
    "override_reason",
    "search",
    "tag",
];
/// Minimum length in bytes of the values that are searched for. Shorter values also occur in
/// unrelated lines.
const SHORTEST: usize = 6;
/// Number of lines that are kept. Tests run in parallel, so other tests log lines between a request
/// and the search for its line.
const KEPT_LINES: usize = 10_000;

/// The values that must not be logged, and the result of the search so far.
#[derive(Default)]
pub struct Watch {
    /// Values by their first bytes, then by length. Thousands of values may share a prefix, so the
    /// search looks up whole values of one length instead of comparing them one by one.
    values: HashMap<[u8; SHORTEST], BTreeMap<usize, HashSet<Vec<u8>>>>,
    /// The first two bytes of every value, which rule out most positions of a line quickly.
    starts: HashSet<[u8; 2]>,
    lines: usize,
    bytes: usize,
    newest: VecDeque<Vec<u8>>,
    violation: Option<String>,
    /// Lines logged so far that contain a text given to [`Watch::keep`], by this text.
    kept: HashMap<String, Vec<Value>>,
}

impl Watch {
    /// Adds a value that no later line may contain. Ignores values shorter than [`SHORTEST`] bytes
    /// and words that consist only of lower-case letters, because they also occur in unrelated
    /// lines.
    pub fn remember(&mut self, text: &str) {
        if text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        // Look for the plain text and for its form in a JSON string.
        let quoted = Value::from(text).to_string();
        let escaped = quoted.trim_matches('"');
        for form in [text, escaped] {
            let form = form.as_bytes();
            let (Some(prefix), Some(start)) = (form.first_chunk(), form.first_chunk()) else {
                continue;
            };
            self.starts.insert(*start);
            let same_length =
                self.values.entry(*prefix).or_default().entry(form.len()).or_default();
            same_length.insert(form.to_owned());
        }
    }

    /// Adds the strings in the personal fields of a request's body, as [`Watch::remember`] does.
    pub fn remember_body(&mut self, body: &Value) {
        self.search(body, false);
    }

    fn search(&mut self, value: &Value, is_personal: bool) {
        match value {
            Value::String(text) if is_personal => self.remember(text),
            Value::Array(values) => {
                for value in values {
                    self.search(value, is_personal);
                }
            }
            Value::Object(fields) => {
                for (field, value) in fields {
                    self.search(value, is_personal || PERSONAL.contains(&field.as_str()));
                }
            }
            _ => {}
        }
    }

    /// Keeps all later lines that contain `text`.
    pub fn keep(&mut self, text: &str) {
        self.kept.entry(text.to_owned()).or_default();
    }

    /// Returns the lines with `text` that were logged after `text` was given to [`Watch::keep`].
    /// Empty if it never was.
    pub fn kept(&self, text: &str) -> Vec<Value> {
        self.kept.get(text).cloned().unwrap_or_default()
    }

    /// Searches a log line for the values, and records the first violation.
    pub fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        self.bytes += line.len();
        for (text, lines) in &mut self.kept {
            if String::from_utf8_lossy(line).contains(text) {
                lines.push(serde_json::from_slice(line).unwrap_or_default());
            }
        }
        self.newest.truncate(KEPT_LINES - 1);
        self.newest.push_front(line.to_vec());
        if self.violation.is_some() {
            return;
        }
        if let Some(value) = (0..line.len()).find_map(|at| self.value_at_start(&line[at..])) {
            let (value, line) = (String::from_utf8_lossy(value), String::from_utf8_lossy(line));
            self.violation = Some(format!("{value} in {line}"));
        }
    }

    /// Returns the shortest value that is a prefix of `bytes`.
    fn value_at_start(&self, bytes: &[u8]) -> Option<&[u8]> {
        bytes.first_chunk().filter(|start| self.starts.contains(*start))?;
        let by_length = self.values.get(bytes.first_chunk()?)?;
        let mut values =
            by_length.iter().filter_map(|(length, values)| values.get(bytes.get(..*length)?));
        values.next().map(Vec::as_slice)
    }

    /// Returns a description of the first violation, or `None` if there has not been one.
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Returns the log line of a request. Panics if the line is not among the last [`KEPT_LINES`]
    /// lines.
    pub fn line_of(&self, request_id: &str) -> Value {
        let is_of_request =
            |line: &Value| line["request_id"] == request_id && line["message"] == "request";
        let lines = self.newest.iter().filter_map(|line| serde_json::from_slice(line).ok());
        lines.into_iter().find(is_of_request).expect("the request has a log line")
    }

    /// Returns the number of lines that have been logged so far.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Returns the total length of the lines that have been logged so far, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

static WATCH: LazyLock<Mutex<Watch>> = LazyLock::new(Mutex::default);

/// Locks the watch of this process, which all tests share.
pub fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends the log of this process's servers to the watch. If `SHOW_LOG` is set, also prints the log
/// to standard error.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let search_and_print: fn(&[u8]) = |line| {
            watch().line(line);
            let _ = std::io::stderr().write_all(line);
        };
        let search: fn(&[u8]) = |line| watch().line(line);
        let is_printed = std::env::var_os("SHOW_LOG").is_some();
        let sink = if is_printed { search_and_print } else { search };
        assert!(shared::telemetry::write_to(None, sink), "the log already has another sink");
    });
}

/// Adds the values of the personal parameters in the query string of a path.
pub(crate) fn remember_query(path: &str) {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    for (field, value) in form_urlencoded::parse(query.as_bytes()) {
        if PERSONAL.contains(&field.as_ref()) {
            watch().remember(&value);
        }
    }
}

#[track_caller]
pub(crate) fn assert_clean() {
    let violation = watch().violation().map(str::to_owned);
    assert_eq!(violation, None, "personal data or a token in a log line");
}
