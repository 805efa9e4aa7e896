//! Every operation under faults of every kind: afterwards nothing in the table contradicts itself.
//!
//! A seed chooses the operations and the faults. How requests interleave it does not choose, but for
//! `CLIENTS=1`. The long run is a command of its own:
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
use world::World;

/// Of all transactions the first is done without an answer, and the second is cancelled.
#[derive(Clone, Debug, Default)]
struct LostThenCancelled(Arc<AtomicUsize>, Overload);

impl Interceptor for LostThenCancelled {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        if operation(&request) != "TransactWriteItems" {
            return on.call(request);
        }
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => {
                let on = on.clone();
                HttpConnectorFuture::new(async move {
                    let _ = on.call(request).await;
                    let lost = io::Error::from(io::ErrorKind::ConnectionReset);
                    Err(ConnectorError::io(lost.into()))
                })
            }
            1 => {
                self.1.set(Some(Trouble::Cancelled));
                let answer = self.1.call(on, request);
                self.1.set(None);
                answer
            }
            _ => on.call(request),
        }
    }
}

/// What was written must not stand in its own way when it is tried again.
#[tokio::test]
async fn what_was_done_without_an_answer_is_done_once_and_answered() {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let calls = LostThenCancelled::default();
    let api = Api::with_calls(calls.clone(), &main).await;
    let session = api.post(&acme, "/kyc/sessions", &json!({ "client_id": "a" })).await.expect(201);
    let path = path_of(&session);
    assert_eq!(main.get(&acme, &path).await.expect(200)["sessions"]["total"], 1);
    calls.0.store(0, Ordering::SeqCst);
    let patch = api.call(&acme, "PATCH", &path).header("if-match", "\"2\"");
    let patched = patch.json(&json!({ "name": "B" })).send().await.expect(200);
    assert_eq!(patched["version"], 3);
    assert_eq!(main.get(&acme, &path).await.expect(200), patched);
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect(name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_contradicts_itself_after_faults() {
    let mut world = World::new(setting("SEED", 7), 12).await;
    world.run(setting("OPERATIONS", 400) as usize, 200).await;
    world.ends_well().await;
    // It was no calm sea: most kinds of operations came through, and most kinds of faults came.
    let (operations, faults) = (world.answered(), world.faults());
    assert!(operations.len() > 12 && faults.len() > 6, "{operations:?} {faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a while"]
async fn many_operations_under_faults() {
    let (seed, operations) = (setting("SEED", 1), setting("OPERATIONS", 100_000) as usize);
    let (clients, started) = (setting("CLIENTS", 32) as usize, Instant::now());
    let mut world = World::new(seed, clients).await;
    let mut done = 0;
    while done < operations {
        let some = 5_000.min(operations - done);
        world.run(some, 500).await;
        done += some;
        world.is_consistent().await;
        println!("seed {seed}: {done} operations in {:.0} s", started.elapsed().as_secs_f64());
    }
    let report = world.ends_well().await;
    println!("\nseed {seed}, {clients} clients, {done} operations, by operation and status:");
    for (operation, statuses) in world.answered() {
        let statuses: Vec<String> = statuses.iter().map(|(s, n)| format!("{s}: {n}")).collect();
        println!("{operation:>24}  {}", statuses.join(", "));
    }
    println!("\nfaults in {} calls to the table: {:?}", world.calls(), world.faults());
    println!("\nitems: {:?}\n0 violations", report.items);
}
