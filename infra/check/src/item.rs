//! Represents a stored item as JSON fields and binary attributes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::model::id::CustomerId;

use crate::key::ItemKey;

/// The value that `Item::get` returns for an absent field.
pub(crate) const ABSENT: &Value = &Value::Null;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) pk: String,
    pub(crate) sk: String,
    /// All attributes except the keys and binary attributes.
    pub(crate) fields: Map<String, Value>,
    /// Binary attributes by name.
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
}

impl Item {
    pub(crate) fn from_attributes(attributes: HashMap<String, AttributeValue>) -> Item {
        let (mut fields, mut blobs) = (Map::new(), BTreeMap::new());
        for (name, value) in attributes {
            match value {
                AttributeValue::B(bytes) => drop(blobs.insert(name, bytes.into_inner())),
                value => drop(fields.insert(name, to_json(value))),
            }
        }
        let pk = take_text(&mut fields, "pk");
        let sk = take_text(&mut fields, "sk");
        Item { pk, sk, fields, blobs }
    }

    /// Returns the value of a field, or `null` if the item does not have the field.
    pub(crate) fn get(&self, field: &str) -> &Value {
        self.fields.get(field).unwrap_or(ABSENT)
    }

    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.get(field).as_str()
    }

    pub(crate) fn deserialize<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(Value::Object(self.fields.clone())).ok()
    }

    pub(crate) fn key(&self) -> Option<ItemKey<'_>> {
        ItemKey::parse(&self.pk, &self.sk)
    }

    /// Returns the key for a report. An ellipsis replaces the parts that a caller chose.
    pub(crate) fn printable_key(&self) -> String {
        let Item { pk, sk, .. } = self;
        match self.key() {
            Some(ItemKey::ClientClaim { tenant, .. }) => {
                let customer_id = self.text("customer_id").and_then(CustomerId::parse);
                let owner = customer_id.map(|id| format!(" of {id}")).unwrap_or_default();
                format!("T#{tenant}#CLIENT#…{owner}")
            }
            Some(ItemKey::Idempotency { tenant, operation }) => {
                format!("T#{tenant}#IDEMPOTENCY#{operation}#…")
            }
            Some(_) => format!("{pk} {sk}"),
            None => format!("{}#… {}#…", first_parts(pk, 3), first_parts(sk, 1)),
        }
    }
}

fn take_text(fields: &mut Map<String, Value>, name: &str) -> String {
    match fields.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

fn first_parts(key: &str, count: usize) -> String {
    key.split('#').take(count).collect::<Vec<_>>().join("#")
}

fn to_json(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::N(number) => serde_json::from_str(&number).unwrap_or(Value::Null),
        AttributeValue::Bool(flag) => Value::Bool(flag),
        AttributeValue::L(values) => values.into_iter().map(to_json).collect(),
        AttributeValue::M(entries) => {
            entries.into_iter().map(|(name, value)| (name, to_json(value))).collect()
        }
        // The store writes neither sets nor nested binary values.
        _ => Value::Null,
    }
}
