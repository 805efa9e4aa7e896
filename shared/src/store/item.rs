//! Conversion between models and items of the table, and the update that turns one item into
//! another.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::expression::Expression;
use crate::error::Error;
use crate::model::id::CustomerId;

pub(super) type Item = HashMap<String, AttributeValue>;

/// Condition of a write that creates an item.
pub(super) const IS_NEW: &str = "attribute_not_exists(pk)";
/// Condition of a write that changes or deletes an existing item.
pub(super) const IS_THERE: &str = "attribute_exists(pk)";

/// Kind of an item, stored in its attribute `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum ItemKind {
    /// A customer.
    Customer,
    /// The claim of a client id by a customer.
    Client,
    /// A KYC session.
    Session,
    /// A pointer from the id of a session to its customer.
    #[strum(serialize = "session pointer")]
    SessionPointer,
    /// An organization, current or replaced.
    Organization,
    /// A risk profile.
    #[strum(serialize = "risk profile")]
    RiskProfile,
    /// A monitor.
    Monitor,
    /// An alert.
    Alert,
    /// An audit event.
    Event,
    /// The record of an idempotency key.
    Idempotency,
    /// A revision of the lists.
    Lists,
    /// Progress of the passes over a shard.
    #[strum(serialize = "pass progress")]
    PassProgress,
    /// A finished pass over a shard.
    Pass,
    /// A request to check a customer again.
    #[strum(serialize = "again")]
    Recheck,
    /// An unfinished erasure.
    Erasure,
    /// The number of shards.
    Shards,
    /// The token bucket of a tenant and a class of routes.
    Limit,
}

/// Turns a model into attributes. Attributes that are `null` are left out.
pub(super) fn attributes(model: &impl Serialize) -> Result<Item, Error> {
    let item: Item = serde_dynamo::to_item(model)
        .map_err(|error| Error::internal(format!("to item: {error}")))?;
    Ok(item.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// Turns a model into attributes and adds the kind of the item.
pub(super) fn typed(kind: ItemKind, model: &impl Serialize) -> Result<Item, Error> {
    let mut item = attributes(model)?;
    item.insert("type".to_owned(), kind.attribute());
    Ok(item)
}

impl ItemKind {
    /// Returns the kind as the value of the attribute `type`.
    pub(super) fn attribute(self) -> AttributeValue {
        AttributeValue::S(self.as_ref().to_owned())
    }

    /// Reads the kind of an item from its attribute `type`.
    ///
    /// # Errors
    /// `InternalError` when the item has no known kind.
    pub(super) fn of(item: &Item) -> Result<ItemKind, Error> {
        let kind = text(item, "type").and_then(|kind| kind.parse().ok());
        kind.ok_or_else(|| Error::internal("an item has no known type"))
    }
}

/// Creates an item that only names a customer: the claim of a client id, or the pointer of a
/// session.
pub(super) fn pointer(kind: ItemKind, customer: &CustomerId) -> Item {
    Item::from([
        ("type".to_owned(), kind.attribute()),
        ("customer_id".to_owned(), AttributeValue::S(customer.to_string())),
    ])
}

/// Returns the customer that a pointer names.
///
/// # Errors
/// `InternalError` when the pointer contains no valid customer id.
pub(super) fn owner(pointer: &Item) -> Result<CustomerId, Error> {
    let id = text(pointer, "customer_id").and_then(CustomerId::parse);
    id.ok_or_else(|| Error::internal("a pointer names no customer"))
}

/// Returns a text attribute that must exist. `item` is a row, or the key at which the table stopped
/// reading.
///
/// # Errors
/// `InternalError` when the attribute is missing or not a text.
pub(super) fn required_text(item: &Item, attribute: &str) -> Result<String, Error> {
    let text = text(item, attribute).map(str::to_owned);
    text.ok_or_else(|| Error::internal(format!("a row of a list lacks {attribute}")))
}

/// Reads a model from its item. The error names the malformed attribute and never its value. The
/// error cannot name an attribute that is missing or that belongs to a flattened part of the model.
pub(super) fn model<T: DeserializeOwned>(item: Item) -> Result<T, Error> {
    let mut entries = item.into_iter();
    let mut reading = None;
    let attributes = std::iter::from_fn(|| {
        let entry = entries.next();
        reading = entry.as_ref().map(|(name, _)| name.clone());
        entry.map(|(name, value)| (name, Attribute(value)))
    });
    T::deserialize(MapDeserializer::new(attributes)).map_err(|_| {
        let name = std::any::type_name::<T>();
        let place = reading.map(|attribute| format!(" at {attribute}")).unwrap_or_default();
        Error::internal(format!("an item does not read as {name}{place}"))
    })
}

struct Attribute(AttributeValue);

impl IntoDeserializer<'_, serde_dynamo::Error> for Attribute {
    type Deserializer = serde_dynamo::Deserializer;

    fn into_deserializer(self) -> serde_dynamo::Deserializer {
        serde_dynamo::Deserializer::from_attribute_value(self.0.into())
    }
}

/// Returns a whole-number attribute that must exist.
///
/// # Errors
/// `InternalError` when the attribute is missing or is not a whole number.
pub(super) fn number(item: &Item, attribute: &str) -> Result<i64, Error> {
    let number = item.get(attribute).and_then(|value| value.as_n().ok());
    let number = number.and_then(|number| number.parse().ok());
    number.ok_or_else(|| Error::internal(format!("an item has no number {attribute}")))
}

pub(super) fn text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

/// Returns the update expression that turns `before` into `after`. Attributes that neither of them
/// contains stay as they are.
pub(super) fn update(before: &Item, after: &Item, expression: &mut Expression) -> String {
    let mut set = Vec::new();
    let mut remove = Vec::new();
    for (attribute, value) in after {
        if before.get(attribute) != Some(value) {
            let (name, value) = (expression.name(attribute), expression.value(value.clone()));
            set.push(format!("{name} = {value}"));
        }
    }
    for attribute in before.keys().filter(|attribute| !after.contains_key(*attribute)) {
        remove.push(expression.name(attribute));
    }
    let clause = |word: &str, parts: Vec<String>| {
        if parts.is_empty() { String::new() } else { format!("{word} {} ", parts.join(", ")) }
    };
    format!("{}{}", clause("SET", set), clause("REMOVE", remove))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Person {
        name: String,
        age: Option<u32>,
        addresses: Vec<Address>,
        #[serde(flatten)]
        rest: Rest,
    }

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Address {
        city: String,
    }

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Rest {
        height: u32,
    }

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Plain {
        name: String,
        addresses: Vec<Address>,
    }

    fn person() -> Person {
        Person {
            name: "Mary Secret".to_owned(),
            age: None,
            addresses: vec![Address { city: "Secretville".to_owned() }],
            rest: Rest { height: 170 },
        }
    }

    #[test]
    fn an_item_reads_as_the_model_it_was_written_from() {
        let item = attributes(&person()).unwrap();
        assert_eq!(model::<Person>(item).unwrap(), person());
    }

    #[test]
    fn the_error_names_the_malformed_attribute_and_not_its_value() {
        let changed = |name: &str, value: AttributeValue| {
            let mut item = attributes(&person()).unwrap();
            item.insert(name.to_owned(), value);
            let error = model::<Plain>(item).unwrap_err();
            error.cause().unwrap().to_owned()
        };
        let secret = || AttributeValue::S("Secret Lane 1".to_owned());
        let name = std::any::type_name::<Plain>();
        let why = changed("addresses", AttributeValue::L(vec![secret()]));
        assert_eq!(why, format!("an item does not read as {name} at addresses"));
        let why = changed("name", AttributeValue::M([("first".to_owned(), secret())].into()));
        assert_eq!(why, format!("an item does not read as {name} at name"));

        // The error cannot name a missing attribute or an attribute of a flattened part.
        let mut item = attributes(&person()).unwrap();
        item.remove("name");
        let why = model::<Plain>(item).unwrap_err();
        assert_eq!(why.cause().unwrap(), format!("an item does not read as {name}"));
        let mut item = attributes(&person()).unwrap();
        item.insert("height".to_owned(), secret());
        let why = model::<Person>(item).unwrap_err();
        let name = std::any::type_name::<Person>();
        assert_eq!(why.cause().unwrap(), format!("an item does not read as {name}"));
    }
}
