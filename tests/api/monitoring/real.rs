//! A year of a real list, over 5,000 customers (`THOROUGH=1`; else 1,000). `WATCHLISTS` names a folder, by its whole path, with
//! `ofac/sdn_2024-01-11.csv`, later revisions as `ofac/history/sdn_*.csv.gz`, and names in
//! `names/negatives_us.csv`:
//!
//! `WATCHLISTS=<folder> cargo test -p api-tests --profile ci --test api -- --ignored real:: --nocapture`

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Read};
use std::path::PathBuf;

use api_tests::{Dice, Value, json, rounds};
use shared::screening::delta::Delta;
use shared::screening::entity::EntityKind;
use shared::screening::import;
use shared::screening::index::Index;
use shared::screening::lists::Input;

use super::killed::deaths;
use super::{Setup, sum};

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("WATCHLISTS").expect("WATCHLISTS names a folder"))
}

/// The revisions of the list, as their publisher wrote them, the oldest first.
pub(super) fn revisions() -> Vec<Vec<u8>> {
    let mut history: Vec<PathBuf> = std::fs::read_dir(folder().join("ofac/history"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    history.sort();
    let unpacked = |path: &PathBuf| {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).unwrap();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        bytes
    };
    let first = std::fs::read(folder().join("ofac/sdn_2024-01-11.csv")).unwrap();
    std::iter::once(first).chain(history.iter().map(unpacked)).collect()
}

pub(super) fn index(bytes: &[u8]) -> Index {
    let file = Input { name: "sdn.csv", read: Box::new(BufReader::new(bytes)) };
    Index::open(import("ours", None, vec![file], |_| ()).unwrap().index).unwrap()
}

/// How many of those who are on no list are looked at after each revision.
const SOME: usize = 300;

/// A customer of the name of an entry.
struct Listed {
    entry: String,
    name: String,
    kind: EntityKind,
    /// From this revision on it is listed; 0 is the first.
    from: usize,
    /// In this one it is gone.
    until: Option<usize>,
}

/// 200 entries that later revisions add, and 60 that they remove.
fn picked(indexes: &[Index]) -> Vec<Listed> {
    let mut picked: Vec<Listed> = Vec::new();
    let mut taken = BTreeSet::new();
    let deltas: Vec<Delta> =
        indexes.windows(2).map(|two| Delta::between(&two[0], &two[1])).collect();
    let mut take = |index: &Index, id: &str, from: usize, until: Option<usize>| {
        let entity = index.entity(id).unwrap();
        let named = matches!(entity.kind, EntityKind::Person | EntityKind::Organization);
        let name = entity.names[0].text.clone();
        let fits = named && name.chars().count() <= 200 && taken.insert(id.to_owned());
        if fits {
            picked.push(Listed { entry: id.to_owned(), name, kind: entity.kind, from, until });
        }
        fits
    };
    for (number, delta) in deltas.iter().enumerate() {
        let mut left = 12;
        for id in &delta.removed {
            if left > 0
                && indexes[0].entity(id).is_some()
                && take(&indexes[number], id, 0, Some(number + 1))
            {
                left -= 1;
            }
        }
    }
    let mut left = 200;
    for (number, delta) in deltas.iter().enumerate() {
        let share = left / (deltas.len() - number);
        let mut here = 0;
        for id in &delta.added {
            let stays = deltas.iter().skip(number + 1).all(|later| !later.removed.contains(id));
            if here < share && stays && take(&indexes[number + 1], id, number + 1, None) {
                here += 1;
            }
        }
        left -= here;
    }
    assert!(left == 0, "{left} of the 200 are missing");
    picked
}

pub(super) fn innocuous(count: usize) -> Vec<String> {
    let mut reader = csv::Reader::from_path(folder().join("names/negatives_us.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let place = headers.iter().position(|name| name == "full_name").unwrap_or(0);
    let names = reader.records().map(|record| record.unwrap().get(place).unwrap().to_owned());
    names.take(count).collect()
}

async fn monitored(setup: &Setup, name: &str, kind: EntityKind) -> Value {
    let kind = if kind == EntityKind::Person { "individual" } else { "company" };
    let body = json!({ "name": name, "entity_type": kind });
    let customer = setup.api.create(&setup.acme, &body).await;
    setup.monitor(&customer, &json!({})).await.expect(201);
    customer
}

pub(super) async fn start(first: &[u8]) -> Setup {
    let setup = Setup::start(&[("x", "Nobody Else")]).await;
    setup.write_file(first);
    setup.refresh().await;
    setup
}

/// Of every customer the status of its alerts, by entry.
async fn all_alerts(setup: &Setup, customers: &[Value]) -> Vec<BTreeMap<String, String>> {
    let mut all = Vec::new();
    for customer in customers {
        all.push(setup.alert_statuses(customer).await.into_iter().collect());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a folder of real lists"]
async fn a_list_moves_on_under_its_customers() {
    let everybody = rounds(5_000) as usize;
    let revisions = revisions();
    let indexes: Vec<Index> = revisions.iter().map(|bytes| index(bytes)).collect();
    let listed = picked(&indexes);
    let (calm, wild) = (start(&revisions[0]).await, start(&revisions[0]).await);
    let (mut calm_customers, mut wild_customers) = (Vec::new(), Vec::new());
    for Listed { name, kind, .. } in &listed {
        calm_customers.push(monitored(&calm, name, *kind).await);
        wild_customers.push(monitored(&wild, name, *kind).await);
    }
    for name in innocuous(everybody - listed.len()) {
        calm_customers.push(monitored(&calm, &name, EntityKind::Person).await);
        wild_customers.push(monitored(&wild, &name, EntityKind::Person).await);
    }
    println!("{everybody} customers, {} of them listed before or after", listed.len());
    calm.run_pass("on_update").await;
    wild.run_pass("on_update").await;
    let dice = &mut Dice::new(4);
    let mut killed = 0;
    // All that are listed come first; of the others everyone in the end, and some in between.
    let some = listed.len() + SOME;
    let mut before = all_alerts(&calm, &calm_customers[..some]).await;
    for (number, bytes) in revisions.iter().enumerate().skip(1) {
        let looked_at = if number + 1 == revisions.len() { everybody } else { some };
        calm.write_file(bytes);
        calm.refresh().await;
        let pass = calm.run_pass("on_update").await;
        assert_eq!(sum(&pass, "monitors"), everybody as u64);
        let after = all_alerts(&calm, &calm_customers[..looked_at]).await;
        let mut raised = 0;
        for (place, who) in listed.iter().enumerate() {
            let (was, is) = (before[place].get(&who.entry), after[place].get(&who.entry));
            if who.from == number {
                assert_eq!((was, is.map(String::as_str)), (None, Some("open")), "{}", who.entry);
                raised += 1;
            } else if who.until == Some(number) {
                assert_eq!(is.map(String::as_str), Some("cleared"), "{}", who.entry);
            } else if who.from > number {
                assert_eq!(is, None, "{}", who.entry);
            } else {
                // It stays as it was; no pass raises it a second time.
                let gone = who.until.is_some_and(|until| until <= number);
                assert_eq!(is.map(String::as_str), Some(if gone { "cleared" } else { "open" }));
                assert!(was.is_some());
            }
        }
        println!(
            "revision {number}: {raised} of ours added; pass: raised {}, cleared {}, news {}, {} ms",
            sum(&pass, "raised"),
            sum(&pass, "cleared"),
            sum(&pass, "news"),
            sum(&pass, "worked_ms"),
        );
        // Twice changes nothing.
        assert_eq!(sum(&calm.run_pass("on_update").await, "news"), 0);

        wild.write_file(bytes);
        wild.refresh().await;
        wild.advance_clock(61);
        killed += deaths(&wild, dice, 60, 10).await;
        wild.run_pass("on_update").await;
        assert_eq!(after, all_alerts(&wild, &wild_customers[..looked_at]).await);
        before = after;
    }
    let last = calm.run_pass("reconcile").await;
    assert_eq!(
        (sum(&last, "monitors"), sum(&last, "news"), sum(&last, "missed")),
        (everybody as u64, 0, 0)
    );
    println!(
        "reconciliation: {} matches, nothing missed; {killed} workers killed",
        sum(&last, "matches")
    );
    assert!(killed >= 50, "only {killed} were killed");
}
