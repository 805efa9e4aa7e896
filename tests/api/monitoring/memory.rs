//! Tests lists that do not fit into the memory of the functions.
//!
//! Most tests use thousands of entries and functions with little memory. An ignored test uses a
//! million entries and takes minutes:
//!
//! `cargo test -p api-tests --profile ci --test api -- --ignored memory:: --nocapture`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api_tests::{Api, Persona, Value, json};
use tempfile::TempDir;

use super::{clock, path, sum};

/// A list that a test changes, and a server with its own memory sizes.
struct Large {
    folder: TempDir,
    now: Arc<AtomicI64>,
    acme: Persona,
}

impl Large {
    fn new() -> Large {
        let now = Arc::new(AtomicI64::new(1_795_000_000_000));
        Large { folder: TempDir::new().unwrap(), now, acme: Persona::of("acme") }
    }

    fn file(&self, list: &str) -> PathBuf {
        self.folder.path().join(list)
    }

    /// Writes a list with this number of entries. One of them is `Mirka Dovello`.
    fn write(&self, list: &str, entries: usize) {
        const GIVEN: [&str; 8] =
            ["Ahmad", "Maria", "Ivan", "Yusuf", "Elena", "Jose", "Nora", "Tomas"];
        const SYLLABLES: [&str; 16] = [
            "ba", "dro", "ka", "li", "mo", "na", "pe", "ro", "sha", "ti", "vo", "ze", "gar", "hin",
            "kov", "wen",
        ];
        let mut text = "id,name,kind,date,countries\n0,Mirka Dovello,person,1971,FR\n".to_owned();
        for id in 1..entries {
            // Spreads consecutive numbers, so that most family names of a large list are different.
            let mut number = id.wrapping_mul(0x85eb_ca6b) & 0xffff_ffff;
            let mut name = format!("{} ", GIVEN[number % GIVEN.len()]);
            for _ in 0..3 + id % 3 {
                name.push_str(SYLLABLES[number % SYLLABLES.len()]);
                number /= SYLLABLES.len();
            }
            text.push_str(&format!("{id},{name},person,{},DE\n", 1930 + id % 70));
        }
        std::fs::write(self.file(list), text).unwrap();
    }

    /// Starts a server whose functions have these memory sizes in MB. If `other` is given, the
    /// server uses the table and lists of `other`.
    async fn server(&self, other: Option<&Api>, requests: u64, jobs: u64) -> Api {
        let sources = ["large.csv", "small.csv"].map(|list| {
            let name = list.trim_end_matches(".csv");
            json!({ "list": name, "from": [format!("file://{}", self.file(list).display())] })
        });
        let settings = [
            ("WATCHLIST_SOURCES", json!(sources).to_string()),
            ("MAX_SHRINK_PERCENT", "100".to_owned()),
            ("MEMORY_SIZE", requests.to_string()),
            ("RESCREEN_MEMORY_SIZE", jobs.to_string()),
        ];
        let settings: BTreeMap<String, String> =
            settings.map(|(name, value)| (name.to_owned(), value)).into();
        Api::set(clock(&self.now), other, None, settings).await
    }

    /// Starts to monitor a customer with this name and returns its number of matches.
    async fn matches(&self, api: &Api, name: &str) -> Value {
        let customer = api.create(&self.acme, &json!({ "name": name })).await;
        let started = api.post(&self.acme, &path(&customer, "/monitor"), &json!({})).await;
        started.expect(201)["matches"].clone()
    }

    async fn pass(&self, api: &Api) -> Vec<Value> {
        self.now.fetch_add(61_000, Ordering::SeqCst);
        let result = api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
        result["shards"].as_array().unwrap().clone()
    }
}

/// Refreshes the lists and returns the error message. Panics if none of the lists is refused.
async fn refusal(api: &Api) -> String {
    let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    failed["errorMessage"].as_str().unwrap().to_owned()
}

/// Returns the number that directly follows `words` in `text`.
fn number_after(text: &str, words: &str) -> u64 {
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("{words}: {text}"));
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

/// Grows a list to `entries` entries. A refresh must refuse the list while the functions have
/// `requests` MB, and accept it once they have the memory that the refusal asks for.
async fn refused_until_it_fits(entries: usize, requests: u64, jobs: u64) {
    let large = Large::new();
    large.write("large.csv", 10);
    large.write("small.csv", 10);
    let api = large.server(None, requests, jobs).await;
    assert_eq!(api.refresh().await["revision"], 1);

    large.write("large.csv", entries);
    large.write("small.csv", 11);
    let refused = refusal(&api).await;
    #[expect(clippy::print_stdout, reason = "the run with a large list prints its refusal")]
    {
        println!("{entries} entries: {refused}");
    }
    assert!(refused.starts_with("refused: large (all lists together need"), "{refused}");
    let named = format!("raise the parameter MemorySize from {requests} to at least ");
    let needed = number_after(&refused, &named);
    assert!(!refused.contains("RescreenMemorySize"), "{refused}");
    // The previous version of the refused list stays in use. The other list is updated.
    assert_eq!(large.matches(&api, "Mirka Dovello").await, 2);
    let raised = sum(&large.pass(&api).await, "raised");
    assert_eq!(raised, 0);

    let slightly_too_small = large.server(Some(&api), needed - 1, jobs).await;
    assert!(refusal(&slightly_too_small).await.contains("MemorySize"));
    let fitting = large.server(Some(&api), needed, jobs).await;
    let refreshed = fitting.refresh().await;
    assert_eq!(refreshed["revision"], 3);
    assert_eq!(refreshed["lists"][0]["outcome"], "updated");
    assert_eq!(refreshed["lists"][1]["outcome"], "unchanged");
    assert_eq!(refreshed["lists"][0]["entities"], entries);
    assert_eq!(large.matches(&fitting, "Mirka Dovello").await, 2);
    let shards = large.pass(&fitting).await;
    assert!(shards.iter().all(|shard| shard["outcome"] == "finished"), "{shards:?}");

    // A list that has not grown is accepted, although the lists do not fit into the reduced memory.
    large.write("large.csv", entries - 1);
    let lowered = large.server(Some(&api), requests, jobs).await;
    assert_eq!(lowered.refresh().await["lists"][0]["outcome"], "updated");
}

#[tokio::test]
async fn a_list_that_does_not_fit_is_refused_until_the_memory_is_raised() {
    refused_until_it_fits(6_000, 65, 1_769).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn a_million_entries_do_not_fit_into_256_mb() {
    refused_until_it_fits(1_000_000, 256, 1_769).await;
}

#[tokio::test]
async fn a_list_that_the_jobs_cannot_hold_is_refused() {
    let large = Large::new();
    large.write("large.csv", 10);
    large.write("small.csv", 10);
    let api = large.server(None, 256, 69).await;
    assert_eq!(api.refresh().await["revision"], 1);
    // With this memory, an index of more than 1 MB is not even built. A slightly smaller one would
    // not fit together with the buffers of a screening.
    large.write("large.csv", 12_000);
    let refused = refusal(&api).await;
    assert!(refused.contains("would have more than 1 MB"), "{refused}");
    assert!(refused.contains("raise the parameter RescreenMemorySize from 69"), "{refused}");
    assert_eq!(large.matches(&api, "Mirka Dovello").await, 2);
    let raised = large.server(Some(&api), 256, 1_769).await;
    assert_eq!(raised.refresh().await["lists"][0]["outcome"], "updated");
}
