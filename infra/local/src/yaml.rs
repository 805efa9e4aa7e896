//! Reads parts of a YAML document.

use yaml_serde::{Mapping, Value};

use crate::Failure;

/// Returns the value at a path of member names.
///
/// # Errors
/// Fails when a part of the path is missing.
pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> Result<&'v Value, Failure> {
    path.iter()
        .try_fold(value, |value, name| value.get(*name))
        .ok_or_else(|| format!("{} is missing", path.join(".")))
}

pub(crate) fn mapping<'v>(value: &'v Value, name: &str) -> Result<&'v Mapping, Failure> {
    at(value, &[name])?.as_mapping().ok_or_else(|| format!("{name} is not a mapping"))
}

/// Returns the members of the sequence with this name. Returns no members if the sequence is
/// missing.
pub(crate) fn sequence<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value.get(name).and_then(Value::as_sequence).into_iter().flatten()
}

/// Returns the texts of a value that is a single text or a sequence of texts. Other values are
/// ignored.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    let values = value.as_sequence().map_or(std::slice::from_ref(value), Vec::as_slice);
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
