//! Reads and writes items of the table directly, without the API.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::Api;

/// An item with all its attributes, including the keys.
pub type Item = HashMap<String, AttributeValue>;

/// Returns an attribute of type string.
pub fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// Returns an attribute of type number.
pub fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Returns the value of a string attribute, or an empty string if the item does not have the
/// attribute or its value is not a string.
pub fn text_of<'i>(item: &'i Item, attribute: &str) -> &'i str {
    item.get(attribute).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// Sets an attribute, or replaces its value.
pub fn set(item: &mut Item, attribute: &str, value: AttributeValue) {
    item.insert(attribute.to_owned(), value);
}

/// Sets an entry of an attribute that must be a map.
pub fn set_in(item: &mut Item, map: &str, entry: &str, value: AttributeValue) {
    let Some(AttributeValue::M(map)) = item.get_mut(map) else { panic!("{map} is not a map") };
    map.insert(entry.to_owned(), value);
}

impl Api {
    /// Returns all items of the table, which must fit into one page of a scan.
    pub async fn all_items(&self) -> Vec<Item> {
        let page = self.dynamodb.scan().table_name(&self.table).send().await.unwrap();
        assert!(page.last_evaluated_key.is_none(), "the table has more than one page");
        page.items.unwrap()
    }

    /// Writes an item, or replaces the item with the same key.
    pub async fn put_item(&self, item: &Item) {
        let put = self.dynamodb.put_item().table_name(&self.table);
        put.set_item(Some(item.clone())).send().await.unwrap();
    }

    /// Deletes the item with the key of `item`.
    pub async fn delete_item(&self, item: &Item) {
        let key = ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone()));
        let delete = self.dynamodb.delete_item().table_name(&self.table);
        delete.set_key(Some(key.into())).send().await.unwrap();
    }
}
