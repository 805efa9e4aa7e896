//! What tenants ask for, in the proportions they do: mostly reads, and every kind of write.

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

/// What is asked for, of a hundred requests.
const PERCENT: [(Kind, usize); 6] = [
    (Kind::Get, 60),
    (Kind::List, 15),
    (Kind::Create, 8),
    (Kind::Patch, 6),
    (Kind::CreateSession, 6),
    (Kind::UpdateSession, 5),
];
/// Enough that a request finds one free at any rate that the server can follow.
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
    /// So many at once, each as soon as the one before is answered.
    Closed(usize),
    /// So many a second.
    Open(f64),
}

pub(crate) struct Mix(Arc<Shared>);

struct Shared {
    caller: Caller,
    seed: u64,
    customers: Vec<String>,
    /// Active ones.
    sessions: Mutex<Vec<String>>,
    next: AtomicUsize,
}

/// Every request: its kind, its milliseconds, and whether it succeeded.
pub(crate) struct Found {
    requests: Vec<(Kind, f64, bool)>,
    seconds: f64,
}

impl Mix {
    /// Creates so many customers, and a session for every tenth of them.
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
                let (mut made, mut sessions) = (Vec::new(), Vec::new());
                for number in (worker..customers).step_by(connections) {
                    let new = new_customer(&format!("crm-{number}"));
                    let new = caller.expect(Method::POST, "/customers", Some(&new)).await?.data;
                    let id = new["customer_id"].as_str().context("an id")?.to_owned();
                    if number % 10 == 0 {
                        let link = json!({ "customer_id": id });
                        let new = caller.expect(Method::POST, "/kyc/sessions", Some(&link)).await?;
                        let id = new.data["session_id"].as_str().context("an id")?;
                        sessions.push(id.to_owned());
                    }
                    made.push(format!("/customers/{id}"));
                }
                anyhow::Ok((made, sessions))
            });
        }
        let (mut customers, mut sessions) = (Vec::new(), Vec::new());
        for part in workers.join_all().await {
            let (made, open) = part?;
            customers.extend(made);
            sessions.extend(open);
        }
        let (sessions, next) = (Mutex::new(sessions), AtomicUsize::new(0));
        Ok(Mix(Arc::new(Shared { caller, seed, customers, sessions, next })))
    }

    /// The path of a customer.
    pub(crate) fn one(&self) -> String {
        self.0.customers.first().cloned().unwrap_or_default()
    }

    pub(crate) async fn run(&self, how: Loop, duration: Duration) -> Result<Found> {
        let turns = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let workers = match how {
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
                    let mut due = match how {
                        Loop::Closed(_) => started.elapsed(),
                        Loop::Open(rate) => Duration::from_secs_f64(turn as f64 / rate),
                    };
                    if due >= duration {
                        return requests;
                    }
                    if due > started.elapsed() {
                        tokio::time::sleep_until((started + due).into()).await;
                        // The timer is late by up to a millisecond, which no request waited for.
                        due = started.elapsed();
                    }
                    let (kind, succeeded) = shared.ask(&mut dice).await;
                    let ms = (started.elapsed() - due).as_secs_f64() * 1_000.0;
                    requests.push((kind, ms, succeeded));
                }
            });
        }
        let requests: Vec<_> = running.join_all().await.into_iter().flatten().collect();
        Ok(Found { requests, seconds: started.elapsed().as_secs_f64() })
    }
}

impl Shared {
    /// One request, as the dice fall, and whether it succeeded.
    async fn ask(&self, dice: &mut Dice) -> (Kind, bool) {
        let mut kind = fallen(dice);
        let sessions = || self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = (kind == Kind::UpdateSession).then(|| sessions().pop()).flatten();
        if kind == Kind::UpdateSession && session.is_none() {
            kind = Kind::CreateSession;
        }
        let customer = dice.pick(&self.customers);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (method, path, body) = match kind {
            Kind::Get => (Method::GET, customer.clone(), None),
            Kind::List => {
                let queries = ["", "?risk_level=not_set", "?search=acme", "?limit=50"];
                (Method::GET, format!("/customers{}", dice.pick(&queries)), None)
            }
            Kind::Create => {
                let new = new_customer(&format!("mix-{number}"));
                (Method::POST, "/customers".to_owned(), Some(new))
            }
            Kind::Patch => {
                let email = format!("kyc-{number}@example.com");
                (Method::PATCH, customer.clone(), Some(json!({ "email": email })))
            }
            Kind::CreateSession => {
                let link = json!({ "customer_id": customer.trim_start_matches("/customers/") });
                (Method::POST, "/kyc/sessions".to_owned(), Some(link))
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

fn fallen(dice: &mut Dice) -> Kind {
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

impl Found {
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
