//! Checks that every replaced version of an organization is kept, and that each version is stored
//! under its number.

use crate::records::Records;
use crate::report::{Rule, Violations};

pub(crate) fn check(records: &Records<'_>, violations: &mut Violations) {
    let Some((current, item)) = &records.organization else {
        for (_, item) in &records.previous_organizations {
            violations.add(Rule::Organization, item, "there is no current version");
        }
        return;
    };
    let versions = records.previous_organizations.iter().map(|(version, _)| *version);
    violations.require(versions.eq(1..*current), Rule::Organization, item, || {
        let count = records.previous_organizations.len();
        format!("is version {current}, but {count} previous versions exist")
    });
    for (version, item) in &records.previous_organizations {
        let is_right = item.get("version").as_u64() == Some(*version);
        violations.require(is_right, Rule::Organization, item, || {
            "version is not that of the key".to_owned()
        });
    }
}
