//! Tests monitoring: passes check customers against watchlists as the lists change, and matches
//! raise alerts.

mod again;
mod alerts;
mod changes;
mod interleaved;
mod killed;
mod large;
pub(crate) mod many;
mod memory;
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

/// A server with a clock and a watchlist, `ours`, that the test controls.
pub(crate) struct Setup {
    pub(crate) api: Api,
    pub(crate) acme: Persona,
    /// Time of the clock, in milliseconds since 1970.
    pub(crate) now: Arc<AtomicI64>,
    folder: TempDir,
}

const COLUMNS: &str = "id,name,kind,aliases,weak_aliases,former_names,date,countries,identifiers,programs,gender,remarks";

impl Setup {
    /// Starts a server and loads a list with these entries, each an id and a name.
    pub(crate) async fn start(entries: &[(&str, &str)]) -> Setup {
        let setup = Setup::without_lists().await;
        setup.write_list(entries);
        setup.refresh().await;
        setup
    }

    /// Starts a server that has not loaded any lists yet.
    pub(crate) async fn without_lists() -> Setup {
        let folder = TempDir::new().unwrap();
        let now = Arc::new(AtomicI64::new(1_795_000_000_000));
        let api = if DEPLOYED.is_some() {
            Api::with_lists_to_itself().await
        } else {
            Api::set(clock(&now), None, None, environment(&folder)).await
        };
        Setup { api, acme: Persona::of("acme"), now, folder }
    }

    /// Starts another process with the same table, lists and clock.
    pub(crate) async fn another_server(&self) -> Api {
        if DEPLOYED.is_some() {
            return Api::on_table_of(&self.api).await;
        }
        Api::set(clock(&self.now), Some(&self.api), None, environment(&self.folder)).await
    }

    /// Starts another process with the same table, lists and clock. `fault` intercepts its calls to
    /// the table.
    pub(crate) async fn server_with_fault(&self, fault: impl Interceptor) -> Api {
        let client = faults::client(fault);
        Api::set(clock(&self.now), Some(&self.api), Some(client), environment(&self.folder)).await
    }

    /// Writes the list with these ids and names. All other columns are empty.
    pub(crate) fn write_list(&self, entries: &[(&str, &str)]) {
        let rows: Vec<String> =
            entries.iter().map(|(id, name)| format!("{id},\"{name}\",,,,,,,,,,")).collect();
        self.write_rows(&rows);
    }

    /// Writes the list as a file of any format.
    pub(crate) fn write_file(&self, bytes: &[u8]) {
        match &*DEPLOYED {
            Some(deployed) => deployed.write_list(bytes),
            None => std::fs::write(self.folder.path().join("list.csv"), bytes).unwrap(),
        }
    }

    /// Writes the list as rows of CSV, without the header.
    pub(crate) fn write_rows(&self, rows: &[String]) {
        self.write_file(format!("{COLUMNS}\n{}\n", rows.join("\n")).as_bytes());
    }

    pub(crate) async fn refresh(&self) -> Value {
        self.api.refresh().await
    }

    /// Advances the clock. A deployed stack uses the real time, so this function sleeps there
    /// instead, and panics if `seconds` exceeds 5.
    pub(crate) fn advance_clock(&self, seconds: i64) {
        if DEPLOYED.is_some() && seconds <= 5 {
            return std::thread::sleep(Duration::from_secs(seconds.unsigned_abs()));
        }
        only_locally("clock that a test sets");
        self.now.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// Advances the clock until a pass may use the current lists, which is 60 seconds after a
    /// refresh. On a deployed stack, changes the age of the lists instead.
    pub(crate) async fn advance_past_grace(&self) {
        if DEPLOYED.is_some() {
            self.api.age_lists(61).await;
        } else {
            self.advance_clock(61);
        }
    }

    /// Advances the clock far enough for a pass to use the current lists, and runs the pass.
    /// Returns the result of every shard.
    pub(crate) async fn run_pass(&self, pass: &str) -> Vec<Value> {
        self.advance_past_grace().await;
        let result = self.api.run("rescreen", &json!({ "pass": pass })).await.unwrap();
        result["shards"].as_array().unwrap().clone()
    }

    /// Writes the list, refreshes the lists and runs an `on_update` pass. Returns the result of
    /// every shard.
    pub(crate) async fn update_list(&self, entries: &[(&str, &str)]) -> Vec<Value> {
        self.write_list(entries);
        self.refresh().await;
        self.run_pass("on_update").await
    }

    pub(crate) async fn create_customer(&self, name: &str) -> Value {
        let body = json!({ "name": name, "entity_type": "individual" });
        self.api.create(&self.acme, &body).await
    }

    /// Creates a customer with this name and starts to monitor it.
    pub(crate) async fn monitored_customer(&self, name: &str) -> Value {
        let customer = self.create_customer(name).await;
        self.monitor(&customer, &json!({})).await.expect(201);
        customer
    }

    pub(crate) async fn monitor(&self, customer: &Value, body: &Value) -> api_tests::Answer {
        self.api.post(&self.acme, &path(customer, "/monitor"), body).await
    }

    pub(crate) async fn get_monitor(&self, customer: &Value) -> Value {
        self.api.get(&self.acme, &path(customer, "/monitor")).await.expect(200)
    }

    pub(crate) async fn alerts(&self, customer: &Value) -> Vec<Value> {
        let page = self.api.get(&self.acme, &path(customer, "/alerts?limit=100")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Returns the list entry and the status of every alert, in order of the entries. Also checks
    /// that the customer has the right number of open alerts.
    pub(crate) async fn alert_statuses(&self, customer: &Value) -> Vec<(String, String)> {
        let alerts = self.alerts(customer).await;
        let text = |alert: &Value, field: &str| alert[field].as_str().unwrap().to_owned();
        let mut statuses: Vec<(String, String)> =
            alerts.iter().map(|alert| (text(alert, "entity_id"), text(alert, "status"))).collect();
        statuses.sort();
        let open = statuses.iter().filter(|(_, status)| status == "open").count();
        let customer = self.get(customer).await;
        assert_eq!(customer["monitoring"]["open_alerts"], open);
        statuses
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

/// Changes a list as if a release with another index format or matching model had imported it: the
/// list has an index for that release, but not for this one.
pub(crate) async fn leave_index_of_another_release(api: &Api, list: &str, csv: &[u8]) {
    let input = Input { name: "list.csv", read: Box::new(csv) };
    let index = import(list, None, vec![input], |_| ()).unwrap().index;
    let object = format!("lists/{list}/of-another-release.index");
    api.server().lists.put(&object, index).await.unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    api.dynamodb
        .update_item()
        .table_name(&api.table)
        .key("pk", text("LISTS"))
        .key("sk", text("CURRENT"))
        .update_expression("SET lists.#list.#object = :object, lists.#list.version = :version")
        .expression_attribute_names("#list", list)
        .expression_attribute_names("#object", "object")
        .expression_attribute_values(":object", text(&object))
        .expression_attribute_values(":version", text("another"))
        .send()
        .await
        .unwrap();
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

/// Returns the total of one of a pass's counters over all shards. A shard without the counter
/// counts as 0.
pub(crate) fn sum(shards: &[Value], field: &str) -> u64 {
    shards.iter().filter_map(|shard| shard["run"][field].as_u64()).sum()
}

pub(crate) fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(entry, status)| ((*entry).to_owned(), (*status).to_owned())).collect()
}
