//! Measures screening against a synthetic list the size of OFAC's SDN list:
//! `cargo bench -p screening --bench screening`.
//!
//! For comparison, the same run also compares queries with every listed name by Jaro-Winkler. That
//! simple matcher does not find swapped, joined, missing or transliterated words, and it does not
//! explain its scores.
#![allow(clippy::print_stdout, reason = "a benchmark prints its results")]
#![allow(clippy::indexing_slicing, reason = "every index is below the length of its slice")]

use std::hint::black_box;
use std::io::Cursor;
use std::time::{Duration, Instant};

use screening::delta::Delta;
use screening::index::Index;
use screening::lists::Input;
use screening::score::DEFAULT_MIN_SCORE;
use screening::{Query, Screener, import};

const ENTITIES: usize = 14_000;
/// Number of entries that the median update of a real list adds.
const CHANGED: usize = 10;
const QUERIES: usize = 5_000;
/// Number of queries for Jaro-Winkler, which is much slower.
const SIMPLE_QUERIES: usize = 50;
/// Number of runs of which the median is reported.
const RUNS: usize = 11;

fn main() -> Result<(), String> {
    let mut random = Random(1);
    let listed: Vec<[String; 2]> = (0..ENTITIES).map(|_| [random.name(), random.name()]).collect();
    let text = plain_list(&listed);
    let bytes = build(&text)?;
    let index = open(&bytes)?;
    let (_, unchanged) = listed.split_at(CHANGED);
    let old = open(&build(&plain_list(unchanged))?)?;
    let delta = Delta::between(&old, &index).index(&index).map_err(|error| error.to_string())?;
    let delta = open(&delta)?;

    // The second half of the queries are listed names in which the first `a` is replaced with `e`.
    let mut queries: Vec<String> = (0..QUERIES / 2).map(|_| random.name()).collect();
    let listed_names = listed.iter().flatten().step_by(2 * ENTITIES * 2 / QUERIES);
    queries.extend(listed_names.map(|name| name.replacen('a', "e", 1)));

    let mut screener = Screener::new([&index]);
    let screened = per_item(&queries, |name| {
        black_box(screener.screen(&Query::of_name(name), DEFAULT_MIN_SCORE));
    });
    let sample: Vec<String> = queries.iter().step_by(QUERIES / SIMPLE_QUERIES).cloned().collect();
    let lower: Vec<String> = listed.iter().flatten().map(|name| name.to_lowercase()).collect();
    let compared = per_item(&sample, |name| {
        let name = name.to_lowercase();
        let best = lower.iter().map(|listed| strsim::jaro_winkler(&name, listed));
        black_box(best.fold(0.0, f64::max));
    });
    let mut screener = Screener::new([&delta]);
    let delta_screened = per_item(&queries, |name| {
        black_box(screener.screen(&Query::of_name(name), DEFAULT_MIN_SCORE));
    });
    let opened = median(|| drop(black_box(open(&bytes))));
    let built = median(|| drop(black_box(build(&text))));

    let ratio = |slow: Duration, fast: Duration| slow.as_secs_f64() / fast.as_secs_f64();
    println!("{ENTITIES} entities, {} names, one core", lower.len());
    println!(
        "{:>8.0} times as fast as Jaro-Winkler with every name: {screened:.1?} and {compared:.1?} per query",
        ratio(compared, screened)
    );
    println!(
        "{:>8.1} times as fast against a change of {CHANGED} entries as against all: {delta_screened:.1?} per query",
        ratio(screened, delta_screened)
    );
    println!(
        "{:>8.0} times as fast to open an index as to read the list: {opened:.1?} and {built:.1?}, {} KB",
        ratio(built, opened),
        bytes.len() / 1_000
    );
    Ok(())
}

fn plain_list(entities: &[[String; 2]]) -> String {
    let mut text = "id,name,aliases,kind\n".to_owned();
    for [name, alias] in entities {
        // The name is also the id, so an entry has the same id in both versions of the list.
        text.push_str(&format!("{name},{name},{alias},person\n"));
    }
    text
}

fn build(text: &str) -> Result<Vec<u8>, String> {
    let file = Input { name: "bench.csv", read: Box::new(Cursor::new(text.as_bytes())) };
    let imported = import("bench", Some("1"), vec![file], |_| ());
    imported.map(|imported| imported.index).map_err(|error| error.to_string())
}

fn open(bytes: &[u8]) -> Result<Index, String> {
    Index::open(bytes.to_vec()).map_err(|error| error.to_string())
}

fn per_item(items: &[String], mut work: impl FnMut(&str)) -> Duration {
    let begun = Instant::now();
    items.iter().for_each(|item| work(item));
    begun.elapsed() / u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn median(work: impl Fn()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[RUNS / 2]
}

/// A linear congruential generator with the constants of Knuth's MMIX. The seed is fixed, so each
/// run screens the same names.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Returns a name with two given names out of 16 and a family name of two to four syllables.
    fn name(&mut self) -> String {
        const GIVEN: [&str; 16] = [
            "Ahmad", "Maria", "Ivan", "Yusuf", "Elena", "Jose", "Mirka", "Ali", "Olga", "Tomas",
            "Hassan", "Irina", "Pavel", "Fatima", "Jorge", "Sergei",
        ];
        const SYLLABLES: [&str; 24] = [
            "ba", "dro", "ka", "li", "mo", "na", "pe", "ro", "sha", "ti", "vo", "ze", "gar", "hin",
            "jul", "kov", "lam", "mir", "nov", "ost", "ran", "sek", "tur", "wen",
        ];
        let mut name = format!("{} {}", self.pick(&GIVEN), self.pick(&GIVEN));
        name.push(' ');
        let mut family = String::new();
        for _ in 0..2 + self.below(3) {
            family.push_str(self.pick(&SYLLABLES));
        }
        let mut letters = family.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    }
}
