//! Measures the cost of a pass over 200,000 customers without matches. `WATCHLISTS` names a folder
//! as described in the module `real`:
//!
//! `WATCHLISTS=<folder> cargo test -p api-tests --profile ci --test api -- --ignored many:: --nocapture`

use std::collections::HashMap;

use api_tests::faults::Tally;
use api_tests::json;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, ReturnConsumedCapacity, WriteRequest};
use futures_util::future::join_all;
use miniz_oxide::deflate::compress_to_vec;
use shared::model::screened::Screened as Kept;
use shared::screening::score::DEFAULT_MIN_SCORE;
use shared::screening::{Query, Screener};
use uuid::Uuid;

use super::real::{index, revisions, start, unlisted_names};
use super::{path, sum};

const CUSTOMERS: usize = 200_000;

/// On-demand price of a million read units in us-east-1, in USD.
const MILLION_READS_USD: f64 = 0.125;
/// Price of a Lambda GB-second on arm64 in us-east-1, in USD.
const GB_SECOND_USD: f64 = 0.000_013_333_4;
/// Memory at which Lambda provides one whole processor, in GB.
const GB_PER_CPU: f64 = 1.769;

/// Returns the resident memory of this process in MiB, or 0 if the system does not provide it.
pub(crate) fn resident_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<usize>().ok()).unwrap_or(0) / 1024
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a folder of real lists"]
async fn a_pass_without_news_stays_within_its_cost() {
    let bytes = &revisions()[0];
    let setup = start(bytes).await;
    let table = setup.api.table.clone();

    // Create one real monitor, then write copies of it with other names into the table.
    let original = setup.monitored_customer("Zzyzx Qwortelbrand").await;
    let list = index(bytes);
    let mut screener = Screener::new([&list]);
    let names: Vec<String> = unlisted_names(60_000)
        .into_iter()
        .filter(|name| screener.screen(&Query::of_name(name), DEFAULT_MIN_SCORE).is_empty())
        .collect();

    let key = |sk: &str| {
        let pk = format!("T#acme#C#{}", original["customer_id"].as_str().unwrap());
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(pk)),
            ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
        ])
    };
    let get = setup.api.dynamodb.get_item().table_name(&table).set_key(Some(key("MONITOR")));
    let monitor = get.send().await.unwrap().item.unwrap();
    let copy = |number: usize| {
        let id = Uuid::from_u128((0x0192_0000_u128 << 96) | 0x7000_8000 << 48 | number as u128);
        let watched: Kept = serde_json::from_value(json!({
            "subjects": [{
                "name": names[number % names.len()], "kind": "person", "date": "1971-03-09",
                "country": "FR",
            }],
        }))
        .unwrap();
        let blob = compress_to_vec(&serde_json::to_vec(&watched).unwrap(), 6);
        let mut item = monitor.clone();
        let text = AttributeValue::S;
        item.insert("pk".to_owned(), text(format!("T#acme#C#{id}")));
        item.insert("customer_id".to_owned(), text(id.to_string()));
        item.insert("monitored_sk".to_owned(), text(format!("acme#{id}")));
        item.insert("monitored_pk".to_owned(), text(format!("MONITORED#on_update#{}", number % 2)));
        item.insert("watched".to_owned(), AttributeValue::B(Blob::new(blob)));
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };

    for batch in 0..CUSTOMERS / 200 {
        join_all(
            (0..8).map(|part| {
                let from = batch * 200 + part * 25;
                let items: Vec<WriteRequest> = (from..from + 25).map(copy).collect();
                let batch_write = setup.api.dynamodb.batch_write_item();
                let output = batch_write.request_items(&table, items).send();
                async move {
                    assert!(output.await.unwrap().unprocessed_items.is_none_or(|u| u.is_empty()))
                }
            }),
        )
        .await;
    }

    let tally = Tally::default();
    let counting_server = setup.server_with_fault(tally.clone()).await;
    for pass in ["on_update", "reconcile", "reconcile"] {
        setup.advance_clock(61);
        tally.reset();
        let (before, started) = (resident_memory(), std::time::Instant::now());
        let result = counting_server.run("rescreen", &json!({ "pass": pass })).await.unwrap();
        let (seconds, after) = (started.elapsed().as_secs_f64(), resident_memory());
        let shards = result["shards"].as_array().unwrap();
        assert_eq!(sum(shards, "monitors"), CUSTOMERS as u64 + 1);
        assert_eq!((sum(shards, "news"), sum(shards, "matches")), (0, 0));

        let calls = tally.calls();
        let count = |operation: &str| calls.get(operation).copied().unwrap_or(0);
        let queries = count("Query");
        println!("{pass}: {calls:?}, {seconds:.1} s, {before} MB before and {after} MB after");
        assert!(queries <= CUSTOMERS / 1_000 + 4, "{queries} pages");
        // A pass writes its progress and its evidence, about one item per page and none per
        // customer.
        let writes = count("PutItem") + count("UpdateItem");
        assert!(writes <= queries + 12, "{writes} writes");
        assert_eq!(count("TransactWriteItems") + count("BatchWriteItem"), 0);
        // The first pass opens lists and connections. Later passes must not use more memory.
        assert!(pass == "on_update" || after < before + 32, "{before} MB, then {after} MB");

        let units = units(&setup, &table).await;
        let millions = CUSTOMERS as f64 / 1e6;
        let (reads, writes) = (units / millions, writes as f64 / millions);
        let pass_of_ten = 10.0
            * (reads / 1e6 * MILLION_READS_USD + seconds / millions * GB_PER_CPU * GB_SECOND_USD);
        println!(
            "{pass}: {:.0} customers/s; a million customers: {reads:.0} read units, {writes:.0} writes; \
             ten million: {pass_of_ten:.2} USD",
            CUSTOMERS as f64 / seconds
        );
    }
    let last = setup.api.get(&setup.acme, &path(&original, "/monitor")).await.expect(200);
    assert_eq!(last["last_pass"]["frequency"], "reconcile");
}

/// Returns the number of read units that one read of the whole index consumes.
async fn units(setup: &super::Setup, table: &str) -> f64 {
    let mut units = 0.0;
    for shard in 0..2 {
        let mut start = None;
        loop {
            let query = setup.api.dynamodb.query().table_name(table).index_name("monitored");
            let query = query
                .key_condition_expression("monitored_pk = :pk")
                .expression_attribute_values(
                    ":pk",
                    AttributeValue::S(format!("MONITORED#on_update#{shard}")),
                )
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .set_exclusive_start_key(start);
            let page = query.send().await.unwrap();
            units += page.consumed_capacity.and_then(|used| used.capacity_units).unwrap();
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
    }
    units
}
