//! Runs the command as a user does, and checks its output, its reaction to signals, and its files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "cli/attacks.rs"]
mod attacks;
#[path = "cli/output.rs"]
mod output;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode, Uri};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyc-customers"));
    command.args(arguments).env_remove("DYNAMODB_ENDPOINT").current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str], folder: &Path) -> Output {
    command(arguments, folder).output().unwrap()
}

/// A running server. Dropping it kills the process.
struct Running {
    child: Child,
    start_text: String,
    url: String,
    token: String,
}

impl Running {
    fn start(arguments: &[&str], folder: &Path) -> Running {
        Running::of(command(arguments, folder))
    }

    fn of(mut command: Command) -> Running {
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let start_text = read_start_text(&mut output);
        // Keeps the pipe open, so that the server can still write to it.
        child.stdout = Some(output.into_inner());
        Running::new(child, start_text)
    }

    fn new(child: Child, start_text: String) -> Running {
        let words = start_text.split_whitespace();
        let url = words.clone().find(|word| word.starts_with("http://")).unwrap().to_owned();
        let token = words.clone().find(|word| word.starts_with("eyJ")).unwrap().to_owned();
        Running { child, start_text, url, token }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Stops the server with a signal, checks that it exits with success, and returns its standard
    /// error.
    fn stop(mut self, signal: &str) -> String {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut log).unwrap();
        }
        assert!(status.success(), "{status}: {log}");
        log
    }

    /// Returns the first word after a label in the start text.
    fn labelled(&self, label: &str) -> &str {
        let line = self.start_text.lines().find_map(|line| line.strip_prefix(label));
        line.unwrap().split_whitespace().next().unwrap()
    }

    /// Returns the address of the table's port.
    fn table(&self) -> &str {
        let mut words = self.start_text.split_whitespace();
        words.find(|word| *word == "Table:");
        words.find(|word| word.starts_with("http://")).unwrap()
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        local::tls::install_provider();
        let client = reqwest::Client::new();
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = client.request(method, format!("{}{path}", self.url));
        // The Invoke API requires the access key, and all other paths a token.
        request = if path.ends_with("/invocations") {
            let (name, value) = self.signature();
            request.header(name, value)
        } else {
            request.bearer_auth(token)
        };
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Reads the start text up to its last line, which names the destination of the log.
fn read_start_text(output: &mut impl BufRead) -> String {
    let mut text = String::new();
    while !text.lines().any(|line| line.starts_with("Log:")) {
        assert!(output.read_line(&mut text).unwrap() > 0, "the server ended: {text}");
    }
    text
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Opens a pseudoterminal. Returns the end for the user and the end for the program.
fn open_terminal() -> (File, OwnedFd) {
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&user).unwrap();
    unlockpt(&user).unwrap();
    let name = ptsname(&user, Vec::new()).unwrap();
    let program = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (File::from(user), program)
}

/// A server whose standard output and standard error are one terminal.
struct OnTerminal {
    running: Running,
    terminal: BufReader<File>,
}

impl OnTerminal {
    fn start(arguments: &[&str], folder: &Path) -> OnTerminal {
        let (user, program) = open_terminal();
        let mut command = command(arguments, folder);
        command.stdout(program.try_clone().unwrap()).stderr(program);
        let child = command.spawn().unwrap();
        // Closes the program's end in this process, so that reading ends when the server exits.
        drop(command);
        let mut terminal = BufReader::new(user);
        let start_text = read_start_text(&mut terminal);
        OnTerminal { running: Running::new(child, start_text), terminal }
    }

    /// Stops the server and returns what the terminal showed after the start text.
    fn stop(mut self) -> String {
        self.running.stop("-INT");
        let mut shown = Vec::new();
        // Linux returns an error instead of the end of the file when the other end is closed.
        let _ = self.terminal.read_to_end(&mut shown);
        text(&shown)
    }
}

#[tokio::test]
async fn the_curl_line_works_and_data_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0"], folder.path());
    let curl = server.start_text.lines().find(|line| line.starts_with("curl ")).unwrap();
    // Sends the request of the curl line without curl, which may not be installed.
    let body: Value =
        serde_json::from_str(curl.split('\'').rfind(|part| part.starts_with('{')).unwrap())
            .unwrap();
    assert!(curl.contains(&format!("{}/customers", server.url)) && curl.contains(&server.token));
    let (status, created) =
        server.call("POST", "/customers", &server.token, Some(body.clone())).await;
    assert_eq!(status, 201, "{created}");
    let (status, conflict) = server.call("POST", "/customers", &server.token, Some(body)).await;
    assert_eq!(status, 409);
    assert_eq!(conflict["error"]["details"][0]["customer_id"], created["data"]["customer_id"]);
    let token = server.token.clone();
    server.stop("-INT");

    // Another server on the same folder accepts the old token and has the customer.
    let server = Running::start(&["--port", "0"], folder.path());
    let path = format!("/customers/{}", created["data"]["customer_id"].as_str().unwrap());
    assert_eq!(server.call("GET", &path, &token, None).await.1["data"], created["data"]);
    server.stop("-TERM");
}

#[tokio::test]
async fn token_prints_one_token_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    let token = |arguments: &[&str]| {
        let output =
            run(&[&["token", "--tenant", "zoo", "--data", "d"], arguments].concat(), folder.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let printed = text(&output.stdout);
        assert_eq!(printed.lines().count(), 1, "{printed}");
        printed.trim_end().to_owned()
    };
    let reader = token(&["--permissions", "kyc:read", "--expires", "1h"]);
    assert_eq!(server.call("GET", "/customers", &reader, None).await.0, 200);
    let body = Some(json!({ "name": "A" }));
    assert_eq!(server.call("POST", "/customers", &reader, body.clone()).await.0, 403);
    let both = token(&["--permissions", "kyc:create,kyc:read"]);
    assert_eq!(server.call("POST", "/customers", &both, body).await.1["data"]["tenant_id"], "zoo");
    let expired = token(&["--expires", "0s"]);
    assert_eq!(server.call("GET", "/customers", &expired, None).await.0, 401);
    server.stop("-INT");

    let wrong = run(&["token", "--tenant", "zoo", "--expires", "soon"], folder.path());
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    let wrong = run(&["token", "--tenant", "a b", "--data", "d"], folder.path());
    assert_eq!((wrong.status.code(), wrong.stdout.len()), (Some(2), 0));
    assert!(text(&wrong.stderr).contains("tenant"), "{}", text(&wrong.stderr));
}

#[tokio::test]
async fn memory_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--memory"], folder.path());
    assert_eq!(server.call("GET", "/customers", &server.token, None).await.0, 200);
    server.stop("-INT");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_port_or_folder_in_use_is_reported_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    let port = server.url.rsplit(':').next().unwrap();
    for (arguments, expected) in [
        (["--port", port, "--data", "e"], "pass --port"),
        (["--port", "0", "--data", "d"], "is in use by another server"),
    ] {
        let output = run(&arguments, folder.path());
        let error = text(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains(expected), "{error}");
    }
    assert!(!folder.path().join("e").exists(), "a failed start leaves a folder");
    server.stop("-INT");
}

#[tokio::test]
async fn each_request_writes_one_log_line_without_personal_data() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--memory"], folder.path());
    let customer = json!({
        "name": "Zaphod Beeblebrox", "tax_id": "TAX-4242", "email": "zaphod@example.com", "phone": "+4930555123",
        "entity_type": "individual", "date_of_birth": "1952-03-11", "website": "https://zaphod.example",
        "client_id": "zb-1", "industry": "Presidency", "tags": ["two-heads"], "metadata": { "ship": "heart-of-gold" },
    });
    let (status, created) =
        server.call("POST", "/customers", &server.token, Some(customer.clone())).await;
    assert_eq!(status, 201, "{created}");
    let path = format!("/customers/{}", created["data"]["customer_id"].as_str().unwrap());
    let mut faulty = customer.clone();
    faulty["email"] = json!("zaphod@@example.com");
    for (method, path, body) in [
        ("POST", "/customers".to_owned(), Some(customer.clone())),
        ("POST", "/customers".to_owned(), Some(faulty.clone())),
        (
            "PATCH",
            path.clone(),
            Some(json!({ "name": "Zaphod B.", "date_of_birth": "Beeblebrox" })),
        ),
        ("GET", "/customers?search=zaphod&created_after=Beeblebrox".to_owned(), None),
        ("GET", "/customers?search=zaphod&limit=1".to_owned(), None),
        ("DELETE", path, None),
    ] {
        server.call(method, &path, &server.token, body).await;
    }
    let token = server.token.clone();
    let log = server.stop("-INT");
    let lines = lines(&log, "request");
    assert_eq!(lines.len(), 7, "{log}");
    assert_eq!(lines[0]["request_id"], created["meta"]["request_id"]);
    for (field, value) in [
        ("tenant", json!("acme")),
        ("function", json!("create-customer")),
        ("route", json!("POST /customers")),
        ("status", json!(201)),
        ("dynamodb_calls", json!(1)),
        ("transactions", json!(1)),
    ] {
        assert_eq!(lines[0][field], value, "{log}");
    }
    assert!(lines[0]["ms"].as_f64().unwrap() > 0.0);
    assert_eq!(lines[1]["code"], "CUSTOMER_ALREADY_EXISTS");
    let lower = log.to_lowercase();
    for personal in [
        "zaphod",
        "beeblebrox",
        "4242",
        "555123",
        "1952",
        "zb-1",
        "presidency",
        "two-heads",
        "heart-of",
    ] {
        assert!(!lower.contains(personal), "{personal}: {log}");
    }
    assert!(!log.contains(&token[..20]) && !log.contains(token.rsplit('.').next().unwrap()));
}

#[test]
fn openapi_prints_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let printed = text(&run(&["openapi"], folder.path()).stdout);
    assert!(
        printed.contains("openapi: 3.1.0") && printed.contains("/customers/{id}:"),
        "{printed}"
    );
}

const OLD_LIST: &str = "\
id,name,kind,aliases,date,countries
1,\"DOVELLO, Mirka\",person,Мирка Довелло,1971-03-09,FR
2,BRINDAL QUARRY TRADING LLC,organization,,,AE
3,OLD TARN 62,vessel,,,
";
const NEW_LIST: &str = "\
id,name,kind,aliases,date,countries,remarks
1,\"DOVELLO, Mirka\",person,Мирка Довелло,1971-03-09,FR,Reworded
2,BRINDAL QUARRY TRADING LLC,organization,Brindal Gravel,,AE,
4,\"KUZMINCHEV, Aleksey\",person,,,RU,
";

fn json_of(arguments: &[&str], folder: &Path) -> Value {
    let out = run(arguments, folder);
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// Runs a command that must fail, and returns its error text.
fn error_of(arguments: &[&str], folder: &Path) -> String {
    let out = run(arguments, folder);
    assert!(!out.status.success(), "{arguments:?}");
    String::from_utf8(out.stderr).unwrap()
}

/// Returns a folder with two versions of a list, as CSV and as index.
fn list_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("old", OLD_LIST), ("new", NEW_LIST)] {
        std::fs::write(folder.path().join(format!("{name}.csv")), text).unwrap();
        let (from, out) = (format!("{name}.csv"), format!("{name}.idx"));
        let output = json_of(
            &["watchlists", "build", "--list", "own", "--from", &from, "--out", &out, "--json"],
            folder.path(),
        );
        assert_eq!(output["report"]["counts"]["entities"], 3);
        assert_eq!(output["version"].as_str().unwrap().len(), 16);
    }
    folder
}

#[test]
fn watchlists_builds_inspects_and_compares_indexes() {
    let folder = list_folder();
    let info = json_of(&["watchlists", "info", "old.idx", "--entry", "3", "--json"], folder.path());
    assert_eq!(
        (&info["list"], &info["entities"], &info["names"]),
        (&json!("own"), &json!(3), &json!(4))
    );
    assert_eq!(info["entry"]["names"][0]["text"], "OLD TARN 62");
    let delta = json_of(&["watchlists", "diff", "old.idx", "new.idx", "--json"], folder.path());
    let expected =
        json!({ "added": ["4"], "changed": ["2"], "redescribed": ["1"], "removed": ["3"] });
    assert_eq!(delta, expected);
    let diff = text(&run(&["watchlists", "diff", "old.idx", "new.idx"], folder.path()).stdout);
    assert!(diff.contains("KUZMINCHEV, Aleksey") && diff.contains("OLD TARN 62"), "{diff}");
}

#[test]
fn screen_explains_each_match() {
    let folder = list_folder();
    let arguments =
        ["screen", "Mirca Dovello", "--list", "old.idx", "--country", "France", "--born", "1971"];
    let output = json_of(&[&arguments[..], &["--json"]].concat(), folder.path());
    assert_eq!(output["lists"][0]["list"], "own");
    let matches = output["matches"].as_array().unwrap();
    assert_eq!(matches.len(), 1);
    assert_eq!(
        (&matches[0]["id"], &matches[0]["explanation"]["strength"]),
        (&json!("1"), &json!("name_and_date"))
    );
    let output = text(&run(&arguments, folder.path()).stdout);
    for part in
        ["One match", "mirca = mirka", "the same in another script", "agrees: query FR, listed FR"]
    {
        assert!(output.contains(part), "{part}: {output}");
    }
    let without_match =
        ["screen", "Mirca Dovello", "--list", "old.idx", "--list", "new.idx", "--threshold", "1"];
    let output = text(&run(&without_match, folder.path()).stdout);
    assert!(output.contains("No match with a score of 1 or more"), "{output}");
    let sample = text(&run(&["screen", "Mirka Dovello"], folder.path()).stdout);
    assert!(sample.contains("S-001") && sample.contains("invented people"), "{sample}");
}

#[test]
fn screen_eval_measures_labelled_data() {
    let folder = list_folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "queries.csv",
        "kind,category,schema,query,expected_ids\n\
         positive,exact,Person,Mirka Dovello,1\n\
         positive,typo,Person,Nobody Knows,1|2\n\
         negative,negative_us,Person,Ann Lindqvist,\n\
         negative,hard_company_sibling,Company,Brindal Quarry Trading,\n",
    );
    let output = json_of(
        &[
            "screen-eval",
            "--list",
            "old.idx",
            "--queries",
            "queries.csv",
            "--threshold",
            "0.8",
            "--json",
        ],
        folder.path(),
    );
    assert_eq!(
        (&output["recall"], &output["random_negative_hits"], &output["hard_negative_hits"]),
        (&json!(0.5), &json!(0.0), &json!(1.0))
    );
    assert_eq!(output["threshold"], 0.8);
    assert_eq!(output["classes"]["typo"], 0.0);
    assert!(output["queries_per_second"].as_f64().unwrap() > 0.0);
    let sweep = output["sweep"].as_array().unwrap();
    assert_eq!(
        (sweep.len(), &sweep[0]["threshold"], &sweep[45]["recall"]),
        (46, &json!(0.5), &json!(0.5))
    );
    write("names.csv", "id,full_name\n1,Mirka Dovello\n2,Ann Lindqvist\n");
    let output = json_of(
        &["screen-eval", "--list", "old.idx", "--names", "names.csv", "--json"],
        folder.path(),
    );
    assert_eq!((&output["alert_rate"], &output["names"]), (&json!(0.5), &json!(2)));
    write("pairs.csv", "name1,name2,is_match\nMirka Dovello,Dovello Mirka,true\nMirka,Ann,false\n");
    let output = json_of(&["screen-eval", "--pairs", "pairs.csv", "--json"], folder.path());
    assert_eq!(output["best"]["f1"], 1.0);
}

#[test]
fn unreadable_input_is_an_error_and_writes_nothing() {
    let folder = list_folder();
    let path = folder.path();
    let build = |from: &str, out: &str| -> String {
        error_of(&["watchlists", "build", "--list", "own", "--from", from, "--out", out], path)
    };
    std::fs::write(path.join("half.csv"), "id,name,kind\n1,\"DOVELLO").unwrap();
    assert!(build("half.csv", "half.idx").contains("half.csv"));
    assert!(build("missing.csv", "missing.idx").contains("missing.csv"));
    std::fs::write(path.join("typo.csv"), "id,nmae\n1,x\n").unwrap();
    // An existing index does not change.
    let before = std::fs::read(path.join("old.idx")).unwrap();
    build("typo.csv", "old.idx");
    assert_eq!(std::fs::read(path.join("old.idx")).unwrap(), before);
    let files = std::fs::read_dir(path).unwrap().count();
    assert_eq!(files, 6, "two lists, two indexes, two bad files");

    let mut damaged = before;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(path.join("damaged.idx"), damaged).unwrap();
    assert!(
        error_of(&["screen", "Mirka", "--list", "damaged.idx"], path)
            .contains("the index is damaged")
    );
    let csv = error_of(&["watchlists", "info", "old.csv"], path);
    assert!(csv.contains("not a watchlist index"), "{csv}");
    run(
        &["watchlists", "build", "--list", "other", "--from", "new.csv", "--out", "other.idx"],
        path,
    );
    let other = error_of(&["watchlists", "diff", "old.idx", "other.idx"], path);
    assert!(other.contains("only versions of one list"), "{other}");
    assert!(error_of(&["screen", "Mirka", "--country", "Atlantis"], path).contains("--country"));
    assert!(error_of(&["screen", "Mirka", "--threshold", "2"], path).contains("up to 1"));
    assert!(error_of(&["screen", "???"], path).contains("must have letters or digits"));
    assert!(error_of(&["screen-eval", "--list", "old.idx"], path).contains("--queries"));
}

/// Returns the JSON lines of a log with this message.
fn lines(log: &str, message: &str) -> Vec<Value> {
    let values = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn a_rejected_list_writes_one_log_line_with_a_metric() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "id,name\n1,Mirka Dovello\n2,Tarun Oblasti\n").unwrap();
    let url = format!("file://{}", list.display());
    let sources = json!([{ "list": "ours", "from": [url] }]).to_string();
    let mut child = command(&["--port", "0"], folder.path());
    child.env("WATCHLIST_SOURCES", sources);
    let running = Running::of(child);
    std::fs::write(&list, "<html><body>Come back later</body></html>").unwrap();
    let path = "/2015-03-31/functions/refresh-watchlists/invocations";
    let (status, failure) = running.call("POST", path, "", None).await;
    assert_eq!((status, &failure["errorType"]), (200, &json!("INTERNAL_ERROR")));
    let body = json!({ "name": "Mirka Dovello" });
    let token = running.token.clone();
    let (_, created) = running.call("POST", "/customers", &token, Some(body)).await;
    let id = created["data"]["customer_id"].as_str().unwrap();
    let path = format!("/customers/{id}/monitor");
    let (status, started) = running.call("POST", &path, &token, Some(json!({}))).await;
    assert_eq!((status, &started["data"]["matches"]), (201, &json!(1)));
    let log = running.stop("-TERM");
    assert_eq!(lines(&log, "watchlist updated").len(), 1, "{log}");
    let rejections = lines(&log, "watchlist refused");
    assert_eq!(rejections.len(), 1, "{log}");
    let line = &rejections[0];
    assert_eq!(
        (&line["level"], &line["list"], &line["WatchlistRefused"]),
        (&json!("ERROR"), &json!("ours"), &json!(1))
    );
    assert!(line["why"].as_str().unwrap().contains("list.csv"), "{line}");
    let metric = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(metric["Metrics"][0]["Name"], "WatchlistRefused");
    assert_eq!(
        (&metric["Namespace"], &metric["Dimensions"]),
        (&json!("kyc-customers"), &json!([["list"], []]))
    );
    // The log must not contain the name that matched.
    assert!(!log.contains("Dovello"), "{log}");
}

/// The memory of the functions is a setting of the template, which the environment can replace.
#[tokio::test]
async fn a_list_that_does_not_fit_is_logged_with_its_metric_and_the_parameter() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(&["--port", "0", "--memory"], folder.path());
    command.env("MEMORY_SIZE", "64");
    let log = Running::of(command).stop("-TERM");
    let refusals = lines(&log, "watchlist refused");
    assert_eq!(refusals.len(), 1, "{log}");
    let line = &refusals[0];
    assert_eq!(
        (&line["level"], &line["list"], &line["WatchlistTooLarge"]),
        (&json!("ERROR"), &json!("sample"), &json!(1))
    );
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "WatchlistTooLarge");
    let why = line["why"].as_str().unwrap();
    assert!(why.contains("raise the parameter MemorySize from 64 to at least 65"), "{why}");
    assert!(line.get("WatchlistRefused").is_none(), "{line}");
}

#[tokio::test]
async fn events_leave_in_order_and_at_least_once() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let events = Arc::new(Mutex::new(Vec::<Value>::new()));
    let received = events.clone();
    let sink = axum::Router::new().fallback(move |body: String| {
        let received = received.clone();
        async move {
            let mut received = received.lock().unwrap();
            received.push(serde_json::from_str(&body).unwrap());
            // Rejects the second event once.
            if received.len() == 2 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
        }
    });
    tokio::spawn(async move { axum::serve(listener, sink).await });
    let mut ids = Vec::new();
    // The second server continues after the events of the first.
    for expected_events in [3, 5] {
        let server = Running::start(&["--port", "0", "--events", &url], folder.path());
        let body = json!({ "name": "Brindal Quarry Trading" });
        let (_, created) = server.call("POST", "/customers", &server.token, Some(body)).await;
        let id = created["data"]["customer_id"].as_str().unwrap().to_owned();
        let path = format!("/customers/{id}/monitor");
        let (status, _) = server.call("POST", &path, &server.token, Some(json!({}))).await;
        assert_eq!(status, 201);
        ids.push(id);
        for _ in 0..1_200 {
            if events.lock().unwrap().len() >= expected_events {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server.stop("-TERM");
    }
    let received = events.lock().unwrap().clone();
    let kinds: Vec<(&str, &str)> = received
        .iter()
        .map(|event| (event["customer_id"].as_str().unwrap(), event["kind"].as_str().unwrap()))
        .collect();
    let expected = [
        (ids[0].as_str(), "customer.created"),
        (ids[0].as_str(), "monitor.started"),
        (ids[0].as_str(), "monitor.started"),
        (ids[1].as_str(), "customer.created"),
        (ids[1].as_str(), "monitor.started"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(received[1]["event_id"], received[2]["event_id"]);
    let event = &received[2];
    assert_eq!((&event["tenant_id"], &event["actor"]), (&json!("acme"), &json!("local-user")));
    let alert = &event["changes"]["alerts"][0];
    assert_eq!(
        (&alert["status"], &alert["list"]),
        (&json!({ "from": null, "to": "open" }), &json!("sample"))
    );
    assert!(event.get("pk").is_none() && event.get("sk").is_none());

    // A server without the flag disables the stream and sends no events.
    let server = Running::start(&["--port", "0"], folder.path());
    server.call("POST", "/customers", &server.token, Some(json!({ "name": "Quiet" }))).await;
    server.stop("-TERM");
    assert_eq!(events.lock().unwrap().len(), 5);
}

/// Events contain personal data, so a server that receives them must not be able to redirect them
/// to another server.
#[tokio::test]
async fn events_do_not_follow_a_redirect() {
    let folder = tempfile::tempdir().unwrap();
    let requests = Arc::new(Mutex::new(Vec::<String>::new()));
    let received = requests.clone();
    let sink = axum::Router::new().fallback(move |method: Method, uri: Uri| {
        let mut received = received.lock().unwrap();
        received.push(format!("{method} {uri}"));
        // Tests both kinds of redirects: after 302 a client repeats the request as a GET, and after
        // 307 with the same method and body.
        let status =
            if received.len() == 1 { StatusCode::FOUND } else { StatusCode::TEMPORARY_REDIRECT };
        std::future::ready((status, [("location", "/elsewhere?key=secret")]))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, sink).await });
    let server = Running::start(&["--port", "0", "--events", &url], folder.path());
    let body = json!({ "name": "Brindal Quarry Trading" });
    server.call("POST", "/customers", &server.token, Some(body)).await;
    for _ in 0..200 {
        if requests.lock().unwrap().len() >= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = server.stop("-TERM");
    let requests = requests.lock().unwrap().clone();
    assert!(requests.len() >= 2, "{requests:?}");
    assert!(requests.iter().all(|request| request == "POST /events"), "{requests:?}");
    let refusals = lines(&log, "an event was not accepted and is sent again");
    let why = refusals[0]["why"].as_str().unwrap();
    assert!(why.contains("redirects to the host 127.0.0.1; pass the final address"), "{why}");
    assert!(!log.contains("secret"), "{log}");
}

#[tokio::test]
async fn the_start_text_has_address_document_token_and_curl_line_in_this_order() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0"], folder.path());
    let url = &server.url;
    let lines: Vec<&str> =
        server.start_text.lines().filter(|line| !line.is_empty()).map(str::trim_end).collect();
    assert_eq!(lines[0], format!("Customers API on {url} (Ctrl-C stops it)"));
    assert_eq!(lines[1], format!("OpenAPI document: {url}/openapi.json"));
    assert!(lines[2].starts_with("Token for the tenant acme"), "{lines:#?}");
    assert_eq!(lines[3], server.token);
    assert_eq!(lines[4], "Create a customer:");
    assert!(lines[5].starts_with(&format!("curl -i {url}/customers ")), "{lines:#?}");
    assert_eq!(server.call("GET", "/openapi.json", "", None).await.1["openapi"], "3.1.0");
    server.stop("-TERM");
}

#[tokio::test]
async fn on_a_terminal_the_log_goes_to_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = OnTerminal::start(&["--port", "0", "--data", "d"], folder.path());
    let running = &server.running;
    assert!(running.start_text.starts_with("Customers API on "), "{}", running.start_text);
    assert!(running.start_text.contains("d/server.log"), "{}", running.start_text);
    assert_eq!(running.call("GET", "/customers", &running.token, None).await.0, 200);
    let shown = server.stop();
    assert_eq!(shown.replace("^C", "").trim(), "stopping");
    let log = std::fs::read_to_string(folder.path().join("d/server.log")).unwrap();
    assert_eq!(lines(&log, "watchlist updated").len(), 1, "{log}");
    assert_eq!(lines(&log, "request").len(), 1, "{log}");
}

#[tokio::test]
async fn on_a_terminal_memory_leaves_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = OnTerminal::start(&["--port", "0", "--memory"], folder.path());
    let running = &server.running;
    assert!(running.start_text.contains("--log FILE"), "{}", running.start_text);
    assert_eq!(running.call("GET", "/customers", &running.token, None).await.0, 200);
    assert_eq!(server.stop().trim(), "stopping");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn log_appends_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for requests in 1..=2 {
        let server =
            Running::start(&["--port", "0", "--memory", "--log", "own.log"], folder.path());
        assert_eq!(server.call("GET", "/customers", &server.token, None).await.0, 200);
        assert_eq!(server.stop("-TERM").trim(), "stopping");
        let log = std::fs::read_to_string(folder.path().join("own.log")).unwrap();
        assert_eq!(lines(&log, "request").len(), requests, "{log}");
    }
    let error = error_of(&["--port", "0", "--memory", "--log", "missing/own.log"], folder.path());
    assert!(error.contains("missing/own.log") && error.contains("pass --log"), "{error}");
}

#[test]
fn the_help_describes_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["", "token", "openapi", "screen", "watchlists", "screen-eval", "check"] {
        let arguments: Vec<&str> =
            [command, "--help"].into_iter().filter(|argument| !argument.is_empty()).collect();
        let help = String::from_utf8(run(&arguments, folder.path()).stdout).unwrap();
        insta::assert_snapshot!(format!("help {command}").trim().replace(' ', "-"), help);
    }
}
