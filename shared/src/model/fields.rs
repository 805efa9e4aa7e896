//! Reads a JSON object field by field and collects every fault it finds.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::value::Issue;
use crate::error::Faults;

type Parse<T> = fn(&str) -> Result<T, Issue>;

/// The fields of one JSON object. A field that is `null` counts as absent. What nobody asked
/// for is a fault: a typo must never be silently dropped.
pub struct Fields<'a> {
    faults: &'a mut Faults,
    map: Map<String, Value>,
    /// Where the object stands in the body.
    at: String,
}

impl<'a> Fields<'a> {
    pub fn new(map: Map<String, Value>, faults: &'a mut Faults) -> Fields<'a> {
        Fields { faults, map, at: String::new() }
    }

    pub fn fault(&mut self, name: &str, issue: impl Into<String>) {
        self.faults.add(self.pointer(name), issue);
    }

    fn pointer(&self, name: &str) -> String {
        pointer(&self.at, name)
    }

    /// Whether the field is there at all, be it faulty.
    pub fn gives(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// `None` is absent or, recorded, faulty.
    pub fn text<T>(&mut self, name: &str, parse: Parse<T>) -> Option<T> {
        let value = self.take(name)?;
        self.parsed(self.pointer(name), &value, parse)
    }

    /// The default when the field is absent; `None` only when it is faulty.
    pub fn text_or<T>(&mut self, name: &str, default: T, parse: Parse<T>) -> Option<T> {
        match self.take(name) {
            Some(value) => self.parsed(self.pointer(name), &value, parse),
            None => Some(default),
        }
    }

    pub fn required<T>(&mut self, name: &str, parse: Parse<T>) -> Option<T> {
        match self.take(name) {
            Some(value) => self.parsed(self.pointer(name), &value, parse),
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
        let at = self.pointer(name);
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
        let at = self.pointer(name);
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

    /// An array of objects, each read by `read`, which is given its number and returns `None` only where it recorded a
    /// fault. What it left unread is a fault.
    pub fn objects<T>(
        &mut self,
        name: &str,
        most: usize,
        mut read: impl FnMut(usize, &mut Fields<'_>) -> Option<T>,
    ) -> Vec<T> {
        let values = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(values)) => values,
            Some(_) => {
                self.fault(name, "must be an array of objects");
                return Vec::new();
            }
        };
        if values.len() > most {
            self.fault(name, format!("must have at most {most} entries"));
            return Vec::new();
        }
        let mut all = Vec::with_capacity(values.len());
        for (i, value) in values.into_iter().enumerate() {
            let at = format!("{}/{i}", self.pointer(name));
            match value {
                Value::Object(map) => {
                    let mut fields = Fields { faults: &mut *self.faults, map, at };
                    all.extend(read(i, &mut fields));
                    fields.done(&[]);
                }
                _ => self.faults.add(at, "must be an object"),
            }
        }
        all
    }

    /// `None` is absent or, recorded, faulty.
    pub fn number<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&Number) -> Result<T, Issue>,
    ) -> Option<T> {
        let parsed = match self.take(name)? {
            Value::Number(number) => parse(&number),
            _ => Err("must be a number".to_owned()),
        };
        parsed.map_err(|issue| self.fault(name, issue)).ok()
    }

    /// `false` when it is absent.
    pub fn flag(&mut self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// The default when it is absent or, recorded, faulty.
    pub fn flag_or(&mut self, name: &str, default: bool) -> bool {
        match self.take(name) {
            None => default,
            Some(Value::Bool(flag)) => flag,
            Some(_) => {
                self.fault(name, "must be true or false");
                default
            }
        }
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
