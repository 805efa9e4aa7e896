//! `cargo bench -p shared --bench ownership`: effective ownership of a group far larger than the
//! API takes, beside parsing the same group from JSON in the same run.
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::ownership::{Holding, effective};

const PARTIES: usize = 1_000;
const HOLDINGS: usize = 5_000;
const RUNS: usize = 21;

fn main() {
    // Companies only, each held by five others on average: nearly all of them are one ring, which
    // is the worst there is.
    let mut seed: u64 = 1;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let holdings: Vec<Holding> = (0..HOLDINGS)
        .map(|i| Holding { owner: next() % PARTIES, owned: i % PARTIES, fraction: 0.19 })
        .collect();
    let is_company = vec![true; PARTIES];
    let relationship = |h: &Holding| json!({ "owner": h.owner.to_string(), "owned": h.owned.to_string(), "percentage": h.fraction * 100.0 });
    let party = |i: usize| json!({ "party_id": i.to_string(), "kind": "company", "name": format!("Company {i}") });
    let text = json!({
        "parties": (0..PARTIES).map(party).collect::<Value>(),
        "relationships": holdings.iter().map(relationship).collect::<Value>(),
    })
    .to_string();

    let solved = median(|| drop(black_box(effective(&is_company, 0, &holdings))));
    let parsed = median(|| drop(black_box(serde_json::from_str::<Value>(&text))));
    let ratio = solved.as_secs_f64() / parsed.as_secs_f64();
    println!(
        "effective ownership, {PARTIES} parties, {HOLDINGS} holdings: {ratio:.1} times parsing the same JSON"
    );
    println!("medians of {RUNS}: {solved:.1?} and {parsed:.1?} ({} bytes)", text.len());
}

fn median(work: impl Fn()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(RUNS / 2).copied().unwrap_or_default()
}
