//! Tests the conventions that every route follows: bodies, content codings, conditional requests
//! and `HEAD`.

use api_tests::chaos::{Overload, Trouble};
use api_tests::table::{Item, number, text_of};
use api_tests::{Answer, Api, Call, Persona, TEMPLATE, Value, json, path_of};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::invariants::checked;
use crate::matrix::{ROWS, everything};
use crate::monitoring::{Setup, path};
use crate::organization::structure;
use crate::sessions;

#[tokio::test]
async fn a_byte_order_mark_is_skipped() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let send = |method: &str, path: &str, body: &str| {
        let call = api.call(&acme, method, path).header("content-type", "application/json");
        call.text(format!("\u{feff}{body}")).send()
    };
    let customer = send("POST", "/customers", r#"{"name":"A"}"#).await.expect(201);
    let path = path_of(&customer);
    assert_eq!(send("PATCH", &path, r#"{"name":"B"}"#).await.expect(200)["name"], "B");
    let organization = format!("{path}/organization");
    send("PUT", &organization, r#"{"parties":[],"relationships":[]}"#).await.expect(201);
    // Only one byte order mark is skipped, and only at the start.
    for body in ["\u{feff}{}", "{}\u{feff}"] {
        send("POST", "/customers", body).await.refused(400, "MALFORMED_JSON");
    }
}

#[tokio::test]
async fn a_content_encoding_other_than_identity_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let send = |coding: &str| {
        let call = api.call(&acme, "POST", "/customers").header("content-encoding", coding);
        call.json(&json!({ "name": "A" })).send()
    };
    for coding in ["gzip", "br", "identity, gzip", "x-unknown"] {
        let answer = send(coding).await;
        assert_eq!(answer.header("accept-encoding"), Some("identity"), "{coding}");
        answer.refused(415, "UNSUPPORTED_CONTENT_ENCODING");
    }
    for coding in ["identity", "Identity", ""] {
        send(coding).await.expect(201);
    }
    // The answer to an unsupported media type does not have `Accept-Encoding`.
    let text = api.call(&acme, "POST", "/customers").header("content-type", "text/plain");
    let answer = text.text("{}").send().await;
    assert_eq!(answer.header("accept-encoding"), None);
    answer.refused(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn a_charset_other_than_utf_8_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let send = |charset: &str| {
        let content_type = format!("application/json; charset={charset}");
        let call = api.call(&acme, "POST", "/customers").header("content-type", &content_type);
        call.text(r#"{"name":"A"}"#).send()
    };
    for charset in ["utf-8", "UTF-8", "\"utf-8\"", "utf8", "UTF8", "\"utf8\""] {
        send(charset).await.expect(201);
    }
    for charset in ["utf-16", "iso-8859-1", "utf", "utf88"] {
        send(charset).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[tokio::test]
async fn a_request_to_monitor_or_erase_needs_no_body() {
    let w = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.create_customer("Mirka Dovello").await;
    let path = path_of(&customer);
    let post = |rest: &str| w.api.call(&w.acme, "POST", &format!("{path}/{rest}"));

    let started = post("monitor").send().await.expect(201);
    assert_eq!(
        (&started["matches"], &started["check_frequency"]),
        (&json!(1), &json!("on_update"))
    );
    // Some clients send a content type without a body.
    let empty = post("monitor").header("content-type", "application/x-www-form-urlencoded");
    empty.send().await.expect(200);
    post("monitor").json(&json!({ "check_frequency": "daily" })).send().await.expect(200);
    post("monitor").text("[]").send().await.refused(415, "UNSUPPORTED_MEDIA_TYPE");

    w.api.delete(&w.acme, &path).await.expect(200);
    // An absent body is accepted: the refusal is about the retention period, which has not ended.
    post("erase").send().await.refused(409, "RETENTION_PERIOD");
}

#[tokio::test]
async fn kosovo_is_a_country() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "country": "xk" })).await;
    assert_eq!(customer["country"], "XK");
    let page = api.get(&acme, "/customers?country=XK").await.expect(200);
    assert_eq!(page["items"], json!([customer]));
    // ISO 3166 also reserves other codes for its users, but lists and payment systems do not agree
    // on their meaning.
    for country in ["XX", "XA", "ZZ", "QM", "AA"] {
        let answer =
            api.post(&acme, "/customers", &json!({ "name": "A", "country": country })).await;
        assert_eq!(answer.faults(), ["/country"], "{country}");
    }
}

/// Returns the body of a request to erase a customer before its retention has ended.
fn reason() -> Value {
    json!({ "override_reason": "A test" })
}

/// A customer of a [`Setup`] that has a session, an organization, a monitor and an alert.
struct Resources {
    w: Setup,
    customer: Value,
    session: Value,
    alert: Value,
}

/// A change of an existing resource: its method, its path and its body.
type Change = (&'static str, String, Option<Value>);

impl Resources {
    async fn new() -> Resources {
        let w = Setup::start(&[("1", "Mirka Dovello")]).await;
        let customer = w.monitored_customer("Mirka Dovello").await;
        let link = json!({ "customer_id": customer["customer_id"] });
        let session = w.api.post(&w.acme, "/kyc/sessions", &link).await.expect(201);
        let put = w.api.call(&w.acme, "PUT", &path(&customer, "/organization"));
        put.json(&structure(&["p1"], &[])).send().await.expect(201);
        let alert = w.alerts(&customer).await.remove(0);
        Resources { w, customer, session, alert }
    }

    fn path_of_alert(&self) -> String {
        path(&self.customer, &format!("/alerts/{}", self.alert["alert_id"].as_str().unwrap()))
    }

    /// Returns changes of every kind of resource. The last one erases the customer.
    fn changes(&self) -> Vec<Change> {
        let of = |rest: &str| path(&self.customer, rest);
        let frequency = json!({ "check_frequency": "daily" });
        let organization = structure(&["p1", "p2"], &[]);
        vec![
            ("PATCH", of(""), Some(json!({ "industry": "Banking" }))),
            ("PUT", of("/organization"), Some(organization)),
            ("PATCH", sessions::path_of(&self.session), Some(json!({ "status": "completed" }))),
            ("PATCH", self.path_of_alert(), Some(json!({ "status": "confirmed" }))),
            ("POST", of("/monitor"), Some(frequency)),
            ("DELETE", of("/monitor"), None),
            ("DELETE", of(""), None),
            ("POST", of("/erase"), Some(reason())),
        ]
    }

    fn call(&self, (method, path, body): &Change) -> Call {
        let call = self.w.api.call(&self.w.acme, method, path);
        match body {
            Some(body) => call.json(body),
            None => call,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.w.api.get(&self.w.acme, path).await
    }

    /// Returns the current version of the resource that a change targets.
    async fn version(&self, (_, path, _): &Change) -> u64 {
        if path.contains("/alerts/") {
            let alerts = self.w.alerts(&self.customer).await;
            return alerts[0]["version"].as_u64().unwrap();
        }
        let data = self.get(path.trim_end_matches("/erase")).await.expect(200);
        data["version"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn every_change_of_a_resource_honours_if_match() {
    let all = Resources::new().await;
    for change in all.changes() {
        let (method, path, _) = &change;
        let version = all.version(&change).await;
        for stale in [version + 1, version - 1, 0] {
            let call = all.call(&change).header("if-match", &format!("\"{stale}\""));
            let error = call.send().await.refused(412, "VERSION_MISMATCH");
            assert_eq!(error["details"][0]["version"], version, "{method} {path}");
        }
        let weak = all.call(&change).header("if-match", &format!("W/\"{version}\""));
        let error = weak.send().await.refused(412, "VERSION_MISMATCH");
        assert!(error["message"].as_str().unwrap().contains("proxy"), "{error}");
        assert_eq!(all.version(&change).await, version, "{method} {path}");

        // One matching tag in the list is enough, and the digest in a tag is ignored.
        let tags = format!("W/\"{version}\", \"{version}-0badcafe\"");
        let answer = all.call(&change).header("if-match", &tags).send().await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        let next = answer.body["data"]["version"].as_u64().unwrap();
        assert_eq!(next, version + 1, "{method} {path}");
        assert_eq!(answer.header("etag"), Some(&*format!("\"{next}\"")), "{method} {path}");
    }
}

#[tokio::test]
async fn a_monitor_that_does_not_exist_has_no_version() {
    let w = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.create_customer("Mirka Dovello").await;
    let start = |tag: &str| {
        let call = w.api.call(&w.acme, "POST", &path(&customer, "/monitor"));
        call.header("if-match", tag).send()
    };
    for tag in ["*", "\"1\""] {
        start(tag).await.refused(412, "VERSION_MISMATCH");
    }
    let started = w.monitor(&customer, &json!({})).await;
    assert_eq!(started.header("etag"), Some("\"1\""));
    assert_eq!(started.expect(201)["version"], 1);
    start("\"1\"").await.expect(200);
    // A stopped monitor keeps its version.
    w.api.delete(&w.acme, &path(&customer, "/monitor")).await.expect(200);
    start("\"2\"").await.refused(412, "VERSION_MISMATCH");
    assert_eq!(start("\"3\"").await.expect(201)["version"], 4);
}

#[tokio::test]
async fn a_precondition_without_a_meaning_is_refused() {
    let all = Resources::new().await;
    let reads =
        ["", "/sessions", "/alerts", "/risk-profile", "/export", "/organization", "/monitor"]
            .map(|rest| path(&all.customer, rest));
    let mut reads = reads.to_vec();
    reads.extend(["/customers".to_owned(), sessions::path_of(&all.session)]);
    for read in &reads {
        let get = |header: &str, value: &str| {
            all.w.api.call(&all.w.acme, "GET", read).header(header, value).send()
        };
        assert_eq!(get("if-match", "*").await.faults(), ["If-Match"], "{read}");
        let date = "Sun, 22 Nov 2026 12:00:00 GMT";
        assert_eq!(get("if-modified-since", date).await.faults(), ["If-Modified-Since"], "{read}");
        let has_etag = all.get(read).await.header("etag").is_some();
        if !has_etag {
            assert_eq!(get("if-none-match", "*").await.faults(), ["If-None-Match"], "{read}");
        }
    }
    let with_etag = reads.len() - 5;
    assert_eq!(with_etag, 4);

    for change in all.changes() {
        let date = "Sun, 22 Nov 2026 12:00:00 GMT";
        let call = all.call(&change).header("if-unmodified-since", date);
        assert_eq!(call.send().await.faults(), ["If-Unmodified-Since"], "{change:?}");
        if change.0 != "PUT" {
            let call = all.call(&change).header("if-none-match", "*");
            assert_eq!(call.send().await.faults(), ["If-None-Match"], "{change:?}");
        }
    }
    for (route, body) in [
        ("/customers", json!({ "name": "A" })),
        ("/kyc/sessions", json!({ "customer_id": all.customer["customer_id"] })),
    ] {
        for header in ["If-Match", "If-None-Match"] {
            let call = all.w.api.call(&all.w.acme, "POST", route).header(header, "*");
            assert_eq!(call.json(&body).send().await.faults(), [header], "{route}");
        }
    }
}

#[tokio::test]
async fn if_none_match_lets_a_put_only_create_the_organization() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = crate::organization::company(&api, &acme).await;
    let put = |tag: &str| {
        let call = api.call(&acme, "PUT", &path).header("if-none-match", tag);
        call.json(&structure(&[], &[])).send()
    };
    assert_eq!(put("\"1\"").await.faults(), ["If-None-Match"]);
    put("*").await.expect(201);
    let error = put("*").await.refused(412, "VERSION_MISMATCH");
    let detail = &error["details"][0];
    assert_eq!((&detail["field"], &detail["version"]), (&json!("If-None-Match"), &json!(1)));
    assert_eq!(api.get(&acme, &path).await.expect(200)["version"], 1);
}

/// Checks that a read with its current entity tag is answered with a 304, and a read with another
/// tag is not.
async fn assert_conditional(api: &Api, who: &Persona, path: &str, accept: &str) {
    let get = |method: &str, tag: &str| {
        let call = api.call(who, method, path).header("accept", accept);
        call.header("if-none-match", tag).send()
    };
    let full = api.call(who, "GET", path).header("accept", accept).send().await;
    assert_eq!(full.status, 200, "{path}: {}", full.text);
    let etag = full.header("etag").unwrap().to_owned();
    for tag in
        [etag.clone(), format!("W/{etag}"), format!("\"x\", W/\"y\" , {etag}"), "*".to_owned()]
    {
        for method in ["GET", "HEAD"] {
            let answer = get(method, &tag).await;
            assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{path} {tag}");
            assert_eq!(answer.header("etag"), Some(etag.as_str()), "{path} {tag}");
            assert_eq!(answer.header("content-type"), None, "{path} {tag}");
            assert_eq!(answer.header("vary"), full.header("vary"), "{path} {tag}");
            assert!(answer.header("x-request-id").is_some(), "{path} {tag}");
        }
    }
    for tag in ["\"99\"", "\"\"", "W/\"0\""] {
        assert_eq!(get("GET", tag).await.text.len(), full.text.len(), "{path} {tag}");
    }
    assert_eq!(get("GET", "3").await.faults(), ["If-None-Match"], "{path}");
}

#[tokio::test]
async fn a_read_that_the_caller_has_already_is_not_sent_again() {
    let all = Resources::new().await;
    let (api, who) = (&all.w.api, &all.w.acme);
    for rest in ["", "/organization", "/monitor"] {
        assert_conditional(api, who, &path(&all.customer, rest), "application/json").await;
    }
    assert_conditional(api, who, &sessions::path_of(&all.session), "*/*").await;
    for form in ["image/svg+xml", "text/vnd.mermaid"] {
        assert_conditional(api, who, &path(&all.customer, "/organization"), form).await;
    }
    // An error is never a 304.
    let unknown = path(&json!({ "customer_id": "01920000-0000-7000-8000-000000000000" }), "");
    let call = api.call(who, "GET", &unknown).header("if-none-match", "*");
    call.send().await.refused(404, "CUSTOMER_NOT_FOUND");
}

/// Returns whether a read with `etag` in `If-None-Match` gets the whole answer again, instead of a
/// 304.
async fn is_changed(w: &Setup, path: &str, accept: &str, etag: &str) -> bool {
    let call = w.api.call(&w.acme, "GET", path).header("accept", accept);
    match call.header("if-none-match", etag).send().await.status {
        200 => true,
        304 => false,
        other => panic!("{path}: {other}"),
    }
}

#[tokio::test]
async fn what_changes_without_a_write_is_sent_again() {
    let all = Resources::new().await;
    let w = &all.w;
    let json = "application/json";
    let tag = async |path: &str, accept: &str| {
        let answer = w.api.call(&w.acme, "GET", path).header("accept", accept).send().await;
        answer.header("etag").unwrap().to_owned()
    };
    let of = |rest: &str| path(&all.customer, rest);

    // A pass without news does not write the customer or the monitor, but the monitor's answer
    // names the pass.
    let (customer, monitor) = (tag(&of(""), json).await, tag(&of("/monitor"), json).await);
    w.run_pass("on_update").await;
    assert!(!is_changed(w, &of(""), json, &customer).await);
    assert!(is_changed(w, &of("/monitor"), json, &monitor).await);

    // The drawing depends on the customer's name, and the ownership statement on its entity type.
    let form = "image/svg+xml";
    let (svg, statement) =
        (tag(&of("/organization"), form).await, tag(&of("/organization"), json).await);
    w.api.patch(&w.acme, &of(""), &json!({ "name": "Mirka Dovello-Brandt" })).await.expect(200);
    assert!(is_changed(w, &of("/organization"), form, &svg).await);
    assert!(!is_changed(w, &of("/organization"), json, &statement).await);
    w.api.patch(&w.acme, &of(""), &json!({ "entity_type": "company" })).await.expect(200);
    assert!(is_changed(w, &of("/organization"), json, &statement).await);

    // The session expires, which also changes the counters of the customer.
    let session = sessions::path_of(&all.session);
    let (customer, before) = (tag(&of(""), json).await, tag(&session, json).await);
    w.advance_clock(8 * 24 * 3_600);
    assert!(is_changed(w, &session, json, &before).await);
    assert!(is_changed(w, &of(""), json, &customer).await);
    let expired = all.get(&session).await.expect(200);
    assert_eq!((&expired["status"], &expired["version"]), (&json!("expired"), &json!(2)));
    // The new tag can be used for further reads and for a change.
    let customer = tag(&of(""), json).await;
    assert!(!is_changed(w, &of(""), json, &customer).await);
    let patch = w.api.call(&w.acme, "PATCH", &of("")).header("if-match", &customer);
    patch.json(&json!({ "industry": "Banking" })).send().await.expect(200);
}

#[tokio::test]
async fn every_change_increases_the_version_of_what_it_changes() {
    let all = Resources::new().await;
    let w = &all.w;
    let session = sessions::path_of(&all.session);
    for (status, version) in
        [("completed", 2), ("manual_review", 3), ("manual_review", 3), ("approved", 4)]
    {
        let patched = w.api.patch(&w.acme, &session, &json!({ "status": status })).await;
        assert_eq!(patched.header("etag"), Some(&*format!("\"{version}\"")));
        assert_eq!(patched.expect(200)["version"], version, "{status}");
    }
    for (status, version) in [("confirmed", 2), ("confirmed", 2), ("open", 3)] {
        let body = json!({ "status": status });
        let decided = w.api.patch(&w.acme, &all.path_of_alert(), &body).await;
        assert_eq!(decided.header("etag"), Some(&*format!("\"{version}\"")));
        assert_eq!(decided.expect(200)["version"], version, "{status}");
    }
    // A check clears the alert, and another one opens it again.
    assert_eq!(w.get_monitor(&all.customer).await["version"], 1);
    w.update_list(&[("2", "Someone Unrelated")]).await;
    assert_eq!(w.alerts(&all.customer).await[0]["version"], 4);
    assert_eq!(w.get_monitor(&all.customer).await["version"], 2);
    w.update_list(&[("1", "Mirka Dovello")]).await;
    assert_eq!(w.alerts(&all.customer).await[0]["version"], 5);
    // A pass without news does not write the monitor.
    w.run_pass("on_update").await;
    assert_eq!(w.get_monitor(&all.customer).await["version"], 3);
    // Blocking a customer pauses its monitor. An erasure changes sessions and alerts, too.
    w.api
        .patch(&w.acme, &path(&all.customer, ""), &json!({ "status": "blocked" }))
        .await
        .expect(200);
    assert_eq!(w.get_monitor(&all.customer).await["version"], 4);
    assert_eq!(checked(w).await.violations, []);
    w.api.delete(&w.acme, &path(&all.customer, "")).await.expect(200);
    w.api
        .call(&w.acme, "POST", &path(&all.customer, "/erase"))
        .json(&reason())
        .send()
        .await
        .expect(200);
    assert_eq!(w.alerts(&all.customer).await[0]["version"], 6);
    assert_eq!(checked(w).await.violations, []);
}

/// Returns the item as an older release would have written it: without its version, or for an
/// event, without the versions in its changes.
fn without_version(item: &Item) -> Item {
    let mut older = item.clone();
    match text_of(item, "type") {
        "session" | "alert" | "monitor" => drop(older.remove("version")),
        "event" => {
            let Some(AttributeValue::M(changes)) = older.get_mut("changes") else {
                panic!("changes")
            };
            changes.remove("monitor");
            if let Some(AttributeValue::M(session)) = changes.get_mut("session") {
                session.remove("version");
            }
            if let Some(AttributeValue::L(alerts)) = changes.get_mut("alerts") {
                for alert in alerts {
                    let AttributeValue::M(alert) = alert else { panic!("alert") };
                    alert.remove("version");
                }
            }
        }
        _ => {}
    }
    older
}

#[tokio::test]
async fn items_of_an_older_release_have_version_1() {
    let all = Resources::new().await;
    let w = &all.w;
    w.decide(&all.customer, &all.alert, "confirmed").await;
    for item in w.api.all_items().await {
        w.api.put_item(&without_version(&item)).await;
    }
    assert_eq!(checked(w).await.violations, []);
    for change in all.changes().iter().take(5) {
        let is_versioned_before =
            !["/sessions", "/alerts", "/monitor"].iter().any(|p| change.1.contains(p));
        let version = all.version(change).await;
        assert!(is_versioned_before || version == 1, "{change:?}: {version}");
        let mut change = change.clone();
        if change.1.contains("/alerts/") {
            change.2 = Some(json!({ "status": "open" }));
        }
        let call = all.call(&change).header("if-match", &format!("\"{version}\""));
        assert_eq!(call.send().await.expect(200)["version"], version + 1, "{change:?}");
    }
    assert_eq!(checked(w).await.violations, []);
    // From now on, the items have versions, so the checker compares them.
    for item in w.api.all_items().await {
        if ["session", "alert", "monitor"].contains(&text_of(&item, "type")) {
            let mut changed = item.clone();
            changed.insert("version".to_owned(), number(1));
            w.api.put_item(&changed).await;
            assert!(!checked(w).await.violations.is_empty(), "{item:?}");
            w.api.put_item(&item).await;
        }
    }
}

#[tokio::test]
async fn a_resource_can_be_read_edited_and_sent_back() {
    let all = Resources::new().await;
    let (api, who) = (&all.w.api, &all.w.acme);
    let customer = path(&all.customer, "");
    let session = sessions::path_of(&all.session);
    let mut document = all.get(&customer).await.expect(200);
    document["industry"] = json!("Banking");
    let changed = api.patch(who, &customer, &document).await.expect(200);
    assert_eq!(changed["industry"], "Banking");

    let validation = json!({ "kind": "document", "result": "passed", "score": 97.0 });
    api.patch(who, &session, &json!({ "validations": [validation] })).await.expect(200);
    let mut document = all.get(&session).await.expect(200);
    document["status"] = json!("completed");
    let changed = api.patch(who, &session, &document).await.expect(200);
    assert_eq!((&changed["status"], &changed["version"]), (&json!("completed"), &json!(3)));

    let mut document = all.w.alerts(&all.customer).await.remove(0);
    document["status"] = json!("false_positive");
    // Some clients write 1.0 as 1.
    if document["score"] == json!(1.0) {
        document["score"] = json!(1);
    }
    let changed = api.patch(who, &all.path_of_alert(), &document).await.expect(200);
    assert_eq!((&changed["status"], &changed["version"]), (&json!("false_positive"), &json!(2)));

    // The documents are stale now. Without a precondition, the faults say which fields differ.
    let stale = json!({ "version": 1, "tenant_id": "other", "updated_at": null });
    for path in [&customer, &session] {
        let mut faults = api.patch(who, path, &stale).await.faults();
        faults.sort();
        assert_eq!(faults, ["/tenant_id", "/updated_at", "/version"], "{path}");
    }
    let answer = api.patch(who, &all.path_of_alert(), &document).await;
    assert_eq!(answer.faults(), ["/resolved_at", "/resolved_by", "/version"]);
    for (path, stale) in
        [(&customer, &stale), (&session, &stale), (&all.path_of_alert(), &document)]
    {
        let call = api.call(who, "PATCH", path).header("if-match", "\"1\"").json(stale);
        call.send().await.refused(412, "VERSION_MISMATCH");
    }
    // Fields that only a creation can set are also compared.
    let other =
        json!({ "workflow_id": "01920000-0000-7000-8000-000000000000", "metadata": { "a": "b" } });
    let mut faults = api.patch(who, &session, &other).await.faults();
    faults.sort();
    assert_eq!(faults, ["/metadata", "/workflow_id"]);
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let api = Api::start().await;
    api.refresh().await;
    let who = Persona::of("acme");
    let ids = everything(&api, &who).await;
    let mut count = 0;
    for row in ROWS.iter().filter(|row| row.route.starts_with("GET ")) {
        for caller in [&who, &Persona::with("acme", &["other"]), &Persona::anonymous()] {
            let get = row.request(&api, caller, &ids).send().await;
            let head = row.head(&api, caller, &ids).send().await;
            assert_eq!(head.text, "", "{}", row.route);
            let headers = |answer: &Answer| {
                let (status, mut headers, _) = answer.without_request_id();
                // API Gateway sets `content-length`, so it is not compared.
                headers.retain(|(name, _)| name != "content-length");
                (status, headers)
            };
            assert_eq!(headers(&head), headers(&get), "{}", row.route);
        }
        count += 1;
    }
    let gets = TEMPLATE.routes().filter(|(_, route)| route.method == "GET" && !route.is_public);
    assert_eq!(count, gets.count());
    // A path without GET does not support HEAD either.
    let path = format!("/customers/{}/erase", ids.customer);
    assert_eq!(api.call(&who, "HEAD", &path).send().await.status, 404);
}

#[tokio::test]
async fn health_needs_no_token_and_no_table() {
    let main = Api::start().await;
    let overload = Overload::default();
    let api = Api::with_calls(overload.clone(), &main).await;
    overload.set(Some(Trouble::Hanging));
    for caller in [Persona::anonymous(), Persona::bearing("not a token"), Persona::of("acme")] {
        let answer = api.get(&caller, "/health").await;
        assert_eq!((answer.status, answer.body), (200, json!({ "status": "ok" })));
        let head = api.call(&caller, "HEAD", "/health").send().await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
    }
    assert_eq!(overload.calls(), 0);
    overload.set(None);
    assert_eq!(api.get(&Persona::anonymous(), "/health?x=1").await.faults(), ["?x"]);
    assert_eq!(api.post(&Persona::anonymous(), "/health", &json!({})).await.status, 404);
    // `/health` is the only route that does not need a token.
    let public: Vec<String> = TEMPLATE
        .routes()
        .filter(|(_, route)| route.is_public)
        .map(|(_, route)| route.key())
        .collect();
    assert_eq!(public, ["GET /health"]);
    let health = TEMPLATE.functions.iter().find(|function| function.name == "health").unwrap();
    assert_eq!(health.permissions, []);
}

#[tokio::test]
async fn a_location_starts_with_the_stage_and_the_base_path() {
    let api = Api::start().await;
    let mut event = crate::hostile::posting(json!(r#"{"name":"A"}"#), false);
    event["routeKey"] = json!("POST /customers");
    event["requestContext"]["routeKey"] = json!("POST /customers");
    for (number, base) in ["", "/prod", "/v1", "/kyc/v1"].iter().enumerate() {
        event["rawPath"] = json!(format!("{base}/customers"));
        event["headers"]["idempotency-key"] = json!(format!("key-{number}"));
        let answer = api.invoke("create-customer", &event).await;
        let location = answer.header("location").unwrap().to_owned();
        let customer = answer.expect(201);
        assert_eq!(location, format!("{base}{}", path_of(&customer)));
        // A replay through another base path gets a location below that path.
        event["rawPath"] = json!("/other/customers");
        let answer = api.invoke("create-customer", &event).await;
        assert_eq!(answer.header("idempotent-replayed"), Some("true"));
        assert_eq!(answer.header("location"), Some(&*format!("/other{}", path_of(&customer))));
    }
}

#[tokio::test]
async fn every_operation_documents_429() {
    let api = Api::start().await;
    let document = api.get(&Persona::anonymous(), "/openapi.json").await.body;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let response = &operation["responses"]["429"];
            assert!(response["description"].is_string(), "{method} {path}");
        }
    }
    // Only `/health` overrides the default, which requires a token.
    assert_eq!(document["paths"]["/health"]["get"]["security"], json!([]));
    assert_eq!(document["paths"]["/customers"]["get"]["security"], Value::Null);
}

#[tokio::test]
async fn client_ids_of_any_script_are_kept_apart() {
    let w = Setup::start(&[("1", "Mirka Dovello")]).await;
    let (api, acme) = (&w.api, &w.acme);
    let long = "ä".repeat(255);
    let ids = [
        "a",
        "a#b",
        "a#b#c",
        "#",
        "##",
        "C#a",
        "CLIENT#a",
        "a b",
        "a%20b",
        "a+b",
        "a%23b",
        "A",
        "Ä",
        "ä",
        "T#other#CLIENT#a",
        "顧客-1",
        "клиент/1",
        "عميل 1",
        "ग्राहक",
        "\u{1f600}",
        "\"'<>&\\",
        &long,
    ];
    let mut customers = Vec::new();
    for id in ids {
        let customer = api.create(acme, &json!({ "name": "A", "client_id": id })).await;
        assert_eq!(customer["client_id"], id);
        customers.push(customer);
    }
    for (id, customer) in ids.iter().zip(&customers) {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair("client_id", id).finish();
        let page = api.get(acme, &format!("/customers?{query}")).await.expect(200);
        assert_eq!(page["items"], json!([customer]), "{id}");
        let again = api.post(acme, "/customers", &json!({ "name": "B", "client_id": id })).await;
        let error = again.refused(409, "CUSTOMER_ALREADY_EXISTS");
        assert_eq!(error["details"][0]["customer_id"], customer["customer_id"], "{id}");
        let session =
            api.post(acme, "/kyc/sessions", &json!({ "client_id": id })).await.expect(201);
        assert_eq!(session["customer_id"], customer["customer_id"], "{id}");
        // Another tenant can use the same client id.
        let other = Persona::of("other");
        api.create(&other, &json!({ "name": "A", "client_id": id })).await;
    }
    assert_eq!(checked(&w).await.violations, []);

    // A patch can set the client id of a customer that does not have one. An erasure frees the id.
    let customer = api.create(acme, &json!({ "name": "B" })).await;
    let patch = json!({ "client_id": "新#1" });
    api.patch(acme, &path_of(&customer), &patch).await.expect(200);
    api.patch(acme, &path_of(&customers[0]), &patch).await.refused(400, "VALIDATION_ERROR");
    api.delete(acme, &path_of(&customer)).await.expect(200);
    api.call(acme, "POST", &path(&customer, "/erase")).json(&reason()).send().await.expect(200);
    api.create(acme, &json!({ "name": "C", "client_id": "新#1" })).await;
    assert_eq!(checked(&w).await.violations, []);
}

#[tokio::test]
async fn a_client_id_that_is_too_long_for_a_name_needs_one() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for (length, faults) in [(200, None), (201, Some("/name"))] {
        let body = json!({ "client_id": "ж".repeat(length) });
        let answer = api.post(&acme, "/kyc/sessions", &body).await;
        match faults {
            None => drop(answer.expect(201)),
            Some(fault) => assert_eq!(answer.faults(), [fault]),
        }
    }
    let id = "ж".repeat(201);
    let body = json!({ "client_id": id, "name": "A" });
    api.post(&acme, "/kyc/sessions", &body).await.expect(201);
    // The customer already exists, so the request does not need a name.
    api.post(&acme, "/kyc/sessions", &json!({ "client_id": id })).await.expect(201);
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

#[tokio::test]
async fn every_change_takes_effect_once_per_key() {
    let all = Resources::new().await;
    let changes = all.changes();
    let send = async |number: usize, if_match: &str| {
        let call = all.call(&changes[number]).header("idempotency-key", &format!("key-{number}"));
        call.header("if-match", if_match).send().await
    };
    for (number, change) in changes.iter().enumerate() {
        let first = send(number, "*").await;
        assert_eq!(first.status, 200, "{change:?}: {}", first.text);
        assert!(!is_replayed(&first), "{change:?}");
        let version = all.version(change).await;
        let replay = send(number, "*").await;
        assert!(is_replayed(&replay), "{change:?}: {}", replay.text);
        let (status, mut headers, body) = replay.without_request_id();
        headers.retain(|(name, _)| name != "idempotent-replayed");
        assert_eq!((status, headers, body), first.without_request_id(), "{change:?}");
        assert_eq!(all.version(change).await, version, "{change:?}");
        // The key belongs to the request with the first `If-Match`, so it is refused with another
        // one.
        let other = send(number, &format!("\"{version}\"")).await;
        other.refused(409, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(checked(&all.w).await.violations, [], "{change:?}");
    }
    // The erasure has replaced the stored answers of all other requests.
    let last = changes.len() - 1;
    for number in 0..last {
        send(number, "*").await.refused(409, "CUSTOMER_ERASED");
    }
    assert!(is_replayed(&send(last, "*").await));
}

#[tokio::test]
async fn a_key_is_used_by_a_request_that_changes_nothing() {
    let all = Resources::new().await;
    let (w, of) = (&all.w, |rest: &str| path(&all.customer, rest));
    let organization = structure(&["p1"], &[]);
    let unchanged: Vec<Change> = vec![
        ("PATCH", of(""), Some(json!({ "name": "Mirka Dovello" }))),
        ("PUT", of("/organization"), Some(organization)),
        ("PATCH", sessions::path_of(&all.session), Some(json!({ "status": "active" }))),
        ("PATCH", all.path_of_alert(), Some(json!({ "status": "open" }))),
    ];
    let send = async |number: usize| {
        let call = all.call(&unchanged[number]).header("idempotency-key", &format!("key-{number}"));
        call.send().await
    };
    let mut first = Vec::new();
    for (number, change) in unchanged.iter().enumerate() {
        let version = all.version(change).await;
        first.push(send(number).await);
        assert_eq!((first[number].status, all.version(change).await), (200, version), "{change:?}");
        assert_eq!(checked(w).await.violations, [], "{change:?}");
    }
    // The requests would now have an effect, but their keys have been used already.
    for change in &all.changes()[..4] {
        all.call(change).send().await.expect(200);
    }
    w.api.patch(&w.acme, &of(""), &json!({ "name": "Mirka D." })).await.expect(200);
    for (number, change) in unchanged.iter().enumerate() {
        let version = all.version(change).await;
        let replay = send(number).await;
        assert!(is_replayed(&replay), "{change:?}: {}", replay.text);
        assert_eq!((replay.status, all.version(change).await), (200, version), "{change:?}");
        // All versions of an organization are kept, so its replay returns the original version.
        // Other replays return the current version.
        let expected = if change.0 == "PUT" { 1 } else { version };
        assert_eq!(replay.body["data"]["version"], expected, "{change:?}");
        assert_eq!(replay.header("etag"), Some(&*format!("\"{expected}\"")), "{change:?}");
    }
    assert_eq!(send(1).await.body["data"], first[1].body["data"]);
    w.api.delete(&w.acme, &of("")).await.expect(200);
    w.api.call(&w.acme, "POST", &of("/erase")).json(&reason()).send().await.expect(200);
    for number in [0, 1] {
        send(number).await.refused(409, "CUSTOMER_ERASED");
    }
    assert_eq!(checked(w).await.violations, []);
}

#[tokio::test]
async fn the_first_organization_is_replayed_after_it_was_replaced() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let (_, path) = crate::organization::company(&api, &acme).await;
    let put = |percentage: f64, key: &str| {
        let call = api.call(&acme, "PUT", &path).header("idempotency-key", key);
        call.json(&structure(&["p1"], &[("p1", "self", percentage)])).send()
    };
    let first = put(10.0, "a").await;
    put(20.0, "b").await.expect(200);
    put(30.0, "c").await.expect(200);
    let replay = put(10.0, "a").await;
    assert!(is_replayed(&replay));
    assert_eq!(replay.header("location"), Some(path.as_str()));
    assert_eq!(replay.expect(201), first.expect(201));
    assert_eq!(put(20.0, "b").await.expect(200)["version"], 2);
    assert_eq!(api.get(&acme, &path).await.expect(200)["version"], 3);
}

#[tokio::test]
async fn a_patch_that_is_not_valid_does_not_use_its_key() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    let patch = |body: Value| {
        api.call(&acme, "PATCH", &path).header("idempotency-key", "k").json(&body).send()
    };
    assert_eq!(patch(json!({ "country": "XX" })).await.faults(), ["/country"]);
    assert_eq!(patch(json!({ "country": "DE" })).await.expect(200)["version"], 2);
}
