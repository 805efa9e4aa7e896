//! An organization has every version it ever had.

use crate::Found;
use crate::customer::Whole;

pub(super) fn check(whole: &Whole<'_>, found: &mut Found) {
    let kept: Vec<u64> = whole.organizations.iter().map(|(version, _)| *version).collect();
    let Some((current, _, item)) = &whole.organization else {
        for (_, item) in &whole.organizations {
            found.add("organization", item, "was replaced by none");
        }
        return;
    };
    found.check(kept.iter().copied().eq(1..*current), "organization", item, || {
        format!("is version {current}, and {} were replaced", kept.len())
    });
    for (version, item) in &whole.organizations {
        let is_right = item.get("version").as_u64() == Some(*version);
        found.check(is_right, "organization", item, || "is another version".to_owned());
    }
}
