//! Calls the API over HTTP, like a client. An [`Api`] is a server with its own table in memory, and
//! both are discarded when the test ends. If `DEPLOYED` is set, an [`Api`] connects to a deployed
//! stack instead, where each test has its own tenants.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

pub mod chaos;
pub mod deployed;
pub mod faults;
pub mod log;
pub mod table;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_sdk_dynamodb::types::AttributeValue;
use deployed::{DEPLOYED, Deployed, HeldLists, only_locally};
use faults::Mortal;
use local::calls::Interceptor;
use local::template::Template;
use local::{Options, Server, SigningKey, TokenRequest, sample_source};
pub use proptest;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::{Client, Method, RequestBuilder};
pub use serde_json::{Value, json};
use shared::model::time::{Clock, Timestamp};

/// Signs the tokens of all tests. All tests share one key, because generating a key takes longer
/// than most tests do.
pub static KEY: LazyLock<SigningKey> = LazyLock::new(|| match &*DEPLOYED {
    Some(deployed) => deployed.signing_key(),
    None => SigningKey::generate().unwrap(),
});

/// The deployment template, with the issuer and the audience that the API under test accepts.
pub static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let mut template = Template::embedded().unwrap();
    if let Some(deployed) = &*DEPLOYED {
        template.authorizer.issuer.clone_from(&deployed.issuer);
        template.authorizer.audiences = vec![deployed.audience.clone()];
    }
    template
});

/// Names of the fields that the OpenAPI document describes for an error's `details`.
static DETAIL_FIELDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let document = local::openapi::document(&TEMPLATE).unwrap().to_json().unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let error = &document["components"]["schemas"]["Error"]["properties"]["error"];
    let fields = &error["properties"]["details"]["items"]["properties"];
    fields.as_object().unwrap().keys().cloned().collect()
});

/// The API under test, and direct access to its table.
pub struct Api {
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Name of the table.
    pub table: String,
    url: String,
    http: Client,
    /// Prefix of every tenant's full name. Empty if the server has its own table.
    prefix: String,
    tokens: Mutex<HashMap<Grant, String>>,
    server: Option<Server>,
    lists: Mutex<Option<HeldLists>>,
}

/// Returns the path of a customer, given its JSON.
pub fn path_of(customer: &Value) -> String {
    format!("/customers/{}", customer["customer_id"].as_str().unwrap())
}

/// A caller of the API. Tests can use any tenant name, because tenants do not have to be created.
#[derive(Clone, Debug)]
pub struct Persona {
    credential: Credential,
}

#[derive(Clone, Debug)]
enum Credential {
    None,
    /// A grant for which the [`Api`] signs a token when it prepares a request, because only the
    /// `Api` knows the prefix of its tenants.
    Granted(Grant),
    Token(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Grant {
    tenant: String,
    permissions: Vec<String>,
}

impl Persona {
    /// Returns a caller without a token.
    pub fn anonymous() -> Persona {
        Persona { credential: Credential::None }
    }

    /// Returns a caller with all permissions in its tenant.
    pub fn of(tenant: &str) -> Persona {
        Persona::with(tenant, &["kyc:*"])
    }

    /// Returns a caller that may only read.
    pub fn reader(tenant: &str) -> Persona {
        Persona::with(tenant, &["kyc:read"])
    }

    /// Returns a caller with these permissions in its tenant.
    pub fn with(tenant: &str, permissions: &[&str]) -> Persona {
        let permissions = permissions.iter().map(ToString::to_string).collect();
        let grant = Grant { tenant: tenant.to_owned(), permissions };
        Persona { credential: Credential::Granted(grant) }
    }

    /// Returns a caller that sends this bearer token, valid or not.
    pub fn bearing(token: impl Into<String>) -> Persona {
        Persona { credential: Credential::Token(token.into()) }
    }
}

/// A request that has not been sent yet.
pub struct Call {
    request: RequestBuilder,
}

/// A generator of pseudorandom numbers. The same seed gives the same numbers in every run.
#[derive(Clone, Debug)]
pub struct Dice {
    pub seed: u64,
    rolls: u64,
}

/// A response of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    /// The body as received.
    pub text: String,
    /// The body as JSON, or null if it is not JSON.
    pub body: Value,
}

/// Sends a request, and repeats it up to `repeats` times while the answer is a 503 with the code
/// `STORE_UNAVAILABLE`. Returns the last answer, which may be a 503.
pub async fn served(repeats: usize, send: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..repeats {
        let answer = send().await;
        if answer.status != 503 {
            return answer;
        }
        answer.refused(503, "STORE_UNAVAILABLE");
    }
    send().await
}

impl Api {
    /// Starts a server with its own table, or connects to the deployed stack.
    pub async fn start() -> Api {
        match &*DEPLOYED {
            Some(deployed) => Api::on_stack(deployed),
            None => Api::at(Clock::system()).await,
        }
    }

    /// Connects to the deployed stack and removes its watchlists. Other tests cannot load lists
    /// until the returned `Api` is dropped. Panics without a deployed stack.
    pub async fn with_lists_to_itself() -> Api {
        let api = Api::start().await;
        api.hold_lists(DEPLOYED.as_ref().expect("a deployed stack")).await;
        api
    }

    /// Changes the table so that the lists have been current for `seconds` seconds. A pass screens
    /// only against lists that have been current for a minute.
    pub async fn age_lists(&self, seconds: i64) {
        let then = Clock::system().now().millis() - seconds * 1_000;
        let since = AttributeValue::S(Timestamp::from_millis(then).to_string());
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S("LISTS".to_owned()))
            .key("sk", AttributeValue::S("CURRENT".to_owned()))
            .condition_expression("attribute_exists(since)")
            .update_expression("SET since = :since")
            .expression_attribute_values(":since", since)
            .send()
            .await
            .unwrap();
    }

    fn on_stack(deployed: &Deployed) -> Api {
        let (_, unique) = uuid::Uuid::now_v7().as_u64_pair();
        Api {
            dynamodb: deployed.dynamodb(),
            table: deployed.table.clone(),
            url: deployed.api.clone(),
            http: deployed.http_client(),
            prefix: format!("{unique:x}-"),
            tokens: Mutex::default(),
            server: None,
            lists: Mutex::default(),
        }
    }

    /// Starts a local server with its own table and the given clock.
    pub async fn at(clock: Clock) -> Api {
        only_locally("clock that a test sets");
        Api::with(clock, None, None).await
    }

    /// Starts a second server on the table of `other`. On a deployed stack, only connects to the
    /// stack again: requests there may reach different processes anyway.
    pub async fn on_table_of(other: &Api) -> Api {
        if let Some(deployed) = &*DEPLOYED {
            return Api { prefix: other.prefix.clone(), ..Api::on_stack(deployed) };
        }
        Api::with(Clock::system(), Some(other), None).await
    }

    /// Starts a second server on the table of `other`. Its clock always shows `millis` milliseconds
    /// since 1970.
    pub async fn on_table_of_at(other: &Api, millis: i64) -> Api {
        only_locally("clock that a test sets");
        let clock = Clock::new(move || Timestamp::from_millis(millis));
        Api::with(clock, Some(other), None).await
    }

    /// Starts a second server on the table of `other`. Its calls to the table go through `client`.
    pub async fn under(client: &Mortal, other: &Api) -> Api {
        Api::with_calls(client.clone(), other).await
    }

    /// Starts a second server on the table of `other`. `fault` intercepts its calls to the table.
    pub async fn with_calls(fault: impl Interceptor, other: &Api) -> Api {
        only_locally("HTTP client that a test makes fail");
        Api::with(Clock::system(), Some(other), Some(faults::client(fault))).await
    }

    async fn with(
        clock: Clock,
        table_of: Option<&Api>,
        http_client: Option<SharedHttpClient>,
    ) -> Api {
        let environment = [("WATCHLIST_SOURCES".to_owned(), sample_source())].into();
        Api::set(clock, table_of, http_client, environment).await
    }

    /// Starts a local server with the given environment. If `table_of` is given, the server uses
    /// the table and the lists of that `Api`.
    pub async fn set(
        clock: Clock,
        table_of: Option<&Api>,
        http_client: Option<SharedHttpClient>,
        environment: BTreeMap<String, String>,
    ) -> Api {
        only_locally("settings that a test chooses");
        log::start();
        let server_of = table_of.map(Api::server);
        let table = server_of.map(|server| server.table.clone());
        let key = Some(KEY.clone());
        // Open the lists again, because a separate process would not share those that are already
        // open.
        let lists = server_of.map(|server| server.lists.reopened());
        let options = Options {
            port: 0,
            data: None,
            table,
            key,
            clock,
            http_client,
            environment,
            lists,
            schedules: false,
            events: None,
        };
        let server = Server::start(options).await.unwrap();
        Api {
            dynamodb: server.dynamodb.clone(),
            table: server.template.table.name.clone(),
            url: server.url(),
            http: Client::new(),
            prefix: String::new(),
            tokens: Mutex::default(),
            server: Some(server),
            lists: Mutex::default(),
        }
    }

    /// Returns the local server. Panics on a deployed stack.
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("this test runs against a local server")
    }

    /// Stops the local server and its table. Panics on a deployed stack.
    pub async fn stop(self) {
        self.server.expect("this test runs against a local server").stop().await;
    }

    /// Returns the full name of a tenant, including this test's prefix.
    pub fn tenant(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Starts a server with a clock that only the test changes. The returned number is the time of
    /// the clock in milliseconds since 1970.
    pub async fn with_clock_at(millis: i64) -> (Api, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(millis));
        let read = now.clone();
        let clock = Clock::new(move || Timestamp::from_millis(read.load(Ordering::SeqCst)));
        (Api::at(clock).await, now)
    }

    /// Prepares a request by this caller. From then on, a log line with the token or with personal
    /// data from the query string is a violation.
    pub fn call(&self, caller: &Persona, method: &str, path: &str) -> Call {
        let url = format!("{}{path}", self.url);
        let request = self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        log::remember_query(path);
        let request = match &caller.credential {
            Credential::None => request,
            Credential::Granted(grant) => request.bearer_auth(self.token(grant)),
            Credential::Token(token) => {
                log::watch().remember(token);
                request.bearer_auth(token)
            }
        };
        Call { request }
    }

    /// Returns the token for this grant. A token is signed once and then reused.
    fn token(&self, grant: &Grant) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        tokens.entry(grant.clone()).or_insert_with(|| self.sign(grant)).clone()
    }

    fn sign(&self, grant: &Grant) -> String {
        let request = TokenRequest {
            tenant: self.tenant(&grant.tenant),
            permissions: grant.permissions.clone(),
            subject: "tester".to_owned(),
            lifetime: Duration::from_secs(3_600),
        };
        let token = KEY.token(&request, &TEMPLATE).unwrap();
        log::watch().remember(&token);
        token
    }

    pub async fn get(&self, caller: &Persona, path: &str) -> Answer {
        self.call(caller, "GET", path).send().await
    }

    pub async fn post(&self, caller: &Persona, path: &str, body: &Value) -> Answer {
        self.call(caller, "POST", path).json(body).send().await
    }

    pub async fn patch(&self, caller: &Persona, path: &str, body: &Value) -> Answer {
        self.call(caller, "PATCH", path).json(body).send().await
    }

    /// Sends one of many concurrent patches. On a deployed stack, repeats the patch up to 5 times
    /// after a 503: the emulator may be so slow that the API stops retrying before the patch has
    /// won against the others. On a local server, sends the patch once.
    pub async fn patch_repeated(&self, caller: &Persona, path: &str, body: &Value) -> Answer {
        let repeats = if DEPLOYED.is_some() { 5 } else { 0 };
        served(repeats, || self.patch(caller, path, body)).await
    }

    pub async fn delete(&self, caller: &Persona, path: &str) -> Answer {
        self.call(caller, "DELETE", path).send().await
    }

    /// Creates a customer and returns it.
    pub async fn create(&self, caller: &Persona, body: &Value) -> Value {
        self.post(caller, "/customers", body).await.expect(201)
    }

    /// Invokes a function that has no route and returns its result. If the function fails, returns
    /// the error that it reports.
    pub async fn run(&self, job: &str, payload: &Value) -> Result<Value, Value> {
        let answer = self.invocation(job, payload).await;
        match answer.header("x-amz-function-error") {
            Some(_) => Err(answer.body),
            None => Ok(answer.body),
        }
    }

    /// Loads the watchlists from the configured sources and returns the result. On a deployed
    /// stack, first reserves the lists for this test and writes the sample list, unless this test
    /// has reserved the lists already.
    pub async fn refresh(&self) -> Value {
        if let Some(deployed) = &*DEPLOYED
            && self.lists.lock().unwrap().is_none()
        {
            self.hold_lists(deployed).await;
            deployed.write_list(local::SAMPLE.as_bytes());
        }
        self.run("refresh-watchlists", &json!({})).await.unwrap()
    }

    async fn hold_lists(&self, deployed: &Deployed) {
        let guard = deployed.hold_lists().await;
        *self.lists.lock().unwrap() = Some(guard);
    }

    /// Invokes a function through Lambda's Invoke API. The body of the returned answer is the
    /// function's response.
    async fn invocation(&self, function: &str, payload: &Value) -> Answer {
        let (endpoint, name) = match &*DEPLOYED {
            Some(deployed) => (&deployed.endpoint, deployed.functions[function].as_str()),
            None => (&self.url, function),
        };
        let url = format!("{endpoint}/2015-03-31/functions/{name}/invocations");
        let mut request = self.http.post(url);
        if let Some(server) = &self.server {
            request = request.header("authorization", server.access_key.authorization());
        }
        let answer = Call { request }.json(payload).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    /// Invokes a function with an event, without routing or the authorizer. Returns the response
    /// that API Gateway would send.
    pub async fn invoke(&self, function: &str, event: &Value) -> Answer {
        let response = self.invocation(function, event).await.body;
        let text = response["body"].as_str().unwrap_or_default().to_owned();
        let headers = response["headers"].as_object().unwrap();
        Answer {
            status: response["statusCode"].as_u64().unwrap() as u16,
            headers: headers
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            body: serde_json::from_str(&text).unwrap(),
            text,
        }
    }
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice { seed, rolls: 0 }
    }

    /// Returns a number from 0 to `sides` - 1, generated by SplitMix64.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.rolls += 1;
        let mut z = self.seed.wrapping_add(self.rolls.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    /// Returns a random element of `from`, which must not be empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }

    /// Returns `true` with a probability of `chance` percent.
    pub fn percent(&mut self, chance: usize) -> bool {
        self.roll(100) < chance
    }
}

/// Returns the number of repetitions of a slow test: `all` if `THOROUGH=1` is set, otherwise a
/// fifth of `all`.
pub fn rounds(all: u32) -> u32 {
    if std::env::var("THOROUGH").is_ok_and(|set| set == "1") { all } else { all / 5 }
}

/// Checks a property over HTTP, with the same cases in every run. All cases share one server, but
/// each case gets its own tenant. `holds` must panic if the property does not hold for a case.
pub fn property<S: Strategy>(cases: u32, values: &S, holds: impl AsyncFn(&Api, &str, S::Value)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let api = runtime.block_on(Api::start());
    // Limit the cases, because a request to a deployed stack takes about 100 ms instead of 1 ms.
    let cases = if DEPLOYED.is_some() { cases.min(100) } else { cases };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let case = std::cell::Cell::new(0);
    let result = TestRunner::new_with_rng(config, rng).run(values, |value| {
        case.set(case.get() + 1);
        runtime.block_on(holds(&api, &format!("case-{}", case.get()), value));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

impl Call {
    /// Adds a header. A log line with the value of an `idempotency-key` is a violation from then
    /// on.
    pub fn header(self, name: &str, value: &str) -> Call {
        if name == "idempotency-key" {
            log::watch().remember(value);
        }
        Call { request: self.request.header(name, value) }
    }

    /// Sets a JSON body. A log line with personal data from the body is a violation from then on.
    pub fn json(self, body: &Value) -> Call {
        log::watch().remember_body(body);
        self.header("content-type", "application/json").text(body.to_string())
    }

    /// Sets a body of any kind. The logs are not searched for its content.
    pub fn text(self, body: impl Into<reqwest::Body>) -> Call {
        Call { request: self.request.body(body) }
    }

    /// Sends the request. Panics if any server of this process has logged personal data or a token
    /// so far.
    pub async fn send(self) -> Answer {
        let response = self.request.send().await.unwrap();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        log::assert_clean();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }
}

impl Answer {
    /// Checks that the answer is a success with this status, and returns its `data`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["status"], "success", "{}", self.text);
        assert_eq!(self.body["meta"]["request_id"].as_str(), self.header("x-request-id"));
        self.body["data"].clone()
    }

    /// Checks that the answer is an error with this status and code, and that the OpenAPI document
    /// describes the fields of its `details`. Returns its `error`.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["status"], "error", "{}", self.text);
        assert_eq!(self.body["error"]["code"], code, "{}", self.text);
        assert_eq!(self.body["meta"]["request_id"].as_str(), self.header("x-request-id"));
        let details = self.body["error"]["details"].as_array().unwrap().iter();
        for name in details.filter_map(Value::as_object).flat_map(|detail| detail.keys()) {
            assert!(DETAIL_FIELDS.contains(name), "the OpenAPI document lacks {name}");
        }
        self.body["error"].clone()
    }

    /// Checks that the answer is a validation error, and returns the names of the invalid fields in
    /// the order of the answer.
    #[track_caller]
    pub fn faults(self) -> Vec<String> {
        let error = self.refused(400, "VALIDATION_ERROR");
        let details = error["details"].as_array().unwrap().iter();
        details.map(|detail| detail["field"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns the value of a header. `name` must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Returns the status, the headers and the body without the values that differ in every answer:
    /// request ids, the date and the `meta` of the body.
    pub fn without_request_id(&self) -> (u16, Vec<(String, String)>, Value) {
        let volatile = ["x-request-id", "apigw-requestid", "date"];
        let headers = self
            .headers
            .iter()
            .filter(|(name, _)| !volatile.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut body = self.body.clone();
        body["meta"] = Value::Null;
        (self.status, headers, body)
    }
}
