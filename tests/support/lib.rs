//! Talks to the API as a caller does. One [`Api`] is one server with a table of its own, in memory,
//! gone when the test ends; or, with `DEPLOYED` set, tenants of its own on a deployed stack.
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

use std::collections::{BTreeMap, HashMap};
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

/// One key for all tests: making one takes longer than most of them.
pub static KEY: LazyLock<SigningKey> = LazyLock::new(|| match &*DEPLOYED {
    Some(deployed) => deployed.signing_key(),
    None => SigningKey::generate().unwrap(),
});

/// The template, with the authorizer that the tests' API has.
pub static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let mut template = Template::embedded().unwrap();
    if let Some(deployed) = &*DEPLOYED {
        template.authorizer.issuer.clone_from(&deployed.issuer);
        template.authorizer.audiences = vec![deployed.audience.clone()];
    }
    template
});

pub struct Api {
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub table: String,
    url: String,
    http: Client,
    /// Before the name of every tenant; empty on a table of its own.
    prefix: String,
    tokens: Mutex<HashMap<Grant, String>>,
    server: Option<Server>,
    lists: Mutex<Option<HeldLists>>,
}

pub fn path_of(customer: &Value) -> String {
    format!("/customers/{}", customer["customer_id"].as_str().unwrap())
}

/// Who calls. Tenants are made up by the test.
#[derive(Clone, Debug)]
pub struct Persona {
    credential: Credential,
}

#[derive(Clone, Debug)]
enum Credential {
    None,
    /// Signed when it is used: only then it is known what the tenant is called there.
    Granted(Grant),
    Token(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Grant {
    tenant: String,
    permissions: Vec<String>,
}

impl Persona {
    pub fn anonymous() -> Persona {
        Persona { credential: Credential::None }
    }

    /// Everything is allowed to it, within its tenant.
    pub fn of(tenant: &str) -> Persona {
        Persona::with(tenant, &["kyc:*"])
    }

    pub fn reader(tenant: &str) -> Persona {
        Persona::with(tenant, &["kyc:read"])
    }

    pub fn with(tenant: &str, permissions: &[&str]) -> Persona {
        let permissions = permissions.iter().map(ToString::to_string).collect();
        let grant = Grant { tenant: tenant.to_owned(), permissions };
        Persona { credential: Credential::Granted(grant) }
    }

    /// With whatever token.
    pub fn bearing(token: impl Into<String>) -> Persona {
        Persona { credential: Credential::Token(token.into()) }
    }
}

/// A request about to be sent.
pub struct Call {
    request: RequestBuilder,
}

/// Random choices that are the same in every run of one seed.
#[derive(Clone, Debug)]
pub struct Dice {
    pub seed: u64,
    rolls: u64,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub text: String,
    pub body: Value,
}

/// Asks again, so often at most, while it is told to.
pub async fn served(repeats: usize, ask: impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..repeats {
        let answer = ask().await;
        if answer.status != 503 {
            return answer;
        }
        answer.refused(503, "STORE_UNAVAILABLE");
    }
    ask().await
}

impl Api {
    pub async fn start() -> Api {
        match &*DEPLOYED {
            Some(deployed) => Api::on_stack(deployed),
            None => Api::at(Clock::system()).await,
        }
    }

    /// On a deployed stack: without lists, and no other test loads any until this one ends.
    pub async fn with_lists_to_itself() -> Api {
        let api = Api::start().await;
        api.hold_lists(DEPLOYED.as_ref().expect("a deployed stack")).await;
        api
    }

    /// Makes the current lists so many seconds older than they are: a pass waits until they have
    /// been current for a minute.
    pub async fn age_lists(&self, seconds: i64) {
        let then = Clock::system().now().millis() - seconds * 1_000;
        let since = AttributeValue::S(Timestamp::from_millis(then).to_string());
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = self.dynamodb.update_item().table_name(&self.table);
        let update = update.key("pk", text("LISTS")).key("sk", text("CURRENT"));
        let update = update.condition_expression("attribute_exists(since)");
        let update = update.update_expression("SET since = :since");
        update.expression_attribute_values(":since", since).send().await.unwrap();
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

    /// With a clock of the test's own.
    pub async fn at(clock: Clock) -> Api {
        only_locally("clock that a test sets");
        Api::with(clock, None, None).await
    }

    /// On the table of another server. On a deployed stack that is the stack again: there, any two
    /// requests may be answered by two processes.
    pub async fn on_table_of(other: &Api) -> Api {
        if let Some(deployed) = &*DEPLOYED {
            return Api { prefix: other.prefix.clone(), ..Api::on_stack(deployed) };
        }
        Api::with(Clock::system(), Some(other), None).await
    }

    /// On the table of another server, at this time, in milliseconds since 1970.
    pub async fn on_table_of_at(other: &Api, millis: i64) -> Api {
        only_locally("clock that a test sets");
        let clock = Clock::new(move || Timestamp::from_millis(millis));
        Api::with(clock, Some(other), None).await
    }

    /// On the table of another server, with an HTTP client of the test's own under the SDK.
    pub async fn under(client: &Mortal, other: &Api) -> Api {
        Api::with_calls(client.clone(), other).await
    }

    /// On the table of another server, with whatever happens to its calls.
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

    /// With settings of the test's own, on the table and the lists of another server.
    pub async fn set(
        clock: Clock,
        table_of: Option<&Api>,
        http_client: Option<SharedHttpClient>,
        environment: BTreeMap<String, String>,
    ) -> Api {
        only_locally("settings that a test chooses");
        log::start();
        let server_of = table_of.map(Api::server);
        let dynamodb_endpoint = server_of.map(|server| server.dynamodb_endpoint.clone());
        let key = Some(KEY.clone());
        // Opened anew, as by another process.
        let lists = server_of.map(|server| server.lists.reopened());
        let options = Options {
            port: 0,
            data: None,
            dynamodb_endpoint,
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

    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a deployed API is no server of the test")
    }

    /// Stops the server and its table.
    pub async fn stop(self) {
        self.server.expect("a deployed API is not stopped by a test").stop().await;
    }

    /// What a tenant of the test is called there.
    pub fn tenant(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// With a clock that stands still until the test moves it, in milliseconds since 1970.
    pub async fn with_clock_at(millis: i64) -> (Api, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(millis));
        let read = now.clone();
        let clock = Clock::new(move || Timestamp::from_millis(read.load(Ordering::SeqCst)));
        (Api::at(clock).await, now)
    }

    pub fn call(&self, who: &Persona, method: &str, path: &str) -> Call {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        match &who.credential {
            Credential::None => {}
            Credential::Granted(grant) => request = request.bearer_auth(self.token(grant)),
            Credential::Token(token) => {
                log::watch().remember(token);
                request = request.bearer_auth(token);
            }
        }
        log::remember_query(path);
        Call { request }
    }

    fn token(&self, grant: &Grant) -> String {
        let mut tokens = self.tokens.lock().unwrap();
        let signed = tokens.entry(grant.clone()).or_insert_with(|| {
            let request = TokenRequest {
                tenant: self.tenant(&grant.tenant),
                permissions: grant.permissions.clone(),
                subject: "tester".to_owned(),
                lifetime: Duration::from_secs(3_600),
            };
            let token = KEY.token(&request, &TEMPLATE).unwrap();
            log::watch().remember(&token);
            token
        });
        signed.clone()
    }

    pub async fn get(&self, who: &Persona, path: &str) -> Answer {
        self.call(who, "GET", path).send().await
    }

    pub async fn post(&self, who: &Persona, path: &str, body: &Value) -> Answer {
        self.call(who, "POST", path).json(body).send().await
    }

    pub async fn patch(&self, who: &Persona, path: &str, body: &Value) -> Answer {
        self.call(who, "PATCH", path).json(body).send().await
    }

    /// A patch among many at once. On a deployed stack, whose emulator may be slow, it is sent again
    /// when it is told that others came first too often; a local server never says so.
    pub async fn patch_repeated(&self, who: &Persona, path: &str, body: &Value) -> Answer {
        served(if DEPLOYED.is_some() { 5 } else { 0 }, || self.patch(who, path, body)).await
    }

    pub async fn delete(&self, who: &Persona, path: &str) -> Answer {
        self.call(who, "DELETE", path).send().await
    }

    /// Creates a customer and returns it.
    pub async fn create(&self, who: &Persona, body: &Value) -> Value {
        self.post(who, "/customers", body).await.expect(201)
    }

    /// Invokes a function that a schedule starts. `Err` is what it failed with.
    pub async fn run(&self, job: &str, payload: &Value) -> Result<Value, Value> {
        let invoked = self.invocation(job, payload).await;
        match invoked.header("x-amz-function-error") {
            Some(_) => Err(invoked.body),
            None => Ok(invoked.body),
        }
    }

    /// Loads the watchlists this server is told to.
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
        let held = deployed.hold_lists().await;
        *self.lists.lock().unwrap() = Some(held);
    }

    /// The way of `aws lambda invoke`.
    async fn invocation(&self, function: &str, payload: &Value) -> Answer {
        let (endpoint, function) = match &*DEPLOYED {
            Some(deployed) => (&deployed.endpoint, deployed.functions[function].as_str()),
            None => (&self.url, function),
        };
        let url = format!("{endpoint}/2015-03-31/functions/{function}/invocations");
        let invoked = Call { request: self.http.post(url) }.json(payload).send().await;
        assert_eq!(invoked.status, 200, "{}", invoked.text);
        invoked
    }

    /// Gives a function an event past routes and authorizer, and returns what it answered to API
    /// Gateway.
    pub async fn invoke(&self, function: &str, event: &Value) -> Answer {
        let invoked = self.invocation(function, event).await;
        let text = invoked.body["body"].as_str().unwrap_or_default().to_owned();
        let headers = invoked.body["headers"].as_object().unwrap();
        Answer {
            status: invoked.body["statusCode"].as_u64().unwrap() as u16,
            headers: headers
                .iter()
                .map(|(n, v)| (n.clone(), v.as_str().unwrap().to_owned()))
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

    /// 0 to `sides` - 1 (SplitMix64).
    pub fn roll(&mut self, sides: usize) -> usize {
        self.rolls += 1;
        let mut z = self.seed.wrapping_add(self.rolls.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.roll(100) < chance
    }
}

/// How often something that takes long is tried: all of it with `THOROUGH=1`, else a fifth.
pub fn rounds(all: u32) -> u32 {
    if std::env::var("THOROUGH").is_ok_and(|set| set == "1") { all } else { all / 5 }
}

/// Checks a property over HTTP with the same cases in every run, all of them on one server. A case
/// takes a tenant of its own, and fails by panicking.
pub fn property<S: Strategy>(cases: u32, values: &S, holds: impl AsyncFn(&Api, &str, S::Value)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let api = runtime.block_on(Api::start());
    // A deployed stack answers in a tenth of a second, not in a thousandth.
    let cases = if DEPLOYED.is_some() { cases.min(100) } else { cases };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let case = std::cell::Cell::new(0);
    let checked = TestRunner::new_with_rng(config, rng).run(values, |value| {
        case.set(case.get() + 1);
        runtime.block_on(holds(&api, &format!("case-{}", case.get()), value));
        Ok(())
    });
    if let Err(failure) = checked {
        panic!("{failure}");
    }
}

impl Call {
    pub fn header(self, name: &str, value: &str) -> Call {
        if name == "idempotency-key" {
            log::watch().remember(value);
        }
        Call { request: self.request.header(name, value) }
    }

    pub fn json(self, body: &Value) -> Call {
        log::watch().remember_body(body);
        self.header("content-type", "application/json").text(body.to_string())
    }

    pub fn text(self, body: impl Into<reqwest::Body>) -> Call {
        Call { request: self.request.body(body) }
    }

    pub async fn send(self) -> Answer {
        let response = self.request.send().await.unwrap();
        let headers = response.headers().iter();
        let headers =
            headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        log::assert_clean();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }
}

impl Answer {
    /// `data` of a success with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["status"], "success", "{}", self.text);
        assert_eq!(self.body["meta"]["request_id"].as_str(), self.header("x-request-id"));
        self.body["data"].clone()
    }

    /// `error` of a failure with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.body["status"], "error", "{}", self.text);
        assert_eq!(self.body["error"]["code"], code, "{}", self.text);
        assert_eq!(self.body["meta"]["request_id"].as_str(), self.header("x-request-id"));
        self.body["error"].clone()
    }

    /// The fields a 400 names, in order.
    #[track_caller]
    pub fn faults(self) -> Vec<String> {
        let error = self.refused(400, "VALIDATION_ERROR");
        let details = error["details"].as_array().unwrap().iter();
        details.map(|detail| detail["field"].as_str().unwrap().to_owned()).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The answer without what is new in every answer.
    pub fn without_request_id(&self) -> (u16, Vec<(String, String)>, Value) {
        let own = ["x-request-id", "apigw-requestid", "date"];
        let headers = self.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut body = self.body.clone();
        body["meta"] = Value::Null;
        (self.status, headers, body)
    }
}
