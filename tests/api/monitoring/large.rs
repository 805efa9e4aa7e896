//! Tests customers that take long to screen, and the time limits of their screening.
//!
//! The ignored test measures the cost of a customer whose 500 directors have similar names, as a
//! multiple of the cost of an ordinary structure of the same size:
//!
//! `cargo test --workspace --test api -- --ignored large:: --nocapture`

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use api_tests::{Api, Dice, Value, json};

use super::sources::logged_start;
use super::{Setup, clock, environment, path, sum};
use crate::organization::put;

/// Number of other customers that a pass screens in addition to the measured one. They do not have
/// related parties.
const OTHERS: usize = 52;
/// Number of parties in each measured structure, which is the maximum that the API accepts.
const DIRECTORS: usize = 500;
/// Number of entries on the list.
const ENTRIES: usize = 14_000;

const GIVEN: [&str; 12] = [
    "Mohammed", "Muhammad", "Mohamad", "Ahmad", "Ali", "Hassan", "Yusuf", "Ivan", "Olga", "Jose",
    "Maria", "Pavel",
];
const SYLLABLES: [&str; 16] = [
    "ba", "dro", "ka", "li", "mo", "na", "pe", "ro", "sha", "ti", "vo", "ze", "gar", "kov", "mir",
    "ost",
];

fn family_name(dice: &mut Dice) -> String {
    let syllables = 3 + dice.roll(2);
    (0..syllables).map(|_| *dice.pick(&SYLLABLES)).collect()
}

fn list() -> Vec<String> {
    let mut dice = Dice::new(1);
    let entry = |id: usize| {
        let (given, second) = (*dice.pick(&GIVEN), *dice.pick(&GIVEN));
        format!("{id},{given} {second} {},person,,,,,,,,,", family_name(&mut dice))
    };
    (0..ENTRIES).map(entry).collect()
}

/// Returns a structure of directors, each with the name and the date of birth that `director`
/// returns for its number.
fn structure(mut director: impl FnMut(usize) -> (String, Option<String>)) -> Value {
    let party = |number: usize| {
        let (name, date) = director(number);
        json!({
            "party_id": format!("p{number}"), "kind": "individual", "name": name,
            "date_of_birth": date, "roles": ["director"],
        })
    };
    json!({ "parties": (0..DIRECTORS).map(party).collect::<Vec<_>>(), "relationships": [] })
}

fn birthday(number: usize) -> Option<String> {
    Some(format!("{}-{:02}-{:02}", 1950 + number / 28, 1 + number % 12, 1 + number % 28))
}

/// Creates a company with this structure.
async fn company_with(setup: &Setup, structure: &Value) -> Value {
    let company = json!({ "name": "Quarrel Holding", "entity_type": "company" });
    let company = setup.api.create(&setup.acme, &company).await;
    put(&setup.api, &setup.acme, &path(&company, "/organization"), structure).await.expect(201);
    company
}

/// Starts another server on the table of `setup`. Its timer advances by `millis` milliseconds each
/// time it is read, so that screening many subjects takes long.
async fn slow_server(setup: &Setup, millis: u64) -> Api {
    let elapsed = AtomicU64::new(0);
    let timer = move || Duration::from_millis(elapsed.fetch_add(millis, Ordering::SeqCst));
    let clock = clock(&setup.now).with_timer(timer);
    Api::set(clock, Some(&setup.api), None, environment(&setup.folder)).await
}

fn numbered(number: usize) -> (String, Option<String>) {
    (format!("Klara Winterfeld{number}"), None)
}

fn alike(_: usize) -> (String, Option<String>) {
    ("Klara Winterfeldt".to_owned(), None)
}

#[tokio::test]
async fn a_request_that_screens_too_long_is_refused_and_changes_nothing() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let slow = slow_server(&setup, 1_000).await;
    let company = company_with(&setup, &structure(numbered)).await;

    let refused = slow.post(&setup.acme, &path(&company, "/monitor"), &json!({})).await;
    assert_eq!(refused.header("retry-after"), Some("60"));
    let error = refused.refused(503, "SCREENING_TIMEOUT");
    assert!(error["message"].as_str().unwrap().contains("501 names"), "{error}");
    // The canary must notice a release whose matcher is slow, so the time-out counts as a failure.
    let (level, cause) = logged_start(&slow, &setup, &company, "SCREENING_TIMEOUT").await;
    assert_eq!(level, "ERROR");
    assert!(cause.as_str().unwrap().contains("501 names"), "{cause}");
    setup.api.get(&setup.acme, &path(&company, "/monitor")).await.refused(404, "NOT_MONITORED");
    let alone = json!({ "include_related": false });
    slow.post(&setup.acme, &path(&company, "/monitor"), &alone).await.expect(201);

    // Equal names are screened once.
    let company = company_with(&setup, &structure(alike)).await;
    let started = slow.post(&setup.acme, &path(&company, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["subjects"], DIRECTORS + 1);

    // The limit also holds for changes of a monitored customer.
    let organization = path(&company, "/organization");
    put(&slow, &setup.acme, &organization, &structure(numbered))
        .await
        .refused(503, "SCREENING_TIMEOUT");
    let read = setup.api.get(&setup.acme, &organization).await.expect(200);
    assert_eq!(read["version"], 1);
}

/// A customer that takes too long must not delay the others of its shard. The pass skips it and
/// counts it as failed. `resume` then retries the check until it succeeds.
#[tokio::test]
async fn a_customer_that_takes_too_long_in_a_pass_is_checked_by_resume() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let company = company_with(&setup, &structure(numbered)).await;
    setup.monitor(&company, &json!({})).await.expect(201);
    let mut others = Vec::new();
    for number in 0..OTHERS {
        others.push(setup.monitored_customer(&format!("Tarun Oblasti{number}")).await);
    }
    setup.write_list(&[("1", "Mirka Dovello"), ("2", "Klara Winterfeld7")]);
    setup.refresh().await;
    setup.advance_clock(61);

    let slow = slow_server(&setup, 20).await;
    let result = slow.run("rescreen", &json!({ "pass": "reconcile" })).await.unwrap();
    let shards = result["shards"].as_array().unwrap();
    assert!(shards.iter().all(|shard| shard["outcome"] == "finished"), "{result}");
    assert_eq!(sum(shards, "monitors"), 1 + OTHERS as u64);
    assert_eq!(sum(shards, "subjects"), OTHERS as u64);
    let failed: u64 = shards.iter().filter_map(|s| s["run"]["skipped"]["failed"].as_u64()).sum();
    assert_eq!(failed, 1);
    assert_eq!(setup.get_monitor(&company).await["last_pass"], Value::Null);
    for other in &others {
        assert_ne!(setup.get_monitor(other).await["last_pass"], Value::Null);
    }
    assert!(setup.alert_statuses(&company).await.is_empty());

    // `resume` gives the check more time than a pass does, but not unlimited time.
    let slower = slow_server(&setup, 1_000).await;
    let resumed = slower.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(resumed["checked_again"], 0);
    assert_eq!(setup.get_monitor(&company).await["last_pass"], Value::Null);

    let slow = slow_server(&setup, 20).await;
    let resumed = slow.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(resumed["checked_again"], 1);
    let alerts = setup.alerts(&company).await;
    assert!(alerts.iter().any(|alert| alert["subject"]["party_id"] == "p7"), "{alerts:?}");
    let resumed = slow.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(resumed["checked_again"], 0);
}

/// Measures the request that starts to monitor a company with this structure, and a pass over that
/// company and the other customers.
async fn measure(setup: &Setup, structure: &Value) -> (Duration, Duration) {
    let company = company_with(setup, structure).await;
    let started = Instant::now();
    let state = setup.monitor(&company, &json!({})).await.expect(201);
    let request = started.elapsed();
    assert_eq!((&state["subjects"], &state["matches"]), (&json!(DIRECTORS + 1), &json!(0)));

    setup.advance_clock(61);
    let started = Instant::now();
    let result = setup.api.run("rescreen", &json!({ "pass": "reconcile" })).await.unwrap();
    let pass = started.elapsed();
    let shards = result["shards"].as_array().unwrap();
    assert_eq!(sum(shards, "subjects"), (OTHERS + DIRECTORS + 1) as u64);
    setup.api.delete(&setup.acme, &path(&company, "/monitor")).await.expect(200);
    (request, pass)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures times"]
async fn directors_with_similar_names_cost_little_more_than_others() {
    let setup = Setup::without_lists().await;
    setup.write_rows(&list());
    setup.refresh().await;
    for number in 0..OTHERS {
        setup.monitored_customer(&format!("Klara Winterfeld{number}")).await;
    }
    let mut dice = Dice::new(2);
    let mut any_name = || format!("Klara {}feldt", family_name(&mut dice));
    let ordinary = measure(&setup, &structure(|_| (any_name(), None))).await;
    println!("ordinary: {:.1?} for the request, {:.1?} for the pass", ordinary.0, ordinary.1);
    let repeated = |word: &str, count: usize| format!("{word} ").repeat(count).trim().to_owned();
    let numbered = |number: usize| {
        let (first, second) = (1 + number % 20, 1 + number / 20);
        format!("{} {}", repeated("Mohammed", 12 - first / 2), repeated("Ali", second / 3 + 1))
    };
    for (kind, structure) in [
        ("one name", structure(|_| ("Mohammed Ali Winterfeldt".to_owned(), None))),
        ("one name, repeated", structure(|_| (repeated("Mohammed", 22), None))),
        (
            "one name, other dates",
            structure(|n| ("Mohammed Ali Winterfeldt".to_owned(), birthday(n))),
        ),
        ("repeated, other dates", structure(|n| (repeated("Mohammed", 22), birthday(n)))),
        ("other repetitions", structure(|n| (numbered(n), None))),
    ] {
        let measured = measure(&setup, &structure).await;
        let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
        println!(
            "{kind}: {:.1} times the request and {:.1} times the pass of an ordinary structure",
            ratio(measured.0, ordinary.0),
            ratio(measured.1, ordinary.1)
        );
    }
}
