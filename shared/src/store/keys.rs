//! Every key of the table. The partition key of every row that belongs to a tenant starts with
//! `T#{tenant}#`.
//!
//! | item | pk | sk | indexes |
//! |---|---|---|---|
//! | customer | `T#{tenant}#C#{customer_id}` | `CUSTOMER` | created, risk, name |
//! | client id claim | `T#{tenant}#CLIENT#{client_id}` | `CLIENT` | |
//! | session | `T#{tenant}#C#{customer_id}` | `SESSION#{session_id}` | |
//! | session pointer | `T#{tenant}#S#{session_id}` | `SESSION` | |
//! | organization | `T#{tenant}#C#{customer_id}` | `ORGANIZATION` | |
//! | replaced organization | `T#{tenant}#C#{customer_id}` | `ORGANIZATION#{version}` | |
//! | risk profile | `T#{tenant}#C#{customer_id}` | `RISK#{calculated_at}` | |
//! | monitor | `T#{tenant}#C#{customer_id}` | `MONITOR` | monitored |
//! | alert | `T#{tenant}#C#{customer_id}` | `ALERT#{alert_id}` | |
//! | event | `T#{tenant}#C#{customer_id}` | `EVENT#{uuid v7}` | |
//! | idempotency record | `T#{tenant}#IDEMPOTENCY#{operation}#{hash of the key}` | `IDEMPOTENCY` | expires by `ttl` |
//! | token bucket | `T#{tenant}#LIMIT#{class of routes}` | `LIMIT` | expires by `ttl` |
//!
//! The partitions of these items do not belong to a single tenant:
//!
//! | item | pk | sk |
//! |---|---|---|
//! | current lists | `LISTS` | `CURRENT` |
//! | revision of the lists | `LISTS` | `REVISION#{revision}` |
//! | progress of the passes over a shard | `PASS#{kind of pass}#{shard}` | `CURRENT` |
//! | finished pass | `PASS#{kind of pass}#{shard}` | `{pass_id}` |
//! | number of shards | `PASS` | `SHARDS` |
//! | request to check a customer again | `AGAIN#{shard}` | `{tenant}#{customer_id}` |
//! | unfinished erasure | `ERASURES` | `{erased_at}#{tenant}#{customer_id}` |
//!
//! | index | pk | sk | serves |
//! |---|---|---|---|
//! | created | `tenant_pk`: `T#{tenant}` | `customer_id` (v7: creation order) | the list |
//! | risk | `risk_pk`: `T#{tenant}#RISK#{level}` | `customer_id` | the list by risk level |
//! | name | `tenant_pk`: `T#{tenant}` | `name_sk`: `{folded name}\u{1f}{customer_id}` | the list by `search` |
//! | monitored | `monitored_pk`: `MONITORED#{frequency}#{shard}` | `monitored_sk`: `{tenant}#{customer_id}` | passes; only active monitors are in it |
//!
//! Tenants and customer ids contain no `#`. A client id can contain one, but it is the last part of
//! its key. Every key is therefore unambiguous, and two keys never collide.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::model::customer::RiskLevel;
use crate::model::fold::fold_key;
use crate::model::frequency::{Frequency, PassKind};
use crate::model::id::{AlertId, CustomerId, SessionId};
use crate::model::limit::RouteClass;
use crate::model::rescreen;
use crate::model::time::Timestamp;
use crate::model::value::{ClientId, Name, TenantId};

/// Separator between a folded name and the id. It sorts below every character of a name, so that
/// `Acme` comes before `Acme Ltd`. A search text cannot contain the separator.
const NAME_END: char = '\u{1f}';

pub(super) struct Key {
    pk: String,
    sk: String,
}

impl Key {
    pub(super) fn attributes(self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk)),
            ("sk".to_owned(), AttributeValue::S(self.sk)),
        ])
    }
}

pub(super) struct TenantKeys<'a>(&'a TenantId);

impl<'a> TenantKeys<'a> {
    pub(super) fn of(tenant: &'a TenantId) -> TenantKeys<'a> {
        TenantKeys(tenant)
    }

    /// Returns the sort key of a customer in the index `monitored`.
    pub(super) fn position(&self, id: &CustomerId) -> String {
        rescreen::position(self.0, id)
    }

    fn key(&self, rest: std::fmt::Arguments<'_>, sk: impl Into<String>) -> Key {
        Key { pk: format!("T#{}#{rest}", self.0), sk: sk.into() }
    }

    pub(super) fn customer(&self, id: &CustomerId) -> Key {
        self.key(format_args!("C#{id}"), "CUSTOMER")
    }

    /// Returns the partition of a customer and of everything that belongs to the customer.
    pub(super) fn partition(&self, id: &CustomerId) -> String {
        self.customer(id).pk
    }

    /// Returns the key of one row in the partition of a customer.
    pub(super) fn row(&self, id: &CustomerId, sort_key: &str) -> Key {
        self.key(format_args!("C#{id}"), sort_key)
    }

    pub(super) fn client(&self, id: &ClientId) -> Key {
        self.key(format_args!("CLIENT#{}", id.as_str()), "CLIENT")
    }

    pub(super) fn session(&self, customer: &CustomerId, session: &SessionId) -> Key {
        self.key(format_args!("C#{customer}"), format!("SESSION#{session}"))
    }

    /// Returns the partition and the sort key prefix of a customer's sessions.
    pub(super) fn sessions(&self, customer: &CustomerId) -> (String, &'static str) {
        (self.key(format_args!("C#{customer}"), "").pk, "SESSION#")
    }

    pub(super) fn session_pointer(&self, session: &SessionId) -> Key {
        self.key(format_args!("S#{session}"), "SESSION")
    }

    pub(super) fn organization(&self, customer: &CustomerId) -> Key {
        self.key(format_args!("C#{customer}"), "ORGANIZATION")
    }

    /// Returns the key of a replaced version of the organization. The number is padded so that
    /// versions sort in numerical order.
    pub(super) fn organization_before(&self, customer: &CustomerId, version: u64) -> Key {
        self.key(format_args!("C#{customer}"), format!("ORGANIZATION#{version:012}"))
    }

    pub(super) fn risk_profile(&self, customer: &CustomerId, calculated_at: Timestamp) -> Key {
        self.key(format_args!("C#{customer}"), format!("RISK#{calculated_at}"))
    }

    /// Returns the partition and the sort key prefix of a customer's risk profiles.
    pub(super) fn risk_profiles(&self, customer: &CustomerId) -> (String, &'static str) {
        (self.key(format_args!("C#{customer}"), "").pk, "RISK#")
    }

    pub(super) fn monitor(&self, customer: &CustomerId) -> Key {
        self.key(format_args!("C#{customer}"), "MONITOR")
    }

    pub(super) fn alert(&self, customer: &CustomerId, alert: &AlertId) -> Key {
        self.key(format_args!("C#{customer}"), format!("ALERT#{alert}"))
    }

    /// Returns the partition and the sort key prefix of a customer's alerts.
    pub(super) fn alerts(&self, customer: &CustomerId) -> (String, &'static str) {
        (self.key(format_args!("C#{customer}"), "").pk, "ALERT#")
    }

    pub(super) fn event(&self, customer: &CustomerId, event: Uuid) -> Key {
        self.key(format_args!("C#{customer}"), format!("EVENT#{event}"))
    }

    /// Returns the key of an idempotency record. `place` is `{operation}#{hash of the key}`.
    pub(super) fn idempotency(&self, place: &str) -> Key {
        self.key(format_args!("IDEMPOTENCY#{place}"), "IDEMPOTENCY")
    }

    /// Returns the key of the token bucket of a class of routes.
    pub(super) fn limit(&self, class: RouteClass) -> Key {
        self.key(format_args!("LIMIT#{}", class.as_ref()), "LIMIT")
    }

    /// Returns the partition of the tenant's customers in the indexes `created` and `name`.
    pub(super) fn all(&self) -> String {
        format!("T#{}", self.0)
    }

    /// Returns the partition of a risk level in the index `risk`.
    pub(super) fn at_risk(&self, level: RiskLevel) -> String {
        format!("T#{}#RISK#{}", self.0, level.as_ref())
    }
}

/// Returns the key of the current lists. Lists and passes do not belong to a tenant.
pub(super) fn current_lists() -> Key {
    Key { pk: "LISTS".to_owned(), sk: "CURRENT".to_owned() }
}

/// Returns the key of a revision of the lists. The number is padded so that revisions sort in
/// numerical order.
pub(super) fn lists_of(revision: u64) -> Key {
    Key { pk: "LISTS".to_owned(), sk: format!("REVISION#{revision:012}") }
}

pub(super) fn shards() -> Key {
    Key { pk: "PASS".to_owned(), sk: "SHARDS".to_owned() }
}

pub(super) fn current_pass(pass: PassKind, shard: u32) -> Key {
    finished_pass(pass, shard, "CURRENT")
}

pub(super) fn finished_pass(pass: PassKind, shard: u32, pass_id: &str) -> Key {
    Key { pk: format!("PASS#{}#{shard}", pass.as_ref()), sk: pass_id.to_owned() }
}

/// Returns the partition of a frequency and shard in the index `monitored`.
pub(super) fn monitored(frequency: Frequency, shard: u32) -> String {
    format!("MONITORED#{}#{shard}", frequency.as_ref())
}

/// Returns the key of a request to check a customer again. `customer` is the customer's position in
/// the index `monitored`.
pub(super) fn recheck(shard: u32, customer: &str) -> Key {
    Key { pk: rechecks(shard), sk: customer.to_owned() }
}

/// Partition of the unfinished erasures.
pub(super) const UNFINISHED_ERASURES: &str = "ERASURES";

/// Returns the key of an unfinished erasure, which sorts by the time of its tombstone. `customer` is
/// the customer's position in the index `monitored`.
pub(super) fn unfinished_erasure(erased_at: Timestamp, customer: &str) -> Key {
    Key { pk: UNFINISHED_ERASURES.to_owned(), sk: format!("{erased_at}#{customer}") }
}

pub(super) fn rechecks(shard: u32) -> String {
    format!("AGAIN#{shard}")
}

/// Returns the sort key of a customer in the index `name`. Folds the name first.
pub(super) fn name_sort_key(name: &Name, id: &CustomerId) -> String {
    named(&fold_key(name.as_str()), id)
}

/// Returns the sort key of a customer in the index `name`, from a name that is already folded.
pub(super) fn named(folded: &str, id: &CustomerId) -> String {
    format!("{folded}{NAME_END}{id}")
}

/// Splits a sort key of the index `name` into the folded name and the id. Returns `None` when the
/// sort key is malformed.
pub(super) fn split_named(sort_key: &str) -> Option<(&str, CustomerId)> {
    let (folded, id) = sort_key.rsplit_once(NAME_END)?;
    Some((folded, CustomerId::parse(id)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client_key(tenant: &str, client_id: &str) -> (String, String) {
        let tenant: TenantId = tenant.parse().unwrap();
        let Key { pk, sk } = TenantKeys::of(&tenant).client(&ClientId::parse(client_id).unwrap());
        (pk, sk)
    }

    /// Ids that would be confused if a part could end in the middle of an id.
    const IDS: &str = r"[a#/C]|[a#/C][a#/ C]{0,6}[a#/C]";

    proptest! {
        #[test]
        fn a_client_id_has_a_key_of_its_own(
            one in ("[aC]{1,2}", IDS),
            other in ("[aC]{1,2}", IDS),
        ) {
            let keys = (client_key(&one.0, &one.1), client_key(&other.0, &other.1));
            prop_assert_eq!(keys.0 == keys.1, one == other);
            // The first three parts identify the tenant and the kind of the key.
            let parts: Vec<&str> = keys.0.0.splitn(4, '#').collect();
            prop_assert_eq!(parts, ["T", one.0.as_str(), "CLIENT", one.1.as_str()]);
        }
    }
}
