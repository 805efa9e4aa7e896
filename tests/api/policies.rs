//! What the template's policies allow is what the functions do: the local server refuses a call
//! that a policy does not allow, and here every permission has to be of use to somebody.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, resume_unwind};

use api_tests::faults::NoTransactions;
use api_tests::{Api, Value, json, path_of};
use futures_util::FutureExt;
use local::iam::Role;

use crate::monitoring::{Setup, leave_index_of_another_release};

/// Posts twice under one idempotency key: the second answer is the first one, kept.
async fn keyed(w: &Setup, api: &Api, path: &str, body: &Value, status: u16) {
    let key = format!("{path}{body}").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    for _ in 0..2 {
        let post = api.call(&w.acme, "POST", path).header("idempotency-key", &key);
        assert_eq!(post.json(body).send().await.status, status, "{path} {body}");
    }
}

async fn customers_and_sessions(w: &Setup) -> Value {
    let (api, acme) = (&w.api, &w.acme);
    let company = json!({ "client_id": "crm-1", "name": "Mirka Dovello", "country": "DE" });
    keyed(w, api, "/customers", &company, 201).await;
    let again = json!({ "client_id": "crm-1", "name": "Somebody else" });
    keyed(w, api, "/customers", &again, 409).await;
    for query in ["", "?risk_level=not_set", "?client_id=crm-1"] {
        api.get(acme, &format!("/customers{query}")).await.expect(200);
    }
    let found = api.get(acme, "/customers?search=mirka").await.expect(200);
    let customer = found["items"][0].clone();
    api.get(acme, &path_of(&customer)).await.expect(200);

    let sessions = "/kyc/sessions";
    keyed(w, api, sessions, &json!({ "client_id": "crm-2" }), 201).await;
    let id = customer["customer_id"].as_str().unwrap();
    let made = api.post(acme, sessions, &json!({ "customer_id": id })).await.expect(201);
    let missing = json!({ "customer_id": "00000000-0000-7000-8000-000000000000" });
    keyed(w, api, sessions, &missing, 404).await;
    let session = format!("{sessions}/{}", made["session_id"].as_str().unwrap());
    api.get(acme, &session).await.expect(200);
    for status in ["completed", "approved"] {
        api.patch(acme, &session, &json!({ "status": status })).await.expect(200);
    }
    let path = |rest: &str| format!("{}{rest}", path_of(&customer));
    let nobodys = "/customers/00000000-0000-7000-8000-000000000000";
    for rest in ["/sessions", "/alerts"] {
        api.get(acme, &path(rest)).await.expect(200);
        api.get(acme, &format!("{nobodys}{rest}")).await.refused(404, "CUSTOMER_NOT_FOUND");
    }
    customer
}

async fn monitoring(w: &Setup, customer: &Value) {
    let (api, acme) = (&w.api, &w.acme);
    let path = |rest: &str| format!("{}{rest}", path_of(customer));
    // Before there is any list: the outcome is open, and the key is given back.
    keyed(w, api, &path("/monitor"), &json!({}), 503).await;
    w.write_list(&[("1", "Mirka Dovello")]);
    w.refresh().await;
    w.refresh().await;
    keyed(w, api, &path("/monitor"), &json!({ "check_frequency": "on_update" }), 201).await;
    w.get_monitor(customer).await;
    let alerts = w.alerts(customer).await;
    w.decide(customer, &alerts[0], "confirmed").await;
    let news = w.update_list(&[("1", "Mirka Dovello"), ("2", "Mirka Dovello")]).await;
    assert_eq!(crate::monitoring::sum(&news, "raised"), 1);

    let parties = json!({
        "parties": [{ "party_id": "p", "kind": "individual", "name": "Mirka Dovello" }],
        "relationships": [{ "owner": "p", "owned": "self", "percentage": 100 }],
    });
    api.call(acme, "PUT", &path("/organization")).json(&parties).send().await.expect(201);
    api.get(acme, &path("/organization")).await.expect(200);
    api.patch(acme, &path(""), &json!({ "name": "Tarun", "country": "AT" })).await.expect(200);
    api.get(acme, &path("/risk-profile")).await.expect(200);
    api.get(acme, &path("/risk-profile?recalculate=true")).await.expect(200);

    // Another release made the list current, and the publisher has trouble.
    leave_index_of_another_release(api, "ours", b"id,name\n1,Mirka Dovello\n").await;
    w.write_file(b"<html>");
    api.run("refresh-watchlists", &json!({})).await.unwrap_err();

    api.delete(acme, &path("/monitor")).await.expect(200);
    api.delete(acme, &path("")).await.expect(200);
}

/// More matches than one transaction takes: the rest is left to the next `resume`.
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

/// A pass that may not write: whom it could not check is left to the next `resume`.
async fn failing_pass(w: &Setup) -> Api {
    w.write_list(&[("1", "Ada Vast")]);
    w.refresh().await;
    w.advance_clock(61);
    let api = w.server_with_fault(NoTransactions(400, "AccessDeniedException")).await;
    api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    api
}

/// A table that fails in the middle: the outcome is open, and the key is given back.
async fn trouble(w: &Setup) -> Api {
    let api = w.server_with_fault(NoTransactions(500, "InternalServerError")).await;
    keyed(w, &api, "/customers", &json!({ "name": "Ada" }), 503).await;
    keyed(w, &api, "/kyc/sessions", &json!({ "client_id": "crm-3" }), 503).await;
    api
}

/// With everything that there is to erase.
async fn erased(w: &Setup, customer: &Value) {
    let path = |rest: &str| format!("{}{rest}", path_of(customer));
    w.api.get(&w.acme, &path("/export")).await.expect(200);
    for _ in 0..2 {
        let erase = w.api.call(&w.acme, "POST", &path("/erase")).header("idempotency-key", "e");
        erase.send().await.expect(200);
    }
}

#[tokio::test]
async fn every_permission_is_needed_and_none_is_missing() {
    let w = Setup::without_lists().await;
    let everything = async {
        let customer = customers_and_sessions(&w).await;
        monitoring(&w, &customer).await;
        many_matches(&w).await;
        erased(&w, &customer).await;
        [trouble(&w).await, failing_pass(&w).await]
    };
    let done = AssertUnwindSafe(everything).catch_unwind().await;
    let denied: Vec<String> = w.api.server().roles.values().flat_map(Role::denied).collect();
    assert_eq!(denied, [""; 0], "permissions that are missing");
    let others = done.unwrap_or_else(|panic| resume_unwind(panic));
    let mut idle = Vec::new();
    for (function, role) in &w.api.server().roles {
        let also = others.iter().flat_map(|api| api.server().roles[function].used());
        let used: BTreeSet<_> = role.used().into_iter().chain(also).collect();
        let unused = role.permissions().iter().filter(|permission| !used.contains(permission));
        idle.extend(unused.map(|permission| format!("{function}: {permission}")));
    }
    assert_eq!(idle, [""; 0], "permissions that nobody needs");
}
