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

use api_tests::log::watch;
use api_tests::{Api, Persona, Value, json};
use aws_sdk_dynamodb::types::AttributeValue;
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
        self.server_with(other, requests, jobs, &[]).await
    }

    /// Starts a server as [`Large::server`] does, with more settings.
    async fn server_with(
        &self,
        other: Option<&Api>,
        requests: u64,
        jobs: u64,
        more: &[(&str, &str)],
    ) -> Api {
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
        let mut settings: BTreeMap<String, String> =
            settings.map(|(name, value)| (name.to_owned(), value)).into();
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
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

/// Lists that became current before the memory was reduced, or in another region, must not end the
/// function.
#[tokio::test]
async fn a_function_answers_503_when_the_lists_do_not_fit_into_its_memory() {
    let large = Large::new();
    large.write("large.csv", 6_000);
    large.write("small.csv", 10);
    let api = large.server(None, 256, 1_769).await;
    assert_eq!(api.refresh().await["revision"], 1);
    let memory = |megabytes| [("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", megabytes)];
    let small = large.server_with(Some(&api), 256, 1_769, &memory("64")).await;
    let customer = api.create(&large.acme, &json!({ "name": "Mirka Dovello" })).await;
    let answer = small.post(&large.acme, &path(&customer, "/monitor"), &json!({})).await;
    let line = watch().line_of(answer.header("x-request-id").unwrap());
    answer.refused(503, "LISTS_UNAVAILABLE");
    let cause = line["cause"].as_str().unwrap();
    assert!(cause.contains("raise the parameter MemorySize"), "{cause}");
    assert!(cause.contains("from 64 to at least"), "{cause}");
    let fitting = large.server_with(Some(&api), 256, 1_769, &memory("256")).await;
    assert_eq!(large.matches(&fitting, "Mirka Dovello").await, 2);
}

/// Removes the size of a list from the table, as an older release would store the list, and returns
/// the name of its index.
async fn remove_size(api: &Api, list: &str) -> String {
    let scan = api.dynamodb.scan().table_name(&api.table).send().await.unwrap();
    let mut object = None;
    for mut item in scan.items.unwrap() {
        let Some(AttributeValue::M(lists)) = item.get_mut("lists") else { continue };
        let Some(AttributeValue::M(version)) = lists.get_mut(list) else { continue };
        version.remove("memory").unwrap();
        object = version["object"].as_s().ok().cloned();
        let put = api.dynamodb.put_item().table_name(&api.table).set_item(Some(item));
        put.send().await.unwrap();
    }
    object.unwrap()
}

/// A list whose size is not known counts as too large, not as empty.
#[tokio::test]
async fn a_list_that_cannot_be_measured_refuses_the_growth_of_another() {
    let large = Large::new();
    large.write("large.csv", 10);
    large.write("small.csv", 10);
    let api = large.server(None, 256, 1_769).await;
    assert_eq!(api.refresh().await["revision"], 1);
    let object = remove_size(&api, "small").await;
    let lists = &api.server().lists;
    let index = lists.bytes(&object).await.unwrap();
    lists.put(&object, Vec::new()).await.unwrap();
    large.write("large.csv", 100);
    let refused = refusal(&api).await;
    assert!(
        refused.starts_with("refused: large (the memory that the list small needs is not known"),
        "{refused}"
    );
    lists.put(&object, index).await.unwrap();
    assert_eq!(api.refresh().await["lists"][0]["outcome"], "updated");
}
