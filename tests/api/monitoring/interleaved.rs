//! Tests requests, list changes and passes that run concurrently, interleaved at every call to
//! the table and at random. In the end, every customer has the alerts of a full screening against
//! the newest lists.

use std::time::{Duration, Instant};

use api_tests::faults::Gate;
use api_tests::{Api, Dice, Value, json};
use tokio::sync::RwLock;

use super::{Setup, path, sum};

/// Upper bound for the number of calls that an operation makes to the table.
const MAX_CALLS: usize = 40;

const OLD: [(&str, &str); 3] =
    [("1", "Mirka Dovello"), ("2", "Tarun Oblasti"), ("3", "Nora Quist")];
const NEW: [(&str, &str); 3] =
    [("1", "Mirka Ilinovna Dovello"), ("3", "Ivo Brandel"), ("4", "Tarun Oblasti")];

/// Runs an `on_update` pass over all shards, then checks that a reconciliation finds neither news
/// nor missed alerts.
async fn settle(setup: &Setup) {
    setup.advance_clock(100);
    let update = setup.run_pass("on_update").await;
    assert!(update.iter().all(|shard| shard["outcome"] != "busy"), "{update:?}");
    let shards = setup.run_pass("reconcile").await;
    let missed = (sum(&shards, "news"), sum(&shards, "missed"));
    assert_eq!(missed, (0, 0), "{shards:?} after {update:?}");
}

async fn put_organization(api: &Api, setup: &Setup, customer: &Value, owner: &str) {
    let body = json!({
        "parties": [{ "party_id": "p", "kind": "individual", "name": owner }],
        "relationships": [{ "owner": "p", "owned": "self", "percentage": 60 }],
    });
    let put =
        api.call(&setup.acme, "PUT", &path(customer, "/organization")).json(&body).send().await;
    assert!(put.status < 300, "{}", put.text);
}

/// An operation that is held back at one of its calls to the table.
#[derive(Clone, Copy, Debug, PartialEq)]
enum HeldOperation {
    Start,
    ChangeSettings,
    Rename,
    Organization,
    Decide,
    Stop,
    Pass,
    Refresh,
}

/// A change that completes while the operation is held back.
#[derive(Clone, Copy, Debug)]
enum ConcurrentChange {
    ListUpdate,
    Rename,
    NewSettings,
    Pass,
}

const CONCURRENT_CHANGES: [ConcurrentChange; 4] = [
    ConcurrentChange::ListUpdate,
    ConcurrentChange::Rename,
    ConcurrentChange::NewSettings,
    ConcurrentChange::Pass,
];

impl HeldOperation {
    /// Returns whether the operation itself screens the customer.
    fn screens(self) -> bool {
        matches!(
            self,
            HeldOperation::Start
                | HeldOperation::ChangeSettings
                | HeldOperation::Rename
                | HeldOperation::Organization
        )
    }

    async fn run(self, api: &Api, setup: &Setup, customer: &Value, alert: &str) {
        match self {
            HeldOperation::Start | HeldOperation::ChangeSettings => {
                let body = json!({ "min_score": 0.7 });
                let started = api.post(&setup.acme, &path(customer, "/monitor"), &body).await;
                assert!(started.status < 300, "{}", started.text);
            }
            HeldOperation::Rename => {
                let body = json!({ "name": "Tarun Oblasti" });
                api.patch(&setup.acme, &path(customer, ""), &body).await.expect(200);
            }
            HeldOperation::Organization => {
                put_organization(api, setup, customer, "Nora Quist").await
            }
            HeldOperation::Decide => {
                let body = json!({ "status": "false_positive" });
                let decided = api.patch(&setup.acme, &path(customer, alert), &body).await;
                // If the alert has been cleared in the meantime, the decision is refused.
                assert!([200, 409].contains(&decided.status), "{}", decided.text);
            }
            HeldOperation::Stop => {
                api.delete(&setup.acme, &path(customer, "/monitor")).await.expect(200);
            }
            HeldOperation::Pass => {
                api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
            }
            HeldOperation::Refresh => {
                setup.write_list(&NEW);
                api.refresh().await;
            }
        }
    }
}

/// Holds the operation back at each of its calls in turn, makes the concurrent change, lets the
/// operation finish, and checks the alerts.
async fn interleave(operation: HeldOperation, change: ConcurrentChange) {
    for call in 0..MAX_CALLS {
        let setup = Setup::start(&OLD).await;
        let company = setup.api.create(&setup.acme, &json!({ "name": "Mirka Dovello" })).await;
        put_organization(&setup.api, &setup, &company, "Tarun Oblasti").await;
        if operation != HeldOperation::Start {
            setup.monitor(&company, &json!({})).await.expect(201);
        }
        setup.run_pass("on_update").await;
        setup.monitored_customer("Nora Quist").await;

        if operation == HeldOperation::Pass {
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
        let running = operation.run(&slow, &setup, &company, &alert);
        tokio::pin!(running);
        let reached = tokio::select! {
            () = gate.reached() => true,
            () = &mut running => false,
        };

        if reached {
            match change {
                ConcurrentChange::ListUpdate => {
                    setup.write_list(&[
                        ("1", "Mirka Dovello"),
                        ("2", "Ivo Brandel"),
                        ("5", "Nora Quist"),
                    ]);
                    setup.refresh().await;
                }
                ConcurrentChange::Rename => {
                    let body = json!({ "name": "Ivo Brandel" });
                    setup.api.patch(&setup.acme, &path(&company, ""), &body).await.expect(200);
                }
                ConcurrentChange::NewSettings => {
                    let body = json!({ "min_score": 0.6, "check_frequency": "daily" });
                    setup.monitor(&company, &body).await;
                }
                ConcurrentChange::Pass => {
                    // Advance by less than the time limit of a function, so that the held operation
                    // still counts as alive.
                    setup.advance_clock(28);
                    setup.api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
                }
            }
            gate.release();
            running.await;
            if operation.screens() {
                // The operation itself must notice a list change, instead of leaving it to the next
                // pass.
                let monitor = crate::audit::items(&setup.api, &company, "MONITOR").await;
                let current = setup.refresh().await["revision"].clone();
                assert_eq!(monitor[0]["list_revision"], current, "call {call}");
            }
        }

        let sets_settings =
            [HeldOperation::Start, HeldOperation::ChangeSettings, HeldOperation::Stop]
                .contains(&operation);
        if reached && matches!(change, ConcurrentChange::NewSettings) && !sets_settings {
            let state = setup.get_monitor(&company).await;
            let settings = (&state["min_score"], &state["check_frequency"]);
            assert_eq!(settings, (&json!(0.6), &json!("daily")), "call {call}");
        }
        settle(&setup).await;
        setup.alert_statuses(&company).await;
        if !reached {
            return;
        }
    }
    panic!("{operation:?} makes more than {MAX_CALLS} calls");
}

macro_rules! interleaving_tests {
    ($($name:ident: $operation:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                for change in CONCURRENT_CHANGES {
                    interleave(HeldOperation::$operation, change).await;
                }
            }
        )+
    };
}

interleaving_tests! {
    a_start_among_other_changes_ends_with_correct_alerts: Start,
    a_settings_change_among_other_changes_ends_with_correct_alerts: ChangeSettings,
    a_rename_among_other_changes_ends_with_correct_alerts: Rename,
    a_new_organization_among_other_changes_ends_with_correct_alerts: Organization,
    a_decision_among_other_changes_ends_with_correct_alerts: Decide,
    a_stop_among_other_changes_ends_with_correct_alerts: Stop,
    a_pass_among_other_changes_ends_with_correct_alerts: Pass,
    a_refresh_among_other_changes_ends_with_correct_alerts: Refresh,
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

/// Sends random requests about random customers until `until`. Holds the lock `time` for reading
/// during each request, so that the clock does not advance.
async fn send_requests(
    setup: &Setup,
    customers: &[Value],
    seed: u64,
    until: Instant,
    time: &RwLock<()>,
) {
    let mut dice = Dice::new(seed);
    while Instant::now() < until {
        let _shared = time.read().await;
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
            3 => put_organization(&setup.api, setup, customer, name).await,
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

/// Updates the list at random intervals until `until`. The clock advances by more than the time
/// limit of a function, so it advances only while no request or pass is running.
async fn publish_lists(setup: &Setup, until: Instant, time: &RwLock<()>) {
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
            let _exclusive = time.write().await;
            setup.advance_clock(61);
        }
        tokio::time::sleep(Duration::from_millis(dice.roll(60) as u64)).await;
    }
}

async fn run_passes(api: &Api, until: Instant, time: &RwLock<()>) {
    while Instant::now() < until {
        {
            // Do not run a `daily` pass: it could wait for up to a minute until the lists are old
            // enough, and this lock would keep the clock from advancing.
            let _shared = time.read().await;
            api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn interleave_at_random(duration: Duration) {
    let setup = Setup::start(&OLD).await;
    let mut customers = Vec::new();
    for number in 0..12 {
        let name = NAMES[number % NAMES.len()];
        customers.push(setup.api.create(&setup.acme, &json!({ "name": name })).await);
    }

    let (first, second) = (setup.another_server().await, setup.another_server().await);

    let until = Instant::now() + duration;
    let time = RwLock::new(());
    tokio::join!(
        send_requests(&setup, &customers, 1, until, &time),
        send_requests(&setup, &customers, 2, until, &time),
        send_requests(&setup, &customers, 3, until, &time),
        publish_lists(&setup, until, &time),
        run_passes(&first, until, &time),
        run_passes(&second, until, &time),
    );

    settle(&setup).await;
    setup.run_pass("daily").await;
    for customer in &customers {
        let before = setup.alerts(customer).await;
        setup.alert_statuses(customer).await;
        let monitored = setup.get(customer).await["monitoring"]["status"] == "active";
        if monitored {
            // A full screening does not change the alerts.
            let settings = setup.get_monitor(customer).await;
            let same = json!({ "check_frequency": settings["check_frequency"] });
            assert_eq!(setup.monitor(customer, &same).await.expect(200)["new_matches"], 0);
            assert_eq!(setup.alerts(customer).await, before);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_concurrent_changes_end_with_correct_alerts() {
    interleave_at_random(Duration::from_secs(4)).await;
}

/// Runs for three minutes: `cargo test -p api-tests --test api -- --ignored for_minutes`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes three minutes"]
async fn random_concurrent_changes_for_minutes_end_with_correct_alerts() {
    interleave_at_random(Duration::from_secs(180)).await;
}
