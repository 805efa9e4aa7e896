//! Tests an overloaded table. While the table throttles, hangs or is slow, callers get a 503 with
//! `Retry-After` in time, and the first request afterwards succeeds. A longer test sends requests
//! to such a table for a minute:
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
use shared::runtime::edge::{FUNCTION_TIME, Invocation, MARGIN, answer};
use shared::runtime::idempotency::FREE_TIME;

use crate::hostile;
use crate::matrix::ROWS;
use crate::monitoring::many::resident_memory;
use crate::organization::structure;

/// Method, path and body of a request.
type Request = (&'static str, String, Option<Value>);

/// Creates a customer with a session, a monitor, an alert and an organization. Returns requests
/// about this customer, at least one for every route.
async fn requests_of_every_route(api: &Api, who: &Persona) -> Vec<Request> {
    api.refresh().await;
    let body = json!({ "name": "Brindal Quarry Trading", "client_id": "a" });
    let path = path_of(&api.create(who, &body).await);
    let session = api.post(who, "/kyc/sessions", &json!({ "client_id": "a" })).await.expect(201);
    let session = crate::sessions::path_of(&session);
    api.post(who, &format!("{path}/monitor"), &json!({})).await.expect(201);
    let organization = structure(&["p"], &[("p", "self", 60.0)]);
    let put = api.call(who, "PUT", &format!("{path}/organization")).json(&organization);
    put.send().await.expect(201);
    let alerts = api.get(who, &format!("{path}/alerts")).await.expect(200);
    let alert = alerts["items"][0]["alert_id"].as_str().unwrap().to_owned();
    let path_to = |rest: &str| format!("{path}{rest}");
    let link = json!({ "client_id": "a" });
    let requests = vec![
        ("GET", path_to(""), None),
        ("GET", path_to("/export"), None),
        ("GET", "/customers".to_owned(), None),
        ("GET", path_to("/sessions"), None),
        ("GET", path_to("/organization"), None),
        ("GET", path_to("/risk-profile"), None),
        ("GET", path_to("/risk-profile?recalculate=true"), None),
        ("GET", path_to("/monitor"), None),
        ("GET", path_to("/alerts"), None),
        ("GET", session.clone(), None),
        ("POST", "/customers".to_owned(), Some(json!({ "name": "B" }))),
        ("POST", "/kyc/sessions".to_owned(), Some(link)),
        ("POST", path_to("/monitor"), Some(json!({}))),
        ("PATCH", path_to(""), Some(json!({ "industry": "Banking" }))),
        ("PATCH", session, Some(json!({ "status": "completed" }))),
        ("PATCH", path_to(&format!("/alerts/{alert}")), Some(json!({ "status": "confirmed" }))),
        ("PUT", path_to("/organization"), Some(organization)),
        ("DELETE", path_to("/monitor"), None),
        ("DELETE", path_to(""), None),
        ("POST", path_to("/erase"), Some(json!({ "override_reason": "A test" }))),
    ];
    // The route of the risk profile has two requests: one reads the profile, and one calculates it.
    assert_eq!(requests.len(), ROWS.len() + 1);
    requests
}

/// Sends a request. Adds the idempotency key unless the method is `GET`.
async fn send(
    api: &Api,
    who: &Persona,
    (method, path, body): &Request,
    key: Option<&str>,
) -> Answer {
    let mut call = api.call(who, method, path);
    if let Some(body) = body {
        call = call.json(body);
    }
    if let Some(key) = key.filter(|_| *method != "GET") {
        call = call.header("idempotency-key", key);
    }
    call.send().await
}

/// Checks that the answer is a 503 with a `Retry-After` of one second.
#[track_caller]
fn assert_unavailable(answer: Answer) {
    assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.text);
    answer.refused(503, "STORE_UNAVAILABLE");
}

/// Checks that all requests get a 503 while the table has this trouble. Sends them at once, with
/// and without an idempotency key. After the trouble has ended, all requests must succeed.
async fn assert_unavailable_during(trouble: Trouble) {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let overload = Overload::default();
    let api = Api::with_calls(overload.clone(), &main).await;
    let requests = requests_of_every_route(&main, &acme).await;
    overload.set(Some(trouble));
    let calls = requests
        .iter()
        .flat_map(|request| [None, Some("k")].map(|key| send(&api, &acme, request, key)));
    for answer in join_all(calls).await {
        assert_unavailable(answer);
    }
    overload.set(None);
    // Each request succeeds at the first attempt, because the failed requests do not block it.
    for request in &requests {
        let answer = send(&api, &acme, request, Some("other")).await;
        assert!(answer.status < 300, "{request:?}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_table_is_a_503() {
    assert_unavailable_during(Trouble::Throttled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_table_is_a_503() {
    assert_unavailable_during(Trouble::Hanging).await;
}

/// A transaction that loses to concurrent writes is repeated for up to eight seconds. A throttled
/// transaction is not.
#[tokio::test]
async fn a_throttled_transaction_is_tried_three_times() {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let overload = Overload::default();
    let api = Api::with_calls(overload.clone(), &main).await;
    overload.set(Some(Trouble::Cancelled));
    assert_unavailable(api.post(&acme, "/customers", &json!({ "name": "A" })).await);
    assert_eq!(overload.calls(), 3);
    overload.set(None);
    api.create(&acme, &json!({ "name": "A" })).await;
}

/// Runs `create-customer` in this process, with `time` left and with calls to the table that pass
/// through `fault`. Returns the function's response.
async fn handle(main: &Api, fault: impl Interceptor, time: Duration, key: &str) -> Value {
    let body = json!({ "name": "A", "client_id": key }).to_string();
    let mut event = hostile::posting(json!(body), false);
    event["headers"]["idempotency-key"] = json!(key);
    let raw_event = serde_json::value::to_raw_value(&event).unwrap();
    let config = main.dynamodb.config().to_builder().http_client(faults::client(fault));
    let settings = Settings::read(|name| (name == "TABLE_NAME").then(|| main.table.clone()));
    let client = Client::from_conf(config.build());
    let app = App::new(settings.unwrap(), client, Clock::system(), Watchlists::of(None));
    let invocation = Invocation { id: "id", trace: None };
    let response = answer(&app, &create_customer::FUNCTION, &raw_event, invocation, time).await;
    serde_json::to_value(response).unwrap()
}

/// If a request runs out of time while its transaction is pending, the caller gets a 503, and the
/// key is released. A retry gets the result of the transaction if the transaction was executed.
/// Otherwise, the retry executes it.
#[tokio::test]
async fn a_request_that_runs_out_of_time_releases_its_key() {
    let main = Api::start().await;
    let hostile = Persona::of("hostile");
    // The first call reserves the key, and the second one is the transaction.
    for (end, is_written) in [(End::Before(1), false), (End::After(1), true)] {
        let key = format!("k-{is_written}");
        let time = FREE_TIME + Duration::from_millis(400);
        let response = handle(&main, Unanswered::new(end), time, &key).await;
        assert_eq!(
            (&response["statusCode"], &response["headers"]["retry-after"]),
            (&json!(503), &json!("1"))
        );
        let body = json!({ "name": "A", "client_id": key });
        let retry = main
            .call(&hostile, "POST", "/customers")
            .header("idempotency-key", &key)
            .json(&body)
            .send()
            .await;
        assert_eq!(retry.header("idempotent-replayed").is_some(), is_written);
        retry.expect(201);
    }
}

/// Leaves one call without an answer. Passes on all other calls.
#[derive(Clone, Debug)]
struct Unanswered {
    at: End,
    calls: Arc<AtomicUsize>,
}

impl Unanswered {
    fn new(at: End) -> Unanswered {
        Unanswered { at, calls: Arc::default() }
    }
}

impl Interceptor for Unanswered {
    fn call(&self, next: &SharedHttpConnector, request: HttpRequest) -> HttpConnectorFuture {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let (End::Before(at) | End::After(at)) = self.at;
        if call != at {
            return next.call(request);
        }
        let (next, is_executed) = (next.clone(), self.at == End::After(at));
        HttpConnectorFuture::new(async move {
            if is_executed {
                let _ = next.call(request).await;
            }
            std::future::pending().await
        })
    }
}

/// `FUNCTION_TIME` must equal the timeout in the template.
#[test]
fn the_function_time_is_the_timeout_of_the_template() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(path).unwrap();
    let globals =
        template.split("\nGlobals:").nth(1).unwrap().split("\nResources:").next().unwrap();
    let line = globals.lines().find(|line| line.trim().starts_with("Timeout:")).unwrap();
    let seconds = line.trim().trim_start_matches("Timeout:").split('#').next().unwrap();
    assert_eq!(seconds.trim().parse::<u64>().unwrap(), FUNCTION_TIME.as_secs());
}

/// Requests per second.
const RATE: u32 = 200;
/// Duration of the load in seconds.
const SECONDS: u32 = 60;
/// Limit in MB for the growth of the server's memory in the last two thirds of the load. The limit
/// leaves room for buffers, but not for requests that pile up.
const MAX_GROWTH: usize = 8;
/// Environment variable that marks the process that sends the load.
const CLIENTS: &str = "CLIENTS_OF_A_MINUTE";
/// Prefix of the report in the output of the process that sends the load.
const REPORT: &str = "load report: ";

/// The requests that a process sends as the load.
#[derive(Serialize, Deserialize)]
struct Load {
    url: String,
    token: String,
    requests: Vec<(String, String, Option<Value>)>,
    /// Requests per second.
    rate: u32,
    /// Prefix of the idempotency keys, which end with the number of the request.
    keys: String,
}

/// The answers to a load.
#[derive(Default, Serialize, Deserialize)]
struct Answers {
    /// Number of answers by status.
    statuses: BTreeMap<u16, usize>,
    /// Number of 503s without `Retry-After`.
    without_retry_after: usize,
    /// Times from request to answer in seconds, in ascending order.
    seconds: Vec<f64>,
}

impl Answers {
    /// Returns the time in seconds within which `percent` percent of the requests were answered.
    fn percentile(&self, percent: usize) -> f64 {
        self.seconds[(self.seconds.len() - 1) * percent / 100]
    }
}

impl Load {
    async fn send(self) -> Answers {
        local::tls::install_provider();
        let (load, http) = (Arc::new(self), reqwest::Client::new());
        let mut tasks = Vec::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / load.rate);
        for number in 0..load.rate * SECONDS {
            ticks.tick().await;
            let (load, http) = (load.clone(), http.clone());
            tasks.push(tokio::spawn(async move { load.send_one(&http, number).await }));
        }
        let mut answers = Answers::default();
        for task in tasks {
            let (status, has_retry_after, time) = task.await.unwrap();
            *answers.statuses.entry(status).or_default() += 1;
            answers.without_retry_after += usize::from(status == 503 && !has_retry_after);
            answers.seconds.push(time.as_secs_f64());
        }
        answers.seconds.sort_by(f64::total_cmp);
        answers
    }

    /// Sends the request with this number. Returns the status, whether the answer has
    /// `Retry-After`, and the time until the answer.
    async fn send_one(&self, http: &reqwest::Client, number: u32) -> (u16, bool, Duration) {
        let (method, path, body) = &self.requests[number as usize % self.requests.len()];
        let mut request = http
            .request(
                reqwest::Method::from_bytes(method.as_bytes()).unwrap(),
                format!("{}{path}", self.url),
            )
            .bearer_auth(&self.token);
        if method == "POST" {
            request = request.header("idempotency-key", format!("{}-{number}", self.keys));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let start = Instant::now();
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let has_retry_after = answer.headers().contains_key("retry-after");
        drop(answer.bytes().await.unwrap());
        (status, has_retry_after, start.elapsed())
    }

    /// Sends the load from another process, so that the memory of this process is only the
    /// server's. Returns the answers, and this process's memory in MB at every second.
    async fn send_from_another_process(&self) -> (Answers, Vec<usize>) {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "overload::clients_of_that_minute", "--nocapture"]);
        command.env(CLIENTS, "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut clients = command.spawn().unwrap();
        serde_json::to_writer(clients.stdin.take().unwrap(), self).unwrap();
        let mut exit = tokio::task::spawn_blocking(|| clients.wait_with_output().unwrap());
        let (mut memory_use, mut seconds) =
            (Vec::new(), tokio::time::interval(Duration::from_secs(1)));
        let output = loop {
            tokio::select! {
                output = &mut exit => break output.unwrap(),
                _ = seconds.tick() => memory_use.push(resident_memory()),
            }
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, report) = text
            .lines()
            .find_map(|line| line.split_once(REPORT))
            .unwrap_or_else(|| panic!("{text}"));
        (serde_json::from_str(report).unwrap(), memory_use)
    }
}

/// Runs in the process that [`a_minute_of_throttling`] starts, and sends the load from there. In
/// any other process, it does not do anything.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "is started by a_minute_of_throttling"]
async fn clients_of_that_minute() {
    if std::env::var_os(CLIENTS).is_some() {
        let load: Load = serde_json::from_reader(std::io::stdin()).unwrap();
        println!("{REPORT}{}", serde_json::to_string(&load.send().await).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute for each trouble"]
async fn a_minute_of_throttling() {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let overload = Overload::default();
    let api = Api::with_calls(overload.clone(), &main).await;
    let mut requests = requests_of_every_route(&main, &acme).await;
    // Omit deactivation and erasure, because all other requests would fail after them.
    requests.truncate(requests.len() - 2);
    let requests: Vec<_> =
        requests.into_iter().map(|(method, path, body)| (method.to_owned(), path, body)).collect();
    // The rate is lower for a slow table. Unlike the others, it does execute the calls, and only
    // one at a time.
    let slow = Trouble::Slow(Duration::from_millis(900));
    for (trouble, rate) in [(Trouble::Throttled, RATE), (Trouble::Hanging, RATE), (slow, 10)] {
        let claims = json!({
            "iss": TEMPLATE.authorizer.issuer, "aud": "kyc-customers", "sub": "tester",
            "iat": 0, "exp": 9_999_999_999_u64, "tenant_id": "acme", "permissions": ["kyc:*"],
        });
        let (url, token) = (api.server().url(), KEY.sign(&claims).unwrap());
        let keys = format!("{trouble:?}").replace(['(', ')'], "-");
        let load = Load { url, token, requests: requests.clone(), rate, keys };
        overload.set(Some(trouble));
        let (answers, memory_use) = load.send_from_another_process().await;
        let calls = overload.calls();
        overload.set(None);
        let first = api.create(&acme, &json!({ "name": format!("After {trouble:?}") })).await;
        assert!(first["customer_id"].is_string());
        let (first_third, rest) = memory_use.split_at(SECONDS as usize / 3);
        let (baseline, peak) = (first_third[first_third.len() - 1], *rest.iter().max().unwrap());
        println!(
            "{trouble:?}: {} requests, answers by status {:?}, {calls} calls to the table; half of the \
             requests within {:.2} s, 99 % within {:.2} s, all within {:.2} s; memory of the server {} \
             MB at the start, {baseline} MB after {} s, up to {peak} MB later; the first request \
             afterwards succeeded",
            answers.seconds.len(),
            answers.statuses,
            answers.percentile(50),
            answers.percentile(99),
            answers.percentile(100),
            memory_use[0],
            SECONDS / 3,
        );
        assert_eq!(answers.without_retry_after, 0);
        if trouble != slow {
            assert_eq!(answers.statuses.keys().collect::<Vec<_>>(), [&503]);
        }
        let limit = FUNCTION_TIME - MARGIN + Duration::from_secs(1);
        assert!(answers.percentile(100) < limit.as_secs_f64());
        assert!(peak < baseline + MAX_GROWTH, "{memory_use:?} MB");
    }
}
