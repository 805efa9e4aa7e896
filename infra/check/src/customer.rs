//! Checks the partition of one customer against the rules for customers.

use shared::model::customer::{Customer, MonitoringStatus};
use shared::model::erased;
use shared::model::fold::fold_key;
use shared::model::monitor::Monitor;
use shared::model::profile::Profile;
use shared::model::time::Timestamp;
use shared::store::ANSWER_RECORD;

use crate::item::Item;
use crate::key::{CustomerKey, ItemKey, Part};
use crate::records::Records;
use crate::report::{Rule, Violations};
use crate::{events, monitoring, organization, risk, sessions};

/// Attributes that place an item in an index.
const INDEX_ATTRIBUTES: [&str; 5] =
    ["tenant_pk", "risk_pk", "name_sk", "monitored_pk", "monitored_sk"];

const RULES: [fn(&Records<'_>, &mut Violations); 6] = [
    sessions::check,
    organization::check,
    risk::check,
    monitoring::check,
    events::check,
    check_erasure,
];

/// Checks the items of one customer's partition. The items must be in the order of their keys. If
/// they do not include the customer itself, every item is an orphan.
pub(crate) fn check(items: &[Item], now: Timestamp, violations: &mut Violations) {
    let Some((key, customer)) = items.iter().find_map(customer_item) else {
        for item in items {
            violations.add(Rule::Orphan, item, "its customer does not exist");
        }
        return;
    };
    for item in items {
        check_owner(item, key, violations);
        check_index_attributes(item, violations);
    }
    if let Some(records) = Records::read(items, customer, now, violations) {
        for rule in RULES {
            rule(&records, violations);
        }
    }
}

fn customer_item(item: &Item) -> Option<(CustomerKey<'_>, &Item)> {
    match item.key() {
        Some(ItemKey::OfCustomer(key, Part::Customer)) => Some((key, item)),
        _ => None,
    }
}

fn check_owner(item: &Item, key: CustomerKey<'_>, violations: &mut Violations) {
    for (field, expected) in [("customer_id", key.customer_id), ("tenant_id", key.tenant)] {
        let is_right = item.text(field).is_none_or(|value| value == expected);
        violations
            .require(is_right, Rule::Customer, item, || format!("{field} is not that of the key"));
    }
}

fn check_index_attributes(item: &Item, violations: &mut Violations) {
    let expected = match item.key() {
        Some(ItemKey::OfCustomer(key, Part::Customer)) => {
            item.deserialize().map(|customer| customer_index_attributes(key, &customer))
        }
        Some(ItemKey::OfCustomer(key, Part::Monitor)) => {
            item.deserialize().map(|monitor| monitor_index_attributes(key, &monitor))
        }
        _ => Some(Vec::new()),
    };
    // `Records::read` reports an item that does not deserialize.
    let Some(expected) = expected else { return };
    for attribute in INDEX_ATTRIBUTES {
        let value =
            expected.iter().find(|(name, _)| *name == attribute).map(|(_, value)| value.as_str());
        violations.require(item.text(attribute) == value, Rule::Index, item, || match value {
            Some(_) => format!("{attribute} does not agree with the item"),
            None => format!("must not have {attribute}"),
        });
    }
}

fn customer_index_attributes(
    key: CustomerKey<'_>,
    customer: &Customer,
) -> Vec<(&'static str, String)> {
    let tenant_pk = format!("T#{}", key.tenant);
    let folded_name = fold_key(customer.profile.name.as_str());
    vec![
        ("risk_pk", format!("{tenant_pk}#RISK#{}", customer.risk.level.as_ref())),
        ("name_sk", format!("{folded_name}\u{1f}{}", key.customer_id)),
        ("tenant_pk", tenant_pk),
    ]
}

fn monitor_index_attributes(
    key: CustomerKey<'_>,
    monitor: &Monitor,
) -> Vec<(&'static str, String)> {
    if monitor.status != MonitoringStatus::Active {
        return Vec::new();
    }
    let (frequency, shard) = (monitor.settings.check_frequency.as_ref(), monitor.shard);
    vec![
        ("monitored_pk", format!("MONITORED#{frequency}#{shard}")),
        ("monitored_sk", format!("{}#{}", key.tenant, key.customer_id)),
    ]
}

/// Checks that an erasure that has started is complete and left no personal data.
fn check_erasure(records: &Records<'_>, violations: &mut Violations) {
    let is_complete = records.is_erased() == records.customer.is_scrubbed;
    violations.require(is_complete, Rule::Erasure, records.item, || {
        "the erasure is not complete: repeat it, or wait for the next resume".to_owned()
    });
    if !records.is_erased() || !is_complete {
        return;
    }
    let has_organization =
        records.organization.is_some() || !records.previous_organizations.is_empty();
    let has_neither = !has_organization && records.monitor.is_none();
    violations.require(has_neither, Rule::Erasure, records.item, || {
        "still has an organization or a monitor".to_owned()
    });
    let mut require_erased = |is_erased: bool, item: &Item| {
        violations.require(is_erased, Rule::Erasure, item, || {
            "has data that the erasure should have removed".to_owned()
        });
    };
    let profile = &records.customer.profile;
    let erased_profile = Profile::erased(profile.entity_type);
    require_erased(erased_profile.is_ok_and(|erased| erased == *profile), records.item);
    for (session, item) in &records.sessions {
        require_erased(erased::session(session.clone()) == *session, item);
    }
    for (profile, item) in &records.profiles {
        require_erased(erased::risk_profile(profile.clone()) == *profile, item);
    }
    for (alert, item) in &records.alerts {
        require_erased(erased::alert(alert.clone()) == *alert, item);
    }
    for item in &records.events {
        let changes = item.get("changes").as_object().cloned().unwrap_or_default();
        let mut erased_changes = changes.clone();
        erased::changes(&mut erased_changes);
        let has_answer = item.fields.contains_key(ANSWER_RECORD);
        require_erased(erased_changes == changes && !has_answer, item);
    }
}
