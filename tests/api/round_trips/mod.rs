//! What every operation asks of the table: which calls, and how many units at the most. More of
//! either is slower and dearer for everybody, and nothing else would tell.

mod rows;
#[cfg(test)]
mod units;

use std::collections::{BTreeMap, BTreeSet};

use api_tests::faults::{self, Consumed, Meter};
use api_tests::{Answer, Api, Persona, Value, json, path_of};
use local::template::Template;
use shared::model::time::Clock;

use rows::Given::{Customer, Customers, Nobody, Watched};
use rows::{NEW, OWNERS};
pub(crate) use rows::{ROWS, Row};

/// A server that is measured. Its watchlist knows `Brindal Quarry Trading`.
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

    /// Makes what the row says is given, for a tenant of its own.
    pub(crate) async fn prepare(&self, row: &Row, tenant: &str) -> Prepared {
        let (api, who) = (&self.api, Persona::of(tenant));
        let mut names = BTreeMap::new();
        let mut name = |name, value: &Value| names.insert(name, value.as_str().unwrap().to_owned());
        match row.given {
            Nobody => {}
            Customer => {
                let new = serde_json::from_str(NEW).unwrap();
                name("{id}", &api.create(&who, &new).await["customer_id"]);
            }
            Customers => {
                for number in 1..=30 {
                    let mut new: Value = serde_json::from_str(NEW).unwrap();
                    new["client_id"] = format!("crm-{number}").into();
                    api.create(&who, &new).await;
                }
                let page = api.get(&who, "/customers").await.expect(200);
                name("{cursor}", &page["cursor"]);
            }
            Watched => {
                let new = json!({ "client_id": "crm-1", "name": "Brindal Quarry Trading", "country": "AE" });
                let customer = api.create(&who, &new).await;
                let path = |rest: &str| format!("{}{rest}", path_of(&customer));
                let owners = api.call(&who, "PUT", &path("/organization")).text(OWNERS);
                owners.header("content-type", "application/json").send().await.expect(201);
                let link = json!({ "customer_id": customer["customer_id"] });
                let session = api.post(&who, "/kyc/sessions", &link).await.expect(201);
                api.post(&who, &path("/monitor"), &json!({})).await.expect(201);
                let alerts = api.get(&who, &path("/alerts")).await.expect(200);
                name("{id}", &customer["customer_id"]);
                name("{session_id}", &session["session_id"]);
                name("{alert_id}", &alerts["items"][0]["alert_id"]);
            }
        }
        self.meter.take();
        Prepared { who, names }
    }

    pub(crate) async fn call(&self, row: &Row, given: &Prepared) -> Answer {
        let (method, path) = row.route.split_once(' ').unwrap();
        let mut call = self.api.call(&given.who, method, &given.named(&[path, row.query].concat()));
        if row.is_keyed {
            call = call.header("idempotency-key", "a-key");
        }
        if !row.body.is_empty() {
            call = call.header("content-type", "application/json").text(given.named(row.body));
        }
        call.send().await
    }
}

/// Who calls, and what it is called that the row names in braces.
pub(crate) struct Prepared {
    who: Persona,
    names: BTreeMap<&'static str, String>,
}

impl Prepared {
    fn named(&self, text: &str) -> String {
        let names = self.names.iter();
        names.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

impl Row {
    /// How it went over its budget; `None` when it did not.
    fn excess(&self, consumed: &Consumed) -> Option<String> {
        let calls = consumed.calls.iter().map(|(operation, times)| format!("{times} {operation}"));
        let calls: Vec<String> = calls.collect();
        let (calls, (reads, writes)) = (calls.join(", "), self.units);
        let is_within = calls == self.calls
            && consumed.unknown == 0
            && consumed.reads <= reads
            && consumed.writes <= writes;
        (!is_within).then(|| {
            let (read, written) = (consumed.reads, consumed.writes);
            format!(
                "{}: {calls}; {read} read and {written} write units, and {reads} and {writes} are \
                 the most; {} not told",
                self.what, consumed.unknown
            )
        })
    }
}

#[tokio::test]
async fn every_operation_keeps_to_its_calls_and_units() {
    let bench = Bench::start().await;
    let mut excesses = Vec::new();
    for (i, row) in ROWS.iter().enumerate() {
        let given = bench.prepare(row, &format!("tenant-{i}")).await;
        bench.call(row, &given).await.expect(row.status);
        excesses.extend(row.excess(&bench.meter.take()));
        if row.is_keyed {
            // The first answer again: nothing but a record that is there already.
            let replayed = bench.call(row, &given).await;
            assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
            let again = Row { what: "replay", calls: "1 PutItem", units: (0.0, 2.0), ..*row };
            excesses.extend(again.excess(&bench.meter.take()));
        }
    }
    assert!(excesses.is_empty(), "\n{}\n", excesses.join("\n"));
}

#[test]
fn every_route_has_a_budget() {
    let template = Template::embedded().unwrap();
    let routes: BTreeSet<String> = template.routes().map(|(_, route)| route.key()).collect();
    assert_eq!(ROWS.iter().map(|row| row.route.to_owned()).collect::<BTreeSet<_>>(), routes);
}

/// An operation that scanned would find everything it looks for, and take longer every day.
#[test]
fn nobody_may_scan() {
    for function in Template::embedded().unwrap().functions {
        for permission in function.permissions {
            let action = permission.action.strip_prefix("dynamodb:").unwrap_or_default();
            assert!(!action.contains('*') && action != "Scan", "{}: {permission}", function.name);
        }
    }
}
