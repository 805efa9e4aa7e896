//! Tests `PATCH /customers/{id}`.

use api_tests::proptest::prelude::*;
use api_tests::{Answer, Api, Persona, Value, json, path_of, property};
use futures_util::future::join_all;

async fn patch_if(api: &Api, who: &Persona, path: &str, tag: &str, body: &Value) -> Answer {
    api.call(who, "PATCH", path).header("if-match", tag).json(body).send().await
}

#[tokio::test]
async fn an_absent_field_stays_and_null_clears_a_field() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({
        "name": "Acme", "website": "https://acme.example", "tax_id": "1", "country": "DE",
        "email": "a@acme.example", "phone": "+4930123456", "industry": "Tools",
        "incorporated_on": "1970-01-01", "tags": ["vip"], "metadata": { "a": "1", "b": "2" },
    });
    let mut expected = api.create(&acme, &body).await;
    let path = path_of(&expected);

    let answer = api.patch(&acme, &path, &json!({ "name": " Acme Ltd ", "country": "fr" })).await;
    assert_eq!(answer.header("etag"), Some("\"2\""));
    let changed = answer.expect(200);
    assert!(changed["updated_at"].as_str() >= expected["updated_at"].as_str());

    expected["name"] = json!("Acme Ltd");
    expected["country"] = json!("FR");
    expected["version"] = json!(2);
    expected["updated_at"] = changed["updated_at"].clone();
    // The country is a risk factor, so the risk was calculated. The risk level remains `not_set`.
    expected["risk"]["calculated_at"] = changed["updated_at"].clone();
    assert_eq!(changed, expected);

    let cleared = json!({
        "website": null, "tax_id": null, "country": null, "email": null, "phone": null, "industry": null,
        "incorporated_on": null, "tags": null, "metadata": null,
    });
    let changed = api.patch(&acme, &path, &cleared).await.expect(200);

    for field in ["website", "tax_id", "country", "email", "phone", "industry", "incorporated_on"] {
        expected[field] = Value::Null;
    }
    expected["tags"] = json!([]);
    expected["metadata"] = json!({});
    expected["version"] = json!(3);
    expected["updated_at"] = changed["updated_at"].clone();
    expected["risk"]["calculated_at"] = changed["updated_at"].clone();
    assert_eq!(changed, expected);
    assert_eq!(api.get(&acme, &path).await.expect(200), expected);
}

#[tokio::test]
async fn metadata_is_merged_by_key_and_tags_are_replaced() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body =
        json!({ "name": "A", "tags": ["a", "b"], "metadata": { "a": "1", "b": "2", "c/~": "3" } });
    let path = path_of(&api.create(&acme, &body).await);

    let patch =
        json!({ "tags": ["c"], "metadata": { "a": "9", "b": null, "unknown": null, "d": "" } });
    let changed = api.patch(&acme, &path, &patch).await.expect(200);

    assert_eq!(changed["metadata"], json!({ "a": "9", "c/~": "3", "d": "" }));
    assert_eq!(changed["tags"], json!(["c"]));

    // The limit applies to the merged metadata, not to the patch.
    let many: serde_json::Map<_, _> = (0..47).map(|i| (format!("k{i}"), json!("v"))).collect();
    let full = api.patch(&acme, &path, &json!({ "metadata": many })).await.expect(200);
    assert_eq!(full["metadata"].as_object().unwrap().len(), 50);
    let one_more = json!({ "metadata": { "more": "v" } });
    assert_eq!(api.patch(&acme, &path, &one_more).await.faults(), ["/metadata"]);
    let swapped = json!({ "metadata": { "more": "v", "k0": null } });
    assert_eq!(api.patch(&acme, &path, &swapped).await.expect(200)["version"], 4);
}

#[tokio::test]
async fn a_patch_that_changes_nothing_keeps_the_version() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "Acme", "country": "DE", "tags": ["a"], "metadata": { "a": "1" } });
    let customer = api.create(&acme, &body).await;

    // A customer can have at most 50 metadata keys, but a null does not add a key.
    let nulls: serde_json::Map<_, _> = (0..60).map(|i| (format!("k{i}"), Value::Null)).collect();
    for patch in [
        json!({ "metadata": nulls }),
        json!({}),
        json!({ "name": "Acme " }),
        json!({ "country": "de", "status": "active", "entity_type": "company" }),
        json!({ "tags": ["a"], "metadata": { "a": "1", "b": null } }),
        json!({ "metadata": {}, "website": null, "client_id": null }),
    ] {
        let answer = api.patch(&acme, &path_of(&customer), &patch).await;
        assert_eq!(answer.header("etag"), Some("\"1\""), "{patch}");
        assert_eq!(answer.expect(200), customer, "{patch}");
    }
}

#[tokio::test]
async fn a_patch_with_faults_reports_them_all_and_changes_nothing() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "A", "metadata": { "a": "1" } })).await;

    for (patch, faults) in [
        (json!({ "name": null }), &["/name"][..]),
        (json!({ "status": null }), &["/status"]),
        (json!({ "status": "closed" }), &["/status"]),
        (
            json!({ "name": "", "country": "XX", "tags": ["a", "a"] }),
            &["/country", "/name", "/tags"],
        ),
        (json!({ "metadata": { "a": {} } }), &["/metadata/a"]),
        (json!({ "metadata": { "b": { "c": null } } }), &["/metadata/b"]),
        (json!({ "metadata": { "": "x" } }), &["/metadata/"]),
        (json!({ "metadata": "x" }), &["/metadata"]),
        (json!({ "tags": { "0": "x" } }), &["/tags"]),
        (json!({ "nmae": "B" }), &["/nmae"]),
        (
            json!({ "version": 7, "customer_id": "x", "risk": {} }),
            &["/customer_id", "/risk", "/version"],
        ),
        (
            json!({ "tenant_id": "other", "created_at": "x", "updated_at": "x", "deactivated_at": "x" }),
            &["/created_at", "/deactivated_at", "/tenant_id", "/updated_at"],
        ),
        (json!({ "sessions": {}, "monitoring": {} }), &["/monitoring", "/sessions"]),
        (json!([]), &[""]),
        (json!(null), &[""]),
    ] {
        let answer = api.patch(&acme, &path_of(&customer), &patch).await;
        assert_eq!(answer.status, 400, "{patch}: {}", answer.text);
        let mut reported = answer.faults();
        reported.sort();
        assert_eq!(reported, faults, "{patch}");
    }

    let answer = api.patch(&acme, &format!("{}?dry_run=1", path_of(&customer)), &json!({})).await;
    assert_eq!(answer.faults(), ["?dry_run"]);
    assert_eq!(api.get(&acme, &path_of(&customer)).await.expect(200), customer);
}

#[tokio::test]
async fn an_unknown_field_or_a_changed_read_only_field_is_refused_even_if_it_is_null() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A", "country": "DE" })).await);

    for (patch, fault) in
        [(json!({ "countri": null }), "/countri"), (json!({ "created_at": null }), "/created_at")]
    {
        let answer = api.patch(&acme, &path, &patch).await;
        assert_eq!(answer.status, 400, "{patch}: {}", answer.text);
        assert_eq!(answer.faults(), [fault], "{patch}");
    }
}

#[tokio::test]
async fn faults_of_headers_query_body_and_stored_data_are_reported_together() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A", "client_id": "a" })).await);

    let patch = json!({ "name": null, "client_id": "b", "status": null, "nmae": "B" });
    let answer = patch_if(&api, &acme, &format!("{path}?dry_run=1"), "1", &patch).await;

    let mut faults = answer.faults();
    faults.sort();
    assert_eq!(faults, ["/client_id", "/name", "/nmae", "/status", "?dry_run", "If-Match"]);
}

#[tokio::test]
async fn a_client_id_can_be_set_only_once() {
    let (api, acme, other) = (Api::start().await, Persona::of("acme"), Persona::of("other"));
    let first = api.create(&acme, &json!({ "name": "A", "client_id": "a" })).await;
    let second = api.create(&acme, &json!({ "name": "B" })).await;
    let path = path_of(&second);

    let patch = json!({ "client_id": "a", "name": "C" });
    let error = api.patch(&acme, &path, &patch).await.refused(409, "CUSTOMER_ALREADY_EXISTS");
    assert_eq!(error["details"][0]["customer_id"], first["customer_id"]);
    assert_eq!(error["details"][0]["field"], "/client_id");
    assert_eq!(api.get(&acme, &path).await.expect(200), second);

    let set = api.patch(&acme, &path, &json!({ "client_id": "b" })).await.expect(200);
    assert_eq!((&set["client_id"], &set["version"]), (&json!("b"), &json!(2)));
    for another in [json!("c"), json!("a"), json!("B"), Value::Null] {
        let answer = api.patch(&acme, &path, &json!({ "client_id": another })).await;
        assert_eq!(answer.faults(), ["/client_id"], "{another}");
    }
    assert_eq!(api.patch(&acme, &path, &json!({ "client_id": "b" })).await.expect(200), set);

    // A client id set by a patch can be looked up and is unique within its tenant.
    let page = api.get(&acme, "/customers?client_id=b").await.expect(200);
    assert_eq!(page["items"], json!([set]));
    let answer = api.post(&acme, "/customers", &json!({ "name": "D", "client_id": "b" })).await;
    let error = answer.refused(409, "CUSTOMER_ALREADY_EXISTS");
    assert_eq!(error["details"][0]["customer_id"], second["customer_id"]);
    let foreign_path = path_of(&api.create(&other, &json!({ "name": "A" })).await);
    api.patch(&other, &foreign_path, &json!({ "client_id": "b" })).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_claims_of_a_client_id_succeeds() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for round in 0..20 {
        let body = json!({ "name": "A" });
        let customers = join_all((0..8).map(|_| api.create(&acme, &body))).await;
        let claim = json!({ "client_id": format!("round-{round}") });
        let answers = customers.iter().map(async |customer| {
            (customer["customer_id"].clone(), api.patch(&acme, &path_of(customer), &claim).await)
        });
        let (changed, refused): (Vec<_>, Vec<_>) =
            join_all(answers).await.into_iter().partition(|(_, answer)| answer.status == 200);
        assert_eq!(changed.len(), 1, "round {round}");
        for (_, answer) in refused {
            let error = answer.refused(409, "CUSTOMER_ALREADY_EXISTS");
            assert_eq!(error["details"][0]["customer_id"], changed[0].0, "round {round}");
        }
    }
}

#[tokio::test]
async fn a_patch_with_a_date_of_the_wrong_kind_or_in_the_future_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let body = json!({ "name": "A", "incorporated_on": "1970-01-01" });
    let company = path_of(&api.create(&acme, &body).await);
    let body = json!({ "name": "B", "entity_type": "individual", "date_of_birth": "1970-01-01" });
    let person = path_of(&api.create(&acme, &body).await);

    for (path, patch, fault) in [
        (&company, json!({ "date_of_birth": "1970-01-01" }), "/date_of_birth"),
        (&company, json!({ "entity_type": "individual" }), "/incorporated_on"),
        (&company, json!({ "incorporated_on": "2999-01-01" }), "/incorporated_on"),
        (&person, json!({ "incorporated_on": "1970-01-01" }), "/incorporated_on"),
        (&person, json!({ "entity_type": "company" }), "/date_of_birth"),
        // Clearing the type resets it to the default, which is a company.
        (&person, json!({ "entity_type": null }), "/date_of_birth"),
        (&person, json!({ "date_of_birth": "2999-01-01" }), "/date_of_birth"),
    ] {
        assert_eq!(api.patch(&acme, path, &patch).await.faults(), [fault], "{patch}");
    }

    let swap = json!({ "entity_type": "individual", "incorporated_on": null, "date_of_birth": "1970-01-02" });
    let swapped = api.patch(&acme, &company, &swap).await.expect(200);
    assert_eq!(swapped["incorporated_on"], Value::Null);
    assert_eq!(swapped["date_of_birth"], "1970-01-02");
    let default = json!({ "entity_type": null, "date_of_birth": null });
    assert_eq!(api.patch(&acme, &person, &default).await.expect(200)["entity_type"], "company");
}

#[tokio::test]
async fn json_and_merge_patch_media_types_are_accepted() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    let send = |content_type: &'static str, body: &'static str| {
        api.call(&acme, "PATCH", &path).header("content-type", content_type).text(body).send()
    };

    let changed = send("application/merge-patch+json", r#"{"name":"Ä"}"#).await.expect(200);
    assert_eq!(changed["name"], "Ä");
    let changed = send("application/merge-patch+json; charset=utf-8", r#"{"name":"C"}"#).await;
    assert_eq!(changed.expect(200)["name"], "C");
    assert_eq!(send("application/json", r#"{"name":"D"}"#).await.expect(200)["name"], "D");

    send("application/json-patch+json", "[]").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    send("text/plain", "{}").await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    send("application/merge-patch+json", "{").await.refused(400, "MALFORMED_JSON");
    let duplicate_key = r#"{"name":"E","name":"F"}"#;
    send("application/json", duplicate_key).await.refused(400, "MALFORMED_JSON");
    let large: &'static str = Box::leak(" ".repeat(256 * 1024 + 1).into_boxed_str());
    send("application/json", large).await.refused(413, "BODY_TOO_LARGE");

    assert_eq!(api.get(&acme, &path).await.expect(200)["version"], 4);
}

#[tokio::test]
async fn only_documented_status_transitions_are_allowed() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    let set = async |status: &str| {
        api.patch(&acme, &path, &json!({ "status": status, "name": status })).await
    };
    let refused = async |from: &str, status: &str| {
        let error = set(status).await.refused(409, "INVALID_TRANSITION");
        assert_eq!(error["details"][0]["field"], "/status");
        assert_eq!(error["details"][0]["status"], from);
    };

    assert_eq!(set("blocked").await.expect(200)["status"], "blocked");
    refused("blocked", "inactive").await;
    assert_eq!(set("active").await.expect(200)["status"], "active");
    refused("active", "inactive").await;

    let inactive = api.delete(&acme, &path).await.expect(200);
    refused("inactive", "blocked").await;
    assert_eq!(api.get(&acme, &path).await.expect(200), inactive);
    // Setting the current status again is allowed, and the rest of the patch takes effect.
    assert_eq!(set("inactive").await.expect(200)["name"], "inactive");
    let active = set("active").await.expect(200);
    assert_eq!((&active["status"], &active["deactivated_at"]), (&json!("active"), &Value::Null));
    assert_eq!(active["version"], 6);
}

#[tokio::test]
async fn a_patch_with_an_old_etag_is_refused() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    let mut version = 1;
    for tag in ["\"1\"", "*", "\"7\", \"3\"", " \"4\" "] {
        let patch = json!({ "name": format!("A{version}") });
        let answer = patch_if(&api, &acme, &path, tag, &patch).await;
        version += 1;
        assert_eq!(answer.header("etag"), Some(format!("\"{version}\"").as_str()), "{tag}");
        assert_eq!(answer.expect(200)["version"], version, "{tag}");
    }

    let patch = json!({ "name": "B" });
    // `If-Match` uses the strong comparison, character by character (RFC 9110, section 8.8.3.2).
    for tag in ["\"1\"", "\"6\"", "W/\"5\"", "\"x\"", "\"\"", "\"1\", W/\"5\"", "\"-1\""] {
        let answer = patch_if(&api, &acme, &path, tag, &patch).await;
        assert_eq!(answer.status, 412, "{tag}: {}", answer.text);
        let error = answer.refused(412, "VERSION_MISMATCH");
        assert_eq!(error["type"], "PreconditionFailedError");
        assert_eq!(error["details"][0]["version"], 5, "{tag}");
    }

    for malformed in ["5", "\"5", "5\"", "", "\"5\" \"6\"", "**", "w/\"5\""] {
        let answer = patch_if(&api, &acme, &path, malformed, &patch).await;
        assert_eq!(answer.faults(), ["If-Match"], "{malformed}");
    }

    // `If-Match` is also checked if the patch would not change anything.
    let answer = patch_if(&api, &acme, &path, "\"1\"", &json!({})).await;
    answer.refused(412, "VERSION_MISMATCH");
    assert_eq!(api.get(&acme, &path).await.expect(200)["version"], 5);
}

#[tokio::test]
async fn an_etag_that_is_only_numerically_equal_does_not_match() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    for tag in ["\"01\"", "\"+1\""] {
        let answer = patch_if(&api, &acme, &path, tag, &json!({ "name": "B" })).await;
        assert_eq!(answer.status, 412, "{tag}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_unknown_or_foreign_customer_cannot_be_patched() {
    let (api, acme, other) = (Api::start().await, Persona::of("acme"), Persona::of("other"));
    let foreign = api.create(&other, &json!({ "name": "A" })).await;
    let patch = json!({ "name": "B" });

    for path in [path_of(&foreign), "/customers/01a20000-0000-7000-8000-000000000000".to_owned()] {
        api.patch(&acme, &path, &patch).await.refused(404, "CUSTOMER_NOT_FOUND");
        // A stale `If-Match` or a fault in the body must not reveal whether the customer exists.
        let answer = patch_if(&api, &acme, &path, "\"9\"", &json!({ "name": null })).await;
        answer.refused(404, "CUSTOMER_NOT_FOUND");
    }

    api.patch(&acme, "/customers/x", &patch).await.refused(404, "CUSTOMER_NOT_FOUND");
    assert_eq!(api.get(&other, &path_of(&foreign)).await.expect(200), foreign);
}

/// Sends `count` patches at once, each with a different metadata key, and checks that all of them
/// take effect.
async fn patch_in_parallel(count: u64) {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);

    let patches = (0..count).map(async |i| {
        let patch = json!({ "metadata": { format!("key-{i}"): i.to_string() } });
        api.patch_repeated(&acme, &path, &patch).await
    });

    let mut versions = Vec::new();
    for answer in join_all(patches).await {
        versions.push(answer.expect(200)["version"].as_u64().unwrap());
    }
    versions.sort();
    assert_eq!(versions, (2..=count + 1).collect::<Vec<u64>>());

    let customer = api.get(&acme, &path).await.expect(200);
    let all = (0..count).map(|i| (format!("key-{i}"), json!(i.to_string()))).collect();
    assert_eq!(customer["metadata"], Value::Object(all));
    assert_eq!(customer["version"], count + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_parallel_patches_all_take_effect() {
    patch_in_parallel(8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_four_parallel_patches_all_take_effect() {
    patch_in_parallel(24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deactivation_and_parallel_patches_all_take_effect() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for round in 0..10 {
        let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);

        let patches = join_all((0..8).map(async |i| {
            let patch = json!({ "metadata": { format!("key-{i}"): "v" } });
            api.patch(&acme, &path, &patch).await.expect(200);
        }));
        let (_, deactivated) = futures_util::future::join(patches, api.delete(&acme, &path)).await;
        let at = deactivated.expect(200)["deactivated_at"].clone();

        let customer = api.get(&acme, &path).await.expect(200);
        assert_eq!(customer["metadata"].as_object().unwrap().len(), 8, "round {round}");
        assert_eq!(customer["version"], 10, "round {round}");
        // A patch that is retried after the deactivation must not restore the old status.
        assert_eq!(customer["status"], "inactive", "round {round}");
        assert!(at.is_string(), "round {round}");
        assert_eq!(customer["deactivated_at"], at, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_one_of_parallel_patches_of_the_same_version_succeeds() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let path = path_of(&api.create(&acme, &json!({ "name": "A" })).await);
    for version in 1..=20u64 {
        let tag = format!("\"{version}\"");
        let patches = (0..16).map(async |i| {
            let patch = json!({ "name": format!("A{version}-{i}") });
            patch_if(&api, &acme, &path, &tag, &patch).await
        });
        let (changed, refused): (Vec<_>, Vec<_>) =
            join_all(patches).await.into_iter().partition(|answer| answer.status == 200);

        assert_eq!(changed.len(), 1, "version {version}");
        for answer in refused {
            let error = answer.refused(412, "VERSION_MISMATCH");
            assert_eq!(error["details"][0]["version"], version + 1);
        }
        let winner = changed.into_iter().next().unwrap().expect(200);
        assert_eq!(api.get(&acme, &path).await.expect(200), winner);
    }
}

/// Applies a merge patch, as in the pseudocode of RFC 7396, section 2.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            merge_patch(&mut target[name], value);
        }
    }
}

fn patches() -> impl Strategy<Value = Value> {
    let nullable = |values: &[&'static str]| {
        let values: Vec<Value> = values.iter().map(|value| json!(value)).collect();
        prop::sample::select([values, vec![Value::Null]].concat())
    };
    let field = prop_oneof![
        (Just("name"), prop::sample::select(vec![json!("A"), json!("Ä \u{1f600}")])),
        (Just("country"), nullable(&["DE", "FR"])),
        (Just("tax_id"), nullable(&["1", "#"])),
        (Just("industry"), nullable(&["x", "\"'\\"])),
        (Just("email"), nullable(&["a@example.com"])),
        (Just("entity_type"), nullable(&["company", "individual"])),
        (
            Just("tags"),
            prop_oneof![
                Just(Value::Null),
                prop::sample::subsequence(vec!["a", "b", "c"], 0..=3).prop_map(|tags| json!(tags)),
            ]
        ),
        (
            Just("metadata"),
            prop_oneof![
                1 => Just(Value::Null),
                6 => prop::collection::btree_map(
                    prop::sample::select(vec!["a", "b", "c", "a.b", "a/b~", "#n0", ":v0", "ключ"]),
                    prop_oneof![Just(Value::Null), "\\PC{0,12}".prop_map(Value::from)],
                    0..5,
                ).prop_map(|entries| json!(entries)),
            ]
        ),
    ];
    prop::collection::vec(field, 0..5)
        .prop_map(|fields| {
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        })
        .prop_map(Value::Object)
}

#[test]
fn a_patch_agrees_with_rfc_7396() {
    property(64, &prop::collection::vec(patches(), 1..6), async |api, tenant, patches| {
        let who = Persona::of(tenant);
        let mut expected = api.create(&who, &json!({ "name": "A" })).await;
        let path = path_of(&expected);
        for patch in patches {
            let before = expected.clone();
            merge_patch(&mut expected, &patch);
            // The API returns a cleared field as null, as an empty value or as its default.
            for (field, cleared) in [
                ("country", Value::Null),
                ("tax_id", Value::Null),
                ("industry", Value::Null),
                ("email", Value::Null),
                ("entity_type", json!("company")),
                ("tags", json!([])),
                ("metadata", json!({})),
            ] {
                if expected[field].is_null() {
                    expected[field] = cleared;
                }
            }

            let changed = api.patch(&who, &path, &patch).await.expect(200);
            if expected != before {
                expected["version"] = json!(before["version"].as_u64().unwrap() + 1);
                expected["updated_at"] = changed["updated_at"].clone();
            }
            let scored = ["country", "industry", "entity_type"];
            if scored.iter().any(|field| expected[field] != before[field]) {
                expected["risk"]["calculated_at"] = changed["updated_at"].clone();
            }

            assert_eq!(changed, expected, "{before} patched with {patch}");
            assert_eq!(api.get(&who, &path).await.expect(200), expected);
        }
    });
}
