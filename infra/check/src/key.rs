//! Parses the keys of the table.

use shared::model::id::{AlertId, CustomerId, SessionId};
use shared::model::limit::RouteClass;
use shared::model::time::Timestamp;
use shared::model::value::{ClientId, TenantId};

/// Identifies a customer by tenant and customer id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CustomerKey<'i> {
    pub(crate) tenant: &'i str,
    pub(crate) customer_id: &'i str,
}

/// The sort key of an item in the partition of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'i> {
    Customer,
    Session(&'i str),
    Organization,
    /// A replaced version of the organization, by its number.
    PreviousOrganization(u64),
    RiskProfile(&'i str),
    Monitor,
    Alert(&'i str),
    Event(&'i str),
}

/// A parsed key. `shared/src/store/keys.rs` lists all kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKey<'i> {
    OfCustomer(CustomerKey<'i>, Part<'i>),
    ClientClaim {
        tenant: &'i str,
        client_id: &'i str,
    },
    SessionPointer {
        tenant: &'i str,
        session_id: &'i str,
    },
    Idempotency {
        tenant: &'i str,
        operation: &'i str,
    },
    /// The token bucket of a tenant and a class of routes.
    Limit,
    CurrentLists,
    ListRevision(u64),
    PassProgress,
    FinishedPass(&'i str),
    ShardCount,
    /// `customer` is the tenant and the customer id, separated by `#`.
    Recheck {
        customer: &'i str,
    },
    /// `customer` is the tenant and the customer id, separated by `#`.
    UnfinishedErasure {
        customer: &'i str,
    },
}

impl<'i> ItemKey<'i> {
    /// Parses the key of an item. Returns `None` for a key that the store does not use.
    pub(crate) fn parse(pk: &'i str, sk: &'i str) -> Option<ItemKey<'i>> {
        match pk.strip_prefix("T#") {
            Some(rest) => parse_tenant_key(rest, sk),
            None => parse_shared_key(pk, sk),
        }
    }

    /// Returns the value of the `type` attribute that an item with this key must have.
    pub(crate) fn item_type(&self) -> &'static str {
        match self {
            ItemKey::OfCustomer(_, part) => match part {
                Part::Customer => "customer",
                Part::Session(_) => "session",
                Part::Organization | Part::PreviousOrganization(_) => "organization",
                Part::RiskProfile(_) => "risk profile",
                Part::Monitor => "monitor",
                Part::Alert(_) => "alert",
                Part::Event(_) => "event",
            },
            ItemKey::ClientClaim { .. } => "client",
            ItemKey::SessionPointer { .. } => "session pointer",
            ItemKey::Idempotency { .. } => "idempotency",
            ItemKey::Limit => "limit",
            ItemKey::CurrentLists | ItemKey::ListRevision(_) => "lists",
            ItemKey::PassProgress => "pass progress",
            ItemKey::FinishedPass(_) => "pass",
            ItemKey::ShardCount => "shards",
            ItemKey::Recheck { .. } => "again",
            ItemKey::UnfinishedErasure { .. } => "erasure",
        }
    }
}

/// Parses a partition key without its prefix `T#`.
fn parse_tenant_key<'i>(pk: &'i str, sk: &'i str) -> Option<ItemKey<'i>> {
    let (tenant, rest) = pk.split_once('#')?;
    tenant.parse::<TenantId>().ok()?;
    let (kind, id) = rest.split_once('#')?;
    match (kind, sk) {
        ("C", _) => {
            CustomerId::parse(id)?;
            let customer = CustomerKey { tenant, customer_id: id };
            Some(ItemKey::OfCustomer(customer, parse_part(sk)?))
        }
        ("CLIENT", "CLIENT") => {
            ClientId::parse(id).ok()?;
            Some(ItemKey::ClientClaim { tenant, client_id: id })
        }
        ("S", "SESSION") => {
            SessionId::parse(id)?;
            Some(ItemKey::SessionPointer { tenant, session_id: id })
        }
        ("IDEMPOTENCY", "IDEMPOTENCY") => {
            let (operation, key) = id.split_once('#')?;
            let is_complete = !operation.is_empty() && !key.is_empty();
            is_complete.then_some(ItemKey::Idempotency { tenant, operation })
        }
        ("LIMIT", "LIMIT") => id.parse::<RouteClass>().ok().map(|_| ItemKey::Limit),
        _ => None,
    }
}

fn parse_part(sk: &str) -> Option<Part<'_>> {
    let Some((kind, id)) = sk.split_once('#') else {
        return match sk {
            "CUSTOMER" => Some(Part::Customer),
            "ORGANIZATION" => Some(Part::Organization),
            "MONITOR" => Some(Part::Monitor),
            _ => None,
        };
    };
    match kind {
        "SESSION" => SessionId::parse(id).map(|_| Part::Session(id)),
        "ORGANIZATION" => parse_padded(id).map(Part::PreviousOrganization),
        "RISK" => Some(Part::RiskProfile(id)),
        "ALERT" => AlertId::parse(id).map(|_| Part::Alert(id)),
        "EVENT" => Some(Part::Event(id)),
        _ => None,
    }
}

/// Parses a key that does not belong to a tenant.
fn parse_shared_key<'i>(pk: &'i str, sk: &'i str) -> Option<ItemKey<'i>> {
    match (pk.split_once('#'), sk.split_once('#')) {
        (None, None) => match (pk, sk) {
            ("LISTS", "CURRENT") => Some(ItemKey::CurrentLists),
            ("PASS", "SHARDS") => Some(ItemKey::ShardCount),
            _ => None,
        },
        (None, Some(("REVISION", revision))) if pk == "LISTS" => {
            parse_padded(revision).map(ItemKey::ListRevision)
        }
        (None, Some((erased_at, customer))) if pk == "ERASURES" => {
            Timestamp::parse(erased_at)?;
            Some(ItemKey::UnfinishedErasure { customer })
        }
        (Some(("PASS", shard)), None) => {
            shard.split_once('#')?.1.parse::<u32>().ok()?;
            Some(if sk == "CURRENT" { ItemKey::PassProgress } else { ItemKey::FinishedPass(sk) })
        }
        (Some(("AGAIN", shard)), Some(_)) => {
            shard.parse::<u32>().ok()?;
            Some(ItemKey::Recheck { customer: sk })
        }
        _ => None,
    }
}

/// Parses a number of at least 12 digits with leading zeros. Returns `None` if the text has another
/// form.
fn parse_padded(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| format!("{number:012}") == text)
}
