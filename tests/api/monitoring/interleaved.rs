//! Requests, list changes and passes that meet at every call to the table, and at random: in the
//! end every customer has the alerts of a whole screening against the newest lists.

use std::time::{Duration, Instant};

use api_tests::faults::Gate;
use api_tests::{Api, Dice, Value, json};
use tokio::sync::RwLock;

use super::{Setup, path, sum};

/// More calls than any of these makes.
const MANY: usize = 40;

const OLD: [(&str, &str); 3] =
    [("1", "Mirka Dovello"), ("2", "Tarun Oblasti"), ("3", "Nora Quist")];
const NEW: [(&str, &str); 3] =
    [("1", "Mirka Ilinovna Dovello"), ("3", "Ivo Brandel"), ("4", "Tarun Oblasti")];

/// Passes over everything; then nobody has any news, and nobody ever was missed.
async fn settle(setup: &Setup) {
    setup.advance_clock(100);
    let done = setup.run_pass("on_update").await;
    assert!(done.iter().all(|shard| shard["outcome"] != "busy"), "{done:?}");
    let checked = setup.run_pass("reconcile").await;
    assert_eq!((sum(&checked, "news"), sum(&checked, "missed")), (0, 0), "{checked:?}");
}

async fn structure(api: &Api, setup: &Setup, customer: &Value, owner: &str) {
    let body = json!({
        "parties": [{ "party_id": "p", "kind": "individual", "name": owner }],
        "relationships": [{ "owner": "p", "owned": "self", "percentage": 60 }],
    });
    let put =
        api.call(&setup.acme, "PUT", &path(customer, "/organization")).json(&body).send().await;
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

    async fn run(self, api: &Api, setup: &Setup, customer: &Value, alert: &str) {
        match self {
            Held::Start | Held::Change => {
                let body = json!({ "min_score": 0.7 });
                let started = api.post(&setup.acme, &path(customer, "/monitor"), &body).await;
                assert!(started.status < 300, "{}", started.text);
            }
            Held::Rename => {
                let body = json!({ "name": "Tarun Oblasti" });
                api.patch(&setup.acme, &path(customer, ""), &body).await.expect(200);
            }
            Held::Organization => structure(api, setup, customer, "Nora Quist").await,
            Held::Decide => {
                let body = json!({ "status": "false_positive" });
                let decided = api.patch(&setup.acme, &path(customer, alert), &body).await;
                // What was cleared meanwhile takes no decision.
                assert!([200, 409].contains(&decided.status), "{}", decided.text);
            }
            Held::Stop => {
                api.delete(&setup.acme, &path(customer, "/monitor")).await.expect(200);
            }
            Held::Pass => {
                api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
            }
            Held::Refresh => {
                setup.write_list(&NEW);
                api.refresh().await;
            }
        }
    }
}

async fn meet(held: Held, meanwhile: Meanwhile) {
    for call in 0..MANY {
        let setup = Setup::start(&OLD).await;
        let company = setup.api.create(&setup.acme, &json!({ "name": "Mirka Dovello" })).await;
        structure(&setup.api, &setup, &company, "Tarun Oblasti").await;
        if held != Held::Start {
            setup.monitor(&company, &json!({})).await.expect(201);
        }
        setup.run_pass("on_update").await;
        setup.monitored_customer("Nora Quist").await;
        if held == Held::Pass {
            setup.write_list(&NEW);
            setup.refresh().await;
            setup.advance_clock(61);
        }
        let alerts = setup.alerts(&company).await;
        let alert = alerts.first().and_then(|alert| alert["alert_id"].as_str()).unwrap_or("none");
        let alert = format!("/alerts/{alert}");
        let gate = Gate::at(call);
        let slow = setup.server_with_fault(gate.clone()).await;
        gate.arm();
        let running = held.run(&slow, &setup, &company, &alert);
        tokio::pin!(running);
        let reached = tokio::select! {
            () = gate.reached() => true,
            () = &mut running => false,
        };
        if reached {
            match meanwhile {
                Meanwhile::ListChanges => {
                    setup.write_list(&[
                        ("1", "Mirka Dovello"),
                        ("2", "Ivo Brandel"),
                        ("5", "Nora Quist"),
                    ]);
                    setup.refresh().await;
                }
                Meanwhile::Renamed => {
                    let body = json!({ "name": "Ivo Brandel" });
                    setup.api.patch(&setup.acme, &path(&company, ""), &body).await.expect(200);
                }
                Meanwhile::Resettled => {
                    let body = json!({ "min_score": 0.6, "check_frequency": "daily" });
                    setup.monitor(&company, &body).await;
                }
                Meanwhile::Passed => {
                    // No longer than a function may run.
                    setup.advance_clock(28);
                    setup.api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
                }
            }
            gate.release();
            running.await;
            if held.checks() {
                // It noticed that the lists moved, and waits for no pass.
                let monitor = crate::audit::items(&setup.api, &company, "MONITOR").await;
                let current = setup.refresh().await["revision"].clone();
                assert_eq!(monitor[0]["list_revision"], current, "call {call}");
            }
        }
        let others = [Held::Start, Held::Change, Held::Stop].contains(&held);
        if reached && matches!(meanwhile, Meanwhile::Resettled) && !others {
            let state = setup.get_monitor(&company).await;
            let set = (&state["min_score"], &state["check_frequency"]);
            assert_eq!(set, (&json!(0.6), &json!("daily")), "call {call}");
        }
        settle(&setup).await;
        setup.alert_statuses(&company).await;
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
async fn requests(
    setup: &Setup,
    customers: &[Value],
    seed: u64,
    until: Instant,
    time: &RwLock<()>,
) {
    let mut dice = Dice::new(seed);
    while Instant::now() < until {
        let _flying = time.read().await;
        let customer = dice.pick(customers);
        let name = *dice.pick(&NAMES);
        match dice.roll(6) {
            0 | 1 => {
                let frequency = dice.pick(&["on_update", "on_update", "daily"]);
                setup.monitor(customer, &json!({ "check_frequency": frequency })).await;
            }
            2 => {
                setup.api.patch(&setup.acme, &path(customer, ""), &json!({ "name": name })).await;
            }
            3 => structure(&setup.api, setup, customer, name).await,
            4 => {
                let alerts = setup.alerts(customer).await;
                if !alerts.is_empty() {
                    let id = dice.pick(&alerts)["alert_id"].as_str().unwrap().to_owned();
                    let status = dice.pick(&["open", "confirmed", "false_positive"]);
                    let at = path(customer, &format!("/alerts/{id}"));
                    setup.api.patch(&setup.acme, &at, &json!({ "status": status })).await;
                }
            }
            _ => {
                if dice.percent(20) {
                    setup.api.delete(&setup.acme, &path(customer, "/monitor")).await;
                }
            }
        }
    }
}

/// Lists that change all the time. Time only jumps while no request is under way, as no function
/// runs as long as a pass waits.
async fn publisher(setup: &Setup, until: Instant, time: &RwLock<()>) {
    let mut dice = Dice::new(7);
    while Instant::now() < until {
        let count = 1 + dice.roll(6);
        let entries: Vec<(String, &str)> =
            (0..count).map(|id| (id.to_string(), *dice.pick(&NAMES))).collect();
        let entries: Vec<(&str, &str)> =
            entries.iter().map(|(id, name)| (id.as_str(), *name)).collect();
        setup.write_list(&entries);
        setup.refresh().await;
        if dice.percent(60) {
            let _landed = time.write().await;
            setup.advance_clock(61);
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
    let setup = Setup::start(&OLD).await;
    let mut customers = Vec::new();
    for number in 0..12 {
        let name = NAMES[number % NAMES.len()];
        customers.push(setup.api.create(&setup.acme, &json!({ "name": name })).await);
    }
    let (one, two) = (setup.another_server().await, setup.another_server().await);
    let until = Instant::now() + time;
    let flying = RwLock::new(());
    tokio::join!(
        requests(&setup, &customers, 1, until, &flying),
        requests(&setup, &customers, 2, until, &flying),
        requests(&setup, &customers, 3, until, &flying),
        publisher(&setup, until, &flying),
        passes(&one, 4, until, &flying),
        passes(&two, 5, until, &flying),
    );
    settle(&setup).await;
    setup.run_pass("daily").await;
    for customer in &customers {
        let before = setup.alerts(customer).await;
        setup.alert_statuses(customer).await;
        let monitored = setup.get(customer).await["monitoring"]["status"] == "active";
        if monitored {
            // A whole screening on top of it finds nothing to change.
            let settings = setup.get_monitor(customer).await;
            let same = json!({ "check_frequency": settings["check_frequency"] });
            assert_eq!(setup.monitor(customer, &same).await.expect(200)["new_matches"], 0);
            assert_eq!(setup.alerts(customer).await, before);
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
