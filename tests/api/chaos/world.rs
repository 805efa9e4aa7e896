//! Provides the clients, the knowledge that they share, and the servers whose calls to the table
//! have faults.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use api_tests::chaos::{Chaos, Fault};
use api_tests::{Answer, Api, Dice, Persona, Value, json};
use aws_sdk_dynamodb::types::AttributeValue;
use check::{Report, with_long_timeouts};
use futures_util::future::join_all;
use shared::model::time::Clock;

use crate::invariants::checked;
use crate::monitoring::Setup;

/// Names that both customers and listed entities have.
pub(super) const NAMES: [&str; 12] = [
    "Mirka Dovello",
    "Tarun Oblasti",
    "Nora Quist",
    "Ivo Brandel",
    "Pavel Orlovan",
    "Ada Mirzatal",
    "Lino Fadavar",
    "Sefa Gerolin",
    "Brindal Quarry Trading",
    "Ostmark Holding",
    "Vela Shipping Lines",
    "Norrland Timber",
];
pub(super) const TENANTS: [&str; 2] = ["acme", "other"];

pub(super) struct World {
    pub(super) seed: u64,
    clients: usize,
    round: u64,
    pub(super) setup: Setup,
    chaos: Chaos,
    /// Two servers on the same table, like two processes.
    apis: Vec<Api>,
    pub(super) tenants: Vec<Persona>,
    pub(super) knowledge: Mutex<Knowledge>,
    status_counts: Mutex<BTreeMap<&'static str, BTreeMap<u16, usize>>>,
    failures: Mutex<Vec<String>>,
}

/// The data that clients have learned from answers.
#[derive(Default)]
pub(super) struct Knowledge {
    /// Customer ids by tenant.
    pub(super) customers: [Vec<String>; 2],
    /// Session ids by tenant.
    pub(super) sessions: [Vec<String>; 2],
    /// Customer and alert ids by tenant.
    pub(super) alerts: [Vec<(String, String)>; 2],
    /// By tenant, operation and idempotency key: the first answer, and the number of answers that
    /// were not replays.
    answers_by_key: HashMap<(usize, &'static str, String), (Value, usize)>,
    /// Ids of all customers that have ever had a client id, by tenant and client id. All of them,
    /// except at most one, must be erased.
    owners: HashMap<(usize, String), BTreeSet<String>>,
}

/// A running client, which sends its requests to one of the servers.
pub(super) struct Client<'w> {
    pub(super) world: &'w World,
    pub(super) dice: Dice,
    pub(super) api: &'w Api,
    pub(super) tenant: usize,
}

/// Returns the entries of a random list as ids and names. Some of them match customers.
fn random_list(dice: &mut Dice) -> Vec<(&'static str, &'static str)> {
    const IDS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
    let mut entries = vec![("100", "Someone Unrelated")];
    for id in IDS {
        if dice.percent(35) {
            entries.push((id, *dice.pick(&NAMES)));
        }
    }
    entries
}

impl World {
    pub(super) async fn new(seed: u64, clients: usize) -> World {
        let setup = Setup::start(&random_list(&mut Dice::new(seed))).await;
        // The embedded store expires items by real time, so the clock must not lag behind real
        // time.
        let lag = Clock::system().now().millis() - setup.now.load(Ordering::SeqCst);
        setup.advance_clock(lag / 1_000 + 1);
        let chaos = Chaos::of(seed);
        let apis = vec![
            setup.server_with_fault(chaos.clone()).await,
            setup.server_with_fault(chaos.clone()).await,
        ];
        World {
            seed,
            clients,
            round: 0,
            setup,
            chaos,
            apis,
            tenants: TENANTS.map(Persona::of).to_vec(),
            knowledge: Mutex::default(),
            status_counts: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// Runs operations in rounds of `per_round`. Between two rounds, the clock advances and the
    /// list may change.
    ///
    /// The arguments of `run_client` are the number of the client and the number of operations to
    /// run.
    pub(super) async fn run(
        &mut self,
        operations: usize,
        per_round: usize,
        run_client: impl AsyncFn(&World, usize, usize),
    ) {
        let mut left = operations;
        while left > 0 {
            let count = per_round.min(left);
            left -= count;
            self.round += 1;
            let mut dice = Dice::new(self.seed ^ self.round << 40);
            if dice.percent(50) {
                self.setup.write_list(&random_list(&mut dice));
            }

            self.chaos.let_loose();
            let (per_client, remainder) = (count / self.clients, count % self.clients);
            let clients = (0..self.clients).map(|number| {
                run_client(self, number, per_client + usize::from(number < remainder))
            });
            join_all(clients).await;
            self.chaos.calm();

            // Let all leases expire. After the round, only dead workers still hold one.
            self.setup.advance_clock(100);
            self.check_owners().await;

            let failures = std::mem::take(&mut *self.failures.lock().unwrap());
            if !failures.is_empty() {
                self.finish_erasures().await;
                let violations = checked(&self.setup).await.violations;
                let examples: Vec<String> =
                    violations.iter().take(3).map(ToString::to_string).collect();
                let (seed, count) = (self.seed, violations.len());
                panic!(
                    "seed {seed}: {count} violations, such as {examples:#?}; failures: {failures:#?}"
                );
            }
        }
    }

    /// Returns the client with this number in the current round.
    pub(super) fn client(&self, number: usize) -> Client<'_> {
        let seed = self.seed ^ self.round << 40 ^ (number as u64 + 1) << 24;
        let api = &self.apis[number % self.apis.len()];
        Client { world: self, dice: Dice::new(seed), api, tenant: 0 }
    }

    /// Returns the idempotency key with this number. The keys change every 200 rounds, before they
    /// expire after a day.
    pub(super) fn key(&self, number: usize) -> String {
        format!("k{number}-{}", self.round / 200)
    }

    /// Returns whether clients may refresh the lists in this round, which is true in every other
    /// round.
    pub(super) fn allows_refresh(&self) -> bool {
        self.round.is_multiple_of(2)
    }

    pub(super) fn report_failure(&self, failure: String) {
        self.failures.lock().unwrap().push(failure);
    }

    /// Finishes interrupted erasures, and checks that the table is consistent and that no
    /// idempotency key took effect twice.
    pub(super) async fn check_consistency(&self) -> Report {
        self.finish_erasures().await;
        let report = checked(&self.setup).await;
        let violations: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
        let (examples, seed) = (&violations[..violations.len().min(40)], self.seed);
        assert!(
            violations.is_empty(),
            "seed {seed}: {} violations: {examples:#?}",
            violations.len()
        );
        assert_eq!(report.restless, 0);
        self.check_keys().await;
        report
    }

    /// Checks that each key created at most one item of a type in a tenant, even if the clients got
    /// no answer.
    async fn check_keys(&self) {
        let mut counts = BTreeMap::<String, usize>::new();
        for item in self.scan_items("attribute_exists(metadata.#key)", &[("#key", "key")]).await {
            let key = &item["metadata"].as_m().unwrap()["key"];
            let item_key = format!("{:?} {:?} {key:?}", item["tenant_id"], item["type"]);
            *counts.entry(item_key).or_default() += 1;
        }
        let repeated: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(repeated.is_empty(), "seed {}: keys took effect again: {repeated:#?}", self.seed);
    }

    /// Finishes all pending work without faults. Then checks that passes did not miss an alert and
    /// that the table is consistent.
    pub(super) async fn settle_and_check(&self) -> Report {
        self.check_consistency().await;
        self.setup.refresh().await;
        for pass in ["resume", "on_update", "daily", "weekly", "resume", "reconcile"] {
            let shards = self.setup.run_pass(pass).await;
            let is_finished = |shard: &Value| {
                ["finished", "nothing_new"].contains(&shard["outcome"].as_str().unwrap())
            };
            assert!(shards.iter().all(is_finished), "seed {}: {pass}: {shards:?}", self.seed);
            if pass == "reconcile" {
                let missed = crate::monitoring::sum(&shards, "missed");
                assert_eq!(missed, 0, "seed {}: {shards:?}", self.seed);
            }
        }
        self.check_consistency().await
    }

    /// Checks for each client id that at most one of its customers is not erased.
    async fn check_owners(&self) {
        let shared_ids: Vec<_> = {
            let knowledge = self.knowledge.lock().unwrap();
            let owners = knowledge.owners.iter().filter(|(_, owners)| owners.len() > 1);
            owners.map(|(client_id, owners)| (client_id.clone(), owners.clone())).collect()
        };
        for ((tenant, client_id), owners) in shared_ids {
            let mut current = BTreeSet::new();
            for owner in owners {
                let path = customer_path(&owner, "");
                let customer = self.setup.api.get(&self.tenants[tenant], &path).await.expect(200);
                if customer["erased_at"].is_null() {
                    current.insert(owner);
                }
            }
            if current.len() > 1 {
                self.report_failure(format!("{client_id} belongs to {current:?}"));
            }
            self.knowledge.lock().unwrap().owners.insert((tenant, client_id), current);
        }
    }

    /// Completes interrupted erasures by repeating their requests.
    async fn finish_erasures(&self) {
        let unfinished = "attribute_exists(erased_at) AND attribute_not_exists(is_scrubbed)";
        for item in self.scan_items(unfinished, &[]).await {
            let text = |name: &str| item[name].as_s().unwrap();
            let tenant = TENANTS.iter().position(|name| name == text("tenant_id")).unwrap();
            let path = customer_path(text("customer_id"), "/erase");
            self.setup.api.call(&self.tenants[tenant], "POST", &path).send().await.expect(200);
        }
    }

    /// Returns all items of the table that match a filter expression.
    async fn scan_items(
        &self,
        filter: &str,
        names: &[(&str, &str)],
    ) -> Vec<HashMap<String, AttributeValue>> {
        let client = with_long_timeouts(&self.setup.api.dynamodb);
        let mut scan = client.scan().table_name(&self.setup.api.table);
        for (name, attribute) in names {
            scan = scan.expression_attribute_names(*name, *attribute);
        }
        let pages = scan.filter_expression(filter).into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.unwrap()
    }

    /// Returns the number of answers by operation and status.
    pub(super) fn status_counts(&self) -> BTreeMap<&'static str, BTreeMap<u16, usize>> {
        self.status_counts.lock().unwrap().clone()
    }

    pub(super) fn faults(&self) -> BTreeMap<Fault, usize> {
        self.chaos.done().0
    }

    pub(super) fn calls(&self) -> usize {
        self.chaos.done().1
    }
}

impl Client<'_> {
    pub(super) fn who(&self) -> &Persona {
        &self.world.tenants[self.tenant]
    }

    /// Sends a request, and repeats it up to two times if it has an idempotency key and gets a 503.
    /// Compares the answer with earlier answers for the same key. Returns the data of a successful
    /// answer.
    pub(super) async fn send(
        &mut self,
        operation: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, String)],
    ) -> Option<Value> {
        let has_key = headers.iter().any(|(name, _)| *name == "idempotency-key");
        let mut attempts_left = if has_key { 3 } else { 1 };
        let answer = loop {
            let mut call = self.api.call(self.who(), method, path);
            for (name, value) in headers {
                call = call.header(name, value);
            }
            if let Some(body) = body {
                call = call.json(body);
            }
            let answer = call.send().await;
            self.count(operation, answer.status);
            attempts_left -= 1;
            // Only a request with a key can be repeated safely, so other requests have one attempt.
            if answer.status != 503 || attempts_left == 0 {
                break answer;
            }
        };
        let is_expected = match answer.status {
            200 | 201 | 400 | 404 | 409 | 412 => true,
            503 => answer.header("retry-after").is_some(),
            _ => false,
        };
        if !is_expected {
            self.world
                .report_failure(format!("{method} {path}: {} {}", answer.status, answer.text));
        }
        if answer.status >= 300 {
            return None;
        }
        if let Some((_, key)) = headers.iter().find(|(name, _)| *name == "idempotency-key") {
            self.check_replay(operation, key, &answer);
        }
        Some(answer.body["data"].clone())
    }

    /// Checks that a key took effect at most once and always has the same answer.
    fn check_replay(&self, operation: &'static str, key: &str, answer: &Answer) {
        let data = &answer.body["data"];
        let is_first = answer.header("idempotent-replayed").is_none();
        let mut knowledge = self.world.knowledge.lock().unwrap();
        let entry = knowledge.answers_by_key.entry((self.tenant, operation, key.to_owned()));
        let (first_data, effects) = entry.or_insert_with(|| (data.clone(), 0));
        *effects += usize::from(is_first);
        if *effects > 1 || first_data != data {
            let failure = format!(
                "{operation} {key} took effect {effects} times, with {first_data} and {data}"
            );
            self.world.report_failure(failure);
        }
    }

    /// Records that a client id belongs to this customer.
    pub(super) fn record_owner(&self, client_id: &str, customer: &Value) {
        let id = customer["customer_id"].as_str().unwrap();
        let mut knowledge = self.world.knowledge.lock().unwrap();
        let owners = knowledge.owners.entry((self.tenant, client_id.to_owned())).or_default();
        owners.insert(id.to_owned());
    }

    /// Runs a scheduled job. The job may fail only because of a fault of the table, which can also
    /// make the lists unavailable.
    pub(super) async fn run(&mut self, operation: &'static str, job: &str, payload: &Value) {
        let result = self.api.run(job, payload).await;
        if let Err(error) = &result
            && !["STORE_UNAVAILABLE", "LISTS_UNAVAILABLE"]
                .map(Value::from)
                .contains(&error["errorType"])
            && !error["errorMessage"].as_str().is_some_and(names_failed_call)
        {
            self.world.report_failure(format!("{job} {payload}: {error}"));
        }
        self.count(operation, if result.is_ok() { 200 } else { 503 });
    }

    fn count(&self, operation: &'static str, status: u16) {
        let mut counts = self.world.status_counts.lock().unwrap();
        *counts.entry(operation).or_default().entry(status).or_default() += 1;
    }

    pub(super) fn customer(&mut self) -> Option<String> {
        let knowledge = self.world.knowledge.lock().unwrap();
        recent(&mut self.dice, &knowledge.customers[self.tenant])
    }

    pub(super) fn session(&mut self) -> Option<String> {
        let knowledge = self.world.knowledge.lock().unwrap();
        recent(&mut self.dice, &knowledge.sessions[self.tenant])
    }

    pub(super) fn alert(&mut self) -> Option<(String, String)> {
        let knowledge = self.world.knowledge.lock().unwrap();
        recent(&mut self.dice, &knowledge.alerts[self.tenant])
    }

    /// Changes the shared knowledge with a function that gets the knowledge and the index of the
    /// current tenant.
    pub(super) fn learn(&self, update: impl FnOnce(&mut Knowledge, usize)) {
        update(&mut self.world.knowledge.lock().unwrap(), self.tenant);
    }
}

/// Returns whether the error message of a job names a failed call to the table. A call that
/// DynamoDB refused as invalid does not count.
fn names_failed_call(message: &str) -> bool {
    let calls = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "TransactWriteItems"];
    calls.iter().any(|call| message.contains(call)) && !message.contains("ValidationException")
}

/// Picks an element, mostly one of the last 20, so that clients often use the same element. Returns
/// `None` if `all` is empty.
fn recent<T: Clone>(dice: &mut Dice, all: &[T]) -> Option<T> {
    if all.is_empty() {
        return None;
    }
    let candidates = if dice.percent(85) { all.len().min(20) } else { all.len() };
    let index = all.len() - 1 - dice.roll(candidates);
    Some(all[index].clone())
}

pub(super) fn push_unique(all: &mut Vec<String>, id: &Value) {
    let id = id.as_str().unwrap();
    if !all.iter().rev().take(200).any(|other| other == id) {
        all.push(id.to_owned());
    }
}

pub(super) fn customer_path(customer: &str, rest: &str) -> String {
    format!("{}{rest}", api_tests::path_of(&json!({ "customer_id": customer })))
}
