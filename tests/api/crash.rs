//! Checks that a process that dies before or after any of its calls to the table leaves no partial
//! writes, and that repeating the request completes the work.

use api_tests::faults::{End, Mortal};
use api_tests::{Answer, Api, Call, Persona, Value, json, path_of};

use crate::audit::items;
use crate::organization::structure;

/// Upper bound for the number of calls that an operation makes to the table.
const MANY: usize = 20;

/// Returns the items whose sort key starts with `prefix`.
fn with_prefix<'a>(items: &'a [Value], prefix: &str) -> Vec<&'a Value> {
    items.iter().filter(|item| item["sk"].as_str().unwrap().starts_with(prefix)).collect()
}

/// Checks that the customer's counters, risk, organization and events agree with the items of its
/// partition. Returns these items.
async fn consistent_items(api: &Api, customer: &Value) -> Vec<Value> {
    let items = items(api, customer, "").await;
    let stored = with_prefix(&items, "CUSTOMER")[0];
    let sessions = with_prefix(&items, "SESSION#");
    let profiles = with_prefix(&items, "RISK#");
    let counters = &stored["sessions"];
    assert_eq!(counters["total"], sessions.len());
    for status in ["active", "approved", "rejected", "manual_review"] {
        let count = sessions.iter().filter(|session| session["status"] == status).count();
        assert_eq!(counters[status], count, "{status}");
    }
    // Every version of the customer must have exactly one event.
    let events = with_prefix(&items, "EVENT#");
    assert_eq!(stored["version"], events.len());
    let risk = &stored["risk"];
    match profiles.last() {
        Some(profile) => {
            for field in ["level", "score", "calculated_at"] {
                assert_eq!(risk[field], profile[field], "{field}");
            }
        }
        None => assert!(risk["calculated_at"].is_null()),
    }
    let organizations = with_prefix(&items, "ORGANIZATION");
    let newest = organizations.iter().map(|item| item["version"].as_u64().unwrap()).max();
    assert_eq!(newest.unwrap_or(0), organizations.len() as u64);
    assert_eq!(newest, organizations.first().map(|current| current["version"].as_u64().unwrap()));
    for session in sessions {
        let path = crate::sessions::path_of(session);
        api.get(&Persona::of("acme"), &path).await.expect(200);
    }
    items
}

/// Sends the request to a process that dies at `end`. Returns whether the process died, or `false`
/// if the request finished before it reached `end`.
async fn dies(main: &Api, end: End, request: impl Fn(&Api) -> Call) -> bool {
    let mortal = Mortal::new(end);
    let victim = Api::under(&mortal, main).await;
    mortal.arm();
    let call = request(&victim);
    tokio::select! {
        () = mortal.ended() => true,
        answer = call.send() => {
            assert!(answer.status < 300, "{}", answer.text);
            false
        }
    }
}

fn version(items: &[Value]) -> u64 {
    let customer = items.iter().find(|item| item["sk"] == "CUSTOMER");
    customer.unwrap()["version"].as_u64().unwrap()
}

/// Sends a request to a process that dies, once for every possible end. `prepare` creates a new
/// customer for each end. After each death, the request is repeated on another process. `check`
/// gets the customer's items and the repeated request's answer.
async fn die_at_every_call(
    prepare: impl AsyncFn(&Api, &Persona) -> Value,
    request: impl Fn(&Api, &Persona, &Value) -> Call,
    check: impl Fn(&[Value], &Answer),
) {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let ends = (0..MANY).flat_map(|call| [End::Before(call), End::After(call)]);
    for (deaths, end) in ends.enumerate() {
        let customer = prepare(&main, &acme).await;
        let before = consistent_items(&main, &customer).await;
        let died = dies(&main, end, |api| request(api, &acme, &customer)).await;
        let restarted = Api::on_table_of(&main).await;
        let after = consistent_items(&restarted, &customer).await;
        let is_written = version(&after) > version(&before);
        assert!(is_written || after == before, "{end:?}");
        let repeated = request(&restarted, &acme, &customer).send().await;
        assert!(repeated.status < 300, "{end:?}: {}", repeated.text);
        check(&consistent_items(&restarted, &customer).await, &repeated);
        if !died {
            assert!(is_written && deaths > 2, "{end:?}, {deaths} deaths");
            return;
        }
    }
    panic!("the request makes more than {MANY} calls");
}

/// Creates a company with an organization and a completed session. Returns the session.
async fn known_company(api: &Api, who: &Persona) -> Value {
    let customer = api.create(who, &json!({ "name": "A", "country": "DE" })).await;
    let body = structure(&["p1"], &[("p1", "self", 60.0)]);
    let organization_path = format!("{}/organization", path_of(&customer));
    api.call(who, "PUT", &organization_path).json(&body).send().await.expect(201);
    let link = json!({ "customer_id": customer["customer_id"] });
    let mut session = api.post(who, "/kyc/sessions", &link).await.expect(201);
    let session_path = crate::sessions::path_of(&session);
    api.patch(who, &session_path, &json!({ "status": "completed" })).await.expect(200);
    // Add the tenant, which the audit helpers need to find the customer's partition.
    session["tenant_id"] = json!("acme");
    session
}

fn count(items: &[Value], prefix: &str) -> usize {
    with_prefix(items, prefix).len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_outcome_is_written_whole_or_not_at_all() {
    let body = json!({
        "status": "rejected",
        "validations": [{ "kind": "document", "result": "failed", "at": "2026-11-22T12:00:00Z" }],
    });
    let request = |api: &Api, who: &Persona, session: &Value| {
        api.call(who, "PATCH", &crate::sessions::path_of(session)).json(&body)
    };
    die_at_every_call(known_company, request, |items, answer| {
        let session = &answer.body["data"];
        assert_eq!(
            (&session["status"], session["validations"].as_array().unwrap().len()),
            (&json!("rejected"), 1)
        );
        // The events are: customer created, organization stored, session created, session completed
        // and session rejected.
        assert_eq!((count(items, "EVENT#"), count(items, "RISK#")), (5, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_is_replaced_whole_or_not_at_all() {
    let body = structure(&["p1", "p2"], &[("p1", "self", 30.0), ("p2", "self", 70.0)]);
    let request = |api: &Api, who: &Persona, customer: &Value| {
        api.call(who, "PUT", &format!("{}/organization", path_of(customer))).json(&body)
    };
    die_at_every_call(known_company, request, |items, answer| {
        assert_eq!(answer.body["data"]["version"], 2);
        assert_eq!(
            (count(items, "ORGANIZATION"), count(items, "EVENT#"), count(items, "RISK#")),
            (2, 5, 2)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recalculation_is_written_whole_or_not_at_all() {
    let request = |api: &Api, who: &Persona, customer: &Value| {
        api.call(who, "GET", &format!("{}/risk-profile?recalculate=true", path_of(customer)))
    };
    let new_company = async |api: &Api, who: &Persona| {
        let mut customer = api.create(who, &json!({ "name": "A", "country": "DE" })).await;
        customer["tenant_id"] = json!("acme");
        customer
    };
    die_at_every_call(new_company, request, |items, answer| {
        assert_eq!(answer.body["data"]["trigger"], "requested");
        // If the dead process has written its profile, the repeated request does not write another
        // one.
        assert_eq!((count(items, "EVENT#"), count(items, "RISK#")), (2, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scored_field_is_patched_whole_or_not_at_all() {
    let request = |api: &Api, who: &Persona, customer: &Value| {
        api.call(who, "PATCH", &path_of(customer)).json(&json!({ "country": "KP" }))
    };
    die_at_every_call(known_company, request, |items, answer| {
        assert_eq!(answer.body["data"]["risk"]["level"], "high");
        assert_eq!((count(items, "EVENT#"), count(items, "RISK#")), (5, 2));
    })
    .await;
}

/// The requests have an `Idempotency-Key`. A dead process keeps its key reserved until the lease
/// ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_session_and_its_customer_are_created_together_or_not_at_all() {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let mut died_at = Vec::new();
    for end in (0..MANY).flat_map(|call| [End::Before(call), End::After(call)]) {
        let client_id = format!("c-{end:?}").replace(['(', ')'], "-");
        let request = |api: &Api| {
            let call =
                api.call(&acme, "POST", "/kyc/sessions").header("idempotency-key", &client_id);
            call.json(&json!({ "client_id": client_id }))
        };
        let died = dies(&main, end, request).await;
        let customers_with_client_id = async |api: &Api| {
            let path = format!("/customers?client_id={client_id}");
            api.get(&acme, &path).await.expect(200)["items"].as_array().unwrap().clone()
        };
        for customer in customers_with_client_id(&main).await {
            assert_eq!(consistent_items(&main, &customer).await.len(), 4);
        }
        let later = Api::on_table_of_at(&main, now_millis() + 61_000).await;
        let session = request(&later).send().await.expect(201);
        let customers = customers_with_client_id(&later).await;
        assert_eq!(customers.len(), 1, "{end:?}");
        assert_eq!(session["customer_id"], customers[0]["customer_id"]);
        assert_eq!(customers[0]["sessions"]["total"], 1, "{end:?}");
        consistent_items(&later, &customers[0]).await;
        if !died {
            break;
        }
        died_at.push(end);
    }
    // The process died before and after each of three calls, which reserve the key, look up the
    // client id and write the transaction.
    assert_eq!(died_at.len(), 6, "{died_at:?}");
}

fn now_millis() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}
