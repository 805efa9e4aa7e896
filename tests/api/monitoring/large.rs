//! Measures the cost of a customer whose 500 directors have similar names, as a multiple of the
//! cost of an ordinary structure of the same size:
//!
//! `cargo test --workspace --test api -- --ignored alike:: --nocapture`

use std::time::{Duration, Instant};

use api_tests::{Dice, Value, json};

use super::{Setup, path, sum};
use crate::organization::put;

/// Number of customers without related parties that a pass screens beside the measured one.
const OTHERS: usize = 52;
/// Number of parties of the measured structures, which is the largest that a structure may have.
const DIRECTORS: usize = 500;
/// Number of entries of the list.
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

/// Measures the request that starts to monitor a company with this structure, and a pass over that
/// company and the other customers.
async fn measure(setup: &Setup, structure: &Value) -> (Duration, Duration) {
    let company = json!({ "name": "Quarrel Holding", "entity_type": "company" });
    let company = setup.api.create(&setup.acme, &company).await;
    put(&setup.api, &setup.acme, &path(&company, "/organization"), structure).await.expect(201);
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
        format!("{} {}", repeated("Mohammed", 20 - first / 2), repeated("Ali", second / 3 + 1))
    };
    for (kind, structure) in [
        ("one name", structure(|_| ("Mohammed Ali Winterfeldt".to_owned(), None))),
        ("one name, repeated", structure(|_| (repeated("Mohammed", 22), None))),
        ("one name, other dates", structure(|n| ("Mohammed Ali Winterfeldt".to_owned(), birthday(n)))),
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
