//! Tests the features that only a deployed stack has: schedules and a stream. `infra/emulator/run`
//! deploys a stack whose schedules run every minute, and then runs these tests.

use std::time::{Duration, Instant};

use api_tests::deployed::{DEPLOYED, Deployed};
use api_tests::{Api, Persona, Value, json, path_of};

use crate::audit::events;
use crate::monitoring::{Setup, pairs};

fn deployed() -> &'static Deployed {
    DEPLOYED.as_ref().expect("DEPLOYED names a file that describes the stack")
}

/// Polls every two seconds until the result is `Some`, and returns its value. Panics after `time`.
async fn within<T>(event: &str, time: Duration, poll: impl AsyncFn() -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < time {
        if let Some(result) = poll().await {
            return result;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    panic!("{event} did not happen within {time:?}");
}

/// This test does not invoke the scheduled functions. The list becomes current and the alert is
/// raised only if `refresh-watchlists` and `rescreen` run on their schedules.
#[tokio::test]
#[ignore = "needs a deployed stack: infra/emulator/run"]
async fn schedules_load_the_list_and_rescreen_monitored_customers() {
    let w = Setup::without_lists().await;
    w.write_list(&[("1", "Nobody Else")]);
    let customer = w.create_customer("Tarun Oblasti").await;
    w.monitor(&customer, &json!({})).await.refused(503, "LISTS_UNAVAILABLE");
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let started = within("loading the list", minutes(3), async || {
        let started = w.monitor(&customer, &json!({})).await;
        (started.status != 503).then_some(started)
    });
    assert_eq!(started.await.expect(201)["matches"], 0);

    w.write_list(&[("1", "Nobody Else"), ("7", "Tarun Oblasti")]);
    within("an alert of a pass", minutes(5), async || {
        Some(w.alerts(&customer).await).filter(|alerts| !alerts.is_empty())
    })
    .await;
    assert_eq!(w.alert_statuses(&customer).await, pairs(&[("7", "open")]));
    let events = events(&w.api, &w.get(&customer).await).await;
    let last = events.last().unwrap();
    assert_eq!((&last["kind"], &last["actor"]), (&json!("monitor.checked"), &json!("rescreen")));
}

/// Reads the records of the table's stream and passes them to the function that the Pipe invokes
/// between the stream and the bus.
#[tokio::test]
#[ignore = "needs a deployed stack: infra/emulator/run"]
async fn every_change_is_a_record_of_the_stream_which_becomes_an_event() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let position = Position::newest().await;
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let patched = api.patch(&acme, &path_of(&customer), &json!({ "name": "B" })).await.expect(200);
    let records = position.records().await;
    // This is the filter of the Pipe, for this customer only.
    let selected: Vec<&Value> = records
        .iter()
        .filter(|record| {
            record["eventName"] == "INSERT"
                && record["dynamodb"]["NewImage"]["type"]["S"] == "event"
                && record["dynamodb"]["NewImage"]["customer_id"]["S"] == customer["customer_id"]
        })
        .collect();
    assert_eq!(selected.len(), 2, "of {}", records.len());
    let shaped = api.run("shape-events", &json!(selected)).await.unwrap();
    let shaped = shaped.as_array().unwrap();
    // Path from which the Pipe reads the detail type. It must exist both in the record and in the
    // output of the enrichment, because AWS does not document which of the two the Pipe reads.
    let kind = "/dynamodb/NewImage/kind/S";
    for values in [&selected, &shaped.iter().collect()] {
        let kinds: Vec<&Value> = values.iter().filter_map(|value| value.pointer(kind)).collect();
        assert_eq!(kinds, ["customer.created", "customer.updated"]);
    }
    let shaped: Vec<&Value> = shaped.iter().map(|enriched| &enriched["event"]).collect();
    for event in &shaped {
        assert_eq!(event["customer_id"], customer["customer_id"]);
        assert_eq!(event["tenant_id"], api.tenant("acme"));
        assert!(event.get("pk").is_none());
    }
    assert_eq!(shaped[1]["changes"]["name"], json!({ "from": "A", "to": "B" }));
    assert_eq!(shaped[1]["at"], patched["updated_at"]);
}

/// A position in the table's stream: one iterator for each shard.
struct Position(Vec<Value>);

impl Position {
    /// Returns the current end of the stream.
    async fn newest() -> Position {
        let listed = streams("ListStreams", &json!({ "TableName": deployed().table })).await;
        let stream = &listed["Streams"][0]["StreamArn"];
        let described = streams("DescribeStream", &json!({ "StreamArn": stream })).await;
        let mut iterators = Vec::new();
        for shard in described["StreamDescription"]["Shards"].as_array().unwrap() {
            let end = json!({
                "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST",
            });
            let answer = streams("GetShardIterator", &end).await;
            iterators.push(answer["ShardIterator"].clone());
        }
        assert!(!iterators.is_empty(), "{described}");
        Position(iterators)
    }

    /// Returns the records after this position: the first page of every shard.
    async fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for iterator in &self.0 {
            let page = streams("GetRecords", &json!({ "ShardIterator": iterator })).await;
            records.extend(page["Records"].as_array().unwrap().iter().cloned());
        }
        records
    }
}

/// Calls an operation of DynamoDB Streams and returns its answer.
async fn streams(operation: &str, body: &Value) -> Value {
    let Deployed { endpoint, region, .. } = deployed();
    // The emulator reads the region from this header but does not verify the signature.
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    local::tls::install_provider();
    let answer = reqwest::Client::new()
        .post(endpoint)
        .header("authorization", authorization)
        .header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{operation}: {text}");
    serde_json::from_str(&text).unwrap()
}
