//! Tests `GET /customers/{id}/export`.

use std::collections::BTreeMap;

use api_tests::faults::{End, Mortal};
use api_tests::table::text_of;
use api_tests::{Api, KEY, Persona, TEMPLATE, Value, json, path_of};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::populated::populated_customer;
use crate::invariants::checked;
use crate::monitoring::Setup;

/// Exports a customer page by page, and returns the data of its items by type.
pub(super) async fn export_all(
    setup: &crate::monitoring::Setup,
    customer: &Value,
) -> BTreeMap<String, Vec<Value>> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut query = String::new();
    loop {
        let path = format!("{}/export{query}", path_of(customer));
        let page = setup.api.get(&setup.acme, &path).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            let kind = item["type"].as_str().unwrap().to_owned();
            all.entry(kind).or_default().push(item["data"].clone());
        }
        match page["cursor"].as_str() {
            Some(cursor) => query = format!("?cursor={cursor}"),
            None => return all,
        }
    }
}

#[tokio::test]
async fn an_export_contains_every_item_as_the_api_shows_it() {
    let (setup, customer) = populated_customer().await;
    let all = export_all(&setup, &customer).await;

    let path = path_of(&customer);
    let now = setup.api.get(&setup.acme, &path).await.expect(200);
    assert_eq!(all["customer"], std::slice::from_ref(&now));

    let list = async |rest: &str| {
        let mut page = setup
            .api
            .get(&setup.acme, &format!("{path}{rest}?limit=100&order=asc"))
            .await
            .expect(200);
        page["items"].as_array_mut().unwrap().drain(..).collect::<Vec<_>>()
    };

    assert_eq!(all["session"], list("/sessions").await);
    assert_eq!(all["alert"], list("/alerts").await);

    let organization =
        setup.api.get(&setup.acme, &format!("{path}/organization")).await.expect(200);
    let versions: Vec<&Value> = all["organization"].iter().map(|item| &item["version"]).collect();
    assert_eq!(versions, [&json!(2), &json!(1)]);
    assert_eq!(all["organization"][0]["structure"], organization["structure"]);

    let profile =
        setup.api.get(&setup.acme, &format!("{path}/risk-profile?history=50")).await.expect(200);
    assert_eq!(all["risk_profile"].len(), profile["history"].as_array().unwrap().len());

    assert_eq!(all["monitor"].len(), 1);
    assert!(all["monitor"][0].get("shard").is_none());

    // The event of the export itself is written after the data is read.
    assert_eq!(all["event"].len() as u64, now["version"].as_u64().unwrap());
    assert_eq!(all["event"][0]["kind"], "customer.created");
    assert!(all["event"].iter().all(|event| event.get("pk").is_none()));

    // Attributes that only the table uses are not exported.
    let text = json!(all).to_string();
    for internal in ["name_sk", "risk_pk", "open_sessions", "is_scrubbed", "kept_answer", "T#acme"]
    {
        assert!(!text.contains(internal), "{internal}");
    }
}

#[tokio::test]
async fn an_invalid_query_or_a_foreign_customer_is_refused() {
    let (setup, customer) = populated_customer().await;
    let path = format!("{}/export", path_of(&customer));

    setup.api.get(&setup.acme, &format!("{path}?cursor=x")).await.refused(400, "INVALID_CURSOR");
    setup.api.get(&setup.acme, &format!("{path}?limit=1")).await.refused(400, "VALIDATION_ERROR");
    setup.api.get(&Persona::of("other"), &path).await.refused(404, "CUSTOMER_NOT_FOUND");
}

#[tokio::test]
async fn a_large_export_comes_in_pages() {
    let (setup, customer) = populated_customer().await;
    let metadata: BTreeMap<String, String> =
        (0..50).map(|n| (format!("key-{n}"), "\u{20ac}".repeat(500))).collect();
    let link = json!({ "customer_id": customer["customer_id"], "metadata": metadata });
    for _ in 0..25 {
        setup.api.post(&setup.acme, "/kyc/sessions", &link).await.expect(201);
    }

    let page = setup.api.get(&setup.acme, &format!("{}/export", path_of(&customer))).await;

    assert!(page.text.len() < 3_100_000);
    assert_eq!(page.expect(200)["has_more"], true);

    let all = export_all(&setup, &customer).await;
    assert_eq!(all["session"].len(), 27);
    assert_eq!(all["customer"].len(), 1);
}

/// Returns an export cursor for a position, in the same format as the service's cursors.
pub(crate) fn forged_cursor(tenant: &str, id: &str, position: &str) -> String {
    let scope = format!("1\n{tenant}\nexport\n\"{id}\"\n{position}");
    let digest = Sha256::digest(scope.as_bytes());
    URL_SAFE_NO_PAD.encode([&digest[..12], position.as_bytes()].concat())
}

/// The tag of a cursor is a checksum and not a signature, so a client can build a cursor. A cursor
/// built this way can only read from another position of the same customer, and only after an export
/// that has an event. An impossible position is refused.
#[tokio::test]
async fn a_forged_cursor_reads_only_the_same_customer() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A" })).await;
    let id = customer["customer_id"].as_str().unwrap();
    let read_at = async |position: &str| {
        let cursor = forged_cursor(&api.tenant("acme"), id, position);
        api.get(&acme, &format!("{}/export?cursor={cursor}", path_of(&customer))).await
    };
    // A forged cursor is refused unless it names the event of an export.
    api.get(&acme, &format!("{}/export", path_of(&customer))).await.expect(200);
    let events = crate::audit::events(&api, &customer).await;
    let [created, exported] = &events[..] else { panic!("{events:?}") };
    let created = created["event_id"].as_str().unwrap();
    read_at(&format!("{created}#CUSTOMER")).await.refused(400, "INVALID_CURSOR");
    let exported = exported["event_id"].as_str().unwrap();
    let read = async |sort_key: &str| read_at(&format!("{exported}#{sort_key}")).await;

    let rest = read("CUSTOMER").await.expect(200);
    assert_eq!((&rest["count"], &rest["items"][0]["type"]), (&json!(2), &json!("event")));
    assert_eq!(read("Z").await.expect(200)["count"], 0);
    assert_eq!(read(&"Z".repeat(1_024)).await.expect(200)["count"], 0);

    for position in ["", &"Z".repeat(1_025)] {
        read(position).await.refused(400, "INVALID_CURSOR");
    }
    for position in ["CUSTOMER", "x#CUSTOMER", &format!("{id}#CUSTOMER")] {
        read_at(position).await.refused(400, "INVALID_CURSOR");
    }
}

/// Returns the customer's events of kind `customer.exported`.
async fn exports(setup: &Setup, customer: &Value) -> Vec<Value> {
    let mut events = crate::audit::events(&setup.api, customer).await;
    events.retain(|event| event["kind"] == "customer.exported");
    events
}

/// Creates a customer whose export has several pages.
async fn large_customer(setup: &Setup) -> Value {
    let customer = setup.create_customer("Mirka Dovello").await;
    let metadata: BTreeMap<String, String> =
        (0..50).map(|n| (format!("key-{n}"), "\u{20ac}".repeat(500))).collect();
    let link = json!({ "customer_id": customer["customer_id"], "metadata": metadata });
    for _ in 0..45 {
        setup.api.post(&setup.acme, "/kyc/sessions", &link).await.expect(201);
    }
    customer
}

#[tokio::test]
async fn an_export_is_an_event_and_no_change() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let path = format!("{}/export", path_of(&customer));
    setup.advance_clock(1);

    let answer = setup.api.get(&setup.acme, &path).await;
    let events = exports(&setup, &customer).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["actor"], "tester");
    assert_eq!(events[0]["request_id"].as_str(), answer.header("x-request-id"));
    assert_eq!(events[0]["customer_id"], customer["customer_id"]);
    assert_eq!(events[0]["changes"], json!({}));
    // The event is written after the data is read, so only the next export contains it.
    assert_eq!(answer.expect(200)["count"], 2);
    assert_eq!(setup.api.get(&setup.acme, &path).await.expect(200)["count"], 3);
    assert_eq!(exports(&setup, &customer).await.len(), 2);
    assert_eq!(setup.api.get(&setup.acme, &path_of(&customer)).await.expect(200), customer);

    // Inactive and erased customers can be exported, and these exports are events, too.
    setup.api.delete(&setup.acme, &path_of(&customer)).await.expect(200);
    setup.api.get(&setup.acme, &path).await.expect(200);
    let reason = json!({ "override_reason": "A test" });
    let erase = format!("{}/erase", path_of(&customer));
    setup.api.post(&setup.acme, &erase, &reason).await.expect(200);
    setup.api.get(&setup.acme, &path).await.expect(200);
    assert_eq!(exports(&setup, &customer).await.len(), 4);
    assert_eq!(checked(&setup).await.violations, []);
}

#[tokio::test]
async fn an_export_without_an_answer_has_no_event() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let path = format!("{}/export", path_of(&customer));
    // HEAD returns no data.
    let head = async |who: &Persona| setup.api.call(who, "HEAD", &path).send().await.status;
    let nobody = Persona::with("acme", &["kyc:read"]);
    assert_eq!(head(&setup.acme).await, 200);
    assert_eq!((head(&Persona::of("other")).await, head(&nobody).await), (404, 403));
    setup.api.get(&setup.acme, &format!("{path}?cursor=x")).await.refused(400, "INVALID_CURSOR");
    setup.api.get(&Persona::of("other"), &path).await.refused(404, "CUSTOMER_NOT_FOUND");
    let unprivileged = Persona::with("acme", &["kyc:create"]);
    setup.api.get(&unprivileged, &path).await.refused(403, "INSUFFICIENT_PERMISSIONS");
    assert_eq!(exports(&setup, &customer).await, Vec::<Value>::new());
    let all = setup.api.all_items().await;
    let events = all.iter().filter(|item| text_of(item, "type") == "event");
    assert_eq!(events.count(), 1);
}

/// The service reads the data before it writes the event. If it dies before it has written the
/// event, the caller gets no data.
#[tokio::test]
async fn no_data_leaves_before_the_event_is_written() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let path = format!("{}/export", path_of(&customer));
    for (end, count) in [(End::Before(1), 0), (End::After(1), 1)] {
        let mortal = Mortal::new(end);
        let victim = setup.server_with_fault(mortal.clone()).await;
        mortal.arm();
        tokio::select! {
            () = mortal.ended() => {}
            answer = victim.get(&setup.acme, &path) => panic!("{}", answer.text),
        }
        assert_eq!(exports(&setup, &customer).await.len(), count, "{end:?}");
    }
}

#[tokio::test]
async fn an_export_of_several_pages_is_one_event() {
    let setup = Setup::without_lists().await;
    let customer = large_customer(&setup).await;
    let path = format!("{}/export", path_of(&customer));
    let page = setup.api.get(&setup.acme, &path).await.expect(200);
    let next = format!("{path}?cursor={}", page["cursor"].as_str().unwrap());
    for _ in 0..2 {
        setup.api.get(&setup.acme, &next).await.expect(200);
    }
    assert_eq!(exports(&setup, &customer).await.len(), 1);

    // The cursor is valid only for the same caller, and for one day. Anyone else must begin a new
    // export.
    let claims = |sub: &str| {
        json!({
            "iss": TEMPLATE.authorizer.issuer, "iat": 1, "exp": 4_102_444_800_i64, "aud": "kyc-customers",
            "tenant_id": setup.api.tenant("acme"), "permissions": ["kyc:*"], "sub": sub,
        })
    };
    let other = Persona::bearing(KEY.sign(&claims("other")).unwrap());
    setup.api.get(&other, &next).await.refused(400, "INVALID_CURSOR");
    setup.advance_clock(24 * 3_600);
    setup.api.get(&setup.acme, &next).await.expect(200);
    setup.advance_clock(1);
    setup.api.get(&setup.acme, &next).await.refused(400, "INVALID_CURSOR");
}
