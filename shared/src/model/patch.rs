//! JSON Merge Patch (RFC 7396) on what a caller may change of a customer.

use super::value::one_of;
use serde_json::{Map, Value};
use time::Date;

use super::customer::{Customer, READ_ONLY, Status};
use super::fields::Fields;
use super::profile::Profile;
use crate::error::{Error, Faults};

/// The profile and status after the patch. The result is validated whole, by the rules of a
/// creation; `faults` are those found before.
pub fn merge(
    current: &Customer,
    patch: &Map<String, Value>,
    mut faults: Faults,
    today: Option<Date>,
) -> Result<(Profile, Status), Error> {
    let unreadable = |_| Error::internal("a profile does not serialise");
    let mut merged = serde_json::to_value(&current.profile).map_err(unreadable)?;
    json_patch::merge(&mut merged, &Value::Object(patch.clone()));
    let Value::Object(mut document) = merged else {
        return Err(Error::internal("a patched profile is no object"));
    };
    // A null of the patch removes a field, and must not hide that there is no such field.
    for (name, _) in patch.iter().filter(|(_, value)| value.is_null()) {
        document.entry(name).or_insert(Value::Null);
    }
    let kept = current.profile.client_id.as_ref().map(|id| Value::from(id.as_str()));
    let moved = kept.filter(|kept| document.get("client_id") != Some(kept));
    if let Some(kept) = moved {
        faults.add("/client_id", "cannot be changed once set");
        document.insert("client_id".to_owned(), kept);
    }
    let mut fields = Fields::new(document, &mut faults);
    let profile = Profile::read(&mut fields, today);
    let status = fields.text_or("status", current.status, one_of::<Status>);
    if patch.get("status").is_some_and(Value::is_null) {
        fields.fault("status", "cannot be cleared");
    }
    fields.done(READ_ONLY);
    match (profile, status) {
        (Some(profile), Some(status)) if faults.is_empty() => Ok((profile, status)),
        _ => Err(faults.into()),
    }
}
