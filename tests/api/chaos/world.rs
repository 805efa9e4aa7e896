//! Clients on servers whose table has trouble, and what they know.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use api_tests::chaos::{Chaos, Fault};
use api_tests::{Answer, Api, Dice, Persona, Value, json};
use aws_sdk_dynamodb::types::AttributeValue;
use check::{Report, with_long_timeouts};
use futures_util::future::join_all;
use shared::model::time::Clock;

use super::operations;
use crate::invariants::checked;
use crate::monitoring::Watched;

pub(super) const TENANTS: [&str; 2] = ["acme", "other"];

pub(super) struct World {
    pub(super) seed: u64,
    clients: usize,
    round: u64,
    pub(super) w: Watched,
    chaos: Chaos,
    /// Two processes.
    apis: Vec<Api>,
    pub(super) tenants: Vec<Persona>,
    pub(super) known: Mutex<Known>,
    answered: Mutex<BTreeMap<&'static str, BTreeMap<u16, usize>>>,
    wrong: Mutex<Vec<String>>,
}

/// What clients were told.
#[derive(Default)]
pub(super) struct Known {
    /// By tenant.
    pub(super) customers: [Vec<String>; 2],
    pub(super) sessions: [Vec<String>; 2],
    /// Customer and alert.
    pub(super) alerts: [Vec<(String, String)>; 2],
    /// By tenant, operation and key: the answer, and how often the work was done for it.
    promised: HashMap<(usize, &'static str, String), (Value, usize)>,
    /// By tenant and client id: one, but for those that were erased.
    owners: HashMap<(usize, String), BTreeSet<String>>,
}

/// One client in the middle of its work.
pub(super) struct Client<'w> {
    pub(super) world: &'w World,
    pub(super) dice: Dice,
    pub(super) api: &'w Api,
    pub(super) tenant: usize,
}

impl World {
    pub(super) async fn new(seed: u64, clients: usize) -> World {
        let w = Watched::start(&operations::list(&mut Dice::new(seed))).await;
        // The store removes by its own clock what has had its time: it must not be ahead.
        let behind = Clock::system().now().millis() - w.now.load(Ordering::SeqCst);
        w.pass_time(behind / 1_000 + 1);
        let chaos = Chaos::of(seed);
        let apis = vec![w.under(chaos.clone()).await, w.under(chaos.clone()).await];
        World {
            seed,
            clients,
            round: 0,
            w,
            chaos,
            apis,
            tenants: TENANTS.map(Persona::of).to_vec(),
            known: Mutex::default(),
            answered: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    /// So many operations, in rounds between which time passes and lists change.
    pub(super) async fn run(&mut self, operations: usize, a_round: usize) {
        let mut left = operations;
        while left > 0 {
            let now = a_round.min(left);
            left -= now;
            self.round += 1;
            let mut dice = Dice::new(self.seed ^ self.round << 40);
            if dice.percent(50) {
                self.w.list(&operations::list(&mut dice));
            }
            self.chaos.let_loose();
            let (each, more) = (now / self.clients, now % self.clients);
            let clients = (0..self.clients)
                .map(|number| self.client(number, each + usize::from(number < more)));
            join_all(clients).await;
            self.chaos.calm();
            // Longer than any lease: whoever still holds one is dead.
            self.w.pass_time(100);
            self.client_ids_have_one_owner().await;
            let wrong = std::mem::take(&mut *self.wrong.lock().unwrap());
            if !wrong.is_empty() {
                self.finish_erasing().await;
                let violations = checked(&self.w).await.violations;
                let some: Vec<String> =
                    violations.iter().take(3).map(ToString::to_string).collect();
                let (seed, count) = (self.seed, violations.len());
                panic!("seed {seed}: {count} violations, like {some:#?}; clients saw {wrong:#?}");
            }
        }
    }

    async fn client(&self, number: usize, operations: usize) {
        let seed = self.seed ^ self.round << 40 ^ (number as u64 + 1) << 24;
        let mut client = Client {
            world: self,
            dice: Dice::new(seed),
            api: &self.apis[number % self.apis.len()],
            tenant: 0,
        };
        for _ in 0..operations {
            client.tenant = client.dice.roll(TENANTS.len());
            operations::one(&mut client).await;
        }
    }

    /// Keys are remembered for a day: none is used again on the next.
    pub(super) fn key(&self, number: usize) -> String {
        format!("k{number}-{}", self.round / 200)
    }

    /// Whether lists may be refreshed in this round.
    pub(super) fn is_for_lists(&self) -> bool {
        self.round.is_multiple_of(2)
    }

    pub(super) fn wrong(&self, what: String) {
        self.wrong.lock().unwrap().push(what);
    }

    pub(super) async fn is_consistent(&self) -> Report {
        self.finish_erasing().await;
        let report = checked(&self.w).await;
        let told: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
        let (some, seed) = (&told[..told.len().min(40)], self.seed);
        assert!(told.is_empty(), "seed {seed}: {} violations: {some:#?}", told.len());
        assert_eq!(report.restless, 0);
        self.keys_took_effect_once().await;
        report
    }

    /// Whatever clients were told: of what was made with a key there is one.
    async fn keys_took_effect_once(&self) {
        let mut made = BTreeMap::<String, usize>::new();
        for item in self.found("attribute_exists(metadata.#key)", &[("#key", "key")]).await {
            let key = &item["metadata"].as_m().unwrap()["key"];
            let what = format!("{:?} {:?} {key:?}", item["tenant_id"], item["type"]);
            *made.entry(what).or_default() += 1;
        }
        let twice: Vec<_> = made.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "seed {}: keys took effect again: {twice:#?}", self.seed);
    }

    /// When all is calm again, what was left unfinished is finished, and nobody was missed.
    pub(super) async fn ends_well(&self) -> Report {
        self.is_consistent().await;
        self.w.refresh().await;
        for pass in ["resume", "on_update", "daily", "weekly", "resume", "reconcile"] {
            let done = self.w.pass(pass).await;
            let is_over = |shard: &Value| {
                ["finished", "nothing_new"].contains(&shard["outcome"].as_str().unwrap())
            };
            assert!(done.iter().all(is_over), "seed {}: {pass}: {done:?}", self.seed);
            if pass == "reconcile" {
                let missed = crate::monitoring::sum(&done, "missed");
                assert_eq!(missed, 0, "seed {}: {done:?}", self.seed);
            }
        }
        self.is_consistent().await
    }

    /// Who had a client id before its owner has been erased.
    async fn client_ids_have_one_owner(&self) {
        let several = |(at, owners): (&(usize, String), &BTreeSet<String>)| {
            (owners.len() > 1).then(|| (at.clone(), owners.clone()))
        };
        let several: Vec<_> =
            self.known.lock().unwrap().owners.iter().filter_map(several).collect();
        for (at, owners) in several {
            let mut left = BTreeSet::new();
            for owner in owners {
                let path = of(&owner, "");
                let customer = self.w.api.get(&self.tenants[at.0], &path).await.expect(200);
                if customer["erased_at"].is_null() {
                    left.insert(owner);
                }
            }
            if left.len() > 1 {
                self.wrong(format!("{} is that of {left:?}", at.1));
            }
            self.known.lock().unwrap().owners.insert(at, left);
        }
    }

    /// Asks once more for what was begun and not finished.
    async fn finish_erasing(&self) {
        let begun = "attribute_exists(erased_at) AND attribute_not_exists(is_scrubbed)";
        for item in self.found(begun, &[]).await {
            let text = |name: &str| item[name].as_s().unwrap();
            let tenant = TENANTS.iter().position(|name| name == text("tenant_id")).unwrap();
            let path = of(text("customer_id"), "/erase");
            self.w.api.call(&self.tenants[tenant], "POST", &path).send().await.expect(200);
        }
    }

    /// All items of the table that pass a filter.
    async fn found(
        &self,
        filter: &str,
        names: &[(&str, &str)],
    ) -> Vec<HashMap<String, AttributeValue>> {
        let mut scan =
            with_long_timeouts(&self.w.api.dynamodb).scan().table_name(&self.w.api.table);
        for (name, attribute) in names {
            scan = scan.expression_attribute_names(*name, *attribute);
        }
        let pages = scan.filter_expression(filter).into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.unwrap()
    }

    /// How often each operation was answered with which status.
    pub(super) fn answered(&self) -> BTreeMap<&'static str, BTreeMap<u16, usize>> {
        self.answered.lock().unwrap().clone()
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

    /// Sends a request, holds the answer against what was promised before, and returns its data if
    /// it is a success.
    pub(super) async fn send(
        &mut self,
        operation: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, String)],
    ) -> Option<Value> {
        let has_key = headers.iter().any(|(name, _)| *name == "idempotency-key");
        let mut tries = if has_key { 3 } else { 1 };
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
            tries -= 1;
            // Who has a key may ask again what became of it.
            if answer.status != 503 || tries == 0 {
                break answer;
            }
        };
        let is_expected = match answer.status {
            200 | 201 | 400 | 404 | 409 | 412 => true,
            503 => answer.header("retry-after").is_some(),
            _ => false,
        };
        if !is_expected {
            self.world.wrong(format!("{method} {path}: {} {}", answer.status, answer.text));
        }
        if answer.status >= 300 {
            return None;
        }
        if let Some((_, key)) = headers.iter().find(|(name, _)| *name == "idempotency-key") {
            self.keeps_its_promise(operation, key, &answer);
        }
        Some(answer.body["data"].clone())
    }

    /// A key has one effect and one answer.
    fn keeps_its_promise(&self, operation: &'static str, key: &str, answer: &Answer) {
        let data = &answer.body["data"];
        let is_first = answer.header("idempotent-replayed").is_none();
        let mut known = self.world.known.lock().unwrap();
        let at = (self.tenant, operation, key.to_owned());
        let (promised, times) = known.promised.entry(at).or_insert_with(|| (data.clone(), 0));
        *times += usize::from(is_first);
        if *times > 1 || promised != data {
            self.world.wrong(format!("{operation} {key}: {times} times, {promised} and {data}"));
        }
    }

    /// A client id is this customer's.
    pub(super) fn owns(&self, client_id: &str, customer: &Value) {
        let id = customer["customer_id"].as_str().unwrap();
        let mut known = self.world.known.lock().unwrap();
        let at = (self.tenant, client_id.to_owned());
        known.owners.entry(at).or_default().insert(id.to_owned());
    }

    /// Runs a job; whether the table let it end is another matter.
    pub(super) async fn run(&mut self, operation: &'static str, job: &str, payload: &Value) {
        let done = self.api.run(job, payload).await;
        if let Err(error) = &done
            && error["errorType"] != "STORE_UNAVAILABLE"
            && !error["errorMessage"].as_str().is_some_and(is_of_the_table)
        {
            self.world.wrong(format!("{job} {payload}: {error}"));
        }
        self.count(operation, if done.is_ok() { 200 } else { 503 });
    }

    fn count(&self, operation: &'static str, status: u16) {
        let mut answered = self.world.answered.lock().unwrap();
        *answered.entry(operation).or_default().entry(status).or_default() += 1;
    }

    pub(super) fn customer(&mut self) -> Option<String> {
        let known = self.world.known.lock().unwrap();
        recent(&mut self.dice, &known.customers[self.tenant])
    }

    pub(super) fn session(&mut self) -> Option<String> {
        let known = self.world.known.lock().unwrap();
        recent(&mut self.dice, &known.sessions[self.tenant])
    }

    pub(super) fn alert(&mut self) -> Option<(String, String)> {
        let known = self.world.known.lock().unwrap();
        recent(&mut self.dice, &known.alerts[self.tenant])
    }

    pub(super) fn learn(&self, of: impl FnOnce(&mut Known, usize)) {
        of(&mut self.world.known.lock().unwrap(), self.tenant);
    }
}

/// Why a job that tries everything failed with the first of it.
fn is_of_the_table(why: &str) -> bool {
    let calls = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "TransactWriteItems"];
    calls.iter().any(|call| why.contains(call)) && !why.contains("ValidationException")
}

/// Mostly one of the last, so that clients meet.
fn recent<T: Clone>(dice: &mut Dice, all: &[T]) -> Option<T> {
    if all.is_empty() {
        return None;
    }
    let most = if dice.percent(85) { all.len().min(20) } else { all.len() };
    let at = all.len() - 1 - dice.roll(most);
    Some(all[at].clone())
}

pub(super) fn unique(all: &mut Vec<String>, id: &Value) {
    let id = id.as_str().unwrap();
    if !all.iter().rev().take(200).any(|known| known == id) {
        all.push(id.to_owned());
    }
}

pub(super) fn of(customer: &str, rest: &str) -> String {
    format!("{}{rest}", api_tests::path_of(&json!({ "customer_id": customer })))
}
