//! Runs all operations of the API under all kinds of faults and then checks the consistency of the
//! table.
//!
//! A seed determines the operations and the faults. It determines the interleaving of requests only
//! with `CLIENTS=1`. A separate command starts the long run:
//!
//! `SEED=1 OPERATIONS=100000 cargo test -p api-tests --profile ci --test api -- --ignored --exact
//! chaos::many_operations_under_faults --nocapture`

mod operations;
mod world;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use api_tests::chaos::{Overload, Trouble};
use api_tests::faults::operation;
use api_tests::{Api, Persona, json, path_of};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use local::calls::Interceptor;
use operations::run_client;
use world::World;

/// Executes the first transaction but loses its answer, and cancels the second one without
/// executing it. Other calls succeed.
#[derive(Clone, Debug, Default)]
struct LostThenCancelled {
    transactions: Arc<AtomicUsize>,
    overload: Overload,
}

impl Interceptor for LostThenCancelled {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        if operation(&request) != "TransactWriteItems" {
            return on.call(request);
        }
        match self.transactions.fetch_add(1, Ordering::SeqCst) {
            0 => {
                let on = on.clone();
                HttpConnectorFuture::new(async move {
                    let _ = on.call(request).await;
                    let lost = io::Error::from(io::ErrorKind::ConnectionReset);
                    Err(ConnectorError::io(lost.into()))
                })
            }
            1 => {
                self.overload.set(Some(Trouble::Cancelled));
                let answer = self.overload.call(on, request);
                self.overload.set(None);
                answer
            }
            _ => on.call(request),
        }
    }
}

/// A retried write must not conflict with its own first attempt.
#[tokio::test]
async fn a_write_whose_answer_is_lost_takes_effect_once() {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let fault = LostThenCancelled::default();
    let api = Api::with_calls(fault.clone(), &main).await;

    let session = api.post(&acme, "/kyc/sessions", &json!({ "client_id": "a" })).await.expect(201);
    let path = path_of(&session);
    assert_eq!(main.get(&acme, &path).await.expect(200)["sessions"]["total"], 1);

    fault.transactions.store(0, Ordering::SeqCst);
    let patch = api.call(&acme, "PATCH", &path).header("if-match", "\"2\"");
    let patched = patch.json(&json!({ "name": "B" })).send().await.expect(200);
    assert_eq!(patched["version"], 3);
    assert_eq!(main.get(&acme, &path).await.expect(200), patched);
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect(name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_is_consistent_after_faults() {
    let mut world = World::new(setting("SEED", 7), 12).await;
    world.run(setting("OPERATIONS", 400) as usize, 200, run_client).await;
    world.settle_and_check().await;

    // Check that most kinds of operations got an answer, and that most kinds of faults occurred.
    let (operations, faults) = (world.status_counts(), world.faults());
    assert!(operations.len() > 12 && faults.len() > 6, "{operations:?} {faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a while"]
async fn many_operations_under_faults() {
    let (seed, operations) = (setting("SEED", 1), setting("OPERATIONS", 100_000) as usize);
    let (clients, started) = (setting("CLIENTS", 32) as usize, Instant::now());
    let mut world = World::new(seed, clients).await;
    let mut completed = 0;
    while completed < operations {
        let batch = 5_000.min(operations - completed);
        world.run(batch, 500, run_client).await;
        completed += batch;
        world.check_consistency().await;
        println!("seed {seed}: {completed} operations in {:.0} s", started.elapsed().as_secs_f64());
    }
    let report = world.settle_and_check().await;
    println!("\nseed {seed}, {clients} clients, {completed} operations, by operation and status:");
    for (operation, statuses) in world.status_counts() {
        let statuses: Vec<String> = statuses.iter().map(|(s, n)| format!("{s}: {n}")).collect();
        println!("{operation:>24}  {}", statuses.join(", "));
    }
    println!("\nfaults in {} calls to the table: {:?}", world.calls(), world.faults());
    println!("\nitems: {:?}\n0 violations", report.items);
}
