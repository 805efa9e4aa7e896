//! An item as it lies in the table, and what its key says it is.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::model::id::{AlertId, CustomerId, SessionId};
use shared::model::value::{ClientId, TenantId};

/// What a value is that is not there.
pub(super) const NOTHING: &Value = &Value::Null;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) pk: String,
    pub(super) sk: String,
    /// All but the keys and what is binary.
    pub(super) fields: Map<String, Value>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
}

/// Whose an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whose<'i> {
    pub(super) tenant: &'i str,
    pub(super) customer_id: &'i str,
}

/// What an item is beside its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'i> {
    Customer,
    Session(&'i str),
    Organization,
    OrganizationBefore(u64),
    Profile(&'i str),
    Monitor,
    Alert(&'i str),
    Event(&'i str),
}

/// Every key there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'i> {
    Of(Whose<'i>, Part<'i>),
    Claim { tenant: &'i str, client_id: &'i str },
    Pointer { tenant: &'i str, session_id: &'i str },
    Idempotency { tenant: &'i str, operation: &'i str },
    CurrentLists,
    Lists(u64),
    Progress,
    Pass(&'i str),
    Shards,
    Again { customer: &'i str },
}

impl Item {
    pub(super) fn read(raw: HashMap<String, AttributeValue>) -> Item {
        let (mut fields, mut blobs) = (Map::new(), BTreeMap::new());
        for (name, value) in raw {
            match value {
                AttributeValue::B(bytes) => drop(blobs.insert(name, bytes.into_inner())),
                value => drop(fields.insert(name, plain(value))),
            }
        }
        let mut key = |name: &str| match fields.remove(name) {
            Some(Value::String(key)) => key,
            _ => String::new(),
        };
        let (pk, sk) = (key("pk"), key("sk"));
        Item { pk, sk, fields, blobs }
    }

    pub(super) fn get(&self, field: &str) -> &Value {
        self.fields.get(field).unwrap_or(NOTHING)
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.get(field).as_str()
    }

    pub(super) fn model<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(Value::Object(self.fields.clone())).ok()
    }

    pub(super) fn place(&self) -> Option<Place<'_>> {
        let (pk, sk) = (self.pk.as_str(), self.sk.as_str());
        let Some(of_tenant) = pk.strip_prefix("T#") else { return apart(pk, sk) };
        let (tenant, rest) = of_tenant.split_once('#')?;
        tenant.parse::<TenantId>().ok()?;
        let (kind, id) = rest.split_once('#')?;
        match (kind, sk) {
            ("C", _) => {
                CustomerId::parse(id)?;
                Some(Place::Of(Whose { tenant, customer_id: id }, part(sk)?))
            }
            ("CLIENT", "CLIENT") => {
                ClientId::parse(id).ok()?;
                Some(Place::Claim { tenant, client_id: id })
            }
            ("S", "SESSION") => {
                SessionId::parse(id)?;
                Some(Place::Pointer { tenant, session_id: id })
            }
            ("IDEMPOTENCY", "IDEMPOTENCY") => {
                let (operation, key) = id.split_once('#')?;
                let is_key = !operation.is_empty() && !key.is_empty();
                is_key.then_some(Place::Idempotency { tenant, operation })
            }
            _ => None,
        }
    }

    /// The key, without what a tenant or a caller has written into it.
    pub(super) fn shown(&self) -> String {
        let Item { pk, sk, .. } = self;
        match self.place() {
            Some(Place::Claim { tenant, .. }) => {
                let customer = self.text("customer_id").and_then(CustomerId::parse);
                let customer = customer.map(|id| format!(" of {id}")).unwrap_or_default();
                format!("T#{tenant}#CLIENT#…{customer}")
            }
            Some(Place::Idempotency { tenant, operation }) => {
                format!("T#{tenant}#IDEMPOTENCY#{operation}#…")
            }
            Some(_) => format!("{pk} {sk}"),
            // Whatever it is, it is told apart by what it begins with.
            None => {
                let begin = |key: &str, parts: usize| {
                    key.split('#').take(parts).collect::<Vec<_>>().join("#")
                };
                format!("{}#… {}#…", begin(pk, 3), begin(sk, 1))
            }
        }
    }
}

impl Place<'_> {
    /// The `type` of what lies there.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Place::Of(_, part) => match part {
                Part::Customer => "customer",
                Part::Session(_) => "session",
                Part::Organization | Part::OrganizationBefore(_) => "organization",
                Part::Profile(_) => "risk profile",
                Part::Monitor => "monitor",
                Part::Alert(_) => "alert",
                Part::Event(_) => "event",
            },
            Place::Claim { .. } => "client",
            Place::Pointer { .. } => "session pointer",
            Place::Idempotency { .. } => "idempotency",
            Place::CurrentLists | Place::Lists(_) => "lists",
            Place::Progress => "pass progress",
            Place::Pass(_) => "pass",
            Place::Shards => "shards",
            Place::Again { .. } => "again",
        }
    }
}

fn part(sk: &str) -> Option<Part<'_>> {
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
        "ORGANIZATION" => padded(id).map(Part::OrganizationBefore),
        "RISK" => Some(Part::Profile(id)),
        "ALERT" => AlertId::parse(id).map(|_| Part::Alert(id)),
        "EVENT" => Some(Part::Event(id)),
        _ => None,
    }
}

fn apart<'i>(pk: &'i str, sk: &'i str) -> Option<Place<'i>> {
    match (pk.split_once('#'), sk.split_once('#')) {
        (None, None) => match (pk, sk) {
            ("LISTS", "CURRENT") => Some(Place::CurrentLists),
            ("PASS", "SHARDS") => Some(Place::Shards),
            _ => None,
        },
        (None, Some(("REVISION", revision))) if pk == "LISTS" => padded(revision).map(Place::Lists),
        (Some(("PASS", shard)), None) => {
            shard.split_once('#')?.1.parse::<u32>().ok()?;
            Some(if sk == "CURRENT" { Place::Progress } else { Place::Pass(sk) })
        }
        (Some(("AGAIN", shard)), Some(_)) => {
            shard.parse::<u32>().ok()?;
            Some(Place::Again { customer: sk })
        }
        _ => None,
    }
}

/// A number as keys have it.
fn padded(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| format!("{number:012}") == text)
}

fn plain(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::N(number) => serde_json::from_str(&number).unwrap_or(Value::Null),
        AttributeValue::Bool(flag) => Value::Bool(flag),
        AttributeValue::L(values) => values.into_iter().map(plain).collect(),
        AttributeValue::M(entries) => {
            entries.into_iter().map(|(name, value)| (name, plain(value))).collect()
        }
        // Sets, and bytes within something, are nowhere.
        _ => Value::Null,
    }
}
