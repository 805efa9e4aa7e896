//! Runs each deployable artifact under AWS's Lambda Runtime Interface Emulator. The artifact must
//! give the same answers as the local server, and its process must survive every hostile event.
//! `infra/artifacts/run` builds the artifacts and then runs:
//!
//! `ARTIFACTS=<folder> RIE=<program> cargo test -p api-tests --test api -- --ignored artifacts::`

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api_tests::{Api, Value, json};
use local::sample_source;
use local::template::{FunctionSpec, Template};
use reqwest::Client;
use shared::monitoring::watchlists::Watchlists;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::hostile;

/// Returns the path of a function's executable. Searches the places where `sam build`, `cargo
/// lambda build` and `cargo build` write executables.
fn bootstrap(folder: &Path, binary: &str) -> PathBuf {
    let logical_id: String =
        binary.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    let places = [
        folder.join(binary).join("bootstrap"),
        folder.join(logical_id).join("bootstrap"),
        folder.join(binary),
    ];
    let bootstrap = places.into_iter().find(|place| place.is_file());
    bootstrap.unwrap_or_else(|| panic!("{binary} is not in {}", folder.display()))
}

/// A function under the emulator, which handles one event at a time.
struct Emulated {
    emulator: Child,
    url: String,
    http: Client,
}

impl Drop for Emulated {
    fn drop(&mut self) {
        for pid in self.processes() {
            let _ = Command::new("kill").arg(pid).status();
        }
        let _ = self.emulator.kill();
        let _ = self.emulator.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Emulated {
    async fn start(spec: &FunctionSpec, api: &Api, bucket: &str) -> Emulated {
        let folder = std::env::var("ARTIFACTS").expect("ARTIFACTS is set to a folder");
        let rie = std::env::var("RIE").expect("RIE is set to the emulator's path");
        let (port, runtime) = (free_port(), free_port());
        let server = api.server();
        let mut command = Command::new(rie);
        command
            .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
            .args(["--runtime-api-address", &format!("127.0.0.1:{runtime}")])
            .arg(bootstrap(Path::new(&folder), &spec.name))
            .env_clear()
            .envs(&spec.environment)
            .env("DYNAMODB_ENDPOINT", &server.table.endpoint)
            .env("AWS_ENDPOINT_URL_S3", bucket)
            .env("WATCHLIST_SOURCES", sample_source())
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", server.access_key.id())
            .env("AWS_SECRET_ACCESS_KEY", "none")
            // Debug builds read claims from this variable. In an artifact, that would be a back
            // door, so an artifact must ignore the variable.
            .env("LOCAL_CLAIMS", r#"{"tenant_id":"acme","permissions":"[kyc:*]"}"#)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let emulator = command.spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/function/invocations");
        local::tls::install_provider();
        let emulated = Emulated { emulator, url, http: Client::new() };
        for _ in 0..600 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return emulated;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the emulator of {} has not started in 30 s", spec.name);
    }

    /// Returns the ids of the function's processes, which are the emulator's children.
    fn processes(&self) -> Vec<String> {
        let id = self.emulator.id();
        let mut children = Vec::new();
        for thread in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten()
        {
            let text = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            children.extend(text.split_whitespace().map(str::to_owned));
        }
        children
    }

    async fn invoke(&self, event: &Value) -> Value {
        let answer = self.http.post(&self.url).body(event.to_string()).send().await.unwrap();
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("the answer is not JSON: {text:.400}"))
    }
}

/// Serves the watchlists of the local server as S3 objects, which can only be read. Returns the
/// URL.
async fn bucket(api: &Api) -> String {
    let lists = api.server().lists.clone();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, lists.clone()));
        }
    });
    url
}

async fn serve(stream: TcpStream, lists: Watchlists) -> std::io::Result<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    while let Some(request) = lines.next_line().await? {
        while lines.next_line().await?.is_some_and(|header| !header.is_empty()) {}
        // The request line is `GET /<bucket>/<object> HTTP/1.1`.
        let path = request.strip_prefix("GET /").and_then(|rest| rest.split(' ').next());
        let content = match path.and_then(|path| path.split_once('/')) {
            Some((_, object)) => lists.bytes(object).await.ok(),
            None => None,
        };
        let (status, body) = match &content {
            Some(bytes) => ("200 OK", bytes.as_slice()),
            None => ("404 Not Found", &b""[..]),
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        write.write_all(head.as_bytes()).await?;
        write.write_all(body).await?;
    }
    Ok(())
}

/// Invokes a function of the local server with an event, and returns its answer.
async fn locally(api: &Api, function: &str, event: &Value) -> Value {
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let call = api.call(&api_tests::Persona::anonymous(), "POST", &path);
    let authorization = api.server().access_key.authorization();
    call.header("authorization", &authorization).json(event).send().await.body
}

fn is_id(word: &str) -> bool {
    word.len() == 36 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn is_time(word: &str) -> bool {
    word.len() == 24 && word.ends_with('Z') && word.as_bytes().get(10) == Some(&b'T')
}

/// Replaces tenants, ids and times with placeholders, because they differ in every answer.
fn comparable(answer: &Value) -> Value {
    let mut text = answer.to_string();
    for tenant in ["artifact", "local"] {
        text = text.replace(tenant, "<tenant>");
    }
    let mut plain = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() || "-:.".contains(c) {
            word.push(c);
            continue;
        }
        if is_id(&word) {
            plain.push_str("<id>");
        } else if is_time(&word) {
            plain.push_str("<time>");
        } else {
            plain.push_str(&word);
        }
        word.clear();
        plain.push(c);
    }
    Value::String(plain)
}

/// Returns the event of a request to a route by a caller with all permissions in the tenant. `ids`
/// may contain more path parameters than the route has.
fn event(tenant: &str, route: &str, ids: &[(&str, &str)], body: Option<Value>) -> Value {
    let mut event = hostile::event();
    event["requestContext"]["authorizer"]["jwt"]["claims"]["tenant_id"] = json!(tenant);
    event["requestContext"]["authorizer"]["jwt"]["claims"]["permissions"] = json!("[kyc:*]");
    event["routeKey"] = json!(route);
    event["requestContext"]["routeKey"] = json!(route);
    let (method, path) = route.split_once(' ').unwrap();
    event["requestContext"]["http"]["method"] = json!(method);
    let mut path = path.to_owned();
    let mut parameters = serde_json::Map::new();
    for (name, value) in ids {
        let placeholder = format!("{{{name}}}");
        if path.contains(&placeholder) {
            path = path.replace(&placeholder, value);
            parameters.insert((*name).to_owned(), json!(value));
        }
    }
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["path"] = json!(path);
    if !parameters.is_empty() {
        event["pathParameters"] = Value::Object(parameters);
    }
    if let Some(body) = body {
        event["headers"]["content-type"] = json!("application/json");
        event["body"] = json!(body.to_string());
    }
    event
}

/// Sends the typical requests of a new tenant, most of which succeed. Returns the function name and
/// the answer for each request, in order.
async fn story(tenant: &str, invoke: impl AsyncFn(&str, &Value) -> Value) -> Vec<(String, Value)> {
    let template = Template::embedded().unwrap();
    let routes: BTreeMap<String, String> =
        template.routes().map(|(function, route)| (route.key(), function.name.clone())).collect();
    let mut answers: Vec<(String, Value)> = Vec::new();
    let (mut customer, mut session, mut alert) = (String::new(), String::new(), String::new());
    // The sample list contains this name.
    let parties = json!({
        "parties": [{ "party_id": "p", "kind": "individual", "name": "Mirka Ilinovna Dovello" }],
        "relationships": [{ "owner": "p", "owned": "self", "percentage": 100 }],
    });
    for (route, body) in [
        (
            "POST /customers",
            Some(json!({ "name": "Acme GmbH", "client_id": "crm-1", "country": "DE" })),
        ),
        ("POST /customers", Some(json!({ "name": "Acme GmbH", "client_id": "crm-1" }))),
        ("POST /customers", Some(json!({ "nam": 1, "country": "XX" }))),
        ("GET /customers", None),
        ("GET /customers/{id}", None),
        ("PATCH /customers/{id}", Some(json!({ "industry": "Banking" }))),
        ("POST /kyc/sessions", Some(json!({ "client_id": "crm-1" }))),
        ("GET /kyc/sessions/{session_id}", None),
        ("PATCH /kyc/sessions/{session_id}", Some(json!({ "status": "completed" }))),
        ("PATCH /kyc/sessions/{session_id}", Some(json!({ "status": "approved" }))),
        ("GET /customers/{id}/sessions", None),
        ("PUT /customers/{id}/organization", Some(parties)),
        ("GET /customers/{id}/organization", None),
        ("GET /customers/{id}/risk-profile", None),
        ("POST /customers/{id}/monitor", Some(json!({ "include_related": true }))),
        ("GET /customers/{id}/monitor", None),
        ("GET /customers/{id}/alerts", None),
        ("PATCH /customers/{id}/alerts/{alert_id}", Some(json!({ "status": "confirmed" }))),
        ("DELETE /customers/{id}/monitor", None),
        ("DELETE /customers/{id}", None),
    ] {
        let ids = [("id", customer.as_str()), ("session_id", &session), ("alert_id", &alert)];
        let answer = invoke(&routes[route], &event(tenant, route, &ids, body)).await;
        let content: Value =
            serde_json::from_str(answer["body"].as_str().unwrap_or("null")).unwrap();
        let text = |field: &str| content["data"][field].as_str().unwrap_or_default().to_owned();
        if customer.is_empty() {
            customer = text("customer_id");
        }
        if session.is_empty() {
            session = text("session_id");
        }
        if let Some(id) = content["data"]["items"][0]["alert_id"].as_str() {
            alert = id.to_owned();
        }
        answers.push((routes[route].clone(), answer));
    }
    answers
}

/// Returns a valid event that makes the function change little, or not change anything.
fn harmless_event(spec: &FunctionSpec) -> Value {
    if let Some(route) = spec.routes.first() {
        let unknown = "01920000-0000-8000-8000-000000000000";
        let ids = ["id", "session_id", "alert_id"].map(|name| (name, unknown));
        return event("survivor", &route.key(), &ids, None);
    }
    match spec.name.as_str() {
        "shape-events" => json!([]),
        "rescreen" => json!({ "pass": "resume" }),
        "refresh-watchlists" => json!({}),
        _ => json!({
            "version": "3", "triggerSource": "TokenGeneration_ClientCredentials",
            "request": { "scopes": ["kyc/read", "tenant/acme"] }, "response": {},
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs artifacts"]
async fn every_artifact_answers_as_the_local_server_and_survives() {
    let api = Api::start().await;
    api.refresh().await;
    let bucket = bucket(&api).await;
    let template = Template::embedded().unwrap();
    let mut emulated = BTreeMap::new();
    for spec in &template.functions {
        emulated.insert(spec.name.clone(), Emulated::start(spec, &api, &bucket).await);
    }

    let theirs = story("artifact", async |name, event| emulated[name].invoke(event).await).await;
    let ours = story("local", async |name, event| locally(&api, name, event).await).await;
    // Number of all events by function, and number of the hostile events among them.
    let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for ((function, theirs), (_, ours)) in theirs.iter().zip(&ours) {
        assert_eq!(comparable(theirs), comparable(ours), "{function}");
        counts.entry(function.clone()).or_default().0 += 1;
    }
    let statuses: Vec<u64> = theirs.iter().filter_map(|(_, a)| a["statusCode"].as_u64()).collect();
    assert_eq!(statuses.len(), theirs.len());
    assert!(statuses.iter().filter(|status| **status < 300).count() >= 18, "{statuses:?}");

    let hostile_events = hostile::events();
    for spec in &template.functions {
        let (name, function) = (&spec.name, &emulated[&spec.name]);
        let harmless = harmless_event(spec);
        let before = function.invoke(&harmless).await;
        if name != "rescreen" {
            // Passes are not compared: their answers differ, because only one of the two passes
            // processes the shards.
            let local = locally(&api, name, &harmless).await;
            assert_eq!(comparable(&before), comparable(&local), "{name}");
        }
        assert!(before.get("errorType").is_none(), "{name}: {before}");
        let processes = function.processes();
        assert_eq!(processes.len(), 1, "{name}: {before}");
        for hostile in &hostile_events {
            let theirs = function.invoke(hostile).await;
            let ours = locally(&api, name, hostile).await;
            let excerpt: String = hostile.to_string().chars().take(300).collect();
            assert_eq!(comparable(&theirs), comparable(&ours), "{name}: {excerpt}");
            assert_eq!(function.processes(), processes, "{name} has died: {excerpt}");
            let (events, hostile) = counts.entry(name.clone()).or_default();
            *events += 1;
            *hostile += 1;
        }
        let after = function.invoke(&harmless).await;
        assert_eq!(comparable(&before), comparable(&after), "{name}");
    }
    println!("{:<24}{:>8}{:>9}", "function", "events", "hostile");
    for (function, (events, hostile)) in &counts {
        println!("{function:<24}{events:>8}{hostile:>9}");
    }
    assert_eq!(counts.len(), template.functions.len());
}
