//! Checks that concurrent changes are linearizable. Several clients change the same customer
//! concurrently. Their requests and answers are recorded, and a sequential history must explain all
//! of them.

mod check;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use api_tests::{Answer, Api, Dice, Persona, Value, json, path_of, served};
use futures_util::future::join_all;

use check::{Exchange, Request, faults};

const CLIENTS: usize = 8;
const STEPS_PER_CLIENT: usize = 12;
/// Maximum number of retries after a 503, for requests that the history does not record. Some
/// retries are needed on a slow machine.
const RETRIES: usize = 20;

struct Recorder {
    who: Persona,
    /// Two servers on the same table, like two processes.
    apis: [Api; 2],
    /// Logical clock that puts the starts and ends of all requests in order.
    clock: AtomicU64,
    history: Mutex<Vec<Exchange>>,
}

impl Recorder {
    /// Sends a request and records it with its answer.
    async fn send(
        &self,
        client: usize,
        request: Request,
        (method, path, body): (&str, &str, Option<Value>),
        headers: &[(&str, String)],
    ) -> Answer {
        let mut call = self.apis[client % 2].call(&self.who, method, path);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        if let Some(body) = body {
            call = call.json(&body);
        }
        let start = self.clock.fetch_add(1, Ordering::SeqCst);
        let answer = call.send().await;
        let end = self.clock.fetch_add(1, Ordering::SeqCst);
        // On a slow machine, the service may answer with a 503.
        assert!(answer.status < 500 || answer.status == 503, "{method} {path}: {}", answer.text);
        let data = answer.body["data"].clone();
        let key = headers.iter().find(|(name, _)| *name == "idempotency-key");
        self.history.lock().unwrap().push(Exchange {
            span: (start, end),
            request,
            answer: if answer.status < 300 { Ok(data) } else { Err(answer.status) },
            key: key.map(|(_, key)| key.clone()),
            is_replay: answer.header("idempotent-replayed").is_some(),
        });
        answer
    }

    /// Runs a client that patches with and without `If-Match`, deactivates and reactivates the
    /// customer, creates customers, and creates and decides sessions.
    async fn run_client(&self, number: usize, path: &str, mut dice: Dice) {
        for step in 0..STEPS_PER_CLIENT {
            let value = format!("{number}-{step}");
            match dice.roll(10) {
                0..=4 => {
                    let field = *dice.pick(&["name", "industry", "tax_id"]);
                    let mut headers = Vec::new();
                    let mut if_match = None;
                    if dice.percent(50) {
                        let api = &self.apis[number % 2];
                        let read = served(RETRIES, || api.get(&self.who, path)).await.expect(200);
                        if_match = read["version"].as_u64();
                        headers.push(("if-match", format!("\"{}\"", if_match.unwrap())));
                    }
                    let body = json!({ field: value });
                    let request = Request::Patch { field, value: json!(value), if_match };
                    self.send(number, request, ("PATCH", path, Some(body)), &headers).await;
                }
                5 => {
                    self.send(number, Request::Deactivate, ("DELETE", path, None), &[]).await;
                    let body = json!({ "status": "active" });
                    self.send(number, Request::Reactivate, ("PATCH", path, Some(body)), &[]).await;
                }
                6 => {
                    let key = vec![("idempotency-key", format!("create-{}", step % 3))];
                    let id = format!("shared-{}", step % 3);
                    let body = json!({ "name": "Another", "client_id": id });
                    let request = Request::Create(id);
                    self.send(number, request, ("POST", "/customers", Some(body)), &key).await;
                }
                _ => self.create_and_decide_session(number, &value, &mut dice).await,
            }
        }
    }

    /// Creates a session with two concurrent requests that have the same key. Then completes the
    /// session and decides it.
    async fn create_and_decide_session(&self, number: usize, value: &str, dice: &mut Dice) {
        let key = vec![("idempotency-key", format!("session-{value}"))];
        let body = json!({ "client_id": "one" });
        let post = || ("POST", "/kyc/sessions", Some(body.clone()));
        let answers =
            join_all([0, 1].map(|_| self.send(number, Request::Session, post(), &key))).await;
        let Some(created) = answers.into_iter().find(|answer| answer.status == 201) else { return };
        let path = crate::sessions::path_of(&created.body["data"]);
        let api = &self.apis[number % 2];
        let body = json!({ "status": "completed" });
        served(RETRIES, || api.patch(&self.who, &path, &body)).await.expect(200);
        let decision = *dice.pick(&["approved", "rejected"]);
        let body = json!({ "status": decision });
        self.send(number, Request::Decide(decision), ("PATCH", &path, Some(body)), &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequential_history_explains_all_concurrent_answers() {
    let main = Api::start().await;
    let apis = [Api::on_table_of(&main).await, Api::on_table_of(&main).await];
    let who = Persona::of("acme");
    let recorder = Recorder { who, apis, clock: AtomicU64::new(0), history: Mutex::default() };

    // All clients create the customer at once, with and without idempotency keys.
    let body = json!({ "name": "One", "client_id": "one" });
    let creations = join_all((0..CLIENTS).map(|number| {
        let headers = if number % 2 == 0 {
            vec![("idempotency-key", format!("one-{}", number % 4))]
        } else {
            Vec::new()
        };
        let (recorder, body) = (&recorder, body.clone());
        async move {
            let request = Request::Create("one".to_owned());
            recorder.send(number, request, ("POST", "/customers", Some(body)), &headers).await
        }
    }));
    let created: Vec<Answer> = creations.await.into_iter().filter(|a| a.status == 201).collect();
    let path = path_of(&created[0].body["data"]);

    let clients = (0..CLIENTS)
        .map(|number| recorder.run_client(number, &path, Dice::new(0xc0ffee + number as u64)));
    join_all(clients).await;

    let last = served(RETRIES, || main.get(&recorder.who, &path)).await.expect(200);
    let history = recorder.history.into_inner().unwrap();
    let faults = faults(&history, &last);
    assert!(faults.is_empty(), "{faults:#?}");

    // The clients did conflict: some requests were refused, and some answers were replayed.
    assert!(history.iter().any(|exchange| exchange.answer == Err(412)));
    assert!(history.iter().any(|exchange| exchange.answer == Err(409)));
    assert!(history.iter().any(|exchange| exchange.is_replay));
}
