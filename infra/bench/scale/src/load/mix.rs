//! Sends a mix of requests: mostly reads, and some writes of customers and sessions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use api_tests::Dice;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Measured;
use crate::api::Caller;
use crate::numbers::quantile;

/// Share of each kind of request, in percent.
const PERCENT: [(Kind, usize); 6] = [
    (Kind::Get, 60),
    (Kind::List, 15),
    (Kind::Create, 8),
    (Kind::Patch, 6),
    (Kind::CreateSession, 6),
    (Kind::UpdateSession, 5),
];
/// Number of workers of an open loop: enough to send every request on time at any rate that the
/// server can sustain.
const OPEN_WORKERS: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Get,
    List,
    Create,
    Patch,
    CreateSession,
    UpdateSession,
}

#[derive(Clone, Copy)]
pub(crate) enum Loop {
    /// Runs this number of workers. Each sends its next request when its previous one is answered.
    Closed(usize),
    /// Sends this number of requests per second.
    Open(f64),
}

pub(crate) struct Mix(Arc<Shared>);

struct Shared {
    caller: Caller,
    seed: u64,
    /// Paths of customers.
    customers: Vec<String>,
    /// Ids of active sessions.
    sessions: Mutex<Vec<String>>,
    /// Number of mixed requests so far. It makes the data of each request unique.
    counter: AtomicUsize,
}

/// The results of all requests in a run.
pub(crate) struct Results {
    /// Kind of each request, its latency in milliseconds, and whether it succeeded.
    requests: Vec<(Kind, f64, bool)>,
    seconds: f64,
}

impl Mix {
    /// Creates `customers` customers over `connections` concurrent connections, and a session for
    /// every tenth customer.
    pub(crate) async fn prepare(
        caller: Caller,
        customers: usize,
        connections: usize,
        seed: u64,
    ) -> Result<Mix> {
        let mut workers = JoinSet::new();
        for worker in 0..connections {
            let caller = caller.clone();
            workers.spawn(async move {
                let (mut paths, mut sessions) = (Vec::new(), Vec::new());
                for number in (worker..customers).step_by(connections) {
                    let body = new_customer(&format!("crm-{number}"));
                    let customer = caller.expect(Method::POST, "/customers", Some(&body)).await?;
                    let id = customer.data["customer_id"]
                        .as_str()
                        .context("the new customer has no customer_id")?;
                    if number % 10 == 0 {
                        let body = json!({ "customer_id": id });
                        let session =
                            caller.expect(Method::POST, "/kyc/sessions", Some(&body)).await?;
                        let session_id = session.data["session_id"]
                            .as_str()
                            .context("the new session has no session_id")?;
                        sessions.push(session_id.to_owned());
                    }
                    paths.push(format!("/customers/{id}"));
                }
                anyhow::Ok((paths, sessions))
            });
        }
        let (mut customers, mut sessions) = (Vec::new(), Vec::new());
        for result in workers.join_all().await {
            let (worker_paths, worker_sessions) = result?;
            customers.extend(worker_paths);
            sessions.extend(worker_sessions);
        }
        let (sessions, counter) = (Mutex::new(sessions), AtomicUsize::new(0));
        Ok(Mix(Arc::new(Shared { caller, seed, customers, sessions, counter })))
    }

    /// Returns the path of the first customer, or an empty string if there are no customers.
    pub(crate) fn customer_path(&self) -> String {
        self.0.customers.first().cloned().unwrap_or_default()
    }

    /// Sends requests for `duration`, then waits for the outstanding answers.
    pub(crate) async fn run(&self, mode: Loop, duration: Duration) -> Result<Results> {
        let turns = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let workers = match mode {
            Loop::Closed(connections) => connections,
            Loop::Open(_) => OPEN_WORKERS,
        };
        let mut running = JoinSet::new();
        for worker in 0..workers {
            let (shared, turns) = (self.0.clone(), turns.clone());
            let mut dice = Dice::new(shared.seed.wrapping_mul(1_000) + worker as u64);
            running.spawn(async move {
                let mut requests = Vec::new();
                loop {
                    let turn = turns.fetch_add(1, Ordering::Relaxed);
                    let mut due = match mode {
                        Loop::Closed(_) => started.elapsed(),
                        Loop::Open(rate) => Duration::from_secs_f64(turn as f64 / rate),
                    };
                    if due >= duration {
                        return requests;
                    }
                    if due > started.elapsed() {
                        tokio::time::sleep_until((started + due).into()).await;
                        // The timer fires up to a millisecond late. The latency starts now, because
                        // the request did not wait for the server in that time.
                        due = started.elapsed();
                    }
                    let (kind, succeeded) = shared.send(&mut dice).await;
                    let ms = (started.elapsed() - due).as_secs_f64() * 1_000.0;
                    requests.push((kind, ms, succeeded));
                }
            });
        }
        let requests: Vec<_> = running.join_all().await.into_iter().flatten().collect();
        Ok(Results { requests, seconds: started.elapsed().as_secs_f64() })
    }
}

impl Shared {
    /// Sends a random request. Returns its kind, and whether it succeeded. If no active session is
    /// left to update, creates a session instead.
    async fn send(&self, dice: &mut Dice) -> (Kind, bool) {
        let mut kind = random_kind(dice);
        let sessions = || self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = if kind == Kind::UpdateSession { sessions().pop() } else { None };
        if kind == Kind::UpdateSession && session.is_none() {
            kind = Kind::CreateSession;
        }
        let customer = dice.pick(&self.customers);
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let (method, path, body) = match kind {
            Kind::Get => (Method::GET, customer.clone(), None),
            Kind::List => {
                let queries = ["", "?risk_level=not_set", "?search=acme", "?limit=50"];
                (Method::GET, format!("/customers{}", dice.pick(&queries)), None)
            }
            Kind::Create => {
                let body = new_customer(&format!("mix-{number}"));
                (Method::POST, "/customers".to_owned(), Some(body))
            }
            Kind::Patch => {
                let email = format!("kyc-{number}@example.com");
                (Method::PATCH, customer.clone(), Some(json!({ "email": email })))
            }
            Kind::CreateSession => {
                let body = json!({ "customer_id": customer.trim_start_matches("/customers/") });
                (Method::POST, "/kyc/sessions".to_owned(), Some(body))
            }
            Kind::UpdateSession => {
                let path = format!("/kyc/sessions/{}", session.unwrap_or_default());
                (Method::PATCH, path, Some(json!({ "status": "completed" })))
            }
        };
        let answer = self.caller.expect(method, &path, body.as_ref()).await;
        if let (Kind::CreateSession, Ok(answer)) = (kind, &answer)
            && let Some(id) = answer.data["session_id"].as_str()
        {
            sessions().push(id.to_owned());
        }
        (kind, answer.is_ok())
    }
}

/// Returns a random kind, in the proportions of [`PERCENT`].
fn random_kind(dice: &mut Dice) -> Kind {
    let mut roll = dice.roll(100);
    for (kind, percent) in PERCENT {
        match roll.checked_sub(percent) {
            Some(rest) => roll = rest,
            None => return kind,
        }
    }
    Kind::Get
}

fn new_customer(client_id: &str) -> Value {
    let email = "kyc@example.com";
    let name = format!("Acme {client_id}");
    json!({ "client_id": client_id, "name": name, "country": "DE", "industry": "Retail", "email": email })
}

impl Results {
    pub(crate) fn all(&self) -> Measured {
        self.of(|_| true)
    }

    pub(crate) fn by_kind(&self) -> BTreeMap<&'static str, Measured> {
        let names = ["get", "list", "create", "patch", "create session", "update session"];
        let kinds = PERCENT.iter().map(|(kind, _)| *kind).zip(names);
        kinds.map(|(kind, name)| (name, self.of(|other| other == kind))).collect()
    }

    fn of(&self, which: impl Fn(Kind) -> bool) -> Measured {
        let requests = || self.requests.iter().filter(|(kind, ..)| which(*kind));
        let ms: Vec<f64> = requests().map(|(_, ms, _)| *ms).collect();
        Measured {
            rate: ms.len() as f64 / self.seconds,
            median: quantile(&ms, 0.5),
            p99: quantile(&ms, 0.99),
            p999: quantile(&ms, 0.999),
            requests: ms.len(),
            errors: requests().filter(|(.., succeeded)| !succeeded).count(),
        }
    }
}
