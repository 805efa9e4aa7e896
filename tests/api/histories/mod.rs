//! Clients that meet at one customer and one client id: what each was told is written down, and one
//! story has to explain it all.

mod check;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use api_tests::{Answer, Api, Dice, Persona, Value, json, path_of, served};
use futures_util::future::join_all;

use check::{Asked, Seen, faults};

const CLIENTS: usize = 8;
const EACH: usize = 12;
/// On a slow machine: of what the history does not hold.
const REPEATS: usize = 20;

struct Recorder {
    who: Persona,
    /// Two processes on one table.
    apis: [Api; 2],
    count: AtomicU64,
    history: Mutex<Vec<Seen>>,
}

impl Recorder {
    async fn send(
        &self,
        client: usize,
        asked: Asked,
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
        let began = self.count.fetch_add(1, Ordering::SeqCst);
        let answer = call.send().await;
        let ended = self.count.fetch_add(1, Ordering::SeqCst);
        // A slow machine may have it told to try again.
        assert!(answer.status < 500 || answer.status == 503, "{method} {path}: {}", answer.text);
        let data = answer.body["data"].clone();
        let key = headers.iter().find(|(name, _)| *name == "idempotency-key");
        self.history.lock().unwrap().push(Seen {
            span: (began, ended),
            asked,
            answer: if answer.status < 300 { Ok(data) } else { Err(answer.status) },
            key: key.map(|(_, key)| key.clone()),
            is_replay: answer.header("idempotent-replayed").is_some(),
        });
        answer
    }

    /// One client: it reads, patches with and without `If-Match`, deactivates and takes back, opens
    /// sessions and decides them, each of its keyed requests twice.
    async fn client(&self, number: usize, path: &str, mut dice: Dice) {
        for step in 0..EACH {
            let value = format!("{number}-{step}");
            match dice.roll(10) {
                0..=4 => {
                    let field = *dice.pick(&["name", "industry", "tax_id"]);
                    let mut headers = Vec::new();
                    let mut if_match = None;
                    if dice.percent(50) {
                        let api = &self.apis[number % 2];
                        let read = served(REPEATS, || api.get(&self.who, path)).await.expect(200);
                        if_match = read["version"].as_u64();
                        headers.push(("if-match", format!("\"{}\"", if_match.unwrap())));
                    }
                    let body = json!({ field: value });
                    let asked = Asked::Patch { field, value: json!(value), if_match };
                    self.send(number, asked, ("PATCH", path, Some(body)), &headers).await;
                }
                5 => {
                    self.send(number, Asked::Deactivate, ("DELETE", path, None), &[]).await;
                    let body = json!({ "status": "active" });
                    self.send(number, Asked::Reactivate, ("PATCH", path, Some(body)), &[]).await;
                }
                6 => {
                    let key = vec![("idempotency-key", format!("create-{}", step % 3))];
                    let id = format!("shared-{}", step % 3);
                    let body = json!({ "name": "Another", "client_id": id });
                    let asked = Asked::Create(id);
                    self.send(number, asked, ("POST", "/customers", Some(body)), &key).await;
                }
                _ => self.session(number, &value, &mut dice).await,
            }
        }
    }

    async fn session(&self, number: usize, value: &str, dice: &mut Dice) {
        let key = vec![("idempotency-key", format!("session-{value}"))];
        let body = json!({ "client_id": "one" });
        let post = || ("POST", "/kyc/sessions", Some(body.clone()));
        let answers =
            join_all([0, 1].map(|_| self.send(number, Asked::Session, post(), &key))).await;
        let Some(made) = answers.into_iter().find(|answer| answer.status == 201) else { return };
        let path = crate::sessions::path_of(&made.body["data"]);
        let api = &self.apis[number % 2];
        let body = json!({ "status": "completed" });
        served(REPEATS, || api.patch(&self.who, &path, &body)).await.expect(200);
        let decision = *dice.pick(&["approved", "rejected"]);
        let body = json!({ "status": decision });
        self.send(number, Asked::Decide(decision), ("PATCH", &path, Some(body)), &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_story_explains_what_all_clients_saw() {
    let main = Api::start().await;
    let apis = [Api::on_table_of(&main).await, Api::on_table_of(&main).await];
    let who = Persona::of("acme");
    let recorder = Recorder { who, apis, count: AtomicU64::new(0), history: Mutex::default() };
    // All of them create it at once, with and without keys.
    let body = json!({ "name": "One", "client_id": "one" });
    let created = join_all((0..CLIENTS).map(|number| {
        let headers = match number % 2 {
            0 => vec![("idempotency-key", format!("one-{}", number % 4))],
            _ => Vec::new(),
        };
        let (recorder, body) = (&recorder, body.clone());
        async move {
            let asked = Asked::Create("one".to_owned());
            recorder.send(number, asked, ("POST", "/customers", Some(body)), &headers).await
        }
    }));
    let created: Vec<Answer> = created.await.into_iter().filter(|a| a.status == 201).collect();
    let path = path_of(&created[0].body["data"]);
    let clients = (0..CLIENTS)
        .map(|number| recorder.client(number, &path, Dice::new(0xc0ffee + number as u64)));
    join_all(clients).await;
    let last = served(REPEATS, || main.get(&recorder.who, &path)).await.expect(200);
    let history = recorder.history.into_inner().unwrap();
    let wrong = faults(&history, &last);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // They did meet: some were turned away, and some were told again.
    assert!(history.iter().any(|seen| seen.answer == Err(412)));
    assert!(history.iter().any(|seen| seen.answer == Err(409)));
    assert!(history.iter().any(|seen| seen.is_replay));
}
