//! Creates the template's table on a DynamoDB-compatible server.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
};

use crate::Failure;
use crate::template::{IndexSpec, KeySpec, TableSpec};

/// Maximum number of requests that check whether the table is active.
const ACTIVE_ATTEMPTS: usize = 300;
const ACTIVE_PAUSE: Duration = Duration::from_millis(100);

/// Creates the table, or adds the indexes that an existing table lacks. Then enables the expiry of
/// items.
///
/// # Errors
/// Fails when an existing index has a different key than in the template, when a request fails, or
/// when the table does not become active within 30 seconds.
pub(crate) async fn ensure(client: &Client, spec: &TableSpec) -> Result<(), Failure> {
    let mut table = match describe(client, spec).await? {
        Some(table) => table,
        None => {
            create(client, spec).await?;
            wait_until_active(client, spec).await?
        }
    };
    for (name, index) in &spec.indexes {
        let indexes = table.global_secondary_indexes();
        match indexes.iter().find(|existing| existing.index_name() == Some(name)) {
            Some(existing) if existing.key_schema() != key_schema(&index.key)? => {
                return Err(format!(
                    "the table's index {name} has another key than in template.yaml: use a new table"
                ));
            }
            Some(_) => {}
            None => {
                add_index(client, spec, &table, name, index).await?;
                table = wait_until_active(client, spec).await?;
            }
        }
    }
    enable_expiry(client, spec).await
}

async fn describe(client: &Client, spec: &TableSpec) -> Result<Option<TableDescription>, Failure> {
    match client.describe_table().table_name(&spec.name).send().await {
        Ok(described) => Ok(described.table),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_not_found_exception()) =>
        {
            Ok(None)
        }
        Err(error) => Err(format!("the table cannot be described: {}", DisplayErrorContext(error))),
    }
}

/// Waits up to 30 seconds until the table and its indexes are active.
async fn wait_until_active(client: &Client, spec: &TableSpec) -> Result<TableDescription, Failure> {
    for _ in 0..ACTIVE_ATTEMPTS {
        if let Some(table) = describe(client, spec).await?
            && is_active(&table)
        {
            return Ok(table);
        }
        tokio::time::sleep(ACTIVE_PAUSE).await;
    }
    Err(format!("the table {} is not active after 30 seconds", spec.name))
}

fn is_active(table: &TableDescription) -> bool {
    // Some servers do not return the status of an index.
    let indexes = table.global_secondary_indexes().iter();
    table.table_status() == Some(&TableStatus::Active)
        && indexes
            .filter_map(|index| index.index_status())
            .all(|status| *status == IndexStatus::Active)
}

async fn create(client: &Client, spec: &TableSpec) -> Result<(), Failure> {
    let mut indexes = Vec::new();
    for (name, index) in &spec.indexes {
        let built = GlobalSecondaryIndex::builder()
            .index_name(name)
            .set_key_schema(Some(key_schema(&index.key)?))
            .projection(projection(index))
            .build();
        indexes.push(built.map_err(incomplete)?);
    }
    client
        .create_table()
        .table_name(&spec.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes(spec)?))
        .set_key_schema(Some(key_schema(&spec.key)?))
        .set_global_secondary_indexes(Some(indexes).filter(|indexes| !indexes.is_empty()))
        .send()
        .await
        .map_err(|error| format!("the table cannot be created: {}", DisplayErrorContext(error)))?;
    Ok(())
}

/// Adds one index to an existing table.
///
/// DynamoDB adds one index per request. It rejects the definition of an attribute that is not part
/// of a key, so only the attributes of existing keys and of the new key are defined.
async fn add_index(
    client: &Client,
    spec: &TableSpec,
    table: &TableDescription,
    name: &str,
    index: &IndexSpec,
) -> Result<(), Failure> {
    let added = key_schema(&index.key)?;
    let existing = table.global_secondary_indexes().iter().flat_map(|index| index.key_schema());
    let keys: Vec<&str> = (table.key_schema().iter().chain(existing).chain(&added))
        .map(KeySchemaElement::attribute_name)
        .collect();
    let mut attributes = attributes(spec)?;
    attributes.retain(|attribute| keys.contains(&attribute.attribute_name()));
    let action = CreateGlobalSecondaryIndexAction::builder()
        .index_name(name)
        .set_key_schema(Some(added))
        .projection(projection(index))
        .build()
        .map_err(incomplete)?;
    client
        .update_table()
        .table_name(&spec.name)
        .set_attribute_definitions(Some(attributes))
        .global_secondary_index_updates(
            GlobalSecondaryIndexUpdate::builder().create(action).build(),
        )
        .send()
        .await
        .map_err(|error| {
            format!("the index {name} cannot be added: {}", DisplayErrorContext(error))
        })?;
    Ok(())
}

async fn enable_expiry(client: &Client, spec: &TableSpec) -> Result<(), Failure> {
    let Some(attribute) = &spec.ttl_attribute else {
        return Ok(());
    };
    let failure = |error: String| format!("expiry cannot be enabled: {error}");
    let described = client.describe_time_to_live().table_name(&spec.name).send().await;
    let described = described.map_err(|error| failure(DisplayErrorContext(error).to_string()))?;
    let status = described.time_to_live_description().and_then(|ttl| ttl.time_to_live_status());
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let specification =
        TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build();
    let specification = specification.map_err(incomplete)?;
    let update = client
        .update_time_to_live()
        .table_name(&spec.name)
        .time_to_live_specification(specification);
    update.send().await.map_err(|error| failure(DisplayErrorContext(error).to_string()))?;
    Ok(())
}

fn attributes(spec: &TableSpec) -> Result<Vec<AttributeDefinition>, Failure> {
    let definition = |(name, kind): (&String, &String)| {
        let kind = ScalarAttributeType::from(kind.as_str());
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .map_err(incomplete)
    };
    spec.attributes.iter().map(definition).collect()
}

fn key_schema(key: &KeySpec) -> Result<Vec<KeySchemaElement>, Failure> {
    let element = |name: &str, kind: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(incomplete)
    };
    let mut schema = vec![element(&key.hash, KeyType::Hash)?];
    if let Some(range) = &key.range {
        schema.push(element(range, KeyType::Range)?);
    }
    Ok(schema)
}

fn projection(index: &IndexSpec) -> Projection {
    let included = Some(index.included.clone()).filter(|included| !included.is_empty());
    let kind = ProjectionType::from(index.projection.as_str());
    Projection::builder().projection_type(kind).set_non_key_attributes(included).build()
}

fn incomplete(error: BuildError) -> Failure {
    format!("the table in template.yaml is incomplete: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::AccessKey;
    use crate::store::Store;
    use crate::template::Template;

    #[tokio::test(flavor = "multi_thread")]
    async fn missing_indexes_are_added() {
        let store = Store::start(None, AccessKey::generate().unwrap()).unwrap();
        let aws = store.access.aws().await.unwrap();
        let client = shared::aws::dynamodb_client(&aws, Some(&store.access.endpoint));
        let spec = Template::embedded().unwrap().table;
        let mut older = spec.clone();
        older.indexes.retain(|name, _| name == "created");
        let keys = ["pk", "sk", "tenant_pk", "customer_id"];
        older.attributes.retain(|name, _| keys.contains(&name.as_str()));
        ensure(&client, &older).await.unwrap();
        ensure(&client, &spec).await.unwrap();
        let table = describe(&client, &spec).await.unwrap().unwrap();
        let indexes =
            table.global_secondary_indexes().iter().filter_map(|index| index.index_name());
        let mut indexes: Vec<&str> = indexes.collect();
        indexes.sort_unstable();
        assert_eq!(indexes, spec.indexes.keys().map(String::as_str).collect::<Vec<_>>());
        // A repeated call has no effect.
        ensure(&client, &spec).await.unwrap();

        let mut conflicting = spec.clone();
        conflicting.indexes.get_mut("name").unwrap().key.hash = "risk_pk".to_owned();
        assert!(
            ensure(&client, &conflicting).await.unwrap_err().contains("index name has another key")
        );
        store.stop();
    }
}
