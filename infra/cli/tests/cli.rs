//! The command as a person uses it: the binary itself, its output, its signals and its files.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

fn command(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kyc-customers"));
    command.args(arguments).env_remove("DYNAMODB_ENDPOINT").current_dir(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str], data: &Path) -> Output {
    command(arguments, data).output().unwrap()
}

/// A running server; killed if a test fails before it is stopped.
struct Running {
    child: Child,
    welcome: String,
    url: String,
    token: String,
}

impl Running {
    fn start(arguments: &[&str], folder: &Path) -> Running {
        Running::of(command(arguments, folder))
    }

    fn of(mut command: Command) -> Running {
        let mut child = command.spawn().unwrap();
        let mut welcome = String::new();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        while !welcome.contains("\ncurl ") {
            let line = lines.next().expect("the server ended").unwrap();
            welcome.push_str(&line);
            welcome.push('\n');
        }
        let url =
            welcome.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        let token = welcome.lines().find(|line| line.starts_with("eyJ")).unwrap().to_owned();
        Running { child, welcome, url, token }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Stops it and returns the log.
    fn stop(mut self, signal: &str) -> String {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(status.success(), "{status}: {log}");
        log
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
        let mut request = client.request(method, format!("{}{path}", self.url)).bearer_auth(token);
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_printed_line_works_and_the_data_survives() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0"], folder.path());
    let curl = server.welcome.lines().find(|line| line.starts_with("curl ")).unwrap();
    // What the printed line sends, without depending on curl being installed.
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

    // Another port, the same folder: the old token and the customer are still good.
    let server = Running::start(&["--port", "0"], folder.path());
    let path = format!("/customers/{}", created["data"]["customer_id"].as_str().unwrap());
    assert_eq!(server.call("GET", &path, &token, None).await.1["data"], created["data"]);
    server.stop("-TERM");
}

#[tokio::test]
async fn a_token_is_printed_and_nothing_else() {
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
async fn in_memory_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--memory"], folder.path());
    assert_eq!(server.call("GET", "/customers", &server.token, None).await.0, 200);
    server.stop("-INT");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_is_taken_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--data", "d"], folder.path());
    let port = server.url.rsplit(':').next().unwrap();
    for (arguments, told) in [
        (["--port", port, "--data", "e"], "pass --port"),
        (["--port", "0", "--data", "d"], "is in use by another server"),
    ] {
        let refused = run(&arguments, folder.path());
        let said = text(&refused.stderr);
        assert_eq!((refused.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(told), "{said}");
    }
    assert!(!folder.path().join("e").exists(), "a refused start leaves a folder behind");
    server.stop("-INT");
}

#[tokio::test]
async fn a_request_is_one_log_line_without_personal_data() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(&["--port", "0", "--memory"], folder.path());
    let secret = json!({
        "name": "Zaphod Beeblebrox", "tax_id": "TAX-4242", "email": "zaphod@example.com", "phone": "+4930555123",
        "entity_type": "individual", "date_of_birth": "1952-03-11", "website": "https://zaphod.example",
        "client_id": "zb-1", "industry": "Presidency", "tags": ["two-heads"], "metadata": { "ship": "heart-of-gold" },
    });
    let (status, created) =
        server.call("POST", "/customers", &server.token, Some(secret.clone())).await;
    assert_eq!(status, 201, "{created}");
    let path = format!("/customers/{}", created["data"]["customer_id"].as_str().unwrap());
    let mut faulty = secret.clone();
    faulty["email"] = json!("zaphod@@example.com");
    for (method, path, body) in [
        ("POST", "/customers".to_owned(), Some(secret.clone())),
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
fn the_openapi_document_is_printed() {
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
1,\"DOVELLO, Mirka\",person,Мирка Довелло,1971-03-09,FR,Said anew
2,BRINDAL QUARRY TRADING LLC,organization,Brindal Gravel,,AE,
4,\"KUZMINCHEV, Aleksey\",person,,,RU,
";

fn json_of(arguments: &[&str], folder: &Path) -> Value {
    let out = run(arguments, folder);
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn refused(arguments: &[&str], folder: &Path) -> String {
    let out = run(arguments, folder);
    assert!(!out.status.success(), "{arguments:?}");
    String::from_utf8(out.stderr).unwrap()
}

fn built_lists() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("old", OLD_LIST), ("new", NEW_LIST)] {
        std::fs::write(folder.path().join(format!("{name}.csv")), text).unwrap();
        let (from, out) = (format!("{name}.csv"), format!("{name}.idx"));
        let told = json_of(
            &["watchlists", "build", "--list", "own", "--from", &from, "--out", &out, "--json"],
            folder.path(),
        );
        assert_eq!(told["report"]["counts"]["entities"], 3);
        assert_eq!(told["version"].as_str().unwrap().len(), 16);
    }
    folder
}

#[test]
fn a_list_is_built_looked_at_and_compared() {
    let folder = built_lists();
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
    let told = run(&["watchlists", "diff", "old.idx", "new.idx"], folder.path());
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("KUZMINCHEV, Aleksey") && told.contains("OLD TARN 62"), "{told}");
}

#[test]
fn a_name_is_screened_and_the_match_explained() {
    let folder = built_lists();
    let asked =
        ["screen", "Mirca Dovello", "--list", "old.idx", "--country", "France", "--born", "1971"];
    let told = json_of(&[&asked[..], &["--json"]].concat(), folder.path());
    assert_eq!(told["lists"][0]["list"], "own");
    let found = &told["matches"][0];
    assert_eq!(
        (&found["id"], &found["explanation"]["strength"]),
        (&json!("1"), &json!("name_and_date"))
    );
    assert_eq!(told["matches"].as_array().unwrap().len(), 1);
    let told = String::from_utf8(run(&asked, folder.path()).stdout).unwrap();
    for part in ["One match", "mirca = mirka", "the same sound", "agrees: asked for FR, listed FR"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let nobody =
        ["screen", "Mirca Dovello", "--list", "old.idx", "--list", "new.idx", "--threshold", "1"];
    let told = String::from_utf8(run(&nobody, folder.path()).stdout).unwrap();
    assert!(told.contains("Nobody with a score of 1 or more"), "{told}");
    let sample =
        String::from_utf8(run(&["screen", "Mirka Dovello"], folder.path()).stdout).unwrap();
    assert!(sample.contains("S-001") && sample.contains("don't exist"), "{sample}");
}

#[test]
fn the_matching_is_measured_on_labelled_data() {
    let folder = built_lists();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "queries.csv",
        "kind,category,schema,query,expected_ids\n\
         positive,exact,Person,Mirka Dovello,1\n\
         positive,typo,Person,Nobody Knows,1|2\n\
         negative,negative_us,Person,Ann Lindqvist,\n\
         negative,hard_company_sibling,Company,Brindal Quarry Trading,\n",
    );
    let told = json_of(
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
        (&told["recall"], &told["random_negative_hits"], &told["hard_negative_hits"]),
        (&json!(0.5), &json!(0.0), &json!(1.0))
    );
    assert_eq!(told["threshold"], 0.8);
    assert_eq!(told["classes"]["typo"], 0.0);
    assert!(told["queries_per_second"].as_f64().unwrap() > 0.0);
    let sweep = told["sweep"].as_array().unwrap();
    assert_eq!(
        (sweep.len(), &sweep[0]["threshold"], &sweep[45]["recall"]),
        (46, &json!(0.5), &json!(0.5))
    );
    write("names.csv", "id,full_name\n1,Mirka Dovello\n2,Ann Lindqvist\n");
    let told = json_of(
        &["screen-eval", "--list", "old.idx", "--names", "names.csv", "--json"],
        folder.path(),
    );
    assert_eq!((&told["alert_rate"], &told["names"]), (&json!(0.5), &json!(2)));
    write("pairs.csv", "name1,name2,is_match\nMirka Dovello,Dovello Mirka,true\nMirka,Ann,false\n");
    let told = json_of(&["screen-eval", "--pairs", "pairs.csv", "--json"], folder.path());
    assert_eq!(told["best"]["f1"], 1.0);
}

#[test]
fn what_cannot_be_read_is_refused_and_nothing_is_written() {
    let folder = built_lists();
    let path = folder.path();
    let build = |from: &str, out: &str| -> String {
        refused(&["watchlists", "build", "--list", "own", "--from", from, "--out", out], path)
    };
    std::fs::write(path.join("half.csv"), "id,name,kind\n1,\"DOVELLO").unwrap();
    assert!(build("half.csv", "half.idx").contains("half.csv"));
    assert!(build("missing.csv", "missing.idx").contains("missing.csv"));
    std::fs::write(path.join("typo.csv"), "id,nmae\n1,x\n").unwrap();
    // What is there stays as it was.
    let before = std::fs::read(path.join("old.idx")).unwrap();
    build("typo.csv", "old.idx");
    assert_eq!(std::fs::read(path.join("old.idx")).unwrap(), before);
    let left = std::fs::read_dir(path).unwrap().count();
    assert_eq!(left, 6, "two lists, two indexes, two bad files");

    let mut damaged = before;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(path.join("damaged.idx"), damaged).unwrap();
    assert!(refused(&["screen", "Mirka", "--list", "damaged.idx"], path).contains("checksum"));
    let foreign = refused(&["watchlists", "info", "old.csv"], path);
    assert!(foreign.contains("no watchlist index"), "{foreign}");
    run(
        &["watchlists", "build", "--list", "other", "--from", "new.csv", "--out", "other.idx"],
        path,
    );
    let other = refused(&["watchlists", "diff", "old.idx", "other.idx"], path);
    assert!(other.contains("only versions of one list"), "{other}");
    assert!(refused(&["screen", "Mirka", "--country", "Atlantis"], path).contains("--country"));
    assert!(refused(&["screen", "Mirka", "--threshold", "2"], path).contains("up to 1"));
    assert!(refused(&["screen", "???"], path).contains("no letters or digits"));
    assert!(refused(&["screen-eval", "--list", "old.idx"], path).contains("--queries"));
}

/// The lines of a log that are JSON and say this.
fn lines(log: &str, message: &str) -> Vec<Value> {
    let parsed = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn a_refused_list_is_one_log_line_and_a_metric() {
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
    let (status, failed) = running.call("POST", path, "", None).await;
    assert_eq!((status, &failed["errorType"]), (200, &json!("INTERNAL_ERROR")));
    let body = json!({ "name": "Mirka Dovello" });
    let token = running.token.clone();
    let (_, made) = running.call("POST", "/customers", &token, Some(body)).await;
    let id = made["data"]["customer_id"].as_str().unwrap();
    let path = format!("/customers/{id}/monitor");
    let (status, started) = running.call("POST", &path, &token, Some(json!({}))).await;
    assert_eq!((status, &started["data"]["matches"]), (201, &json!(1)));
    let log = running.stop("-TERM");
    assert_eq!(lines(&log, "watchlist updated").len(), 1, "{log}");
    let refused = lines(&log, "watchlist refused");
    assert_eq!(refused.len(), 1, "{log}");
    let line = &refused[0];
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
    // Who matched is nobody's business in a log.
    assert!(!log.contains("Dovello"), "{log}");
}

#[tokio::test]
async fn events_leave_in_order_and_at_least_once() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let taken = std::sync::Arc::new(std::sync::Mutex::new(Vec::<Value>::new()));
    let kept = taken.clone();
    let server = axum::Router::new().fallback(move |body: String| {
        let kept = kept.clone();
        async move {
            let event: Value = serde_json::from_str(&body).unwrap();
            let mut kept = kept.lock().unwrap();
            kept.push(event);
            // The second one is not taken the first time it comes.
            if kept.len() == 2 {
                axum::http::StatusCode::SERVICE_UNAVAILABLE
            } else {
                axum::http::StatusCode::OK
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, server).await });
    let mut ids = Vec::new();
    for start in 0..2 {
        let running = Running::start(&["--port", "0", "--events", &url], folder.path());
        let token = running.token.clone();
        let body = json!({ "name": "Brindal Quarry Trading" });
        let (_, made) = running.call("POST", "/customers", &token, Some(body)).await;
        let id = made["data"]["customer_id"].as_str().unwrap().to_owned();
        running.call("POST", &format!("/customers/{id}/monitor"), &token, Some(json!({}))).await;
        ids.push(id);
        let enough = [3, 5][start];
        for _ in 0..200 {
            if taken.lock().unwrap().len() >= enough {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        running.stop("-TERM");
    }
    let all = taken;
    let taken = all.lock().unwrap().clone();
    let told: Vec<(&str, &str)> = taken
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
    assert_eq!(told, expected);
    assert_eq!(taken[1]["event_id"], taken[2]["event_id"]);
    let event = &taken[2];
    assert_eq!((&event["tenant_id"], &event["actor"]), (&json!("acme"), &json!("local-user")));
    let alert = &event["changes"]["alerts"][0];
    assert_eq!(
        (&alert["status"], &alert["list"]),
        (&json!({ "from": null, "to": "open" }), &json!("sample"))
    );
    assert!(event.get("pk").is_none() && event.get("sk").is_none());

    // Without the flag the stream is off again, and nothing leaves.
    let running = Running::start(&["--port", "0"], folder.path());
    let token = running.token.clone();
    running.call("POST", "/customers", &token, Some(json!({ "name": "Quiet" }))).await;
    running.stop("-TERM");
    assert_eq!(all.lock().unwrap().len(), 5);
}
