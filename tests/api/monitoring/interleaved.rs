//! Requests, list changes and passes that meet at every call to the table, and at random: in the
//! end every customer has the alerts of a whole screening against the newest lists.

use std::time::{Duration, Instant};

use api_tests::faults::Gate;
use api_tests::{Api, Dice, Value, json};
use tokio::sync::RwLock;

use super::{Watched, path, sum};

/// More calls than any of these makes.
const MANY: usize = 40;

const OLD: [(&str, &str); 3] =
    [("1", "Mirka Dovello"), ("2", "Tarun Oblasti"), ("3", "Nora Quist")];
const NEW: [(&str, &str); 3] =
    [("1", "Mirka Ilinovna Dovello"), ("3", "Ivo Brandel"), ("4", "Tarun Oblasti")];

/// Passes over everything; then nobody has any news, and nobody ever was missed.
async fn settle(w: &Watched) {
    w.pass_time(100);
    let done = w.pass("on_update").await;
    assert!(done.iter().all(|shard| shard["outcome"] != "busy"), "{done:?}");
    let checked = w.pass("reconcile").await;
    assert_eq!((sum(&checked, "news"), sum(&checked, "missed")), (0, 0), "{checked:?}");
}

async fn structure(api: &Api, w: &Watched, customer: &Value, owner: &str) {
    let body = json!({
        "parties": [{ "party_id": "p", "kind": "individual", "name": owner }],
        "relationships": [{ "owner": "p", "owned": "self", "percentage": 60 }],
    });
    let put = api.call(&w.acme, "PUT", &path(customer, "/organization")).json(&body).send().await;
    assert!(put.status < 300, "{}", put.text);
}

/// What is held at the gate, while something else happens.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Start,
    Change,
    Rename,
    Organization,
    Decide,
    Stop,
    Pass,
    Refresh,
}

#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    ListChanges,
    Renamed,
    Resettled,
    Passed,
}

const MEANWHILE: [Meanwhile; 4] =
    [Meanwhile::ListChanges, Meanwhile::Renamed, Meanwhile::Resettled, Meanwhile::Passed];

impl Held {
    /// Whether it screens the customer by itself.
    fn checks(self) -> bool {
        matches!(self, Held::Start | Held::Change | Held::Rename | Held::Organization)
    }

    async fn run(self, api: &Api, w: &Watched, customer: &Value, alert: &str) {
        match self {
            Held::Start | Held::Change => {
                let body = json!({ "min_score": 0.7 });
                let started = api.post(&w.acme, &path(customer, "/monitor"), &body).await;
                assert!(started.status < 300, "{}", started.text);
            }
            Held::Rename => {
                let body = json!({ "name": "Tarun Oblasti" });
                api.patch(&w.acme, &path(customer, ""), &body).await.expect(200);
            }
            Held::Organization => structure(api, w, customer, "Nora Quist").await,
            Held::Decide => {
                let body = json!({ "status": "false_positive" });
                let decided = api.patch(&w.acme, &path(customer, alert), &body).await;
                // What was cleared meanwhile takes no decision.
                assert!([200, 409].contains(&decided.status), "{}", decided.text);
            }
            Held::Stop => {
                api.delete(&w.acme, &path(customer, "/monitor")).await.expect(200);
            }
            Held::Pass => {
                api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
            }
            Held::Refresh => {
                w.list(&NEW);
                api.refresh().await;
            }
        }
    }
}

async fn meet(held: Held, meanwhile: Meanwhile) {
    for call in 0..MANY {
        let w = Watched::start(&OLD).await;
        let company = w.api.create(&w.acme, &json!({ "name": "Mirka Dovello" })).await;
        structure(&w.api, &w, &company, "Tarun Oblasti").await;
        if held != Held::Start {
            w.monitor(&company, &json!({})).await.expect(201);
        }
        w.pass("on_update").await;
        w.monitored("Nora Quist").await;
        if held == Held::Pass {
            w.list(&NEW);
            w.refresh().await;
            w.pass_time(61);
        }
        let alerts = w.alerts(&company).await;
        let alert = alerts.first().and_then(|alert| alert["alert_id"].as_str()).unwrap_or("none");
        let alert = format!("/alerts/{alert}");
        let gate = Gate::at(call);
        let slow = w.under(gate.clone()).await;
        gate.arm();
        let running = held.run(&slow, &w, &company, &alert);
        tokio::pin!(running);
        let reached = tokio::select! {
            () = gate.reached() => true,
            () = &mut running => false,
        };
        if reached {
            match meanwhile {
                Meanwhile::ListChanges => {
                    w.list(&[("1", "Mirka Dovello"), ("2", "Ivo Brandel"), ("5", "Nora Quist")]);
                    w.refresh().await;
                }
                Meanwhile::Renamed => {
                    let body = json!({ "name": "Ivo Brandel" });
                    w.api.patch(&w.acme, &path(&company, ""), &body).await.expect(200);
                }
                Meanwhile::Resettled => {
                    let body = json!({ "min_score": 0.6, "check_frequency": "daily" });
                    w.monitor(&company, &body).await;
                }
                Meanwhile::Passed => {
                    // No longer than a function may run.
                    w.pass_time(28);
                    w.api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
                }
            }
            gate.release();
            running.await;
            if held.checks() {
                // It noticed that the lists moved, and waits for no pass.
                let monitor = crate::audit::items(&w.api, &company, "MONITOR").await;
                let current = w.refresh().await["revision"].clone();
                assert_eq!(monitor[0]["list_revision"], current, "call {call}");
            }
        }
        let others = [Held::Start, Held::Change, Held::Stop].contains(&held);
        if reached && matches!(meanwhile, Meanwhile::Resettled) && !others {
            let state = w.state(&company).await;
            let set = (&state["min_score"], &state["check_frequency"]);
            assert_eq!(set, (&json!(0.6), &json!("daily")), "call {call}");
        }
        settle(&w).await;
        w.found(&company).await;
        if !reached {
            return;
        }
    }
    panic!("{held:?} makes more than {MANY} calls");
}

macro_rules! meetings {
    ($($name:ident: $held:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                for meanwhile in MEANWHILE {
                    meet(Held::$held, meanwhile).await;
                }
            }
        )+
    };
}

meetings! {
    a_start_meets_everything: Start,
    a_changed_monitor_meets_everything: Change,
    a_new_name_meets_everything: Rename,
    an_organization_meets_everything: Organization,
    a_decision_meets_everything: Decide,
    a_stop_meets_everything: Stop,
    a_pass_meets_everything: Pass,
    a_refresh_meets_everything: Refresh,
}

const NAMES: [&str; 7] = [
    "Mirka Dovello",
    "Tarun Oblasti",
    "Nora Quist",
    "Ivo Brandel",
    "Pavel Orlovan",
    "Ada Mirzatal",
    "Anna Harmless",
];

/// What requests do, at random.
async fn requests(w: &Watched, customers: &[Value], seed: u64, until: Instant, time: &RwLock<()>) {
    let mut dice = Dice::new(seed);
    while Instant::now() < until {
        let _flying = time.read().await;
        let customer = dice.pick(customers);
        let name = *dice.pick(&NAMES);
        match dice.roll(6) {
            0 | 1 => {
                let frequency = dice.pick(&["on_update", "on_update", "daily"]);
                w.monitor(customer, &json!({ "check_frequency": frequency })).await;
            }
            2 => {
                w.api.patch(&w.acme, &path(customer, ""), &json!({ "name": name })).await;
            }
            3 => structure(&w.api, w, customer, name).await,
            4 => {
                let alerts = w.alerts(customer).await;
                if !alerts.is_empty() {
                    let id = dice.pick(&alerts)["alert_id"].as_str().unwrap().to_owned();
                    let status = dice.pick(&["open", "confirmed", "false_positive"]);
                    let at = path(customer, &format!("/alerts/{id}"));
                    w.api.patch(&w.acme, &at, &json!({ "status": status })).await;
                }
            }
            _ => {
                if dice.percent(20) {
                    w.api.delete(&w.acme, &path(customer, "/monitor")).await;
                }
            }
        }
    }
}

/// Lists that change all the time. Time only jumps while no request is under way, as no function
/// runs as long as a pass waits.
async fn publisher(w: &Watched, until: Instant, time: &RwLock<()>) {
    let mut dice = Dice::new(7);
    while Instant::now() < until {
        let count = 1 + dice.roll(6);
        let entries: Vec<(String, &str)> =
            (0..count).map(|id| (id.to_string(), *dice.pick(&NAMES))).collect();
        let entries: Vec<(&str, &str)> =
            entries.iter().map(|(id, name)| (id.as_str(), *name)).collect();
        w.list(&entries);
        w.refresh().await;
        if dice.percent(60) {
            let _landed = time.write().await;
            w.pass_time(61);
        }
        tokio::time::sleep(Duration::from_millis(dice.roll(60) as u64)).await;
    }
}

async fn passes(api: &Api, seed: u64, until: Instant, time: &RwLock<()>) {
    let mut dice = Dice::new(seed);
    while Instant::now() < until {
        let pass = dice.pick(&["on_update", "on_update", "daily"]);
        {
            let _flying = time.read().await;
            // A pass that would wait for its grace would hold up the clock that it waits for.
            if *pass == "on_update" {
                api.run("rescreen", &json!({ "pass": pass })).await.unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn at_random(time: Duration) {
    let w = Watched::start(&OLD).await;
    let mut customers = Vec::new();
    for number in 0..12 {
        let name = NAMES[number % NAMES.len()];
        customers.push(w.api.create(&w.acme, &json!({ "name": name })).await);
    }
    let (one, two) = (w.another().await, w.another().await);
    let until = Instant::now() + time;
    let flying = RwLock::new(());
    tokio::join!(
        requests(&w, &customers, 1, until, &flying),
        requests(&w, &customers, 2, until, &flying),
        requests(&w, &customers, 3, until, &flying),
        publisher(&w, until, &flying),
        passes(&one, 4, until, &flying),
        passes(&two, 5, until, &flying),
    );
    settle(&w).await;
    w.pass("daily").await;
    for customer in &customers {
        let before = w.alerts(customer).await;
        w.found(customer).await;
        let monitored = w.get(customer).await["monitoring"]["status"] == "active";
        if monitored {
            // A whole screening on top of it finds nothing to change.
            let settings = w.state(customer).await;
            let same = json!({ "check_frequency": settings["check_frequency"] });
            assert_eq!(w.monitor(customer, &same).await.expect(200)["new_matches"], 0);
            assert_eq!(w.alerts(customer).await, before);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_meets_at_random() {
    at_random(Duration::from_secs(4)).await;
}

/// The same, for minutes: `cargo test -p api-tests --test api -- --ignored for_minutes`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes three minutes"]
async fn everything_meets_at_random_for_minutes() {
    at_random(Duration::from_secs(180)).await;
}
