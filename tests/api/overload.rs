//! A table that has no room, is slow or silent: callers get a 503 that says when to come back, in
//! time, and the first request after it succeeds. A minute of it is a command of its own:
//!
//! `cargo test -p api-tests --profile ci --test api -- --ignored --exact
//! overload::a_minute_of_throttling --nocapture`

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api_tests::chaos::{Overload, Trouble};
use api_tests::faults::{self, End};
use api_tests::{Answer, Api, KEY, Persona, TEMPLATE, Value, json, path_of};
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use futures_util::future::join_all;
use local::calls::Interceptor;
use serde::{Deserialize, Serialize};
use shared::App;
use shared::app::Settings;
use shared::model::time::Clock;
use shared::monitoring::watchlists::Watchlists;
use shared::runtime::edge::{FUNCTION_TIME, MARGIN, answer};
use shared::runtime::idempotency::FREE_TIME;

use crate::hostile;
use crate::matrix::ROWS;
use crate::monitoring::many::memory;
use crate::organization::structure;

type Asked = (&'static str, String, Option<Value>);

/// One of every route, for a customer that has everything.
async fn of_every_route(api: &Api, who: &Persona) -> Vec<Asked> {
    api.refresh().await;
    let body = json!({ "name": "Brindal Quarry Trading", "client_id": "a" });
    let path = path_of(&api.create(who, &body).await);
    let session = api.post(who, "/kyc/sessions", &json!({ "client_id": "a" })).await.expect(201);
    let session = crate::sessions::path_of(&session);
    api.post(who, &format!("{path}/monitor"), &json!({})).await.expect(201);
    let owned = structure(&["p"], &[("p", "self", 60.0)]);
    let put = api.call(who, "PUT", &format!("{path}/organization")).json(&owned);
    put.send().await.expect(201);
    let alerts = api.get(who, &format!("{path}/alerts")).await.expect(200);
    let alert = alerts["items"][0]["alert_id"].as_str().unwrap().to_owned();
    let of = |rest: &str| format!("{path}{rest}");
    let link = json!({ "client_id": "a" });
    let all = vec![
        ("GET", of(""), None),
        ("GET", of("/export"), None),
        ("GET", "/customers".to_owned(), None),
        ("GET", of("/sessions"), None),
        ("GET", of("/organization"), None),
        ("GET", of("/risk-profile"), None),
        ("GET", of("/risk-profile?recalculate=true"), None),
        ("GET", of("/monitor"), None),
        ("GET", of("/alerts"), None),
        ("GET", session.clone(), None),
        ("POST", "/customers".to_owned(), Some(json!({ "name": "B" }))),
        ("POST", "/kyc/sessions".to_owned(), Some(link)),
        ("POST", of("/monitor"), Some(json!({}))),
        ("PATCH", of(""), Some(json!({ "industry": "Banking" }))),
        ("PATCH", session, Some(json!({ "status": "completed" }))),
        ("PATCH", of(&format!("/alerts/{alert}")), Some(json!({ "status": "confirmed" }))),
        ("PUT", of("/organization"), Some(owned)),
        ("DELETE", of("/monitor"), None),
        ("DELETE", of(""), None),
        ("POST", of("/erase"), None),
    ];
    // One more: a risk profile is calculated, or read.
    assert_eq!(all.len(), ROWS.len() + 1);
    all
}

async fn ask(
    api: &Api,
    who: &Persona,
    (method, path, body): &Asked,
    key: Option<String>,
) -> Answer {
    let mut call = api.call(who, method, path);
    if let Some(body) = body {
        call = call.json(body);
    }
    if let Some(key) = key.filter(|_| *method == "POST") {
        call = call.header("idempotency-key", &key);
    }
    call.send().await
}

#[track_caller]
fn comes_back(answer: Answer) {
    assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.text);
    answer.refused(503, "STORE_UNAVAILABLE");
}

/// With and without a key, all at once, while every call has this trouble.
async fn all_are_told_to_come_back(trouble: Trouble) {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let overload = Overload::default();
    let api = Api::with_calls(overload.clone(), &main).await;
    let all = of_every_route(&main, &acme).await;
    overload.set(Some(trouble));
    let (api, acme) = (&api, &acme);
    let asked = all.iter().flat_map(|asked| [None, Some("k".to_owned())].map(|key| (asked, key)));
    let answers = join_all(asked.map(|(asked, key)| ask(api, acme, asked, key))).await;
    answers.into_iter().for_each(comes_back);
    overload.set(None);
    // The first one succeeds, and whatever was begun is not in the way.
    for asked in &all {
        let answer = ask(api, acme, asked, Some("other".to_owned())).await;
        assert!(answer.status < 300, "{asked:?}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_without_room_is_a_503() {
    all_are_told_to_come_back(Trouble::Throttled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_table_is_a_503() {
    all_are_told_to_come_back(Trouble::Hanging).await;
}

/// A race may take eight seconds; a table without room is not asked for as long.
#[tokio::test]
async fn a_transaction_without_room_is_tried_three_times() {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let overload = Overload::default();
    let api = Api::with_calls(overload.clone(), &main).await;
    overload.set(Some(Trouble::Cancelled));
    comes_back(api.post(&acme, "/customers", &json!({ "name": "A" })).await);
    assert_eq!(overload.calls(), 3);
    overload.set(None);
    api.create(&acme, &json!({ "name": "A" })).await;
}

/// Answers one event as a function does that has this time, with this on the way to the table.
async fn answered(main: &Api, fault: impl Interceptor, time: Duration, key: &str) -> Value {
    let body = json!({ "name": "A", "client_id": key }).to_string();
    let mut event = hostile::posting(json!(body), false);
    event["headers"]["idempotency-key"] = json!(key);
    let event = serde_json::value::to_raw_value(&event).unwrap();
    let config = main.dynamodb.config().to_builder().http_client(faults::client(fault));
    let settings = Settings::read(|name| (name == "TABLE_NAME").then(|| main.table.clone()));
    let client = Client::from_conf(config.build());
    let app = App::new(settings.unwrap(), client, Clock::system(), Watchlists::of(None));
    let answered = answer(&app, &create_customer::FUNCTION, &event, "id", time).await;
    serde_json::to_value(answered).unwrap()
}

/// The time of a request ends while its transaction is on its way: the caller is told to come back,
/// and finds what became of it, not a key that is taken.
#[tokio::test]
async fn a_request_whose_time_is_over_leaves_its_key_free() {
    let main = Api::start().await;
    let hostile = Persona::of("hostile");
    // The first call takes the key, the second is the transaction.
    for (end, is_written) in [(End::Before(1), false), (End::After(1), true)] {
        let silent = Silent::new(end);
        let key = format!("k-{is_written}");
        let time = FREE_TIME + Duration::from_millis(400);
        let late = answered(&main, silent, time, &key).await;
        assert_eq!(
            (&late["statusCode"], &late["headers"]["retry-after"]),
            (&json!(503), &json!("1"))
        );
        let body = json!({ "name": "A", "client_id": key });
        let again = main.call(&hostile, "POST", "/customers").header("idempotency-key", &key);
        let again = again.json(&body).send().await;
        assert_eq!(again.header("idempotent-replayed").is_some(), is_written);
        again.expect(201);
    }
}

/// One call does not come back, and all others do.
#[derive(Clone, Debug)]
struct Silent {
    at: End,
    calls: Arc<AtomicUsize>,
}

impl Silent {
    fn new(at: End) -> Silent {
        Silent { at, calls: Arc::default() }
    }
}

impl Interceptor for Silent {
    fn call(&self, on: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let (End::Before(at) | End::After(at)) = self.at;
        if call != at {
            return on.call(request);
        }
        let (on, does_its_work) = (on.clone(), self.at == End::After(at));
        HttpConnectorFuture::new(async move {
            if does_its_work {
                let _ = on.call(request).await;
            }
            std::future::pending().await
        })
    }
}

/// The time that the code reckons with is the one that functions have.
#[test]
fn a_function_has_the_time_of_the_template() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let globals =
        template.split("\nGlobals:").nth(1).unwrap().split("\nResources:").next().unwrap();
    let line = globals.lines().find(|line| line.trim().starts_with("Timeout:")).unwrap();
    let seconds = line.trim().trim_start_matches("Timeout:").split('#').next().unwrap();
    assert_eq!(seconds.trim().parse::<u64>().unwrap(), FUNCTION_TIME.as_secs());
}

const A_SECOND: u32 = 200;
const SECONDS: u32 = 60;
/// What the server may grow by in the last two thirds of it, in MB: buffers, no requests.
const MOST_GROWN: usize = 8;
/// Set in the process of the clients.
const CLIENTS: &str = "CLIENTS_OF_A_MINUTE";

/// What clients ask.
#[derive(Serialize, Deserialize)]
struct Load {
    url: String,
    token: String,
    asked: Vec<(String, String, Option<Value>)>,
    a_second: u32,
    keys: String,
}

/// What they were told.
#[derive(Default, Serialize, Deserialize)]
struct Told {
    statuses: BTreeMap<u16, usize>,
    /// How many 503s did not say when to come back.
    for_good: usize,
    /// Until each answer, the shortest first.
    seconds: Vec<f64>,
}

impl Load {
    async fn send(self) -> Told {
        local::tls::install_provider();
        let (load, http) = (Arc::new(self), reqwest::Client::new());
        let mut sent = Vec::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / load.a_second);
        for number in 0..load.a_second * SECONDS {
            ticks.tick().await;
            let (load, http) = (load.clone(), http.clone());
            sent.push(tokio::spawn(async move {
                let (method, path, body) = &load.asked[number as usize % load.asked.len()];
                let is_post = method == "POST";
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                let mut request = http.request(method, format!("{}{path}", load.url));
                request = request.bearer_auth(&load.token);
                if is_post {
                    request = request.header("idempotency-key", format!("{}-{number}", load.keys));
                }
                if let Some(body) = body {
                    request = request.json(body);
                }
                let started = Instant::now();
                let answer = request.send().await.unwrap();
                let (status, back) =
                    (answer.status(), answer.headers().contains_key("retry-after"));
                drop(answer.bytes().await.unwrap());
                (status.as_u16(), status != 503 || back, started.elapsed())
            }));
        }
        let mut told = Told::default();
        for answer in sent {
            let (status, comes_back, time) = answer.await.unwrap();
            *told.statuses.entry(status).or_default() += 1;
            told.for_good += usize::from(!comes_back);
            told.seconds.push(time.as_secs_f64());
        }
        told.seconds.sort_by(f64::total_cmp);
        told
    }

    /// From another process, so that what the server holds is not what its clients hold; and what
    /// this process held, second by second.
    async fn send_from_elsewhere(&self) -> (Told, Vec<usize>) {
        let this = std::env::current_exe().unwrap();
        let mut command = std::process::Command::new(this);
        command.args(["--ignored", "--exact", "overload::clients_of_that_minute", "--nocapture"]);
        command.env(CLIENTS, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut clients = command.spawn().unwrap();
        serde_json::to_writer(clients.stdin.take().unwrap(), self).unwrap();
        let mut ended = tokio::task::spawn_blocking(|| clients.wait_with_output().unwrap());
        let (mut held, mut seconds) = (Vec::new(), tokio::time::interval(Duration::from_secs(1)));
        let output = loop {
            tokio::select! {
                output = &mut ended => break output.unwrap(),
                _ = seconds.tick() => held.push(memory()),
            }
        };
        let output = String::from_utf8(output.stdout).unwrap();
        let told = output.lines().find_map(|line| line.split_once("told ")).expect(&output).1;
        (serde_json::from_str(told).unwrap(), held)
    }
}

/// No test: the other process of the one below.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "is started by a_minute_of_throttling"]
async fn clients_of_that_minute() {
    if std::env::var_os(CLIENTS).is_some() {
        let load: Load = serde_json::from_reader(std::io::stdin()).unwrap();
        println!("told {}", serde_json::to_string(&load.send().await).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute for each trouble"]
async fn a_minute_of_throttling() {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let overload = Overload::default();
    let api = Api::with_calls(overload.clone(), &main).await;
    let mut asked = of_every_route(&main, &acme).await;
    // Whoever deactivates or erases the customer would turn the others away.
    asked.truncate(asked.len() - 2);
    let asked: Vec<_> =
        asked.into_iter().map(|(method, path, body)| (method.to_owned(), path, body)).collect();
    // Slow, it is asked less often: it does its work, and one at a time.
    let slow = Trouble::Slow(Duration::from_millis(900));
    for (trouble, a_second) in
        [(Trouble::Throttled, A_SECOND), (Trouble::Hanging, A_SECOND), (slow, 10)]
    {
        let claims = json!({
            "iss": TEMPLATE.authorizer.issuer, "aud": "kyc-customers", "sub": "tester",
            "iat": 0, "exp": 9_999_999_999_u64, "tenant_id": "acme", "permissions": ["kyc:*"],
        });
        let (url, token) = (api.server().url(), KEY.sign(&claims).unwrap());
        let keys = format!("{trouble:?}").replace(['(', ')'], "-");
        let load = Load { url, token, asked: asked.clone(), a_second, keys };
        overload.set(Some(trouble));
        let (told, held) = load.send_from_elsewhere().await;
        let calls = overload.calls();
        overload.set(None);
        let first = api.create(&acme, &json!({ "name": format!("After {trouble:?}") })).await;
        assert!(first["customer_id"].is_string());
        let at = |share: usize| told.seconds[(told.seconds.len() - 1) * share / 100];
        let (first_third, rest) = held.split_at(SECONDS as usize / 3);
        let (settled, most) = (first_third[first_third.len() - 1], *rest.iter().max().unwrap());
        println!(
            "{trouble:?}: {} requests: {:?}; {calls} calls to the table; half within {:.2} s, 99 % within \
             {:.2} s, all within {:.2} s; the server held {} MB at first, {settled} MB after {} s, and \
             {} MB at most after that; the first request after it succeeded",
            told.seconds.len(),
            told.statuses,
            at(50),
            at(99),
            at(100),
            held[0],
            SECONDS / 3,
            most,
        );
        assert_eq!(told.for_good, 0);
        if trouble != slow {
            assert_eq!(told.statuses.keys().collect::<Vec<_>>(), [&503]);
        }
        assert!(at(100) < (FUNCTION_TIME - MARGIN + Duration::from_secs(1)).as_secs_f64());
        assert!(most < settled + MOST_GROWN, "{held:?} MB");
    }
}
