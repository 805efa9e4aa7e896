//! What only a deployed stack does by itself. `infra/emulator/run` deploys one with schedules of a
//! minute and runs these.

use std::time::{Duration, Instant};

use api_tests::deployed::{DEPLOYED, Deployed};
use api_tests::{Api, Persona, Value, json, path_of};

use crate::audit::events;
use crate::monitoring::{Watched, pairs};

fn deployed() -> &'static Deployed {
    DEPLOYED.as_ref().expect("DEPLOYED says where the stack is")
}

/// Asks until there is an answer.
async fn within<T>(what: &str, time: Duration, ask: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < time {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    panic!("{what}: not within {time:?}");
}

/// Nobody invokes anything here: the list becomes current, and the customer has its alert, because
/// the schedules of both functions fire.
#[tokio::test]
#[ignore = "needs a deployed stack: infra/emulator/run"]
async fn schedules_load_the_list_and_pass_over_who_is_monitored() {
    let w = Watched::without_lists().await;
    w.list(&[("1", "Nobody Else")]);
    let customer = w.customer("Tarun Oblasti").await;
    w.monitor(&customer, &json!({})).await.refused(503, "STORE_UNAVAILABLE");
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let started = within("the list is loaded", minutes(3), async || {
        let started = w.monitor(&customer, &json!({})).await;
        (started.status != 503).then_some(started)
    });
    assert_eq!(started.await.expect(201)["matches"], 0);

    w.list(&[("1", "Nobody Else"), ("7", "Tarun Oblasti")]);
    let alerts = within("a pass raises the alert", minutes(5), async || {
        Some(w.alerts(&customer).await).filter(|alerts| !alerts.is_empty())
    });
    alerts.await;
    assert_eq!(w.found(&customer).await, pairs(&[("7", "open")]));
    let events = events(&w.api, &w.get(&customer).await).await;
    let told = events.last().unwrap();
    assert_eq!((&told["kind"], &told["actor"]), (&json!("monitor.checked"), &json!("rescreen")));
}

/// The stream's own records, through the function that the Pipe has between stream and bus.
#[tokio::test]
#[ignore = "needs a deployed stack: infra/emulator/run"]
async fn a_change_is_a_record_of_the_stream_and_the_record_an_event() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let from_here = Position::newest().await;
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let patched = api.patch(&acme, &path_of(&customer), &json!({ "name": "B" })).await.expect(200);
    let records = from_here.records().await;
    // The Pipe's filter.
    let passed: Vec<&Value> = records
        .iter()
        .filter(|record| {
            record["eventName"] == "INSERT"
                && record["dynamodb"]["NewImage"]["type"]["S"] == "event"
                && record["dynamodb"]["NewImage"]["customer_id"]["S"] == customer["customer_id"]
        })
        .collect();
    assert_eq!(passed.len(), 2, "of {}", records.len());
    let shaped = api.run("shape-events", &json!(passed)).await.unwrap();
    let shaped = shaped.as_array().unwrap();
    let kinds: Vec<&Value> = shaped.iter().map(|event| &event["kind"]).collect();
    assert_eq!(kinds, ["customer.created", "customer.updated"]);
    for event in shaped {
        assert_eq!(event["customer_id"], customer["customer_id"]);
        assert_eq!(event["tenant_id"], api.tenant("acme"));
        assert!(event.get("pk").is_none());
    }
    assert_eq!(shaped[1]["changes"]["name"], json!({ "from": "A", "to": "B" }));
    assert_eq!(shaped[1]["at"], patched["updated_at"]);
}

/// Places in the shards of the table's stream.
struct Position(Vec<Value>);

impl Position {
    async fn newest() -> Position {
        let listed = streams("ListStreams", &json!({ "TableName": deployed().table })).await;
        let stream = &listed["Streams"][0]["StreamArn"];
        let described = streams("DescribeStream", &json!({ "StreamArn": stream })).await;
        let mut iterators = Vec::new();
        for shard in described["StreamDescription"]["Shards"].as_array().unwrap() {
            let place = json!({
                "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST",
            });
            let place = streams("GetShardIterator", &place).await;
            iterators.push(place["ShardIterator"].clone());
        }
        assert!(!iterators.is_empty(), "{described}");
        Position(iterators)
    }

    async fn records(&self) -> Vec<Value> {
        let mut records = Vec::new();
        for iterator in &self.0 {
            let page = streams("GetRecords", &json!({ "ShardIterator": iterator })).await;
            records.extend(page["Records"].as_array().unwrap().iter().cloned());
        }
        records
    }
}

/// An operation of DynamoDB Streams.
async fn streams(operation: &str, body: &Value) -> Value {
    let Deployed { endpoint, region, .. } = deployed();
    // The emulator reads the region from it, and checks no signature.
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    local::tls::install_provider();
    let request = reqwest::Client::new().post(endpoint).header("authorization", scope);
    let request = request.header("x-amz-target", format!("DynamoDBStreams_20120810.{operation}"));
    let request = request.header("content-type", "application/x-amz-json-1.0");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{operation}: {text}");
    serde_json::from_str(&text).unwrap()
}
