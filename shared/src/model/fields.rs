//! Reads a JSON object field by field and collects every fault it finds.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::value::Issue;
use crate::error::Faults;

type Parse<T> = fn(&str) -> Result<T, Issue>;

/// The fields of one JSON object. A field that is `null` counts as absent. What nobody asked
/// for is a fault: a typo must never be silently dropped.
pub struct Fields<'a> {
    faults: &'a mut Faults,
    map: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub fn new(map: Map<String, Value>, faults: &'a mut Faults) -> Fields<'a> {
        Fields { faults, map }
    }

    pub fn fault(&mut self, name: &str, issue: impl Into<String>) {
        self.faults.add(pointer("", name), issue);
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// `None` is absent or, recorded, faulty.
    pub fn text<T>(&mut self, name: &str, parse: Parse<T>) -> Option<T> {
        let value = self.take(name)?;
        self.parsed(pointer("", name), &value, parse)
    }

    /// The default when the field is absent; `None` only when it is faulty.
    pub fn text_or<T>(&mut self, name: &str, default: T, parse: Parse<T>) -> Option<T> {
        match self.take(name) {
            Some(value) => self.parsed(pointer("", name), &value, parse),
            None => Some(default),
        }
    }

    pub fn required<T>(&mut self, name: &str, parse: Parse<T>) -> Option<T> {
        match self.take(name) {
            Some(value) => self.parsed(pointer("", name), &value, parse),
            None => {
                self.fault(name, "is required");
                None
            }
        }
    }

    /// An array of strings; a fault names its element.
    pub fn texts<T>(&mut self, name: &str, most: usize, parse: Parse<T>) -> Vec<T> {
        let values = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.fault(name, "must be an array of strings");
                return Vec::new();
            }
        };
        if values.len() > most {
            self.fault(name, format!("must have at most {most} entries"));
            return Vec::new();
        }
        let at = pointer("", name);
        let parsed = values.iter().enumerate();
        parsed.filter_map(|(i, value)| self.parsed(format!("{at}/{i}"), value, parse)).collect()
    }

    /// An object of strings; a fault names its key.
    pub fn map<K: Ord, T>(
        &mut self,
        name: &str,
        most: usize,
        parse_key: Parse<K>,
        parse: Parse<T>,
    ) -> BTreeMap<K, T> {
        let entries = match self.take(name) {
            None => return BTreeMap::new(),
            Some(Value::Object(entries)) => entries,
            Some(_) => {
                self.fault(name, "must be an object of strings");
                return BTreeMap::new();
            }
        };
        if entries.len() > most {
            self.fault(name, format!("must have at most {most} keys"));
            return BTreeMap::new();
        }
        let at = pointer("", name);
        let mut read = BTreeMap::new();
        for (key, value) in &entries {
            let at = pointer(&at, key);
            let parsed_key =
                parse_key(key).map_err(|issue| self.faults.add(at.clone(), issue)).ok();
            if let (Some(key), Some(value)) = (parsed_key, self.parsed(at, value, parse)) {
                read.insert(key, value);
            }
        }
        read
    }

    fn parsed<T>(&mut self, at: String, value: &Value, parse: Parse<T>) -> Option<T> {
        let parsed = match value {
            Value::String(text) => parse(text),
            _ => Err("must be a string".to_owned()),
        };
        parsed.map_err(|issue| self.faults.add(at, issue)).ok()
    }

    /// Names every field that nobody asked for. `read_only` are those the server sets.
    pub fn done(mut self, read_only: &[&str]) {
        for name in std::mem::take(&mut self.map).keys() {
            let issue = match read_only.contains(&name.as_str()) {
                true => "is set by the server and cannot be given",
                false => "is not a field of this request",
            };
            self.fault(name, issue);
        }
    }
}

/// RFC 6901.
fn pointer(at: &str, name: &str) -> String {
    // A name is the caller's text: cut it, so that an answer cannot be made huge.
    let name: String = name.chars().take(100).collect();
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}
