//! Applies a JSON Merge Patch (RFC 7396) to the profile and status of a customer.

use super::value::one_of;
use serde_json::{Map, Value};
use time::Date;

use super::customer::{Customer, READ_ONLY, Status};
use super::fields::Fields;
use super::profile::Profile;
use crate::error::{Error, Faults};

/// Returns the profile and status of the customer after the patch. The result is validated as a
/// whole, by the rules for a new customer. A caller that `may_read` may repeat the fields that
/// cannot change. `faults` contains the faults that were recorded earlier in the same request.
///
/// # Errors
/// `ValidationError` with all faults, including the earlier ones. `InternalError` if the profile
/// does not serialize to a JSON object.
pub fn merge(
    current: &Customer,
    patch: &Map<String, Value>,
    may_read: bool,
    mut faults: Faults,
    today: Option<Date>,
) -> Result<(Profile, Status), Error> {
    let mut merged = serde_json::to_value(&current.profile)
        .map_err(|_| Error::internal("a profile does not serialise"))?;
    json_patch::merge(&mut merged, &Value::Object(patch.clone()));
    let Value::Object(mut document) = merged else {
        return Err(Error::internal("a patched profile is not an object"));
    };
    // Merging removes the fields that are `null` in the patch. This loop adds them again as `null`,
    // so that an unknown field is reported even if its value is `null`. A read-only field is compared
    // as it was sent, because merging also removes the `null` fields inside it.
    let is_changed_by_merging =
        |name: &String, value: &Value| value.is_null() || READ_ONLY.contains(&name.as_str());
    for (name, value) in patch.iter().filter(|(name, value)| is_changed_by_merging(name, value)) {
        document.insert(name.clone(), value.clone());
    }
    let client_id = current.profile.client_id.as_ref().map(|id| Value::from(id.as_str()));
    if let Some(client_id) = client_id
        && (document.get("client_id") != Some(&client_id)
            || !may_read && patch.contains_key("client_id"))
    {
        faults.add("/client_id", "must not change once it is set");
        document.insert("client_id".to_owned(), client_id);
    }
    let mut fields = Fields::new(document, &mut faults);
    let profile = Profile::read(&mut fields, today);
    let status = fields.text_or("status", current.status, one_of::<Status>);
    if patch.get("status").is_some_and(Value::is_null) {
        fields.fault("status", "must not be null");
    }
    fields.repeated(READ_ONLY, may_read).check(current, &mut faults)?;
    match (profile, status) {
        (Some(profile), Some(status)) if faults.is_empty() => Ok((profile, status)),
        _ => Err(faults.into()),
    }
}
