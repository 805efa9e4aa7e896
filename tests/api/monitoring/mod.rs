//! Monitoring: lists that change, who is checked against them, and what becomes of what is found.

mod again;
mod alerts;
mod changes;
mod interleaved;
mod killed;
pub(crate) mod many;
mod passes;
mod real;
mod sources;
mod start;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api_tests::deployed::{DEPLOYED, only_locally};
use api_tests::faults;
use api_tests::{Api, Persona, Value, json};
use aws_sdk_dynamodb::types::AttributeValue;
use local::calls::Interceptor;
use shared::model::time::{Clock, Timestamp};
use shared::screening::import;
use shared::screening::lists::Input;
use tempfile::TempDir;

/// A server with a clock and a list that the test moves.
pub(crate) struct Watched {
    pub(crate) api: Api,
    pub(crate) acme: Persona,
    pub(crate) now: Arc<AtomicI64>,
    folder: TempDir,
}

const COLUMNS: &str = "id,name,kind,aliases,weak_aliases,former_names,date,countries,identifiers,programs,gender,remarks";

impl Watched {
    /// With an entry each of this id and name.
    pub(crate) async fn start(entries: &[(&str, &str)]) -> Watched {
        let watched = Watched::without_lists().await;
        watched.list(entries);
        watched.refresh().await;
        watched
    }

    /// Before the first refresh.
    pub(crate) async fn without_lists() -> Watched {
        let folder = TempDir::new().unwrap();
        let now = Arc::new(AtomicI64::new(1_795_000_000_000));
        let api = if DEPLOYED.is_some() {
            Api::with_lists_to_itself().await
        } else {
            Api::set(clock(&now), None, None, environment(&folder)).await
        };
        Watched { api, acme: Persona::of("acme"), now, folder }
    }

    /// Another process on the same table, lists and clock.
    pub(crate) async fn another(&self) -> Api {
        if DEPLOYED.is_some() {
            return Api::on_table_of(&self.api).await;
        }
        Api::set(clock(&self.now), Some(&self.api), None, environment(&self.folder)).await
    }

    /// Another process, whose calls to the table this happens to.
    pub(crate) async fn under(&self, fault: impl Interceptor) -> Api {
        let client = faults::client(fault);
        Api::set(clock(&self.now), Some(&self.api), Some(client), environment(&self.folder)).await
    }

    /// Writes the list: lines of id and name, with the other columns empty.
    pub(crate) fn list(&self, entries: &[(&str, &str)]) {
        let rows: Vec<String> =
            entries.iter().map(|(id, name)| format!("{id},\"{name}\",,,,,,,,,,")).collect();
        self.rows(&rows);
    }

    /// Writes the list: a file of any format.
    pub(crate) fn file(&self, bytes: &[u8]) {
        match &*DEPLOYED {
            Some(deployed) => deployed.write_list(bytes),
            None => std::fs::write(self.folder.path().join("list.csv"), bytes).unwrap(),
        }
    }

    /// Writes the list: whole lines.
    pub(crate) fn rows(&self, rows: &[String]) {
        self.file(format!("{COLUMNS}\n{}\n", rows.join("\n")).as_bytes());
    }

    pub(crate) async fn refresh(&self) -> Value {
        self.api.refresh().await
    }

    /// A deployed stack has the world's time: only a little of it can be waited for.
    pub(crate) fn pass_time(&self, seconds: i64) {
        if DEPLOYED.is_some() && seconds <= 5 {
            return std::thread::sleep(Duration::from_secs(seconds.unsigned_abs()));
        }
        only_locally("clock that a test sets");
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// Until a pass may screen against the current lists.
    pub(crate) async fn pass_grace(&self) {
        if DEPLOYED.is_some() {
            self.api.age_lists(61).await;
        } else {
            self.pass_time(61);
        }
    }

    /// A pass, long enough after the last refresh; what became of the shards.
    pub(crate) async fn pass(&self, pass: &str) -> Vec<Value> {
        self.pass_grace().await;
        let done = self.api.run("rescreen", &json!({ "pass": pass })).await.unwrap();
        done["shards"].as_array().unwrap().clone()
    }

    /// Brings the list up to date and passes over everybody.
    pub(crate) async fn update(&self, entries: &[(&str, &str)]) -> Vec<Value> {
        self.list(entries);
        self.refresh().await;
        self.pass("on_update").await
    }

    pub(crate) async fn customer(&self, name: &str) -> Value {
        let body = json!({ "name": name, "entity_type": "individual" });
        self.api.create(&self.acme, &body).await
    }

    /// A monitored customer of this name.
    pub(crate) async fn monitored(&self, name: &str) -> Value {
        let customer = self.customer(name).await;
        self.monitor(&customer, &json!({})).await.expect(201);
        customer
    }

    pub(crate) async fn monitor(&self, customer: &Value, body: &Value) -> api_tests::Answer {
        self.api.post(&self.acme, &path(customer, "/monitor"), body).await
    }

    pub(crate) async fn state(&self, customer: &Value) -> Value {
        self.api.get(&self.acme, &path(customer, "/monitor")).await.expect(200)
    }

    pub(crate) async fn alerts(&self, customer: &Value) -> Vec<Value> {
        let page = self.api.get(&self.acme, &path(customer, "/alerts?limit=100")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Entry and status of every alert, in order of the entries; the count on the customer agrees.
    pub(crate) async fn found(&self, customer: &Value) -> Vec<(String, String)> {
        let alerts = self.alerts(customer).await;
        let text = |alert: &Value, field: &str| alert[field].as_str().unwrap().to_owned();
        let mut found: Vec<(String, String)> =
            alerts.iter().map(|alert| (text(alert, "entity_id"), text(alert, "status"))).collect();
        found.sort();
        let open = found.iter().filter(|(_, status)| status == "open").count();
        let customer = self.get(customer).await;
        assert_eq!(customer["monitoring"]["open_alerts"], open);
        found
    }

    pub(crate) async fn get(&self, customer: &Value) -> Value {
        self.api.get(&self.acme, &path(customer, "")).await.expect(200)
    }

    pub(crate) async fn decide(&self, customer: &Value, alert: &Value, status: &str) -> Value {
        let alert = alert["alert_id"].as_str().unwrap();
        let path = path(customer, &format!("/alerts/{alert}"));
        self.api.patch(&self.acme, &path, &json!({ "status": status })).await.expect(200)
    }
}

/// As a release with another format or matching model leaves a list: its index under that
/// release's name, and none under this one's.
pub(crate) async fn of_another_release(api: &Api, list: &str, csv: &[u8]) {
    let input = Input { name: "list.csv", read: Box::new(csv) };
    let index = import(list, None, vec![input], |_| ()).unwrap().index;
    let object = format!("lists/{list}/of-another-release.index");
    api.server().lists.put(&object, index).await.unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = api.dynamodb.update_item().table_name(&api.table);
    let update = update
        .key("pk", text("LISTS"))
        .key("sk", text("CURRENT"))
        .update_expression("SET lists.#list.#object = :object, lists.#list.version = :version")
        .expression_attribute_names("#list", list)
        .expression_attribute_names("#object", "object")
        .expression_attribute_values(":object", text(&object))
        .expression_attribute_values(":version", text("another"));
    update.send().await.unwrap();
}

fn clock(now: &Arc<AtomicI64>) -> Clock {
    let now = now.clone();
    Clock::new(move || Timestamp::from_millis(now.load(Ordering::SeqCst)))
}

fn environment(folder: &TempDir) -> BTreeMap<String, String> {
    let list = folder.path().join("list.csv");
    let sources = json!([{ "list": "ours", "from": [format!("file://{}", list.display())] }]);
    [
        ("WATCHLIST_SOURCES", sources.to_string()),
        ("MAX_SHRINK_PERCENT", "100".to_owned()),
        ("MONITOR_SHARDS", "2".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

pub(crate) fn path(customer: &Value, rest: &str) -> String {
    format!("{}{rest}", api_tests::path_of(customer))
}

/// The sums of a pass over all shards.
pub(crate) fn sum(shards: &[Value], field: &str) -> u64 {
    shards.iter().filter_map(|shard| shard["run"][field].as_u64()).sum()
}

pub(crate) fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(entry, status)| ((*entry).to_owned(), (*status).to_owned())).collect()
}
