//! Workers that end anywhere, alone and two at a time: what is found is what an undisturbed run
//! finds.

use std::collections::BTreeMap;

use api_tests::faults::{End, Mortal};
use api_tests::{Dice, Value, json};

use super::{Setup, sum};

/// Entries of a list, by id; a revision each.
type Revisions = Vec<Vec<(String, String)>>;

fn named(number: usize) -> String {
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

/// Entries come, go and change, some of them the names of customers.
fn revisions(dice: &mut Dice, customers: usize) -> Revisions {
    let mut entries: BTreeMap<usize, usize> = (0..20).map(|id| (id, id * 3)).collect();
    let mut all = Vec::new();
    for _ in 0..5 {
        for _ in 0..8 {
            let id = dice.roll(40);
            match dice.roll(3) {
                0 => drop(entries.remove(&id)),
                _ => drop(entries.insert(id, dice.roll(customers))),
            }
        }
        let of = |(id, number): (&usize, &usize)| (id.to_string(), named(*number));
        all.push(entries.iter().map(of).collect());
    }
    all
}

fn borrowed(entries: &[(String, String)]) -> Vec<(&str, &str)> {
    entries.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect()
}

/// Who has which alerts, by name: ids differ between two runs.
async fn found(setup: &Setup, customers: &[Value]) -> Vec<Value> {
    let mut all = Vec::new();
    for customer in customers {
        all.push(json!([customer["name"], setup.alert_statuses(customer).await]));
    }
    all
}

async fn everybody(setup: &Setup, count: usize) -> Vec<Value> {
    let mut customers = Vec::new();
    for number in 0..count {
        customers.push(setup.monitored_customer(&named(number)).await);
    }
    customers
}

/// A worker that may die at that call; whether it did.
async fn worker(setup: &Setup, end: End) -> bool {
    let mortal = Mortal::new(end);
    let api = setup.server_with_fault(mortal.clone()).await;
    mortal.arm();
    let payload = json!({ "pass": "on_update" });
    tokio::select! {
        () = mortal.ended() => true,
        done = api.run("rescreen", &payload) => {
            done.unwrap();
            false
        }
    }
}

fn somewhere(dice: &mut Dice, calls: usize) -> End {
    // Some die with the first steps, some in the middle of what there is to write.
    let call = if dice.percent(50) { dice.roll(calls.min(8)) } else { dice.roll(calls) };
    if dice.percent(50) { End::Before(call) } else { End::After(call) }
}

/// Kills so many workers or one more, two at a time in half of the cases. Where none lived long
/// enough to die, as the pass was over, the next ones die earlier: every worker makes a first call.
pub(crate) async fn deaths(
    setup: &Setup,
    dice: &mut Dice,
    mut calls: usize,
    enough: usize,
) -> usize {
    let mut killed = 0;
    while killed < enough {
        // Who died holds its shard until the lease is over.
        setup.advance_clock(91);
        let deaths = match dice.percent(50) {
            true => {
                let (one, two) = (somewhere(dice, calls), somewhere(dice, calls));
                let (one, two) = tokio::join!(worker(setup, one), worker(setup, two));
                usize::from(one) + usize::from(two)
            }
            false => usize::from(worker(setup, somewhere(dice, calls)).await),
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
async fn what_is_killed_goes_on_and_finds_the_same() {
    const CUSTOMERS: usize = 60;
    let dice = &mut Dice::new(20);
    let revisions = revisions(dice, CUSTOMERS);
    let calm = Setup::start(&borrowed(&revisions[0])).await;
    let wild = Setup::start(&borrowed(&revisions[0])).await;
    let (calm_customers, wild_customers) =
        (everybody(&calm, CUSTOMERS).await, everybody(&wild, CUSTOMERS).await);
    let mut killed = 0;
    for entries in &revisions {
        calm.update_list(&borrowed(entries)).await;
        wild.write_list(&borrowed(entries));
        wild.refresh().await;
        wild.advance_clock(61);
        killed += deaths(&wild, dice, 30, 10).await;
        let last = wild.run_pass("on_update").await;
        assert!(
            last.iter()
                .all(|s| ["finished", "nothing_new"].contains(&s["outcome"].as_str().unwrap()))
        );
        assert_eq!(found(&calm, &calm_customers).await, found(&wild, &wild_customers).await);
        let checked = wild.run_pass("reconcile").await;
        assert_eq!((sum(&checked, "news"), sum(&checked, "missed")), (0, 0));
    }
    assert!(killed >= 50, "only {killed} were killed");
    // Once is once: every alert there is was raised by one event.
    for customer in &wild_customers {
        let events = crate::audit::items(&wild.api, customer, "EVENT#").await;
        let version = wild.get(customer).await["version"].as_u64().unwrap();
        assert_eq!(events.len() as u64, version);
    }
}
