//! Compares the time to compute effective ownership with the time to parse the same group from
//! JSON.
//!
//! The group has more parties and relationships than the API accepts. To run the benchmark, use
//! `cargo bench -p shared --bench ownership`.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]
#![allow(clippy::indexing_slicing, reason = "there is a time for each of the runs")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::ownership::{Holding, effective};

const PARTIES: usize = 1_000;
const HOLDINGS: usize = 5_000;
const RUNS: usize = 21;

fn main() {
    let holdings = holdings();
    let is_company = vec![true; PARTIES];
    let text = json_of(&holdings);

    let solving = median(|| drop(black_box(effective(&is_company, 0, &holdings))));
    let parsing = median(|| drop(black_box(serde_json::from_str::<Value>(&text))));
    let ratio = solving.as_secs_f64() / parsing.as_secs_f64();
    println!(
        "effective ownership, {PARTIES} parties, {HOLDINGS} holdings: {ratio:.1} times parsing the same JSON"
    );
    println!("medians of {RUNS}: {solving:.1?} and {parsing:.1?} ({} bytes)", text.len());
}

/// Returns random holdings among companies. Each company has five owners on average. Nearly all
/// companies form a single ring, which is the worst case.
fn holdings() -> Vec<Holding> {
    let mut seed: u64 = 1;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    (0..HOLDINGS)
        .map(|i| Holding { owner: next() % PARTIES, owned: i % PARTIES, fraction: 0.19 })
        .collect()
}

fn json_of(holdings: &[Holding]) -> String {
    let party = |i: usize| json!({ "party_id": i.to_string(), "kind": "company", "name": format!("Company {i}") });
    let relationship = |holding: &Holding| {
        json!({
            "owner": holding.owner.to_string(),
            "owned": holding.owned.to_string(),
            "percentage": holding.fraction * 100.0,
        })
    };
    json!({
        "parties": (0..PARTIES).map(party).collect::<Value>(),
        "relationships": holdings.iter().map(relationship).collect::<Value>(),
    })
    .to_string()
}

/// Returns the median duration of 21 runs.
fn median(work: impl Fn()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}
