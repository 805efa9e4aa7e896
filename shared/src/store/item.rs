//! Items: a model and its keys, and the difference between two of them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// A model from its item. The error names the place, never the value.
pub(super) fn model<T: DeserializeOwned>(item: Item) -> Result<T, Error> {
    let item = serde_dynamo::AttributeValue::from(AttributeValue::M(item));
    let deserializer = serde_dynamo::Deserializer::from_attribute_value(item);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let name = std::any::type_name::<T>();
        Error::internal(format!("an item does not read as {name} at {}", error.path()))
    })
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
