//! Checks permissions that depend on the content of a change. A change that records a person's
//! decision or removes a protection needs a separate permission.

use serde_json::{Map, Value};
use time::Date;

use crate::auth::{Caller, Permission, REVIEW, UPDATE};
use crate::error::Error;
use crate::model::customer::{Customer, READ_ONLY, Status};
use crate::model::profile::Profile;
use crate::model::time::Timestamp;

/// The permission to shorten or remove a retention hold.
const LOWER_HOLD: &[Permission] = &[Permission::Erase];

/// Permissions that each may remove a hold, before or after it has ended.
const REMOVE_HOLD: &[Permission] = &[Permission::Create, Permission::Update, Permission::Erase];

/// Checks that a caller that may not read may change each field that the patch names, even if the
/// patch changes nothing. Otherwise, the answer would tell this caller whether it guessed a value.
/// [`check_hold`] and [`check_update`] decide about a removal of the hold and about the status.
///
/// # Errors
/// `InsufficientPermissions`.
pub fn check_fields(caller: &Caller, patch: &Map<String, Value>) -> Result<(), Error> {
    if caller.may_read() {
        return Ok(());
    }
    let removes_hold = patch.get("retain_until").is_some_and(Value::is_null);
    for (name, value) in patch {
        match name.as_str() {
            "status" => {}
            "retain_until" | "retain_reason" if removes_hold && value.is_null() => {
                caller.require(REMOVE_HOLD)?;
            }
            name if READ_ONLY.contains(&name) => {}
            _ => caller.require(UPDATE)?,
        }
    }
    Ok(())
}

/// Checks that a caller that may not read may both shorten and extend a hold that is in force at
/// `now`, if the patch sets its date. Otherwise, the answer would tell this caller which dates are
/// earlier than the current one.
///
/// # Errors
/// `InsufficientPermissions`.
pub fn check_hold(
    caller: &Caller,
    patch: &Map<String, Value>,
    current: &Customer,
    now: Timestamp,
) -> Result<(), Error> {
    let sets_hold = patch.get("retain_until").is_some_and(|until| !until.is_null());
    if !caller.may_read() && sets_hold && is_held(&current.profile, now) {
        caller.require(UPDATE)?;
        caller.require(LOWER_HOLD)?;
    }
    Ok(())
}

/// Checks that the caller may block the customer or end a block. Each change of the status to or
/// from `blocked` is one of the two, including a deactivation: otherwise, a deactivation and a
/// reactivation would end the block.
///
/// # Errors
/// `InsufficientPermissions`.
pub fn check_block(caller: &Caller, before: &Customer, after: &Customer) -> Result<(), Error> {
    if is_block(before.status, after.status) { caller.require(REVIEW) } else { Ok(()) }
}

/// Checks that the caller may make each part of a change of the profile and the status. If neither
/// differs, no permission is needed.
///
/// - Blocking a customer and ending a block need `kyc:review`.
/// - Shortening or removing a hold that is in force at `now` needs `kyc:erase`.
/// - Every other change needs `kyc:create` or `kyc:update`.
///
/// # Errors
/// `InsufficientPermissions` for the first part that the caller may not change.
pub fn check_update(
    caller: &Caller,
    before: &Customer,
    after: &Customer,
    now: Timestamp,
) -> Result<(), Error> {
    check_block(caller, before, after)?;
    let (old, mut new) = (&before.profile, after.profile.clone());
    if lowers_hold(old, &new, now) {
        caller.require(LOWER_HOLD)?;
        // The permission also covers the `retain_reason`, because a reason cannot stay without a
        // hold.
        new.retain_until.clone_from(&old.retain_until);
        new.retain_reason.clone_from(&old.retain_reason);
    }
    let is_status_updated = before.status != after.status && !is_block(before.status, after.status);
    if is_status_updated || new != *old {
        caller.require(UPDATE)?;
    }
    Ok(())
}

fn is_block(from: Status, to: Status) -> bool {
    from != to && [from, to].contains(&Status::Blocked)
}

/// Returns whether a change shortens or removes a hold that is in force at `now`.
fn lowers_hold(before: &Profile, after: &Profile, now: Timestamp) -> bool {
    let Some(until) = &before.retain_until else { return false };
    let is_earlier = match &after.retain_until {
        Some(new) => new != until && new.date() <= until.date(),
        None => true,
    };
    is_held(before, now) && is_earlier
}

/// Returns whether a hold is in force at `now`. A hold whose date cannot be read counts as in force.
fn is_held(profile: &Profile, now: Timestamp) -> bool {
    let has_ended = |until: Date| now.date().is_some_and(|today| until < today);
    profile.retain_until.as_ref().is_some_and(|until| !until.date().is_some_and(has_ended))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::Permission::{All, Create, Delete, Erase, Read, Review, Update};
    use crate::auth::caller_with;
    use crate::fixtures::{customer, edited, hour};
    use crate::model::customer::StoredCustomer;

    /// All permissions of the tests. Exactly one of them is held in each check.
    const SINGLE: [Permission; 7] = [All, Create, Read, Update, Delete, Review, Erase];

    /// Returns the permissions that each allow the change on their own.
    fn sufficient(before: &StoredCustomer, after: &StoredCustomer) -> Vec<Permission> {
        let allows = |permission: &Permission| {
            check_update(&caller_with(&[*permission]), before, after, hour(0)).is_ok()
        };
        SINGLE.into_iter().filter(allows).collect()
    }

    fn held_until(until: Option<&str>) -> StoredCustomer {
        let reason = until.map(|_| "order of the court");
        let held = edited(&customer("Nora Quist"), "retain_until", json!(until));
        edited(&held, "retain_reason", json!(reason))
    }

    fn with_status(status: Status) -> StoredCustomer {
        let mut customer = customer("Nora Quist");
        customer.status = status;
        customer
    }

    #[test]
    fn only_a_reviewer_blocks_a_customer_and_ends_a_block() {
        use Status::{Active, Blocked, Inactive};
        for (from, to, expected) in [
            (Active, Blocked, vec![All, Review]),
            (Blocked, Active, vec![All, Review]),
            (Blocked, Inactive, vec![All, Review]),
            (Inactive, Active, vec![All, Create, Update]),
            (Active, Active, SINGLE.to_vec()),
            (Blocked, Blocked, SINGLE.to_vec()),
        ] {
            let (before, after) = (with_status(from), with_status(to));
            assert_eq!(sufficient(&before, &after), expected, "{from:?} to {to:?}");
        }
    }

    /// Hour 0 is 2026-01-01.
    #[test]
    fn only_an_eraser_shortens_or_removes_a_hold_that_is_in_force() {
        let (update, erase) = (vec![All, Create, Update], vec![All, Erase]);
        for (from, to, expected) in [
            (None, Some("2026-06-01"), &update),
            (Some("2026-06-01"), Some("2027-06-01"), &update),
            (Some("2026-06-01"), Some("2026-05-31"), &erase),
            (Some("2026-06-01"), None, &erase),
            (Some("2026-01-01"), None, &erase),
            (Some("2025-12-31"), None, &update),
            (Some("2025-12-31"), Some("2025-01-01"), &update),
        ] {
            let found = sufficient(&held_until(from), &held_until(to));
            assert_eq!(found, *expected, "{from:?} to {to:?}");
        }
        let held = held_until(Some("2026-06-01"));
        assert_eq!(sufficient(&held, &edited(&held, "retain_reason", json!("other"))), update);
    }

    #[test]
    fn each_part_of_a_change_needs_its_own_permission() {
        let before = held_until(Some("2026-06-01"));
        let mut after = edited(&held_until(None), "name", json!("Nora Berg"));
        after.status = Status::Blocked;
        assert_eq!(sufficient(&before, &after), [All]);
        for missing in [Review, Erase, Update] {
            let held: Vec<Permission> =
                [Review, Erase, Update].into_iter().filter(|held| *held != missing).collect();
            assert!(check_update(&caller_with(&held), &before, &after, hour(0)).is_err());
        }
        let all_three = caller_with(&[Review, Erase, Update]);
        assert!(check_update(&all_three, &before, &after, hour(0)).is_ok());
    }
}
