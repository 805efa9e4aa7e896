//! Checks that every operation makes exactly the expected calls to the table and stays within a
//! budget of read and write units. Additional calls or units make an operation slower and more
//! expensive, which other tests do not notice.

mod rows;
#[cfg(test)]
mod units;

use std::collections::{BTreeMap, BTreeSet};

use api_tests::faults::{self, Consumed, Meter};
use api_tests::{Answer, Api, Persona, Value, json, path_of};
use local::template::Template;
use shared::model::time::Clock;

use rows::Given::{Customer, Customers, Monitored, NoCustomer};
use rows::{NEW, OWNERS};
pub(crate) use rows::{ROWS, Row};

/// A server whose calls to the table are measured. Its watchlist contains `Brindal Quarry Trading`.
pub(crate) struct Bench {
    pub(crate) api: Api,
    pub(crate) meter: Meter,
}

impl Bench {
    pub(crate) async fn start() -> Bench {
        let meter = Meter::default();
        let client = faults::client(meter.clone());
        let environment = [("WATCHLIST_SOURCES".to_owned(), local::sample_source())].into();
        let api = Api::set(Clock::system(), None, Some(client), environment).await;
        api.refresh().await;
        Bench { api, meter }
    }

    /// Creates the data that the row requires, in this tenant.
    pub(crate) async fn prepare(&self, row: &Row, tenant: &str) -> Scenario {
        let (api, who) = (&self.api, Persona::of(tenant));
        let mut placeholders = BTreeMap::new();
        let mut set = |placeholder, value: &Value| {
            placeholders.insert(placeholder, value.as_str().unwrap().to_owned())
        };
        match row.given {
            NoCustomer => {}
            Customer => {
                let new = serde_json::from_str(NEW).unwrap();
                set("{id}", &api.create(&who, &new).await["customer_id"]);
            }
            Customers => {
                for number in 1..=30 {
                    let mut new: Value = serde_json::from_str(NEW).unwrap();
                    new["client_id"] = format!("crm-{number}").into();
                    api.create(&who, &new).await;
                }
                let page = api.get(&who, "/customers").await.expect(200);
                set("{cursor}", &page["cursor"]);
            }
            Monitored => {
                let new = json!({ "client_id": "crm-1", "name": "Brindal Quarry Trading", "country": "AE" });
                let customer = api.create(&who, &new).await;
                let path = |rest: &str| format!("{}{rest}", path_of(&customer));
                let owners = api.call(&who, "PUT", &path("/organization")).text(OWNERS);
                owners.header("content-type", "application/json").send().await.expect(201);
                let link = json!({ "customer_id": customer["customer_id"] });
                let session = api.post(&who, "/kyc/sessions", &link).await.expect(201);
                api.post(&who, &path("/monitor"), &json!({})).await.expect(201);
                let alerts = api.get(&who, &path("/alerts")).await.expect(200);
                set("{id}", &customer["customer_id"]);
                set("{session_id}", &session["session_id"]);
                set("{alert_id}", &alerts["items"][0]["alert_id"]);
            }
        }
        self.meter.take();
        Scenario { who, placeholders }
    }

    pub(crate) async fn call(&self, row: &Row, scenario: &Scenario) -> Answer {
        let (method, path) = row.route.split_once(' ').unwrap();
        let path = scenario.fill_in(&[path, row.query].concat());
        let mut call = self.api.call(&scenario.who, method, &path);
        if row.is_keyed {
            call = call.header("idempotency-key", "a-key");
        }
        if !row.body.is_empty() {
            call = call.header("content-type", "application/json").text(scenario.fill_in(row.body));
        }
        call.send().await
    }
}

/// The caller of an operation, and the values of the placeholders in its row, such as `{id}`.
pub(crate) struct Scenario {
    who: Persona,
    placeholders: BTreeMap<&'static str, String>,
}

impl Scenario {
    /// Returns the text with all placeholders replaced by their values.
    fn fill_in(&self, text: &str) -> String {
        let placeholders = self.placeholders.iter();
        placeholders.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

impl Row {
    /// Describes the calls and units of an operation that exceeds its budget or makes unexpected
    /// calls. Returns `None` if the calls are the expected ones and the units stay within the
    /// budget.
    fn excess(&self, consumed: &Consumed) -> Option<String> {
        let calls: Vec<String> = consumed
            .calls
            .iter()
            .map(|(operation, times)| format!("{times} {operation}"))
            .collect();
        let calls = calls.join(", ");
        let (max_reads, max_writes) = self.units;
        let is_within_budget = calls == self.calls
            && consumed.unknown == 0
            && consumed.reads <= max_reads
            && consumed.writes <= max_writes;
        (!is_within_budget).then(|| {
            let Consumed { reads, writes, unknown, .. } = consumed;
            format!(
                "{}: {calls}; {reads} read units of {max_reads}, {writes} write units of {max_writes}; \
                 the units of {unknown} calls are unknown",
                self.what
            )
        })
    }
}

#[tokio::test]
async fn every_operation_stays_within_its_budget() {
    let bench = Bench::start().await;
    let mut excesses = Vec::new();
    for (i, row) in ROWS.iter().enumerate() {
        let scenario = bench.prepare(row, &format!("tenant-{i}")).await;
        bench.call(row, &scenario).await.expect(row.status);
        excesses.extend(row.excess(&bench.meter.take()));
        if row.is_keyed {
            // A replay makes only one conditional write. The refusal of this write returns the
            // stored answer.
            let replayed = bench.call(row, &scenario).await;
            assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
            let replay = Row { what: "replay", calls: "1 PutItem", units: (0.0, 2.0), ..*row };
            excesses.extend(replay.excess(&bench.meter.take()));
        }
    }
    assert!(excesses.is_empty(), "\n{}\n", excesses.join("\n"));
}

#[test]
fn every_route_has_a_budget() {
    let template = Template::embedded().unwrap();
    let routes = template.routes().filter(|(_, route)| !route.is_public);
    let routes: BTreeSet<String> = routes.map(|(_, route)| route.key()).collect();
    assert_eq!(ROWS.iter().map(|row| row.route.to_owned()).collect::<BTreeSet<_>>(), routes);
}

/// An operation that scanned the table would return correct results, but would get slower as the
/// table grows.
#[test]
fn functions_must_not_scan_the_table() {
    for function in Template::embedded().unwrap().functions {
        for permission in function.permissions {
            let action = permission.action.strip_prefix("dynamodb:").unwrap_or_default();
            assert!(!action.contains('*') && action != "Scan", "{}: {permission}", function.name);
        }
    }
}
