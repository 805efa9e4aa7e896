//! Tests `POST /customers`.

use api_tests::{Api, Persona, Value, json, rounds};
use futures_util::future::join_all;

#[tokio::test]
async fn a_customer_is_created_with_all_its_fields() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({
        "name": "  Jörg Müller ",
        "client_id": "crm:42/a@b",
        "entity_type": "individual",
        "website": "https://example.com/a",
        "tax_id": "DE 123",
        "country": "de",
        "email": "joerg@example.com",
        "phone": "+4930123456",
        "industry": "Bäckerei",
        "date_of_birth": "1970-12-31",
        "tags": ["vip", "eu"],
        "metadata": { "crm": "42", "": "no" },
    });
    let mut valid = body.clone();
    valid["metadata"].as_object_mut().unwrap().remove("");

    assert_eq!(api.post(&acme, "/customers", &body).await.faults(), ["/metadata/"]);

    let answer = api.post(&acme, "/customers", &valid).await;
    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let customer = answer.expect(201);
    let id = customer["customer_id"].as_str().unwrap();
    assert_eq!(location, format!("/customers/{id}"));
    let created_at = customer["created_at"].as_str().unwrap();
    assert_eq!((created_at.len(), &created_at[19..20], &created_at[23..]), (24, ".", "Z"));

    valid["name"] = json!("Jörg Müller");
    valid["country"] = json!("DE");
    for (field, value) in [
        ("customer_id", json!(id)),
        ("tenant_id", json!(api.tenant("acme"))),
        ("incorporated_on", Value::Null),
        ("status", json!("active")),
        ("risk", json!({ "level": "not_set", "score": null, "calculated_at": null })),
        (
            "monitoring",
            json!({
                "status": "off", "lists": [], "check_frequency": null, "last_checked_at": null, "open_alerts": 0,
            }),
        ),
        (
            "sessions",
            json!({
                "total": 0, "approved": 0, "rejected": 0, "manual_review": 0, "active": 0,
                "last_session_id": null, "last_status": null, "last_at": null,
            }),
        ),
        ("version", json!(1)),
        ("created_at", json!(created_at)),
        ("updated_at", json!(created_at)),
        ("deactivated_at", Value::Null),
        ("erased_at", Value::Null),
        ("erasure_override_reason", Value::Null),
        ("retain_until", Value::Null),
        ("retain_reason", Value::Null),
    ] {
        valid[field] = value;
    }
    assert_eq!(customer, valid);
    assert_eq!(api.get(&acme, &location).await.expect(200), valid);
}

#[tokio::test]
async fn absent_and_null_fields_take_their_defaults() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));

    let customer = api.create(&acme, &json!({ "name": "A", "website": null, "tags": null })).await;

    assert_eq!(
        (&customer["entity_type"], &customer["client_id"]),
        (&json!("company"), &Value::Null)
    );
    assert_eq!((&customer["tags"], &customer["metadata"]), (&json!([]), &json!({})));

    // Without a client id, repeating the same body creates another customer.
    let other = api.create(&acme, &json!({ "name": "A" })).await;
    assert_ne!(customer["customer_id"], other["customer_id"]);
}

#[tokio::test]
async fn every_fault_is_reported_at_once() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body =
        json!({ "name": " ", "country": "XX", "email": "nobody", "phone": "030", "nmae": "Acme" });

    let answer = api.post(&acme, "/customers", &body).await;
    assert_eq!(answer.faults(), ["/name", "/country", "/email", "/phone", "/nmae"]);

    let all = json!({
        "name": "a".repeat(201), "client_id": " a", "entity_type": "shop", "website": "example.com", "tax_id": "",
        "country": 49, "email": "a@b", "phone": "+0", "industry": "x".repeat(101), "date_of_birth": "1970-02-30",
        "incorporated_on": "soon", "tags": ["a", "", "a"], "metadata": { "k": "v".repeat(501), "l": 1 },
        "a/b~c": true, "status": "active", "version": 7,
    });

    let answer = api
        .call(&acme, "POST", "/customers?dry_run=1")
        .header("idempotency-key", "")
        .json(&all)
        .send()
        .await;

    let expected = [
        "Idempotency-Key",
        "/name",
        "/client_id",
        "/entity_type",
        "/website",
        "/tax_id",
        "/country",
        "/email",
        "/phone",
        "/industry",
        "/date_of_birth",
        "/incorporated_on",
        "/tags/1",
        "/metadata/k",
        "/metadata/l",
        "/tags",
        "/a~1b~0c",
        "/status",
        "/version",
        "?dry_run",
    ];
    assert_eq!(answer.faults(), expected);

    assert_eq!(api.get(&acme, "/customers").await.expect(200)["count"], 0);
}

#[tokio::test]
async fn length_limits_are_exact() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let metadata = |keys: usize, key: usize, value: usize| -> Value {
        (0..keys)
            .map(|i| (format!("{i:0key$}"), json!("ä".repeat(value))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let tags = |count: usize, length: usize| -> Value {
        (0..count).map(|i| format!("{i:0length$}")).collect()
    };

    for (field, longest, too_long) in [
        ("name", json!("ä".repeat(200)), json!("ä".repeat(201))),
        ("client_id", json!("ä".repeat(255)), json!("ä".repeat(256))),
        ("tax_id", json!("ä".repeat(64)), json!("ä".repeat(65))),
        ("industry", json!("ä".repeat(100)), json!("ä".repeat(101))),
        ("tags", tags(50, 64), tags(51, 64)),
        ("metadata", metadata(50, 40, 500), metadata(51, 40, 500)),
        ("phone", json!("+123456789012345"), json!("+1234567890123456")),
    ] {
        let body = |value: Value| {
            let mut body = json!({ "name": "A" });
            body[field] = value;
            body
        };
        let (longest, too_long) = (body(longest), body(too_long));

        let created = api.create(&acme, &longest).await;
        assert_eq!(created[field], longest[field]);
        assert_eq!(api.post(&acme, "/customers", &too_long).await.faults(), [format!("/{field}")]);
    }
}

#[tokio::test]
async fn a_date_of_the_wrong_kind_or_in_the_future_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for (body, fault) in [
        (json!({ "name": "A", "date_of_birth": "1970-01-01" }), "/date_of_birth"),
        (
            json!({ "name": "A", "entity_type": "individual", "incorporated_on": "1970-01-01" }),
            "/incorporated_on",
        ),
        (
            json!({ "name": "A", "entity_type": "individual", "date_of_birth": "2999-01-01" }),
            "/date_of_birth",
        ),
        (json!({ "name": "A", "incorporated_on": "2999-01-01" }), "/incorporated_on"),
    ] {
        assert_eq!(api.post(&acme, "/customers", &body).await.faults(), [fault]);
    }
}

#[tokio::test]
async fn every_kind_of_unreadable_body_has_its_own_error() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let post = |content_type: &'static str, body: &str| {
        api.call(&acme, "POST", "/customers")
            .header("content-type", content_type)
            .text(body.to_owned())
            .send()
    };

    let error = post("application/json", "{\n  \"name\": }").await.refused(400, "MALFORMED_JSON");
    assert!(error["message"].as_str().unwrap().contains("line 2, column 11"), "{error}");

    post("application/json", "").await.refused(400, "MALFORMED_JSON");
    post("application/json", r#"{"name":"A","name":"B"}"#).await.refused(400, "MALFORMED_JSON");
    assert_eq!(post("application/json", "[]").await.faults(), [""]);

    post("text/plain", "{}").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    post("application/json; charset=latin1", "{}").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");

    post("Application/JSON; charset=UTF-8", r#"{"name":"A"}"#).await.expect(201);
    let without_type = api.call(&acme, "POST", "/customers").text("{}").send().await;
    without_type.refused(415, "UNSUPPORTED_MEDIA_TYPE");

    let padded = |size: usize| format!("{}{}", " ".repeat(size - 12), r#"{"name":"A"}"#);
    post("application/json", &padded(256 * 1024)).await.expect(201);
    post("application/json", &padded(256 * 1024 + 1)).await.refused(413, "BODY_TOO_LARGE");
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let call = api.call(&acme, "POST", "/customers").header("content-type", "application/json");

    let answer = call.text(b"{\"name\":\"\xff\"}".to_vec()).send().await;

    answer.refused(400, "MALFORMED_JSON");
}

#[tokio::test]
async fn a_client_id_is_unique_within_its_tenant() {
    let (api, acme, other) = (Api::start().await, Persona::of("acme"), Persona::of("other"));
    let body = json!({ "name": "A", "client_id": "a-1" });
    let first = api.create(&acme, &body).await;

    let error = api.post(&acme, "/customers", &body).await.refused(409, "CUSTOMER_ALREADY_EXISTS");

    assert_eq!(error["details"][0]["customer_id"], first["customer_id"]);
    assert_eq!(error["details"][0]["field"], "/client_id");

    // Another tenant can use the same client id.
    assert_ne!(api.create(&other, &body).await["customer_id"], first["customer_id"]);
    assert_eq!(api.get(&acme, "/customers").await.expect(200)["count"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_creations_with_a_client_id_succeeds() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for round in 0..rounds(100) {
        let body = json!({ "name": "A", "client_id": format!("round-{round}") });
        let answers = join_all((0..32).map(|_| api.post(&acme, "/customers", &body))).await;
        let (created, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 201);

        assert_eq!(created.len(), 1, "round {round}");
        let winner = created.into_iter().next().unwrap().expect(201);
        for answer in refused {
            let error = answer.refused(409, "CUSTOMER_ALREADY_EXISTS");
            assert_eq!(error["details"][0]["customer_id"], winner["customer_id"]);
        }
    }
}
