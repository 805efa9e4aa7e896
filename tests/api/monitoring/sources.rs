//! Tests the download of watchlists: a bad answer from a publisher never replaces a list.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api_tests::log::watch;
use api_tests::{Api, Persona, Value, json};
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{Setup, clock, leave_index_of_another_release, pairs, path};

/// The response of a publisher's server.
#[derive(Clone)]
enum Response {
    /// Sends these bytes and closes the connection.
    Complete(String),
    /// Sends the start of a response and then stalls.
    Stalled,
}

struct Publisher {
    url: String,
    response: Arc<std::sync::Mutex<Response>>,
}

fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

impl Publisher {
    async fn start() -> Publisher {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/list.csv", listener.local_addr().unwrap());
        let response = Arc::new(std::sync::Mutex::new(Response::Stalled));
        let current = response.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let response = current.lock().unwrap().clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    match response {
                        Response::Complete(bytes) => {
                            let _ = stream.write_all(bytes.as_bytes()).await;
                        }
                        Response::Stalled => {
                            let start = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nid,name";
                            let _ = stream.write_all(start.as_bytes()).await;
                            tokio::time::sleep(Duration::from_secs(60)).await;
                        }
                    }
                });
            }
        });
        Publisher { url, response }
    }

    fn respond_with(&self, response: Response) {
        *self.response.lock().unwrap() = response;
    }

    fn send(&self, answer: String) {
        self.respond_with(Response::Complete(answer));
    }
}

fn list(names: &[&str]) -> String {
    let rows = names.iter().enumerate().map(|(id, name)| format!("{id},{name}\n"));
    format!("id,name\n{}", rows.collect::<String>())
}

/// Starts a server whose only list, `theirs`, comes from the publisher.
async fn server_for(publisher: &Publisher, now: &Arc<AtomicI64>) -> Api {
    let sources = json!([{ "list": "theirs", "from": [publisher.url] }]).to_string();
    let settings = [
        ("WATCHLIST_SOURCES", sources),
        ("MAX_SHRINK_PERCENT", "20".to_owned()),
        ("FETCH_TIMEOUT_SECONDS", "1".to_owned()),
        ("MAX_LIST_AGE_HOURS", "48".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value));
    Api::set(clock(now), None, None, settings.into()).await
}

#[tokio::test]
async fn an_unchanged_list_does_not_create_a_new_version() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let again = setup.refresh().await;
    let outcome = &again["lists"][0]["outcome"];
    assert_eq!((&again["revision"], outcome), (&json!(1), &json!("unchanged")));

    setup.write_list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]);
    let changed = setup.refresh().await;
    let outcome = &changed["lists"][0]["outcome"];
    assert_eq!((&changed["revision"], outcome), (&json!(2), &json!("updated")));
    assert_eq!(changed["lists"][0]["entities"], 2);
}

/// The alarms count the log lines of failed requests by level. That a stack has not loaded lists
/// yet is not the fault of a release, so the level is INFO. A lost list is an ERROR.
#[tokio::test]
async fn a_request_without_lists_is_logged_as_no_failure() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Acme").await;
    let (level, cause) = logged_start(&setup.api, &setup, &customer, "LISTS_UNAVAILABLE").await;
    assert_eq!((level.as_str(), cause), ("INFO", Value::Null));

    setup.write_list(&[("1", "Mirka Dovello")]);
    setup.refresh().await;
    setup.api.server().lists.put(&current_object(&setup).await, Vec::new()).await.unwrap();
    let restarted = setup.another_server().await;
    let (level, cause) = logged_start(&restarted, &setup, &customer, "LISTS_UNAVAILABLE").await;
    assert_eq!(level, "ERROR");
    assert!(cause.as_str().unwrap().starts_with("lists/"), "{cause}");
}

/// Tries to start a monitor, which must fail with a 503 and this code. Returns the level and the cause
/// from the request's log line.
pub(crate) async fn logged_start(
    api: &Api,
    setup: &Setup,
    customer: &Value,
    code: &str,
) -> (String, Value) {
    let unique = Uuid::now_v7().simple().to_string();
    let trace_id = format!("1-{}-{}", &unique[..8], &unique[8..]);
    watch().keep(&trace_id);
    let start = api.call(&setup.acme, "POST", &path(customer, "/monitor")).json(&json!({}));
    let start = start.header("x-amzn-trace-id", &format!("Root={trace_id};Sampled=1"));
    start.send().await.refused(503, code);
    let lines = watch().kept(&trace_id);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["trace_id"], trace_id);
    assert_eq!(lines[0]["message"], "request");
    (lines[0]["level"].as_str().unwrap().to_owned(), lines[0]["cause"].clone())
}

/// Returns the object name of the current index of the list `ours`.
async fn current_object(setup: &Setup) -> String {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let get = setup.api.dynamodb.get_item().table_name(&setup.api.table);
    let get = get.key("pk", text("LISTS")).key("sk", text("CURRENT"));
    let current = get.send().await.unwrap().item.unwrap();
    let ours = &current["lists"].as_m().unwrap()["ours"].as_m().unwrap();
    ours["object"].as_s().unwrap().clone()
}

/// A table that was restored into another stack refers to indexes that are missing from the bucket
/// of that stack.
#[tokio::test]
async fn a_lost_index_is_rebuilt_by_the_next_refresh() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let monitored = setup.monitored_customer("Tarun Oblasti").await;
    setup.run_pass("on_update").await;

    let lists = &setup.api.server().lists;
    let object = &current_object(&setup).await;
    lists.put(object, Vec::new()).await.unwrap();

    let restored = setup.another_server().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let start = restored.post(&setup.acme, &path(&customer, "/monitor"), &json!({})).await;
    start.refused(503, "LISTS_UNAVAILABLE");

    let refreshed = restored.refresh().await;
    assert_eq!(refreshed["revision"], 1);
    assert_eq!(refreshed["lists"][0]["outcome"], "unchanged");
    let start = restored.post(&setup.acme, &path(&customer, "/monitor"), &json!({})).await;
    start.expect(201);
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "open")]));

    // The index is lost again before the list changes.
    lists.put(object, Vec::new()).await.unwrap();
    setup.write_list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]);
    let restored = setup.another_server().await;
    assert_eq!(restored.refresh().await["lists"][0]["outcome"], "updated");
    setup.advance_clock(61);
    restored.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    assert_eq!(setup.alert_statuses(&monitored).await, pairs(&[("2", "open")]));
}

#[tokio::test]
async fn an_invalid_list_is_refused_and_the_old_one_stays_in_use() {
    let names =
        ["Mirka Dovello", "Tarun Oblasti", "Nora Quist", "Ivo Brandel", "Pavel Orlo", "Ada Mirz"];
    let publisher = Publisher::start().await;
    publisher.send(http("200 OK", &list(&names)));
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let api = server_for(&publisher, &now).await;
    let acme = Persona::of("acme");
    assert_eq!(api.refresh().await["revision"], 1);

    let complete = http("200 OK", &list(&names));
    for (answer, reason) in [
        (Some(http("200 OK", &list(&names[..3]))), "it lost more than 20 %"),
        // The connection closes before the announced length.
        (Some(complete[..complete.len() - 20].to_owned()), "/list.csv: "),
        (Some(http("200 OK", "<!DOCTYPE html><html><body>Sorry</body></html>")), ""),
        (Some(http("200 OK", "")), ""),
        (Some(http("503 Service Unavailable", &list(&names))), "503"),
        (None, "longer than 1 s"),
    ] {
        match answer {
            Some(answer) => publisher.send(answer),
            None => publisher.respond_with(Response::Stalled),
        }
        let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
        let message = failed["errorMessage"].as_str().unwrap();
        assert!(message.starts_with("refused: theirs"), "{message}");
        assert!(message.contains(reason), "{reason}: {message}");

        let customer = api.create(&acme, &json!({ "name": "Ada Mirz" })).await;
        let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
        assert_eq!(
            (&started["matches"], &started["results_by_list"][0]["stale"]),
            (&json!(1), &json!(false))
        );
    }

    // The list is marked as stale only after its maximum age.
    now.fetch_add(49 * 3_600_000, Ordering::SeqCst);
    let customer = api.create(&acme, &json!({ "name": "Ada Mirz" })).await;
    let stale = async || -> Value {
        let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await;
        started.body["data"]["results_by_list"][0]["stale"].clone()
    };
    assert_eq!(stale().await, true);

    publisher.send(http("200 OK", &list(&names)));
    assert_eq!(api.refresh().await["lists"][0]["outcome"], "unchanged");
    assert_eq!(stale().await, false);
}

/// A release with another matching model needs new indexes. An unavailable publisher does not delay
/// building them.
#[tokio::test]
async fn a_release_with_another_model_rebuilds_the_index_of_every_list() {
    let publisher = Publisher::start().await;
    publisher.send(http("200 OK", &list(&["Mirka Dovello"])));
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let api = server_for(&publisher, &now).await;
    let acme = Persona::of("acme");
    api.refresh().await;
    leave_index_of_another_release(&api, "theirs", list(&["Mirka Dovello"]).as_bytes()).await;

    // The new release can screen before its first refresh.
    let new_release = Api::on_table_of(&api).await;
    let customer = new_release.create(&acme, &json!({ "name": "Mirka Dovello" })).await;
    let started =
        new_release.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["matches"], 1);

    publisher.send(http("503 Service Unavailable", ""));
    api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    let customer = api.create(&acme, &json!({ "name": "Mirka Dovello" })).await;
    let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["matches"], 1);

    publisher.send(http("200 OK", &list(&["Mirka Dovello"])));
    let again = api.refresh().await;
    assert_eq!(
        (&again["revision"], &again["lists"][0]["outcome"]),
        (&json!(2), &json!("unchanged"))
    );
}

/// A publisher's server, or an attacker who controls it, must not be able to make a function
/// connect to other protocols or to private addresses.
#[tokio::test]
async fn a_redirect_that_leaves_https_or_the_public_network_is_not_followed() {
    let publisher = Publisher::start().await;
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    publisher.send(http("200 OK", &list(&["Mirka Dovello"])));
    let api = server_for(&publisher, &now).await;
    assert_eq!(api.refresh().await["revision"], 1);
    for (location, reason) in [
        ("http://192.0.2.1/list.csv", "192.0.2.1 is not this machine"),
        ("ftp://example.org/list.csv", "an address without https, on the host example.org"),
        (
            "https://169.254.169.254/latest?key=secret",
            "169.254.169.254, which is not a public address (link-local)",
        ),
        ("https://10.0.0.1/list.csv", "10.0.0.1, which is not a public address (private)"),
        ("https://[::ffff:192.168.1.1]/list.csv", "not a public address (private)"),
        (
            "https://me:secret@[fd00::1]/list.csv",
            "fd00::1, which is not a public address (private)",
        ),
        ("/list.csv", "more than 5 times"),
    ] {
        publisher.send(format!(
            "HTTP/1.1 302 Found\r\nlocation: {location}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        ));
        let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
        let message = failed["errorMessage"].as_str().unwrap();
        assert!(message.starts_with("refused: theirs (http://127.0.0.1/list.csv: "), "{message}");
        assert!(message.contains(reason), "{reason}: {message}");
        assert!(!message.contains("secret"), "{message}");
    }

    // The list is still in use.
    let acme = Persona::of("acme");
    let customer = api.create(&acme, &json!({ "name": "Mirka Dovello" })).await;
    let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["matches"], 1);
}

#[tokio::test]
async fn a_bad_source_does_not_block_the_others() {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        format!("file://{}", folder.path().join(name).display())
    };
    let (good, bad) = (write("good.csv", &list(&["Mirka Dovello"])), write("bad.csv", "nonsense"));
    let sources =
        json!([{ "list": "bad", "from": [bad] }, { "list": "good", "from": [good] }]).to_string();
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let settings = [("WATCHLIST_SOURCES".to_owned(), sources)];
    let api = Api::set(clock(&now), None, None, settings.into()).await;

    let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    assert!(failed["errorMessage"].as_str().unwrap().starts_with("refused: bad ("), "{failed}");

    let acme = Persona::of("acme");
    let customer = api.create(&acme, &json!({ "name": "Mirka Dovello" })).await;
    let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["lists"], json!(["good"]));

    write("bad.csv", &list(&["Mirka Dovello"]));
    assert_eq!(api.refresh().await["revision"], 2);

    // A monitor of all lists includes the new list from the next pass on.
    now.fetch_add(61_000, Ordering::SeqCst);
    api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    let read = api.get(&acme, &path(&customer, "")).await.expect(200);
    assert_eq!(read["monitoring"]["lists"], json!(["bad", "good"]));
    assert_eq!(read["monitoring"]["open_alerts"], 2);
}

/// The environment of a function is limited to 4 KB, and the sources may need more.
#[tokio::test]
async fn sources_may_be_in_the_bucket_of_the_lists() {
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let setting = ("WATCHLIST_SOURCES".to_owned(), "sources.json".to_owned());
    let api = Api::set(clock(&now), None, None, [setting].into()).await;
    let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    assert!(failed["errorMessage"].as_str().unwrap().contains("sources.json"), "{failed}");

    let publisher = Publisher::start().await;
    publisher.send(http("200 OK", &list(&["Mirka Dovello"])));
    let sources = (0..50).map(|number| {
        let url = format!("{}?{}", publisher.url, "long".repeat(100));
        json!({ "list": format!("list-{number}"), "from": [url] })
    });
    let sources = json!(sources.collect::<Vec<_>>()).to_string();
    assert!(sources.len() > 4_096);
    let lists = &api.server().lists;
    lists.put("sources.json", sources.into_bytes()).await.unwrap();
    let refreshed = api.refresh().await;
    assert_eq!(
        (&refreshed["revision"], refreshed["lists"].as_array().unwrap().len()),
        (&json!(1), 50)
    );

    // Faulty sources leave all lists in use, and do not show the addresses.
    let faulty = json!([{ "list": "un", "from": ["http://me:secret@example.org/?key=secret"] }]);
    lists.put("sources.json", faulty.to_string().into_bytes()).await.unwrap();
    let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    let message = failed["errorMessage"].as_str().unwrap();
    assert!(message.contains("URL 1 of \"un\" (http://example.org/) must be"), "{message}");
    assert!(!message.contains("secret"), "{message}");
    let acme = Persona::of("acme");
    let customer = api.create(&acme, &json!({ "name": "Mirka Dovello" })).await;
    let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["matches"], 50);
}

#[tokio::test]
async fn removing_a_list_from_the_settings_clears_its_alerts() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    setup.run_pass("on_update").await;

    let folder = tempfile::TempDir::new().unwrap();
    let other = folder.path().join("other.csv");
    std::fs::write(&other, list(&["Someone Else"])).unwrap();
    let sources = json!([{ "list": "other", "from": [format!("file://{}", other.display())] }]);
    let settings = [
        ("WATCHLIST_SOURCES".to_owned(), sources.to_string()),
        ("MONITOR_SHARDS".to_owned(), "1".to_owned()),
    ];
    let api = Api::set(clock(&setup.now), Some(&setup.api), None, settings.into()).await;

    let refreshed = api.refresh().await;
    assert_eq!(refreshed["lists"][0], json!({ "outcome": "removed", "list": "ours" }));

    // The number of shards was reduced to 1, but the pass still processes both shards.
    setup.advance_clock(61);
    let result = api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    assert_eq!(result["shards"].as_array().unwrap().len(), 2);

    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "cleared")]));
    assert_eq!(setup.alerts(&customer).await[0]["cleared_because"], "list_removed");
}

/// If a list has several files, the file of aliases can be incomplete although the file of entries
/// is complete.
#[tokio::test]
async fn a_list_that_lost_half_of_its_aliases_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |name: &str, rows: Vec<String>| {
        std::fs::write(folder.path().join(name), rows.join("\n") + "\n").unwrap();
    };
    let entries = |count: usize| -> Vec<String> {
        let row = |id| {
            format!(
                "{id},\"DOVELLO {id}, Mirka\",\"individual\",\"X\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- "
            )
        };
        (1..=count).map(row).collect()
    };
    let aliases = |count: usize| -> Vec<String> {
        (1..=count).map(|id| format!("{id},{id},\"aka\",\"QUIST {id}, Tarun\",-0- ")).collect()
    };

    write("sdn.csv", entries(200));
    write("alt.csv", aliases(200));

    let from =
        ["sdn.csv", "alt.csv"].map(|name| format!("file://{}/{name}", folder.path().display()));
    let sources = json!([{ "list": "ours", "from": from }]).to_string();
    let environment = [("WATCHLIST_SOURCES".to_owned(), sources)].into();
    let api = Api::set(shared::model::time::Clock::system(), None, None, environment).await;
    api.refresh().await;

    write("alt.csv", aliases(90));
    let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    let message = failed["errorMessage"].as_str().unwrap();
    assert!(message.contains("the list has 290 names and had 400"), "{message}");

    write("alt.csv", aliases(190));
    assert_eq!(api.refresh().await["lists"][0]["outcome"], "updated");
}
