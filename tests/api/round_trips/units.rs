//! Budgets in units rest on the embedded store's count: it has to be what DynamoDB documents, under
//! docs.aws.amazon.com/amazondynamodb/latest/developerguide/ (read-write-operations.html, GSI.html,
//! transaction-apis.html). Not documented, but what the store's author measured, is that a
//! transaction costs double in the table alone, and not in its indexes.

use std::collections::HashMap;

use api_tests::Api;
use api_tests::faults::{self, Meter};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

type Item = HashMap<String, AttributeValue>;

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// Of exactly this size; with a position, in one index too.
fn item(sk: &str, size: usize, position: Option<&str>) -> Item {
    let mut attributes = vec![("pk", "T#units"), ("sk", sk)];
    if let Some(position) = position {
        attributes.extend([("tenant_pk", "T#units"), ("customer_id", position)]);
    }
    let taken: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    let filling = "x".repeat(size - taken - "filling".len());
    attributes.push(("filling", &filling));
    attributes.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}

struct Metered {
    dynamodb: Client,
    table: String,
    meter: Meter,
}

impl Metered {
    /// Read and write units since the last time.
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
        let update = self.dynamodb.update_item().table_name(&self.table);
        let update = update.key("pk", text("T#units")).key("sk", text(sk));
        let update = update.update_expression(format!("SET {attribute} = :to"));
        update.expression_attribute_values(":to", text(to)).send().await.unwrap();
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
        let query = self.dynamodb.query().table_name(&self.table);
        let query = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .set_filter_expression(filter.map(str::to_owned))
            .expression_attribute_values(":pk", text("T#units"))
            .expression_attribute_values(":sk", text(prefix));
        query.send().await.unwrap();
        self.units()
    }
}

#[tokio::test]
async fn the_table_counts_units_as_dynamodb_documents() {
    let (api, meter) = (Api::start().await, Meter::default());
    let config = api.dynamodb.config().to_builder().http_client(faults::client(meter.clone()));
    let dynamodb = Client::from_conf(config.build());
    let m = Metered { dynamodb, table: api.table.clone(), meter };
    let writes = |units: f64| (0.0, units);
    let reads = |units: f64| (units, 0.0);

    // By the KB, the larger of what was there and what is.
    assert_eq!(m.put(item("a", 1_024, None)).await, writes(1.0));
    assert_eq!(m.put(item("a", 1_025, None)).await, writes(2.0));
    assert_eq!(m.put(item("a", 100, None)).await, writes(2.0));
    // Once more for an index it is in, and twice where its place there changes.
    assert_eq!(m.put(item("b", 1_024, Some("1"))).await, writes(2.0));
    assert_eq!(m.update("b", "filling", "x").await, writes(2.0));
    assert_eq!(m.update("b", "customer_id", "2").await, writes(3.0));
    // Double in a transaction.
    let both = [item("c", 1_024, None), item("d", 1_025, Some("3"))];
    assert_eq!(m.transact(both).await, writes(2.0 + 4.0 + 2.0));

    // By 4 KB, half of it where a read may be of a moment ago.
    m.put(item("e", 4_096, None)).await;
    m.put(item("f", 4_097, None)).await;
    for (sk, units) in [("e", 1.0), ("f", 2.0), ("nothing", 1.0)] {
        assert_eq!(m.get(sk, true).await, reads(units), "{sk}");
        assert_eq!(m.get(sk, false).await, reads(units / 2.0), "{sk}");
    }
    // Of many together, those that a filter leaves out among them.
    for sk in ["g1", "g2", "g3", "g4", "g5"] {
        m.put(item(sk, 1_024, None)).await;
    }
    assert_eq!(m.query("g", None).await, reads(1.0));
    assert_eq!(m.query("g", Some("attribute_not_exists(filling)")).await, reads(1.0));

    // A write that is refused, by what is there.
    let put = m.dynamodb.put_item().table_name(&m.table).set_item(Some(item("f", 100, None)));
    let put = put.condition_expression("attribute_not_exists(pk)");
    let put = put.return_values_on_condition_check_failure("ALL_OLD".into());
    put.send().await.unwrap_err();
    assert_eq!(m.units(), writes(5.0));
}
