//! Tests `GET /customers/{id}/sessions`.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use api_tests::{Api, Persona, Value, json, path_of};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};

use super::{DAY, NOON, counters, create_session};

async fn listed_ids(api: &Api, who: &Persona, path: &str) -> Vec<String> {
    let page = api.get(who, path).await.expect(200);
    let items = page["items"].as_array().unwrap().iter();
    items.map(|session| session["session_id"].as_str().unwrap().to_owned()).collect()
}

fn id(session: &Value) -> String {
    session["session_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sessions_come_newest_first_in_full_pages() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let mut sessions = Vec::new();
    for _ in 0..25 {
        sessions.push(create_session(&api, &acme, "a").await);
    }
    create_session(&api, &acme, "b").await;

    let path = format!("{}/sessions", path_of(&sessions[0]));
    let newest: Vec<String> = sessions.iter().rev().map(id).collect();
    assert_eq!(listed_ids(&api, &acme, &path).await, newest[..20]);
    assert_eq!(listed_ids(&api, &acme, &format!("{path}?limit=100")).await, newest);
    let oldest: Vec<String> = sessions.iter().map(id).collect();
    assert_eq!(listed_ids(&api, &acme, &format!("{path}?limit=100&order=asc")).await, oldest);

    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(&acme, &format!("{path}?limit=10{cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["count"], items.len());
        listed.extend(items.iter().map(id));
        let Some(next) = page["cursor"].as_str() else { break };
        assert_eq!(items.len(), 10);
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, newest);

    for other_query in ["&order=asc", "&status=active"] {
        let path = format!("{path}?limit=10{cursor}{other_query}");
        api.get(&acme, &path).await.refused(400, "INVALID_CURSOR");
    }
    let other = api.get(&acme, "/customers?client_id=b").await.expect(200)["items"][0].clone();
    let foreign = format!("{}/sessions?limit=10{cursor}", path_of(&other));
    api.get(&acme, &foreign).await.refused(400, "INVALID_CURSOR");
}

#[tokio::test]
async fn a_customer_without_sessions_has_an_empty_list_and_an_unknown_one_has_none() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let path = format!("{}/sessions", path_of(&customer));
    let empty = json!({ "items": [], "count": 0, "cursor": null, "has_more": false });
    assert_eq!(api.get(&acme, &path).await.expect(200), empty);
    api.get(&Persona::of("other"), &path).await.refused(404, "CUSTOMER_NOT_FOUND");
    api.get(&acme, "/customers/x/sessions").await.refused(404, "CUSTOMER_NOT_FOUND");
    let faults = api.get(&acme, &format!("{path}?status=done&limit=0&search=a")).await.faults();
    assert_eq!(faults, ["?status", "?limit", "?search"]);
}

/// The customer has more sessions than one request reads, and the filter does not match any of
/// them.
#[tokio::test]
async fn a_filter_without_matches_returns_a_short_page() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let session = create_session(&api, &acme, "a").await;
    let table = api.table.as_str();
    let text = |text: String| AttributeValue::S(text);
    let pk = format!("T#{}#C#{}", api.tenant("acme"), session["customer_id"].as_str().unwrap());
    let key = |sk: String| {
        HashMap::from([("pk".to_owned(), text(pk.clone())), ("sk".to_owned(), text(sk))])
    };
    let sk = format!("SESSION#{}", session["session_id"].as_str().unwrap());
    let get = api.dynamodb.get_item().table_name(table).set_key(Some(key(sk)));
    let item = get.send().await.unwrap().item.unwrap();
    let copies: Vec<WriteRequest> = (0..5_100)
        .map(|i| {
            let id = format!("01900000-0000-7000-8000-{i:012}");
            let mut item = item.clone();
            item.extend(key(format!("SESSION#{id}")));
            item.insert("session_id".to_owned(), text(id));
            WriteRequest::builder()
                .put_request(PutRequest::builder().set_item(Some(item)).build().unwrap())
                .build()
        })
        .collect();
    for batch in copies.chunks(25) {
        let write = api.dynamodb.batch_write_item().request_items(table, batch.to_vec());
        write.send().await.unwrap();
    }

    let path = format!("{}/sessions?status=approved", path_of(&session));
    let page = api.get(&acme, &path).await.expect(200);
    assert_eq!((&page["count"], &page["has_more"]), (&json!(0), &json!(true)));
    let cursor = page["cursor"].as_str().unwrap();
    let rest = api.get(&acme, &format!("{path}&cursor={cursor}")).await.expect(200);
    assert_eq!((&rest["count"], &rest["has_more"]), (&json!(0), &json!(false)));
}

#[tokio::test]
async fn an_expired_session_is_reported_as_expired_everywhere_at_once() {
    let (api, now) = Api::with_clock_at(NOON).await;
    let acme = Persona::of("acme");
    let create = async |days: u64| {
        let body = json!({ "client_id": "a", "ttl_days": days });
        api.post(&acme, "/kyc/sessions", &body).await.expect(201)
    };
    let (long, short) = (create(3).await, create(1).await);
    let finished = create(1).await;
    let completed = json!({ "status": "completed" });
    api.patch(&acme, &super::path_of(&finished), &completed).await.expect(200);

    let list = format!("{}/sessions?status=", path_of(&long));
    let by_status = async |status: &str| listed_ids(&api, &acme, &format!("{list}{status}")).await;

    now.store(NOON + DAY - 1, Ordering::SeqCst);
    assert_eq!(by_status("active").await, [id(&short), id(&long)]);
    assert_eq!(counters(&api, &acme, &long).await["active"], 2);

    now.store(NOON + DAY, Ordering::SeqCst);
    assert_eq!(by_status("active").await, [id(&long)]);
    assert_eq!(by_status("expired").await, [id(&short)]);
    assert_eq!(by_status("completed").await, [id(&finished)]);
    let read = api.get(&acme, &super::path_of(&short)).await.expect(200);
    assert_eq!(read["status"], "expired");
    let counts = counters(&api, &acme, &long).await;
    assert_eq!((&counts["active"], &counts["total"]), (&json!(1), &json!(3)));
    let listed = api.get(&acme, "/customers").await.expect(200);
    assert_eq!(listed["items"][0]["sessions"], counts);

    for status in ["completed", "approved", "active"] {
        let answer = api.patch(&acme, &super::path_of(&short), &json!({ "status": status })).await;
        let error = answer.refused(409, "INVALID_TRANSITION");
        assert_eq!(error["details"][0]["status"], "expired");
    }

    // The next write must not count the expired session as active.
    let newest = create(1).await;
    let counts = counters(&api, &acme, &long).await;
    assert_eq!((&counts["active"], &counts["total"]), (&json!(2), &json!(4)));

    now.store(NOON + 4 * DAY, Ordering::SeqCst);
    let counts = counters(&api, &acme, &long).await;
    assert_eq!((&counts["active"], &counts["last_status"]), (&json!(0), &json!("expired")));
    assert_eq!(counts["last_session_id"], newest["session_id"]);
}
