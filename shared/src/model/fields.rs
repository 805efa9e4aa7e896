//! Reads the fields of a JSON object one by one and records every fault.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::value::Issue;
use crate::error::{Error, Faults};

/// Parser of a text value. For an invalid text, it returns the rule that the text breaks.
type Parse<T> = fn(&str) -> Result<T, Issue>;

/// The fields of one JSON object that have not been read yet.
///
/// A field that is `null` is treated as absent. [`Fields::done`] reports the fields that were not
/// read, so that a misspelt field is not ignored.
pub struct Fields<'a> {
    faults: &'a mut Faults,
    map: Map<String, Value>,
    /// JSON Pointer (RFC 6901) to this object in the body.
    at: String,
}

impl<'a> Fields<'a> {
    /// Starts to read the object that is the whole body.
    pub fn new(map: Map<String, Value>, faults: &'a mut Faults) -> Fields<'a> {
        Fields { faults, map, at: String::new() }
    }

    /// Records that the field `name` breaks a rule.
    pub fn fault(&mut self, name: &str, issue: impl Into<String>) {
        self.faults.add(self.pointer(name), issue);
    }

    fn pointer(&self, name: &str) -> String {
        pointer(&self.at, name)
    }

    /// Returns whether the field is present, not `null` and not read yet. The type of the value
    /// does not matter.
    pub fn gives(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// Reads an optional string. Returns `None` if the field is absent, and `None` with a recorded
    /// fault if its value is not valid.
    pub fn text<T>(&mut self, name: &str, parse: Parse<T>) -> Option<T> {
        let value = self.take(name)?;
        self.parsed(self.pointer(name), &value, parse)
    }

    /// Reads an optional string. Returns `default` if the field is absent, and `None` with a
    /// recorded fault if its value is not valid.
    pub fn text_or<T>(&mut self, name: &str, default: T, parse: Parse<T>) -> Option<T> {
        match self.take(name) {
            Some(value) => self.parsed(self.pointer(name), &value, parse),
            None => Some(default),
        }
    }

    /// Reads a required string. If the field is absent or its value is not valid, records a fault
    /// and returns `None`.
    pub fn required<T>(&mut self, name: &str, parse: Parse<T>) -> Option<T> {
        match self.take(name) {
            Some(value) => self.parsed(self.pointer(name), &value, parse),
            None => {
                self.fault(name, "is required");
                None
            }
        }
    }

    /// Reads an optional array of at most `most` strings and returns the valid ones. Records a
    /// fault for each invalid string, by its index. Returns an empty list if the field is absent,
    /// and an empty list with a recorded fault if it is not an array or too long.
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

    /// Reads an optional object of at most `most` entries, whose values are strings, and returns
    /// the valid entries. Records a fault for each invalid entry, by its key. Returns an empty map
    /// if the field is absent, and an empty map with a recorded fault if it is not an object or too
    /// large.
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

    /// Reads an optional array of at most `most` objects and returns the results of `read`, which
    /// gets the index and the fields of an object. `read` must return `None` only if it recorded a
    /// fault. An element that is not an object, and a field that `read` does not read, is a fault.
    /// Returns an empty list if the field is absent, and an empty list with a recorded fault if it
    /// is not an array or too long.
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

    /// Reads an optional number. Returns `None` if the field is absent, and `None` with a recorded
    /// fault if its value is not valid.
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

    /// Reads an optional boolean. Returns `false` if the field is absent, and `false` with a
    /// recorded fault if its value is not a boolean.
    pub fn flag(&mut self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// Reads an optional boolean. Returns `default` if the field is absent, and `default` with a
    /// recorded fault if its value is not a boolean.
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

    /// Records a fault for every field that was not read and is not in `fixed`. Returns the fields in
    /// `fixed`, which the patch of a caller that `may_read` may repeat. From another caller, each of
    /// them is a fault: otherwise, the answer would tell that caller whether it guessed the value.
    pub fn repeated(mut self, fixed: &[&str], may_read: bool) -> Repeated {
        let (repeated, unknown): (Map<_, _>, Map<_, _>) = std::mem::take(&mut self.map)
            .into_iter()
            .partition(|(name, _)| fixed.contains(&name.as_str()));
        self.map = unknown;
        if may_read {
            self.done(&[]);
            return Repeated(repeated);
        }
        for name in repeated.keys() {
            self.fault(name, "must be left out, because only a caller with kyc:read may repeat it");
        }
        self.done(&[]);
        Repeated(Map::new())
    }

    /// Records a fault for every field that was not read. For the fields in `read_only`, the fault
    /// says that only the server sets them.
    pub fn done(mut self, read_only: &[&str]) {
        for name in std::mem::take(&mut self.map).keys() {
            let issue = if read_only.contains(&name.as_str()) {
                "must not be given, because the server sets it"
            } else {
                "is not a field of this request"
            };
            self.fault(name, issue);
        }
    }
}

/// Fields that a patch may repeat, but not change. A patch contains them if the caller read a
/// resource, edited it and sent all of it back.
#[derive(Clone)]
pub struct Repeated(Map<String, Value>);

impl fmt::Debug for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Repeated {
    /// Records a fault for every field whose value is not the current one.
    ///
    /// # Errors
    /// `InternalError` when the current resource does not serialize.
    pub fn check(&self, current: &impl Serialize, faults: &mut Faults) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let current = serde_json::to_value(current)
            .map_err(|error| Error::internal(format!("a resource: {error}")))?;
        for (name, value) in &self.0 {
            if !is_same(value, current.get(name).unwrap_or(&Value::Null)) {
                let issue = "must not change; leave it out or send the current value";
                faults.add(pointer("", name), issue);
            }
        }
        Ok(())
    }
}

/// Returns whether two JSON values are the same. `1` and `1.0` are the same, because many clients
/// do not distinguish them.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => {
            one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_same = |(name, value): (&String, &Value)| {
                other.get(name).is_some_and(|other| is_same(value, other))
            };
            one.len() == other.len() && one.iter().all(has_same)
        }
        _ => one == other,
    }
}

/// Appends a name to a JSON Pointer (RFC 6901).
fn pointer(at: &str, name: &str) -> String {
    // The caller chooses the name, so it is cut to 100 characters. A long name would make the
    // answer large.
    let name: String = name.chars().take(100).collect();
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_repeated_field_must_have_its_current_value() {
        let current =
            json!({ "version": 3, "score": 1.0, "at": null, "risk": { "points": [1, 2.5] } });
        for (repeated, count) in [
            (json!({}), 0),
            (json!({ "version": 3, "score": 1, "at": null, "risk": { "points": [1.0, 2.5] } }), 0),
            (json!({ "version": 3.0 }), 0),
            (json!({ "version": 4 }), 1),
            (json!({ "version": "3", "at": "now" }), 2),
            (json!({ "risk": { "points": [1] } }), 1),
            (json!({ "risk": {} }), 1),
            (json!({ "risk": null }), 1),
        ] {
            let fields = repeated.as_object().unwrap().clone();
            let mut faults = Faults::default();
            Repeated(fields).check(&current, &mut faults).unwrap();
            assert_eq!(Error::from(faults).details.len(), count, "{repeated}");
        }
    }

    proptest! {
        #[test]
        fn only_equal_whole_numbers_are_the_same(one in any::<u64>(), other in any::<u64>()) {
            prop_assert_eq!(is_same(&json!(one), &json!(other)), one == other);
        }
    }
}
