//! Reads and writes customers as items of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use lambda_http::Error;
use serde_json::{Map, Value};

type Item = HashMap<String, AttributeValue>;

const KEYS: [&str; 6] = ["pk", "sk", "type", "tenant_pk", "risk_pk", "name_sk"];
const PAGE: i32 = 20;

pub struct Store {
    client: Client,
    table_name: String,
}

pub struct Page {
    pub items: Vec<Value>,
    pub next: Option<Value>,
}

impl Store {
    pub fn new(client: Client, table_name: String) -> Store {
        Store { client, table_name }
    }

    #[tracing::instrument(skip(self))]
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Option<Value>, Error> {
        tracing::info!("Getting customer {id}");
        let output = self
            .client
            .get_item()
            .table_name(&self.table_name)
            .key("pk", AttributeValue::S(format!("T#{tenant}#C#{id}")))
            .key("sk", AttributeValue::S("CUSTOMER".to_owned()))
            .consistent_read(true)
            .send()
            .await?;
        Ok(output.item.map(customer))
    }

    #[tracing::instrument(skip(self))]
    pub async fn list(&self, tenant: &str) -> Result<Page, Error> {
        tracing::info!("Listing customers");
        let output = self
            .client
            .query()
            .table_name(&self.table_name)
            .index_name("created")
            .key_condition_expression("tenant_pk = :tenant")
            .expression_attribute_values(":tenant", AttributeValue::S(format!("T#{tenant}")))
            .scan_index_forward(false)
            .limit(PAGE)
            .send()
            .await?;
        let next = output.last_evaluated_key.map(|key| value(AttributeValue::M(key)));
        let items = output.items.unwrap_or_default().into_iter().map(customer).collect();
        Ok(Page { items, next })
    }

    /// Writes new items in one transaction. If the transaction is canceled, usually because an item
    /// exists already, writes none of them and returns `false`.
    #[tracing::instrument(skip(self, items))]
    pub async fn create(&self, items: Vec<Value>) -> Result<bool, Error> {
        tracing::info!("Writing {} items", items.len());
        let mut writes = Vec::new();
        for new in items {
            let AttributeValue::M(new) = attribute(new) else { continue };
            let put = Put::builder()
                .table_name(&self.table_name)
                .set_item(Some(new))
                .condition_expression("attribute_not_exists(pk)")
                .build()?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        let call = self.client.transact_write_items().set_transact_items(Some(writes)).send();
        match call.await.map_err(|error| error.into_service_error()) {
            Ok(_) => Ok(true),
            Err(error) if error.is_transaction_canceled_exception() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Converts an item to a customer, without the keys.
fn customer(mut item: Item) -> Value {
    for key in KEYS {
        item.remove(key);
    }
    value(AttributeValue::M(item))
}

fn value(attribute: AttributeValue) -> Value {
    match attribute {
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::N(number) => number.parse().map_or(Value::String(number), Value::Number),
        AttributeValue::Bool(flag) => Value::Bool(flag),
        AttributeValue::L(all) => all.into_iter().map(value).collect(),
        AttributeValue::M(all) => Value::Object(
            all.into_iter().map(|(name, one)| (name, value(one))).collect::<Map<_, _>>(),
        ),
        _ => Value::Null,
    }
}

fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(all) => AttributeValue::L(all.into_iter().map(attribute).collect()),
        Value::Object(all) => {
            AttributeValue::M(all.into_iter().map(|(name, one)| (name, attribute(one))).collect())
        }
    }
}
