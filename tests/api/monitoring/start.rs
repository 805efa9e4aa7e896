//! Tests `POST /customers/{id}/monitor`.

use api_tests::json;

use super::{Setup, pairs, path};

#[tokio::test]
async fn starting_a_monitor_screens_at_once_and_returns_the_result() {
    let setup = Setup::start(&[("1", "Mirka Dovello"), ("2", "Someone Else")]).await;
    let customer = setup.create_customer("Mirka Dovello").await;

    let answer = setup.monitor(&customer, &json!({})).await;
    assert_eq!(answer.header("location"), Some(path(&customer, "/monitor").as_str()));
    let started = answer.expect(201);

    for (field, value) in [
        ("status", json!("active")),
        ("lists", json!(["ours"])),
        ("check_frequency", json!("on_update")),
        ("include_related", json!(true)),
        ("min_score", json!(0.78)),
        ("expires_at", json!(null)),
        ("subjects", json!(1)),
        ("subjects_checked", json!(1)),
        ("matches", json!(1)),
        ("new_matches", json!(1)),
        ("open_alerts", json!(1)),
        ("last_pass", json!(null)),
        ("next_check_due", json!(null)),
    ] {
        assert_eq!(started[field], value, "{field}");
    }
    let result = &started["results_by_list"][0];
    assert_eq!((&result["list"], &result["matches"]), (&json!("ours"), &json!(1)));
    assert_eq!(result["stale"], false);
    assert_eq!(result["version"].as_str().unwrap().len(), 16);

    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "open")]));
    let alert = &setup.alerts(&customer).await[0];
    assert_eq!(
        alert["subject"],
        json!({ "kind": "customer", "party_id": null, "name": "Mirka Dovello" })
    );
    assert_eq!(alert["entity_name"], "Mirka Dovello");
    assert_eq!((&alert["score"], &alert["list"]), (&json!(1.0), &json!("ours")));
    assert_eq!(alert["features"]["name"]["aligned"][0]["reason"], "equal", "{alert}");
    for hidden in ["compared", "decision_before", "pk", "sk"] {
        assert!(alert.get(hidden).is_none(), "{hidden}");
    }

    let summary = &setup.get(&customer).await["monitoring"];
    assert_eq!((&summary["status"], &summary["lists"]), (&json!("active"), &json!(["ours"])));
    assert_eq!(
        (&summary["check_frequency"], &summary["open_alerts"]),
        (&json!("on_update"), &json!(1))
    );

    // Starting the monitor again changes its settings and does not raise new alerts.
    let again = setup.monitor(&customer, &json!({ "check_frequency": "daily" })).await.expect(200);
    assert_eq!((&again["matches"], &again["new_matches"]), (&json!(1), &json!(0)));
    assert_eq!(again["started_at"], started["started_at"]);
    assert!(again["next_check_due"].is_string());

    // A higher minimum score clears the alerts with lower scores.
    let strict = setup.create_customer("Mirca Dovelo").await;
    assert_eq!(setup.monitor(&strict, &json!({})).await.expect(201)["matches"], 1);
    assert_eq!(setup.monitor(&strict, &json!({ "min_score": 1 })).await.expect(200)["matches"], 0);
    assert_eq!(setup.alert_statuses(&strict).await, pairs(&[("1", "cleared")]));
    let cleared = &setup.alerts(&strict).await[0];
    assert_eq!(
        (&cleared["cleared_because"], &cleared["resolved_by"]),
        (&json!("no_longer_matches"), &json!("system"))
    );
}

#[tokio::test]
async fn every_fault_of_the_settings_is_reported() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.create_customer("Acme").await;
    let body = json!({
        "lists": ["Bad Name", "x", "x"], "check_frequency": "hourly", "include_related": "yes",
        "min_score": 0.2, "expires_at": "2020-01-01T00:00:00Z", "colour": "blue",
    });

    let faults = setup.monitor(&customer, &body).await.faults();
    let expected = [
        "/lists/0",
        "/lists",
        "/check_frequency",
        "/include_related",
        "/min_score",
        "/expires_at",
        "/colour",
    ];
    assert_eq!(faults, expected);

    let unknown = json!({ "lists": ["ours", "theirs"] });
    assert_eq!(setup.monitor(&customer, &unknown).await.faults(), ["/lists/1"]);
    assert_eq!(setup.monitor(&customer, &json!({ "lists": [] })).await.faults(), ["/lists"]);
    setup.api.get(&setup.acme, &path(&customer, "/monitor")).await.refused(404, "NOT_MONITORED");
    setup.api.delete(&setup.acme, &path(&customer, "/monitor")).await.refused(404, "NOT_MONITORED");
}

#[tokio::test]
async fn settings_with_more_than_2000_matches_are_refused() {
    let entries: Vec<(String, &str)> =
        (0..2_001).map(|id| (id.to_string(), "Mirka Dovello")).collect();
    let entries: Vec<(&str, &str)> =
        entries.iter().map(|(id, name)| (id.as_str(), *name)).collect();

    let setup = Setup::start(&entries).await;
    let customer = setup.create_customer("Mirka Dovello").await;

    assert_eq!(setup.monitor(&customer, &json!({})).await.faults(), ["/min_score"]);
    assert_eq!(setup.alert_statuses(&customer).await, []);
    assert_eq!(setup.get(&customer).await["version"], 1);
}

#[tokio::test]
async fn a_monitor_cannot_start_without_lists() {
    let setup = Setup::without_lists().await;
    let customer = setup.create_customer("Acme").await;

    let answer = setup.monitor(&customer, &json!({})).await;

    assert!(answer.header("retry-after").is_some());
    answer.refused(503, "LISTS_UNAVAILABLE");
    setup.api.get(&setup.acme, &path(&customer, "/monitor")).await.refused(404, "NOT_MONITORED");
}

#[tokio::test]
async fn an_idempotency_key_replays_the_start_of_a_monitor() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.create_customer("Mirka Dovello").await;
    let start = async || {
        let call =
            setup.api.call(&setup.acme, "POST", &path(&customer, "/monitor")).json(&json!({}));
        call.header("idempotency-key", "k1").send().await
    };

    let (first, second) = (start().await, start().await);

    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.expect(201), second.expect(201));
    assert_eq!(setup.get(&customer).await["version"], 2);
}

#[tokio::test]
async fn related_parties_are_screened_with_the_customer() {
    let setup =
        Setup::start(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti"), ("3", "Nora Quist")]).await;
    let company = setup.api.create(&setup.acme, &json!({ "name": "Harmless Trading Ltd" })).await;
    let party = |id: &str, name: &str, roles: &[&str]| json!({ "party_id": id, "kind": "individual", "name": name, "roles": roles });
    let structure = json!({
        "parties": [
            party("owner", "Mirka Dovello", &[]),
            party("boss", "Tarun Oblasti", &["director"]),
            party("cousin", "Nora Quist", &[]),
        ],
        "relationships": [{ "owner": "owner", "owned": "self", "percentage": 60 }],
    });

    let put = async |structure: &api_tests::Value| {
        setup
            .api
            .call(&setup.acme, "PUT", &path(&company, "/organization"))
            .json(structure)
            .send()
            .await
    };
    put(&structure).await.expect(201);

    let started = setup.monitor(&company, &json!({ "include_related": false })).await.expect(201);
    assert_eq!((&started["subjects"], &started["matches"]), (&json!(1), &json!(0)));
    let started = setup.monitor(&company, &json!({})).await.expect(200);
    assert_eq!((&started["subjects"], &started["matches"]), (&json!(3), &json!(2)));
    assert_eq!(setup.alert_statuses(&company).await, pairs(&[("1", "open"), ("2", "open")]));

    let alerts = setup.alerts(&company).await;
    let owner = alerts.iter().find(|alert| alert["entity_id"] == "1").unwrap();
    assert_eq!(
        owner["subject"],
        json!({ "kind": "party", "party_id": "owner", "name": "Mirka Dovello" })
    );

    // A change of the organization changes the screened parties at once.
    let mut changed = structure.clone();
    changed["parties"].as_array_mut().unwrap().remove(1);
    changed["parties"][1]["roles"] = json!(["representative"]);
    put(&changed).await.expect(200);
    let expected = pairs(&[("1", "open"), ("2", "cleared"), ("3", "open")]);
    assert_eq!(setup.alert_statuses(&company).await, expected);
    let alerts = setup.alerts(&company).await;
    let removed = alerts.iter().find(|alert| alert["entity_id"] == "2").unwrap();
    assert_eq!(removed["cleared_because"], "subject_removed");
    assert_eq!(setup.get_monitor(&company).await["subjects"], 3);
}
