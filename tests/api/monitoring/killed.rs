//! Tests workers that die at random calls to the table, alone or two at a time. In the end, the
//! alerts equal the alerts of an undisturbed run.

use std::collections::BTreeMap;

use api_tests::faults::{End, Mortal};
use api_tests::{Dice, Value, json};

use super::{Setup, sum};

/// Entries of each revision of a list, as ids and names.
type Revisions = Vec<Vec<(String, String)>>;

fn customer_name(number: usize) -> String {
    let first = ["Mirka", "Tarun", "Nora", "Ivo", "Pavel", "Ada", "Lino", "Sefa"];
    let last = ["Dovello", "Oblasti", "Quist", "Brandel", "Orlovan", "Mirzatal"];
    let middle = ["Aldo", "Bela", "Cato", "Dora", "Emil", "Fada", "Gero"];
    format!(
        "{} {} {}",
        first[number % first.len()],
        middle[number / 3 % middle.len()],
        last[number / 5 % last.len()]
    )
}

/// Returns five revisions in which entries are added, removed and renamed. Every entry has the name
/// of a customer.
fn revisions(dice: &mut Dice, customers: usize) -> Revisions {
    let mut entries: BTreeMap<usize, usize> = (0..20).map(|id| (id, id * 3)).collect();
    let mut all = Vec::new();
    for _ in 0..5 {
        for _ in 0..8 {
            let id = dice.roll(40);
            if dice.roll(3) == 0 {
                entries.remove(&id);
            } else {
                entries.insert(id, dice.roll(customers));
            }
        }
        let entry = |(id, number): (&usize, &usize)| (id.to_string(), customer_name(*number));
        all.push(entries.iter().map(entry).collect());
    }
    all
}

fn as_strs(entries: &[(String, String)]) -> Vec<(&str, &str)> {
    entries.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect()
}

/// Returns the name and the alerts of each customer. The names identify the customers, because ids
/// differ between two runs.
async fn alerts_by_name(setup: &Setup, customers: &[Value]) -> Vec<Value> {
    let mut all = Vec::new();
    for customer in customers {
        all.push(json!([customer["name"], setup.alert_statuses(customer).await]));
    }
    all
}

async fn monitored_customers(setup: &Setup, count: usize) -> Vec<Value> {
    let mut customers = Vec::new();
    for number in 0..count {
        customers.push(setup.monitored_customer(&customer_name(number)).await);
    }
    customers
}

/// Runs a worker that dies at `end`, unless it finishes first. Returns whether it died.
async fn run_mortal_worker(setup: &Setup, end: End) -> bool {
    let mortal = Mortal::new(end);
    let api = setup.server_with_fault(mortal.clone()).await;
    mortal.arm();
    let payload = json!({ "pass": "on_update" });
    tokio::select! {
        () = mortal.ended() => true,
        result = api.run("rescreen", &payload) => {
            result.unwrap();
            false
        }
    }
}

fn random_end(dice: &mut Dice, calls: usize) -> End {
    // About half of the workers die in their first eight calls, the others anywhere.
    let call = if dice.percent(50) { dice.roll(calls.min(8)) } else { dice.roll(calls) };
    if dice.percent(50) { End::Before(call) } else { End::After(call) }
}

/// Kills at least `count` workers, and returns the number of killed workers. In half of the cases,
/// two workers run at a time, so one more than `count` may die. Each worker dies within its first
/// `calls` calls, unless the pass ends first. If no worker dies, `calls` is halved for the next
/// workers. Every worker makes at least one call, so this function always returns.
pub(crate) async fn kill_workers(
    setup: &Setup,
    dice: &mut Dice,
    mut calls: usize,
    count: usize,
) -> usize {
    let mut killed = 0;
    while killed < count {
        // A dead worker holds its shard until the lease expires.
        setup.advance_clock(91);
        let deaths = if dice.percent(50) {
            let (first_end, second_end) = (random_end(dice, calls), random_end(dice, calls));
            let (first_died, second_died) = tokio::join!(
                run_mortal_worker(setup, first_end),
                run_mortal_worker(setup, second_end)
            );
            usize::from(first_died) + usize::from(second_died)
        } else {
            usize::from(run_mortal_worker(setup, random_end(dice, calls)).await)
        };
        killed += deaths;
        if deaths == 0 {
            calls = (calls / 2).max(1);
        }
    }
    setup.advance_clock(91);
    killed
}

#[tokio::test]
async fn passes_with_killed_workers_raise_the_same_alerts() {
    const CUSTOMERS: usize = 60;
    let dice = &mut Dice::new(20);
    let revisions = revisions(dice, CUSTOMERS);
    let reference = Setup::start(&as_strs(&revisions[0])).await;
    let disturbed = Setup::start(&as_strs(&revisions[0])).await;
    let (reference_customers, disturbed_customers) = (
        monitored_customers(&reference, CUSTOMERS).await,
        monitored_customers(&disturbed, CUSTOMERS).await,
    );

    let mut killed = 0;
    for entries in &revisions {
        reference.update_list(&as_strs(entries)).await;
        disturbed.write_list(&as_strs(entries));
        disturbed.refresh().await;
        disturbed.advance_clock(61);

        killed += kill_workers(&disturbed, dice, 30, 10).await;
        let shards = disturbed.run_pass("on_update").await;
        assert!(
            shards
                .iter()
                .all(|s| ["finished", "nothing_new"].contains(&s["outcome"].as_str().unwrap()))
        );
        assert_eq!(
            alerts_by_name(&reference, &reference_customers).await,
            alerts_by_name(&disturbed, &disturbed_customers).await
        );

        let checked = disturbed.run_pass("reconcile").await;
        assert_eq!((sum(&checked, "news"), sum(&checked, "missed")), (0, 0));
    }
    assert!(killed >= 50, "only {killed} workers were killed");

    // Every change of a customer was recorded exactly once.
    for customer in &disturbed_customers {
        let events = crate::audit::items(&disturbed.api, customer, "EVENT#").await;
        let version = disturbed.get(customer).await["version"].as_u64().unwrap();
        assert_eq!(events.len() as u64, version);
    }
}
