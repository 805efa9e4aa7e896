//! A process that ends between any two of its calls to the table: afterwards nothing is half-written,
//! and the same request again brings the work to its end.

use api_tests::faults::{End, Mortal};
use api_tests::{Answer, Api, Call, Persona, Value, json, path_of};

use crate::audit::items;
use crate::organization::structure;

/// More calls than any operation makes.
const MANY: usize = 20;

/// What is beside a customer, and that it is whole: counters, risk and events tell one story.
async fn whole(api: &Api, customer: &Value) -> Value {
    let all = items(api, customer, "").await;
    let of = |prefix: &str| -> Vec<Value> {
        let begins = |item: &&Value| item["sk"].as_str().unwrap().starts_with(prefix);
        all.iter().filter(begins).cloned().collect()
    };
    let stored = &of("CUSTOMER")[0];
    let (sessions, profiles, events) = (of("SESSION#"), of("RISK#"), of("EVENT#"));
    let counted = &stored["sessions"];
    assert_eq!(counted["total"], sessions.len());
    for status in ["active", "approved", "rejected", "manual_review"] {
        let stand = sessions.iter().filter(|session| session["status"] == status).count();
        assert_eq!(counted[status], stand, "{status}");
    }
    // One version, one event.
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
    let organizations = of("ORGANIZATION");
    let newest = organizations.iter().map(|item| item["version"].as_u64().unwrap()).max();
    assert_eq!(newest.unwrap_or(0), organizations.len() as u64);
    assert_eq!(newest, organizations.first().map(|current| current["version"].as_u64().unwrap()));
    for session in &sessions {
        let path = crate::sessions::path_of(session);
        api.get(&Persona::of("acme"), &path).await.expect(200);
    }
    json!(all)
}

/// Sends the request to a process that ends there; whether it did.
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

/// Lets a request die at every place there is, each time on a customer of its own in this state.
async fn at_every_place(
    prepare: impl AsyncFn(&Api, &Persona) -> Value,
    request: impl Fn(&Api, &Persona, &Value) -> Call,
    complete: impl Fn(&Value, &Answer),
) {
    let (main, acme) = (Api::start().await, Persona::of("acme"));
    let ends = (0..MANY).flat_map(|call| [End::Before(call), End::After(call)]);
    for (places, end) in ends.enumerate() {
        let customer = prepare(&main, &acme).await;
        let before = whole(&main, &customer).await;
        let died = dies(&main, end, |api| request(api, &acme, &customer)).await;
        let restarted = Api::on_table_of(&main).await;
        let between = whole(&restarted, &customer).await;
        let version = |all: &Value| {
            let customer = all.as_array().unwrap().iter().find(|item| item["sk"] == "CUSTOMER");
            customer.unwrap()["version"].as_u64().unwrap()
        };
        let wrote = version(&between) > version(&before);
        assert!(wrote || between == before, "{end:?}");
        let again = request(&restarted, &acme, &customer).send().await;
        assert!(again.status < 300, "{end:?}: {}", again.text);
        complete(&whole(&restarted, &customer).await, &again);
        if !died {
            assert!(wrote && places > 2, "{end:?}, {places} places");
            return;
        }
    }
    panic!("the request makes more calls than it should");
}

async fn known_company(api: &Api, who: &Persona) -> Value {
    let customer = api.create(who, &json!({ "name": "A", "country": "DE" })).await;
    let body = structure(&["p1"], &[("p1", "self", 60.0)]);
    let path = format!("{}/organization", path_of(&customer));
    api.call(who, "PUT", &path).json(&body).send().await.expect(201);
    let link = json!({ "customer_id": customer["customer_id"] });
    let mut session = api.post(who, "/kyc/sessions", &link).await.expect(201);
    let path = crate::sessions::path_of(&session);
    api.patch(who, &path, &json!({ "status": "completed" })).await.expect(200);
    session["tenant_id"] = json!("acme");
    session
}

fn count(all: &Value, prefix: &str) -> usize {
    let begins = |item: &&Value| item["sk"].as_str().unwrap().starts_with(prefix);
    all.as_array().unwrap().iter().filter(begins).count()
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
    at_every_place(known_company, request, |all, answer| {
        let session = &answer.body["data"];
        assert_eq!(
            (&session["status"], session["validations"].as_array().unwrap().len()),
            (&json!("rejected"), 1)
        );
        // Customer created, organization, session created and completed, and this once.
        assert_eq!((count(all, "EVENT#"), count(all, "RISK#")), (5, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_is_replaced_whole_or_not_at_all() {
    let body = structure(&["p1", "p2"], &[("p1", "self", 30.0), ("p2", "self", 70.0)]);
    let request = |api: &Api, who: &Persona, customer: &Value| {
        api.call(who, "PUT", &format!("{}/organization", path_of(customer))).json(&body)
    };
    at_every_place(known_company, request, |all, answer| {
        assert_eq!(answer.body["data"]["version"], 2);
        assert_eq!(
            (count(all, "ORGANIZATION"), count(all, "EVENT#"), count(all, "RISK#")),
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
    at_every_place(known_company, request, |all, answer| {
        let profiles = count(all, "RISK#");
        assert_eq!(answer.body["data"]["trigger"], "requested");
        // Asked for again, it is calculated again.
        assert!((2..=3).contains(&profiles), "{profiles}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scored_field_is_patched_whole_or_not_at_all() {
    let request = |api: &Api, who: &Persona, customer: &Value| {
        api.call(who, "PATCH", &path_of(customer)).json(&json!({ "country": "KP" }))
    };
    at_every_place(known_company, request, |all, answer| {
        assert_eq!(answer.body["data"]["risk"]["level"], "high");
        assert_eq!((count(all, "EVENT#"), count(all, "RISK#")), (5, 2));
    })
    .await;
}

/// With an `Idempotency-Key`: what died holds the key until its lease has run out.
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
        let found = async |api: &Api| {
            let path = format!("/customers?client_id={client_id}");
            api.get(&acme, &path).await.expect(200)["items"].as_array().unwrap().clone()
        };
        for customer in found(&main).await {
            assert_eq!(whole(&main, &customer).await.as_array().unwrap().len(), 4);
        }
        let later = Api::on_table_of_at(&main, now_millis() + 61_000).await;
        let session = request(&later).send().await.expect(201);
        let customers = found(&later).await;
        assert_eq!(customers.len(), 1, "{end:?}");
        assert_eq!(session["customer_id"], customers[0]["customer_id"]);
        assert_eq!(customers[0]["sessions"]["total"], 1, "{end:?}");
        whole(&later, &customers[0]).await;
        if !died {
            break;
        }
        died_at.push(end);
    }
    // The key, the claim, and the transaction.
    assert_eq!(died_at.len(), 6, "{died_at:?}");
}

fn now_millis() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}
