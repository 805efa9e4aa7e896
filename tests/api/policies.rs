//! Checks that the template's policies allow exactly the calls that the functions make. The local
//! server rejects a call that a policy does not allow, and the test fails if a permission is never
//! used.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, resume_unwind};

use api_tests::faults::{End, Mortal, NoTransactions};
use api_tests::{Api, Value, json, path_of};
use futures_util::FutureExt;
use local::iam::Role;
use shared::model::time::Clock;

use crate::monitoring::{Setup, leave_index_of_another_release};
use crate::tenant_limits;

/// Sends a request twice with the same idempotency key, and checks the status of both answers. The
/// second answer to a successful request is a replay.
async fn post_twice(w: &Setup, api: &Api, path: &str, body: &Value, status: u16) {
    let key = format!("{path}{body}").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    for _ in 0..2 {
        let post = api.call(&w.acme, "POST", path).header("idempotency-key", &key);
        assert_eq!(post.json(body).send().await.status, status, "{path} {body}");
    }
}

async fn customers_and_sessions(w: &Setup) -> Value {
    let (api, acme) = (&w.api, &w.acme);
    let company = json!({ "client_id": "crm-1", "name": "Mirka Dovello", "country": "DE" });
    post_twice(w, api, "/customers", &company, 201).await;
    let duplicate = json!({ "client_id": "crm-1", "name": "Somebody else" });
    post_twice(w, api, "/customers", &duplicate, 409).await;
    for query in ["", "?risk_level=not_set", "?client_id=crm-1"] {
        api.get(acme, &format!("/customers{query}")).await.expect(200);
    }
    let matches = api.get(acme, "/customers?search=mirka").await.expect(200);
    let customer = matches["items"][0].clone();
    api.get(acme, &path_of(&customer)).await.expect(200);
    let recalculate = format!("{}/risk-profile?recalculate=true", path_of(&customer));
    api.get(acme, &recalculate).await.expect(200);

    let sessions = "/kyc/sessions";
    post_twice(w, api, sessions, &json!({ "client_id": "crm-2" }), 201).await;
    let id = customer["customer_id"].as_str().unwrap();
    let session = api.post(acme, sessions, &json!({ "customer_id": id })).await.expect(201);
    let unknown = json!({ "customer_id": "00000000-0000-7000-8000-000000000000" });
    post_twice(w, api, sessions, &unknown, 404).await;
    let session_path = format!("{sessions}/{}", session["session_id"].as_str().unwrap());
    api.get(acme, &session_path).await.expect(200);
    for status in ["completed", "approved"] {
        api.patch(acme, &session_path, &json!({ "status": status })).await.expect(200);
    }
    let path = path_of(&customer);
    let unknown_path = "/customers/00000000-0000-7000-8000-000000000000";
    for rest in ["/sessions", "/alerts"] {
        api.get(acme, &format!("{path}{rest}")).await.expect(200);
        api.get(acme, &format!("{unknown_path}{rest}")).await.refused(404, "CUSTOMER_NOT_FOUND");
    }
    customer
}

async fn monitoring(w: &Setup, customer: &Value) {
    let (api, acme) = (&w.api, &w.acme);
    let path = |rest: &str| format!("{}{rest}", path_of(customer));
    // Without a list, the request fails with a 503, which releases its idempotency key.
    post_twice(w, api, &path("/monitor"), &json!({}), 503).await;
    w.write_list(&[("1", "Mirka Dovello")]);
    w.refresh().await;
    w.refresh().await;
    post_twice(w, api, &path("/monitor"), &json!({ "check_frequency": "on_update" }), 201).await;
    w.get_monitor(customer).await;
    let alerts = w.alerts(customer).await;
    w.decide(customer, &alerts[0], "confirmed").await;
    let shards = w.update_list(&[("1", "Mirka Dovello"), ("2", "Mirka Dovello")]).await;
    assert_eq!(crate::monitoring::sum(&shards, "raised"), 1);

    let parties = json!({
        "parties": [{ "party_id": "p", "kind": "individual", "name": "Mirka Dovello" }],
        "relationships": [{ "owner": "p", "owned": "self", "percentage": 100 }],
    });
    api.call(acme, "PUT", &path("/organization")).json(&parties).send().await.expect(201);
    api.get(acme, &path("/organization")).await.expect(200);
    api.patch(acme, &path(""), &json!({ "name": "Tarun", "country": "AT" })).await.expect(200);
    api.get(acme, &path("/risk-profile")).await.expect(200);

    // Now the list's index comes from another release, and the publisher serves an error page.
    leave_index_of_another_release(api, "ours", b"id,name\n1,Mirka Dovello\n").await;
    w.write_file(b"<html>");
    api.run("refresh-watchlists", &json!({})).await.unwrap_err();

    api.delete(acme, &path("/monitor")).await.expect(200);
    api.delete(acme, &path("")).await.expect(200);
}

/// Produces more matches than fit into one transaction. The next `resume` writes the rest.
async fn many_matches(w: &Setup) {
    let (api, acme) = (&w.api, &w.acme);
    let ids: Vec<String> = (0..90).map(|id| id.to_string()).collect();
    let entries: Vec<(&str, &str)> = ids.iter().map(|id| (&**id, "Ada Vast")).collect();
    w.write_list(&entries);
    w.refresh().await;
    w.monitored_customer("Ada Vast").await;
    let renamed = w.monitored_customer("Ivo Brandel").await;
    api.patch(acme, &path_of(&renamed), &json!({ "name": "Ada Vast" })).await.expect(200);
    let company = api.create(acme, &json!({ "name": "Brandel Brothers" })).await;
    w.monitor(&company, &json!({})).await.expect(201);
    let parties = json!({
        "parties": [{ "party_id": "p", "kind": "individual", "name": "Ada Vast" }],
        "relationships": [{ "owner": "p", "owned": "self", "percentage": 100 }],
    });
    let organization = format!("{}/organization", path_of(&company));
    api.call(acme, "PUT", &organization).json(&parties).send().await.expect(201);
    api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
}

/// Runs a pass whose transactions fail. The pass leaves the customers to the next `resume`.
async fn failing_pass(w: &Setup) -> Api {
    w.write_list(&[("1", "Ada Vast")]);
    w.refresh().await;
    w.advance_clock(61);
    let api = w.server_with_fault(NoTransactions(400, "AccessDeniedException")).await;
    api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    api
}

/// Sends requests whose transactions fail with a 500. The requests get a 503, which releases their
/// idempotency keys.
async fn failing_requests(w: &Setup) -> Api {
    let api = w.server_with_fault(NoTransactions(500, "InternalServerError")).await;
    post_twice(w, &api, "/customers", &json!({ "name": "Ada" }), 503).await;
    post_twice(w, &api, "/kyc/sessions", &json!({ "client_id": "crm-3" }), 503).await;
    w.write_list(&[("1", "Mirka Dovello")]);
    w.refresh().await;
    let customer = w.monitored_customer("Mirka Dovello").await;
    let link = json!({ "customer_id": customer["customer_id"] });
    let session = w.api.post(&w.acme, "/kyc/sessions", &link).await.expect(201);
    let alert = w.alerts(&customer).await[0]["alert_id"].as_str().unwrap().to_owned();
    let path = |rest: &str| format!("{}{rest}", path_of(&customer));
    let organization = json!({ "parties": [], "relationships": [] });
    for (method, path, body) in [
        ("PATCH", path(""), json!({ "industry": "Banking" })),
        ("PATCH", path(&format!("/alerts/{alert}")), json!({ "status": "confirmed" })),
        ("PATCH", crate::sessions::path_of(&session), json!({ "status": "completed" })),
        ("PUT", path("/organization"), organization),
        ("DELETE", path("/monitor"), Value::Null),
        ("DELETE", path(""), Value::Null),
    ] {
        let call = api.call(&w.acme, method, &path).header("idempotency-key", "k");
        let call = if body.is_null() { call } else { call.json(&body) };
        assert_eq!(call.send().await.status, 503, "{method} {path}");
    }
    api
}

/// Refreshes the lists with sources that are read from an object in the bucket.
async fn stored_sources(w: &Setup) -> Api {
    let lists = &w.api.server().lists;
    lists.put("sources.json", local::sample_source().into_bytes()).await.unwrap();
    let environment = [("WATCHLIST_SOURCES".to_owned(), "sources.json".to_owned())].into();
    let api = Api::set(Clock::system(), Some(&w.api), None, environment).await;
    api.refresh().await;
    api
}

/// Calls every read route on a server that limits reads, so that each function updates the tenant's
/// token bucket.
async fn limited_reads(w: &Setup, customer: &Value) -> Api {
    let limits = tenant_limits::environment(&[("READ", 100, 100), ("HEAVY", 100, 100)]);
    let api = Api::set(Clock::system(), Some(&w.api), None, limits).await;
    let path = path_of(customer);
    let rest =
        ["", "/export", "/sessions", "/organization", "/monitor", "/alerts", "/risk-profile"];
    let mut paths: Vec<String> = rest.iter().map(|rest| format!("{path}{rest}")).collect();
    let session = "/kyc/sessions/00000000-0000-7000-8000-000000000000";
    paths.extend(["/customers".to_owned(), session.to_owned()]);
    for path in paths {
        let answer = api.get(&w.acme, &path).await;
        assert_eq!(answer.header("ratelimit-limit"), Some("100"), "{path}: {}", answer.text);
    }
    api
}

/// Exports and erases a customer that has items of every kind.
async fn erasure(w: &Setup, customer: &Value) {
    let path = |rest: &str| format!("{}{rest}", path_of(customer));
    w.api.get(&w.acme, &path("/export")).await.expect(200);
    let reason = json!({ "override_reason": "A test" });
    post_twice(w, &w.api, &path("/erase"), &reason, 200).await;
}

/// Exports a customer with more than one page.
async fn long_export(w: &Setup) {
    let metadata: BTreeMap<String, String> =
        (0..50).map(|n| (format!("key-{n}"), "\u{20ac}".repeat(500))).collect();
    let link = json!({ "client_id": "large", "metadata": metadata });
    let session = w.api.post(&w.acme, "/kyc/sessions", &link).await.expect(201);
    for _ in 0..44 {
        w.api.post(&w.acme, "/kyc/sessions", &link).await.expect(201);
    }
    let path = format!("{}/export", path_of(&session));
    let page = w.api.get(&w.acme, &path).await.expect(200);
    let cursor = page["cursor"].as_str().unwrap();
    w.api.get(&w.acme, &format!("{path}?cursor={cursor}")).await.expect(200);
}

/// Interrupts the erasure of a customer with an organization after its first transaction. The next
/// `resume` finishes the erasure.
async fn interrupted_erasure(w: &Setup) {
    let customer = w.api.create(&w.acme, &json!({ "name": "Ivo Brandel" })).await;
    let organization = format!("{}/organization", path_of(&customer));
    let parties = json!({ "parties": [], "relationships": [] });
    w.api.call(&w.acme, "PUT", &organization).json(&parties).send().await.expect(201);
    // The first calls read the customer and its monitor, and write the tombstone.
    let mortal = Mortal::new(End::After(2));
    let victim = w.server_with_fault(mortal.clone()).await;
    mortal.arm();
    let path = format!("{}/erase", path_of(&customer));
    let erase = victim.call(&w.acme, "POST", &path);
    tokio::select! {
        () = mortal.ended() => {}
        answer = erase.json(&json!({ "override_reason": "A test" })).send() => {
            panic!("{}", answer.text)
        }
    }
    w.advance_clock(61);
    let result = w.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(result["erasures"], json!({ "finished": 1, "unfinished": 0, "oldest": null }));
}

#[tokio::test]
async fn every_permission_is_needed_and_none_is_missing() {
    let w = Setup::without_lists().await;
    let requests = async {
        let customer = customers_and_sessions(&w).await;
        monitoring(&w, &customer).await;
        many_matches(&w).await;
        let limited = limited_reads(&w, &customer).await;
        erasure(&w, &customer).await;
        long_export(&w).await;
        interrupted_erasure(&w).await;
        let failing = (failing_requests(&w).await, failing_pass(&w).await);
        [limited, failing.0, failing.1, stored_sources(&w).await]
    };
    let result = AssertUnwindSafe(requests).catch_unwind().await;
    // Report missing permissions first. A denied call also makes a request fail, but the message of
    // that failure is less helpful.
    let denied: Vec<String> = w.api.server().roles.values().flat_map(Role::denied).collect();
    assert_eq!(denied, [""; 0], "missing permissions");
    let other_apis = result.unwrap_or_else(|panic| resume_unwind(panic));
    let mut unused = Vec::new();
    for (function, role) in &w.api.server().roles {
        let used_by_others = other_apis.iter().flat_map(|api| api.server().roles[function].used());
        let used: BTreeSet<_> = role.used().into_iter().chain(used_by_others).collect();
        let others = role.permissions().iter().filter(|permission| !used.contains(permission));
        unused.extend(others.map(|permission| format!("{function}: {permission}")));
    }
    assert_eq!(unused, [""; 0], "unused permissions");
}
