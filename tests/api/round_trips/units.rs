//! Checks that the embedded store counts units as DynamoDB does, because the budgets rely on its
//! counts. The rules are in the documentation under
//! docs.aws.amazon.com/amazondynamodb/latest/developerguide/ (read-write-operations.html, GSI.html,
//! transaction-apis.html). One rule is not documented, but was measured by the author of the store:
//! a transaction doubles the units of the table, but not those of its indexes.

use std::collections::HashMap;

use api_tests::Api;
use api_tests::faults::{self, Meter};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

type Item = HashMap<String, AttributeValue>;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// Returns an item of exactly `size` bytes. If `position` is given, the item is also in one index,
/// where `customer_id` is the sort key and holds the position.
fn item(sk: &str, size: usize, position: Option<&str>) -> Item {
    let mut attributes = vec![("pk", "T#units"), ("sk", sk)];
    if let Some(position) = position {
        attributes.extend([("tenant_pk", "T#units"), ("customer_id", position)]);
    }
    let used: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    let padding = "x".repeat(size - used - "filling".len());
    attributes.push(("filling", &padding));
    attributes.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

struct Metered {
    dynamodb: Client,
    table: String,
    meter: Meter,
}

impl Metered {
    /// Returns the read and write units since the previous call of this function.
    fn units(&self) -> (f64, f64) {
        let consumed = self.meter.take();
        assert_eq!(consumed.unknown, 0);
        (consumed.reads, consumed.writes)
    }

    async fn put(&self, item: Item) -> (f64, f64) {
        self.dynamodb.put_item().table_name(&self.table).set_item(Some(item)).send().await.unwrap();
        self.units()
    }

    async fn get(&self, sk: &str, consistent: bool) -> (f64, f64) {
        let get = self.dynamodb.get_item().table_name(&self.table).consistent_read(consistent);
        get.key("pk", text("T#units")).key("sk", text(sk)).send().await.unwrap();
        self.units()
    }

    async fn update(&self, sk: &str, attribute: &str, to: &str) -> (f64, f64) {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key("pk", text("T#units"))
            .key("sk", text(sk))
            .update_expression(format!("SET {attribute} = :to"))
            .expression_attribute_values(":to", text(to))
            .send()
            .await
            .unwrap();
        self.units()
    }

    async fn transact(&self, items: [Item; 2]) -> (f64, f64) {
        let puts = items.map(|item| {
            let put = Put::builder().table_name(&self.table).set_item(Some(item)).build().unwrap();
            TransactWriteItem::builder().put(put).build()
        });
        let transact = self.dynamodb.transact_write_items();
        transact.set_transact_items(Some(puts.to_vec())).send().await.unwrap();
        self.units()
    }

    async fn query(&self, prefix: &str, filter: Option<&str>) -> (f64, f64) {
        self.dynamodb
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .set_filter_expression(filter.map(str::to_owned))
            .expression_attribute_values(":pk", text("T#units"))
            .expression_attribute_values(":sk", text(prefix))
            .send()
            .await
            .unwrap();
        self.units()
    }
}

#[tokio::test]
async fn the_embedded_store_counts_units_as_documented() {
    let (api, meter) = (Api::start().await, Meter::default());
    let config = api.dynamodb.config().to_builder().http_client(faults::client(meter.clone()));
    let dynamodb = Client::from_conf(config.build());
    let metered = Metered { dynamodb, table: api.table.clone(), meter };
    let writes = |units: f64| (0.0, units);
    let reads = |units: f64| (units, 0.0);

    // A write costs one unit per KB of the old or the new item, whichever is larger.
    assert_eq!(metered.put(item("a", 1_024, None)).await, writes(1.0));
    assert_eq!(metered.put(item("a", 1_025, None)).await, writes(2.0));
    assert_eq!(metered.put(item("a", 100, None)).await, writes(2.0));

    // An index adds the units of one write, or of two writes if the position in the index changes.
    assert_eq!(metered.put(item("b", 1_024, Some("1"))).await, writes(2.0));
    assert_eq!(metered.update("b", "filling", "x").await, writes(2.0));
    assert_eq!(metered.update("b", "customer_id", "2").await, writes(3.0));

    // A transaction doubles the units of the table.
    let both = [item("c", 1_024, None), item("d", 1_025, Some("3"))];
    assert_eq!(metered.transact(both).await, writes(2.0 + 4.0 + 2.0));

    // A consistent read costs one unit per 4 KB. An eventually consistent read costs half as much.
    metered.put(item("e", 4_096, None)).await;
    metered.put(item("f", 4_097, None)).await;
    for (sk, units) in [("e", 1.0), ("f", 2.0), ("missing", 1.0)] {
        assert_eq!(metered.get(sk, true).await, reads(units), "{sk}");
        assert_eq!(metered.get(sk, false).await, reads(units / 2.0), "{sk}");
    }

    // A query costs units for the total size of the items that it reads, including the items that a
    // filter removes.
    for sk in ["g1", "g2", "g3", "g4", "g5"] {
        metered.put(item(sk, 1_024, None)).await;
    }
    assert_eq!(metered.query("g", None).await, reads(1.0));
    assert_eq!(metered.query("g", Some("attribute_not_exists(filling)")).await, reads(1.0));

    // A refused write costs units for the size of the existing item.
    let put = metered.dynamodb.put_item().table_name(&metered.table);
    put.set_item(Some(item("f", 100, None)))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure("ALL_OLD".into())
        .send()
        .await
        .unwrap_err();
    assert_eq!(metered.units(), writes(5.0));
}
