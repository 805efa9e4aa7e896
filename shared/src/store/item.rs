//! Items: a model and its keys, and the difference between two of them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::expression::Expression;
use crate::error::Error;
use crate::model::id::CustomerId;

pub(super) type Item = HashMap<String, AttributeValue>;

/// A model as attributes. What is `null` is left out.
pub(super) fn attributes(model: &impl Serialize) -> Result<Item, Error> {
    let item: Item = serde_dynamo::to_item(model)
        .map_err(|error| Error::internal(format!("to item: {error}")))?;
    Ok(item.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// A model as attributes, and what kind of item it is.
pub(super) fn typed(kind: &str, model: &impl Serialize) -> Result<Item, Error> {
    let mut item = attributes(model)?;
    item.insert("type".to_owned(), AttributeValue::S(kind.to_owned()));
    Ok(item)
}

/// An item that only says which customer something belongs to.
pub(super) fn pointer(kind: &str, customer: &CustomerId) -> Item {
    Item::from([
        ("type".to_owned(), AttributeValue::S(kind.to_owned())),
        ("customer_id".to_owned(), AttributeValue::S(customer.to_string())),
    ])
}

/// A model from its item. The error names the attribute, never the value; one that is not there, or that
/// is flattened into the model and so looked at when everything was read, it can't name.
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

pub(super) fn text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    item.get(attribute)?.as_s().ok().map(String::as_str)
}

/// The update that makes `after` of `before`. Attributes of neither stay as they are.
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
    let clause = |word: &str, parts: Vec<String>| match parts.is_empty() {
        true => String::new(),
        false => format!("{word} {} ", parts.join(", ")),
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
    fn what_was_written_is_read() {
        let item = attributes(&person()).unwrap();
        assert_eq!(model::<Person>(item).unwrap(), person());
    }

    #[test]
    fn what_does_not_read_is_named_and_not_told() {
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

        // What is not there has no place, nor what is only looked at when everything was read.
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
