//! Runs passes over a year of revisions of a real list, with 5,000 customers if `THOROUGH=1` is
//! set, otherwise with 1,000. `WATCHLISTS` is the absolute path of a folder with
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

use super::killed::kill_workers;
use super::{Setup, sum};

fn folder() -> PathBuf {
    PathBuf::from(std::env::var("WATCHLISTS").expect("WATCHLISTS is the path of a folder"))
}

/// Reads the files of all revisions of the list, from the oldest to the newest.
pub(super) fn revisions() -> Vec<Vec<u8>> {
    let mut history: Vec<PathBuf> = std::fs::read_dir(folder().join("ofac/history"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    history.sort();
    let decompress = |path: &PathBuf| {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).unwrap();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        bytes
    };
    let first = std::fs::read(folder().join("ofac/sdn_2024-01-11.csv")).unwrap();
    std::iter::once(first).chain(history.iter().map(decompress)).collect()
}

pub(super) fn index(bytes: &[u8]) -> Index {
    let file = Input { name: "sdn.csv", read: Box::new(BufReader::new(bytes)) };
    Index::open(import("ours", None, vec![file], |_| ()).unwrap().index).unwrap()
}

/// Number of unlisted customers whose alerts are compared after each revision. After the last
/// revision, all customers are compared.
const UNLISTED_SAMPLE: usize = 300;

/// A customer with the name of a list entry.
struct Listed {
    entry: String,
    name: String,
    kind: EntityKind,
    /// Number of the first revision that contains the entry. The oldest revision is number 0.
    from: usize,
    /// Number of the first later revision that does not contain the entry, if there is one.
    until: Option<usize>,
}

/// Selects up to 200 entries that a later revision adds and that stay on the list. Also selects,
/// for each revision, up to 12 entries that it removes and that were in the oldest revision.
fn select_listed(indexes: &[Index]) -> Vec<Listed> {
    let mut selected: Vec<Listed> = Vec::new();
    let mut selected_ids = BTreeSet::new();
    let deltas: Vec<Delta> =
        indexes.windows(2).map(|pair| Delta::between(&pair[0], &pair[1])).collect();
    let mut select = |index: &Index, id: &str, from: usize, until: Option<usize>| {
        let entity = index.entity(id).unwrap();
        let has_party_kind = matches!(entity.kind, EntityKind::Person | EntityKind::Organization);
        let name = entity.names[0].text.clone();
        let fits =
            has_party_kind && name.chars().count() <= 200 && selected_ids.insert(id.to_owned());
        if fits {
            selected.push(Listed { entry: id.to_owned(), name, kind: entity.kind, from, until });
        }
        fits
    };
    for (number, delta) in deltas.iter().enumerate() {
        let mut left = 12;
        for id in &delta.removed {
            if left > 0
                && indexes[0].entity(id).is_some()
                && select(&indexes[number], id, 0, Some(number + 1))
            {
                left -= 1;
            }
        }
    }
    let mut left = 200;
    for (number, delta) in deltas.iter().enumerate() {
        let share = left / (deltas.len() - number);
        let mut count = 0;
        for id in &delta.added {
            let stays = deltas.iter().skip(number + 1).all(|later| !later.removed.contains(id));
            if count < share && stays && select(&indexes[number + 1], id, number + 1, None) {
                count += 1;
            }
        }
        left -= count;
    }
    assert!(left == 0, "{left} of the 200 added entries are missing");
    selected
}

/// Reads the first `count` names of people who are not on the list.
pub(super) fn unlisted_names(count: usize) -> Vec<String> {
    let mut reader = csv::Reader::from_path(folder().join("names/negatives_us.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = headers.iter().position(|name| name == "full_name").unwrap_or(0);
    let names = reader.records().map(|record| record.unwrap().get(column).unwrap().to_owned());
    names.take(count).collect()
}

async fn monitored_customer(setup: &Setup, name: &str, kind: EntityKind) -> Value {
    let kind = if kind == EntityKind::Person { "individual" } else { "company" };
    let body = json!({ "name": name, "entity_type": kind });
    let customer = setup.api.create(&setup.acme, &body).await;
    setup.monitor(&customer, &json!({})).await.expect(201);
    customer
}

/// Starts a server and loads this revision of the list.
pub(super) async fn start(first: &[u8]) -> Setup {
    let setup = Setup::start(&[("x", "Someone Else")]).await;
    setup.write_file(first);
    setup.refresh().await;
    setup
}

/// Returns, for each customer, the status of every alert by its list entry.
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
    let total = rounds(5_000) as usize;
    let revisions = revisions();
    let indexes: Vec<Index> = revisions.iter().map(|bytes| index(bytes)).collect();
    let listed = select_listed(&indexes);

    let (reference, disturbed) = (start(&revisions[0]).await, start(&revisions[0]).await);
    let (mut reference_customers, mut disturbed_customers) = (Vec::new(), Vec::new());
    for Listed { name, kind, .. } in &listed {
        reference_customers.push(monitored_customer(&reference, name, *kind).await);
        disturbed_customers.push(monitored_customer(&disturbed, name, *kind).await);
    }
    for name in unlisted_names(total - listed.len()) {
        reference_customers.push(monitored_customer(&reference, &name, EntityKind::Person).await);
        disturbed_customers.push(monitored_customer(&disturbed, &name, EntityKind::Person).await);
    }

    println!("{total} customers, {} of them listed in some revision", listed.len());
    reference.run_pass("on_update").await;
    disturbed.run_pass("on_update").await;

    let dice = &mut Dice::new(4);
    let mut killed = 0;
    // The sample contains all listed customers, which are at the start of the list of customers,
    // and some others. After the last revision, all customers are compared.
    let sample = listed.len() + UNLISTED_SAMPLE;
    let mut before = all_alerts(&reference, &reference_customers[..sample]).await;
    for (number, bytes) in revisions.iter().enumerate().skip(1) {
        let compared = if number + 1 == revisions.len() { total } else { sample };

        reference.write_file(bytes);
        reference.refresh().await;
        let pass = reference.run_pass("on_update").await;
        assert_eq!(sum(&pass, "monitors"), total as u64);

        let after = all_alerts(&reference, &reference_customers[..compared]).await;
        let mut raised = 0;
        for (index, customer) in listed.iter().enumerate() {
            let entry = &customer.entry;
            let status_before = before[index].get(entry).map(String::as_str);
            let status = after[index].get(entry).map(String::as_str);
            if customer.from == number {
                assert_eq!((status_before, status), (None, Some("open")), "{entry}");
                raised += 1;
            } else if customer.until == Some(number) {
                assert_eq!(status, Some("cleared"), "{entry}");
            } else if customer.from > number {
                assert_eq!(status, None, "{entry}");
            } else {
                // A later pass does not raise or clear an alert a second time.
                let is_removed = customer.until.is_some_and(|until| until <= number);
                assert_eq!(status, Some(if is_removed { "cleared" } else { "open" }));
                assert!(status_before.is_some());
            }
        }

        println!(
            "revision {number}: {raised} of the listed customers added; pass: raised {}, cleared {}, news {}, {} ms",
            sum(&pass, "raised"),
            sum(&pass, "cleared"),
            sum(&pass, "news"),
            sum(&pass, "worked_ms"),
        );
        // Repeating the pass does not find any news.
        assert_eq!(sum(&reference.run_pass("on_update").await, "news"), 0);

        disturbed.write_file(bytes);
        disturbed.refresh().await;
        disturbed.advance_clock(61);
        killed += kill_workers(&disturbed, dice, 60, 10).await;
        disturbed.run_pass("on_update").await;
        assert_eq!(after, all_alerts(&disturbed, &disturbed_customers[..compared]).await);

        before = after;
    }

    let last = reference.run_pass("reconcile").await;
    assert_eq!(
        (sum(&last, "monitors"), sum(&last, "news"), sum(&last, "missed")),
        (total as u64, 0, 0)
    );
    println!(
        "reconciliation: {} matches, 0 missed; {killed} workers killed",
        sum(&last, "matches")
    );
    assert!(killed >= 50, "only {killed} workers were killed");
}
