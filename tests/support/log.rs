//! Every line that the servers of this process log, searched for the personal data and the tokens
//! that the tests have sent by then. A line with any of it fails the next request of any test.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::sync::{LazyLock, Mutex, MutexGuard, Once, PoisonError};

use serde_json::Value;

/// Fields of bodies and of queries that hold it, at any depth.
const PERSONAL: [&str; 15] = [
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
    "search",
    "tag",
];
/// What is shorter is found in lines that have nothing to do with it, and so is a single word in
/// lower case.
const SHORTEST: usize = 6;

#[derive(Default)]
pub struct Watch {
    /// By the first bytes, then by length: thousands may begin alike.
    values: HashMap<[u8; SHORTEST], BTreeMap<usize, HashSet<Vec<u8>>>>,
    /// The first two bytes of any: most places of a line are none of these.
    begins: HashSet<[u8; 2]>,
    lines: usize,
    bytes: usize,
    found: Option<String>,
}

impl Watch {
    /// What no line may hold from now on.
    pub fn remember(&mut self, text: &str) {
        if text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return;
        }
        // As it is, and as it is inside of JSON.
        let quoted = Value::from(text).to_string();
        let escaped = quoted.trim_matches('"');
        for form in [text, escaped] {
            let form = form.as_bytes();
            let (Some(start), Some(begin)) = (form.first_chunk(), form.first_chunk()) else {
                continue;
            };
            self.begins.insert(*begin);
            let alike = self.values.entry(*start).or_default().entry(form.len()).or_default();
            alike.insert(form.to_owned());
        }
    }

    /// The personal data in the body of a request.
    pub fn remember_body(&mut self, body: &Value) {
        self.search(body, false);
    }

    fn search(&mut self, value: &Value, is_personal: bool) {
        match value {
            Value::String(text) if is_personal => self.remember(text),
            Value::Array(values) => values.iter().for_each(|one| self.search(one, is_personal)),
            Value::Object(fields) => {
                for (field, value) in fields {
                    self.search(value, is_personal || PERSONAL.contains(&field.as_str()));
                }
            }
            _ => {}
        }
    }

    pub fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        self.bytes += line.len();
        let held = |at: &[u8]| {
            at.first_chunk().filter(|begin| self.begins.contains(*begin))?;
            let alike = at.first_chunk().and_then(|start| self.values.get(start))?;
            let values = alike.iter().filter_map(|(length, values)| values.get(at.get(..*length)?));
            values.into_iter().next().cloned()
        };
        let found = (0..line.len()).find_map(|from| held(&line[from..]));
        if let (None, Some(value)) = (&self.found, found) {
            let (value, line) = (String::from_utf8_lossy(&value), String::from_utf8_lossy(line));
            self.found = Some(format!("{value} in {line}"));
        }
    }

    /// A line that holds what it must not.
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// How many lines there were.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// How long they were together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

static WATCH: LazyLock<Mutex<Watch>> = LazyLock::new(Mutex::default);

/// That of this process.
pub fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the servers of this process log to it, and with `SHOW_LOG` to standard error, too.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let show: fn(&[u8]) = |line| {
            watch().line(line);
            let _ = std::io::stderr().write_all(line);
        };
        let keep: fn(&[u8]) = |line| watch().line(line);
        let is_shown = std::env::var_os("SHOW_LOG").is_some();
        let is_ours = shared::telemetry::write_to(None, if is_shown { show } else { keep });
        assert!(is_ours, "something else reads the log");
    });
}

/// The personal data in what a query asks for.
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
    let found = watch().found().map(str::to_owned);
    assert_eq!(found, None, "personal data or a token in a log line");
}
