//! What comes from a publisher, and what must never become a list.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use api_tests::{Api, Persona, Value, json};
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Watched, clock, of_another_release, pairs, path};

/// What a publisher's server sends, byte for byte, and whether it ever ends.
#[derive(Clone)]
enum Sends {
    Answer(String),
    Nothing,
}

struct Publisher {
    url: String,
    sends: Arc<std::sync::Mutex<Sends>>,
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
        let sends = Arc::new(std::sync::Mutex::new(Sends::Nothing));
        let told = sends.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let sends = told.lock().unwrap().clone();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = stream.read(&mut request).await;
                    match sends {
                        Sends::Answer(answer) => {
                            let _ = stream.write_all(answer.as_bytes()).await;
                        }
                        Sends::Nothing => {
                            let begun = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nid,name";
                            let _ = stream.write_all(begun.as_bytes()).await;
                            tokio::time::sleep(Duration::from_secs(60)).await;
                        }
                    }
                });
            }
        });
        Publisher { url, sends }
    }

    fn sends(&self, answer: String) {
        *self.sends.lock().unwrap() = Sends::Answer(answer);
    }
}

fn list(names: &[&str]) -> String {
    let rows = names.iter().enumerate().map(|(id, name)| format!("{id},{name}\n"));
    format!("id,name\n{}", rows.collect::<String>())
}

async fn reading(publisher: &Publisher, now: &Arc<AtomicI64>) -> Api {
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
async fn the_same_list_is_no_new_version() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let again = w.refresh().await;
    let outcome = &again["lists"][0]["outcome"];
    assert_eq!((&again["revision"], outcome), (&json!(1), &json!("unchanged")));
    w.list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]);
    let changed = w.refresh().await;
    let outcome = &changed["lists"][0]["outcome"];
    assert_eq!((&changed["revision"], outcome), (&json!(2), &json!("updated")));
    assert_eq!(changed["lists"][0]["entities"], 2);
}

/// A table that was restored into a stack of its own knows lists that its bucket does not have.
#[tokio::test]
async fn an_index_that_is_lost_is_made_anew() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let followed = w.monitored("Tarun Oblasti").await;
    w.pass("on_update").await;
    let lists = &w.api.server().lists;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let current = w.api.dynamodb.get_item().table_name(&w.api.table);
    let current = current.key("pk", text("LISTS")).key("sk", text("CURRENT"));
    let current = current.send().await.unwrap().item.unwrap();
    let ours = &current["lists"].as_m().unwrap()["ours"].as_m().unwrap();
    let object = ours["object"].as_s().unwrap();
    lists.put(object, Vec::new()).await.unwrap();

    let restored = w.another().await;
    let customer = w.customer("Mirka Dovello").await;
    let start = restored.post(&w.acme, &path(&customer, "/monitor"), &json!({})).await;
    start.refused(503, "STORE_UNAVAILABLE");
    let refreshed = restored.refresh().await;
    assert_eq!(refreshed["revision"], 1);
    assert_eq!(refreshed["lists"][0]["outcome"], "unchanged");
    let start = restored.post(&w.acme, &path(&customer, "/monitor"), &json!({})).await;
    start.expect(201);
    assert_eq!(w.found(&customer).await, pairs(&[("1", "open")]));

    // The list moves on from a version whose index is gone again.
    lists.put(object, Vec::new()).await.unwrap();
    w.list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]);
    let restored = w.another().await;
    assert_eq!(restored.refresh().await["lists"][0]["outcome"], "updated");
    w.pass_time(61);
    restored.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    assert_eq!(w.found(&followed).await, pairs(&[("2", "open")]));
}

#[tokio::test]
async fn what_is_no_list_is_refused_and_the_old_one_stays() {
    let names =
        ["Mirka Dovello", "Tarun Oblasti", "Nora Quist", "Ivo Brandel", "Pavel Orlo", "Ada Mirz"];
    let publisher = Publisher::start().await;
    publisher.sends(http("200 OK", &list(&names)));
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let api = reading(&publisher, &now).await;
    let acme = Persona::of("acme");
    assert_eq!(api.refresh().await["revision"], 1);
    let cut = http("200 OK", &list(&names));
    for (answer, why) in [
        (Some(http("200 OK", &list(&names[..3]))), "more than 20 % are gone"),
        // The connection ends before the length that was promised.
        (Some(cut[..cut.len() - 20].to_owned()), "/list.csv: "),
        (Some(http("200 OK", "<!DOCTYPE html><html><body>Sorry</body></html>")), ""),
        (Some(http("200 OK", "")), ""),
        (Some(http("503 Service Unavailable", &list(&names))), "503"),
        (None, "within 1 s"),
    ] {
        match answer {
            Some(answer) => publisher.sends(answer),
            None => *publisher.sends.lock().unwrap() = Sends::Nothing,
        }
        let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
        let told = failed["errorMessage"].as_str().unwrap();
        assert!(told.starts_with("refused: theirs"), "{told}");
        assert!(told.contains(why), "{why}: {told}");
        let customer = api.create(&acme, &json!({ "name": "Ada Mirz" })).await;
        let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
        assert_eq!(
            (&started["matches"], &started["results_by_list"][0]["stale"]),
            (&json!(1), &json!(false))
        );
    }
    // It is only said to be old once it is.
    now.fetch_add(49 * 3_600_000, Ordering::SeqCst);
    let customer = api.create(&acme, &json!({ "name": "Ada Mirz" })).await;
    let stale = async || -> Value {
        let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await;
        started.body["data"]["results_by_list"][0]["stale"].clone()
    };
    assert_eq!(stale().await, true);
    publisher.sends(http("200 OK", &list(&names)));
    assert_eq!(api.refresh().await["lists"][0]["outcome"], "unchanged");
    assert_eq!(stale().await, false);
}

/// Another matching model needs other indexes; a publisher that is away holds nothing up.
#[tokio::test]
async fn a_release_with_another_model_builds_every_list_anew() {
    let publisher = Publisher::start().await;
    publisher.sends(http("200 OK", &list(&["Mirka Dovello"])));
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let api = reading(&publisher, &now).await;
    let acme = Persona::of("acme");
    api.refresh().await;
    of_another_release(&api, "theirs", list(&["Mirka Dovello"]).as_bytes()).await;
    // Both releases screen, before anybody has refreshed.
    let early = Api::on_table_of(&api).await;
    let customer = early.create(&acme, &json!({ "name": "Mirka Dovello" })).await;
    let started = early.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["matches"], 1);
    publisher.sends(http("503 Service Unavailable", ""));
    api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    let customer = api.create(&acme, &json!({ "name": "Mirka Dovello" })).await;
    let started = api.post(&acme, &path(&customer, "/monitor"), &json!({})).await.expect(201);
    assert_eq!(started["matches"], 1);
    publisher.sends(http("200 OK", &list(&["Mirka Dovello"])));
    let again = api.refresh().await;
    assert_eq!(
        (&again["revision"], &again["lists"][0]["outcome"]),
        (&json!(2), &json!("unchanged"))
    );
}

/// A list is worth what the way it came is worth.
#[tokio::test]
async fn a_redirect_that_leaves_https_is_not_followed() {
    let publisher = Publisher::start().await;
    let moved =
        "HTTP/1.1 302 Found\r\nlocation: http://example.org/list.csv\r\ncontent-length: 0\r\n\r\n";
    publisher.sends(moved.to_owned());
    let now = Arc::new(AtomicI64::new(1_795_000_000_000));
    let api = reading(&publisher, &now).await;
    let failed = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    let told = failed["errorMessage"].as_str().unwrap();
    assert!(told.contains("leads away from https"), "{told}");
}

#[tokio::test]
async fn one_bad_source_holds_up_no_other() {
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
    // Who watches all lists watches the new one, from the next pass on.
    now.fetch_add(61_000, Ordering::SeqCst);
    api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    let open = api.get(&acme, &path(&customer, "")).await.expect(200);
    assert_eq!(open["monitoring"]["lists"], json!(["bad", "good"]));
    assert_eq!(open["monitoring"]["open_alerts"], 2);
}

#[tokio::test]
async fn a_list_that_is_configured_no_longer_clears_its_alerts() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.monitored("Mirka Dovello").await;
    w.pass("on_update").await;
    let folder = tempfile::TempDir::new().unwrap();
    let other = folder.path().join("other.csv");
    std::fs::write(&other, list(&["Nobody Else"])).unwrap();
    let sources = json!([{ "list": "other", "from": [format!("file://{}", other.display())] }]);
    let settings = [
        ("WATCHLIST_SOURCES".to_owned(), sources.to_string()),
        ("MONITOR_SHARDS".to_owned(), "1".to_owned()),
    ];
    let api = Api::set(clock(&w.now), Some(&w.api), None, settings.into()).await;
    let done = api.refresh().await;
    assert_eq!(done["lists"][0], json!({ "outcome": "removed", "list": "ours" }));
    // Fewer shards than before: those there were are still walked.
    w.pass_time(61);
    let passed = api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    assert_eq!(passed["shards"].as_array().unwrap().len(), 2);
    assert_eq!(w.found(&customer).await, pairs(&[("1", "cleared")]));
    assert_eq!(w.alerts(&customer).await[0]["cleared_because"], "list_removed");
}

/// Of a list of several files half of one can be missing, with every entry there.
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
    let refused = api.run("refresh-watchlists", &json!({})).await.unwrap_err();
    let why = refused["errorMessage"].as_str().unwrap();
    assert!(why.contains("it has 290 names and had 400"), "{why}");
    write("alt.csv", aliases(190));
    assert_eq!(api.refresh().await["lists"][0]["outcome"], "updated");
}
