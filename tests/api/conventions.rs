//! Tests of the conventions that every route follows: bodies, content codings, conditional requests
//! and `HEAD`.

use api_tests::chaos::{Overload, Trouble};
use api_tests::{Answer, Api, Persona, TEMPLATE, Value, json, path_of};

use crate::invariants::checked;
use crate::matrix::{ROWS, everything};
use crate::monitoring::{Setup, path};

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
    // Only one mark is skipped, and only at the start.
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
    // The answer to another media type does not name a coding.
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
    // Some clients name a media type although there is no body.
    let empty = post("monitor").header("content-type", "application/x-www-form-urlencoded");
    empty.send().await.expect(200);
    post("monitor").json(&json!({ "check_frequency": "daily" })).send().await.expect(200);
    post("monitor").text("[]").send().await.refused(415, "UNSUPPORTED_MEDIA_TYPE");

    w.api.delete(&w.acme, &path).await.expect(200);
    // The body is read, and the retention period has not ended.
    post("erase").send().await.refused(409, "RETENTION_PERIOD");
}

#[tokio::test]
async fn kosovo_is_a_country() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "country": "xk" })).await;
    assert_eq!(customer["country"], "XK");
    let page = api.get(&acme, "/customers?country=XK").await.expect(200);
    assert_eq!(page["items"], json!([customer]));
    // The standard leaves other codes to its users too, but no list or payment system agrees on them.
    for country in ["XX", "XA", "ZZ", "QM", "AA"] {
        let answer =
            api.post(&acme, "/customers", &json!({ "name": "A", "country": country })).await;
        assert_eq!(answer.faults(), ["/country"], "{country}");
    }
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
        // The same id of another tenant is free.
        let other = Persona::of("other");
        api.create(&other, &json!({ "name": "A", "client_id": id })).await;
    }
    assert_eq!(checked(&w).await.violations, []);

    // A patch sets an id where there is none. An erasure frees it.
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
    // The customer exists now, so the request needs no name.
    api.post(&acme, "/kyc/sessions", &json!({ "client_id": id })).await.expect(201);
}

/// Returns the body of a request to erase a customer before its retention has ended.
fn reason() -> Value {
    json!({ "override_reason": "A test" })
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
                // API Gateway writes the length.
                headers.retain(|(name, _)| name != "content-length");
                (status, headers)
            };
            assert_eq!(headers(&head), headers(&get), "{}", row.route);
        }
        count += 1;
    }
    let gets = TEMPLATE.routes().filter(|(_, route)| route.method == "GET" && !route.is_public);
    assert_eq!(count, gets.count());
    // HEAD does not exist where GET does not.
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
    // It is the only route without a token.
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
        // A repetition through another host gets a location there.
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
    // Only the route without a token does not need one.
    assert_eq!(document["paths"]["/health"]["get"]["security"], json!([]));
    assert_eq!(document["paths"]["/customers"]["get"]["security"], Value::Null);
}
