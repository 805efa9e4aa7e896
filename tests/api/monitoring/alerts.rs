//! Tests alerts and the decisions about them.

use api_tests::{Value, json};

use super::{Setup, pairs, path};

fn row(id: &str, name: &str, date: &str, remarks: &str) -> String {
    format!("{id},\"{name}\",person,,,,{date},,,,,{remarks}")
}

#[tokio::test]
async fn a_decision_records_who_when_and_why_and_changes_the_risk() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    let alert = &setup.alerts(&customer).await[0];
    let at = path(&customer, &format!("/alerts/{}", alert["alert_id"].as_str().unwrap()));
    let body = json!({ "status": "confirmed", "note": " same passport " });

    let confirmed = setup.api.patch(&setup.acme, &at, &body).await.expect(200);
    assert_eq!(
        (&confirmed["status"], &confirmed["note"]),
        (&json!("confirmed"), &json!("same passport"))
    );
    assert_eq!(confirmed["resolved_by"], "tester");
    assert!(confirmed["resolved_at"].is_string());
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "confirmed")]));

    let profile = setup.api.get(&setup.acme, &path(&customer, "/risk-profile")).await.expect(200);
    assert_eq!(
        (&profile["trigger"], &profile["level"]),
        (&json!("monitoring"), &json!("prohibited"))
    );
    assert_eq!(profile["hard_rules"][0]["code"], "confirmed_alert");
    let version = setup.get(&customer).await["version"].clone();

    // Repeating the decision does not change anything.
    setup.api.patch(&setup.acme, &at, &body).await.expect(200);
    assert_eq!(setup.get(&customer).await["version"], version);

    let open = setup.decide(&customer, alert, "open").await;
    assert_eq!((&open["resolved_by"], &open["resolved_at"]), (&json!(null), &json!(null)));
    assert_eq!(open["note"], "same passport");
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "open")]));

    let faults = setup
        .api
        .patch(&setup.acme, &at, &json!({ "status": "cleared", "note": "", "score": 0.5 }))
        .await;
    assert_eq!(faults.faults(), ["/status", "/note", "/score"]);
    assert_eq!(setup.api.patch(&setup.acme, &at, &json!({})).await.faults(), ["/status"]);
    for id in ["nonsense", "01920000-0000-8000-8000-000000000000"] {
        let at = path(&customer, &format!("/alerts/{id}"));
        setup
            .api
            .patch(&setup.acme, &at, &json!({ "status": "open" }))
            .await
            .refused(404, "ALERT_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_cleared_alert_cannot_be_decided() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    let alert = &setup.alerts(&customer).await[0];
    let at = path(&customer, &format!("/alerts/{}", alert["alert_id"].as_str().unwrap()));
    let body = json!({ "name": "Anna Harmless" });
    setup.api.patch(&setup.acme, &path(&customer, ""), &body).await.expect(200);

    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "cleared")]));
    setup
        .api
        .patch(&setup.acme, &at, &json!({ "status": "open" }))
        .await
        .refused(409, "INVALID_TRANSITION");
}

#[tokio::test]
async fn a_false_positive_stays_closed_until_compared_data_changes() {
    let setup = Setup::start(&[("0", "Someone Else")]).await;
    setup.write_rows(&[row("1", "Mirka Dovello", "", "Lives in A street")]);
    setup.refresh().await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    let alert = setup.alerts(&customer).await[0].clone();
    setup.decide(&customer, &alert, "false_positive").await;
    let closed = setup.alerts(&customer).await;

    for pass in ["on_update", "reconcile", "on_update", "reconcile", "on_update"] {
        setup.run_pass(pass).await;
        assert_eq!(setup.alerts(&customer).await, closed);
    }

    // Update the list in a field that screening does not compare.
    setup.write_rows(&[row("1", "Mirka Dovello", "", "Moved to B street")]);
    setup.refresh().await;
    let shards = setup.run_pass("on_update").await;
    assert_eq!(super::sum(&shards, "monitors"), 1);
    setup.run_pass("reconcile").await;
    setup.monitor(&customer, &json!({})).await.expect(200);
    assert_eq!(setup.alerts(&customer).await, closed);

    // Update the name in the list.
    setup.write_rows(&[row("1", "Mirka Ilinovna Dovello", "", "Moved to B street")]);
    setup.refresh().await;
    setup.run_pass("on_update").await;
    let reopened = setup.alerts(&customer).await[0].clone();
    assert_eq!(
        (&reopened["status"], &reopened["changes"]),
        (&json!("open"), &json!(["entity.names"]))
    );
    assert_eq!(reopened["alert_id"], alert["alert_id"]);
    assert_eq!(reopened["first_seen_at"], alert["first_seen_at"]);
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "open")]));

    // Change the customer's date of birth.
    setup.decide(&customer, &reopened, "false_positive").await;
    let patch = json!({ "date_of_birth": "1971-03-09" });
    setup.api.patch(&setup.acme, &path(&customer, ""), &patch).await.expect(200);
    let reopened = setup.alerts(&customer).await[0].clone();
    assert_eq!(
        (&reopened["status"], &reopened["changes"]),
        (&json!("open"), &json!(["subject.date"]))
    );
}

#[tokio::test]
async fn a_confirmed_alert_stays_confirmed_until_its_entry_is_removed() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    setup.decide(&customer, &setup.alerts(&customer).await[0], "confirmed").await;

    setup.update_list(&[("1", "Mirka Ilinovna Dovello")]).await;
    let alert = &setup.alerts(&customer).await[0];
    assert_eq!(
        (&alert["status"], &alert["changes"]),
        (&json!("confirmed"), &json!(["entity.names"]))
    );
    assert_eq!(alert["resolved_by"], "tester");

    setup.update_list(&[("2", "Someone Else")]).await;
    let alert = &setup.alerts(&customer).await[0];
    assert_eq!(
        (&alert["status"], &alert["cleared_because"]),
        (&json!("cleared"), &json!("entry_removed"))
    );
    let profile = setup.api.get(&setup.acme, &path(&customer, "/risk-profile")).await.expect(200);
    assert_eq!(profile["hard_rules"], json!([]));

    // An entry that returns to its list reopens the alert.
    setup.update_list(&[("1", "Mirka Ilinovna Dovello")]).await;
    let alert = &setup.alerts(&customer).await[0];
    assert_eq!((&alert["status"], &alert["changes"]), (&json!("open"), &json!(["returned"])));
}

#[tokio::test]
async fn a_decision_survives_the_clearing_of_its_alert() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    let decided =
        setup.decide(&customer, &setup.alerts(&customer).await[0], "false_positive").await;
    setup.monitor(&customer, &json!({ "min_score": 1 })).await.expect(200);

    let rename = async |name: &str| {
        setup
            .api
            .patch(&setup.acme, &path(&customer, ""), &json!({ "name": name }))
            .await
            .expect(200)
    };

    rename("Tarun Oblasti").await;
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "cleared")]));
    rename("Mirka Dovello").await;
    let reopened = &setup.alerts(&customer).await[0];
    for field in ["status", "resolved_by", "resolved_at", "note"] {
        assert_eq!(reopened[field], decided[field], "{field}");
    }
}

#[tokio::test]
async fn alerts_can_be_filtered_by_status_and_paged() {
    let entries: Vec<(String, String)> =
        (0..30).map(|i| (i.to_string(), "Mirka Dovello".to_owned())).collect();
    let entries: Vec<(&str, &str)> =
        entries.iter().map(|(i, n)| (i.as_str(), n.as_str())).collect();
    let setup = Setup::start(&entries).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    let alerts = setup.alerts(&customer).await;
    assert_eq!(alerts.len(), 30);
    setup.decide(&customer, &alerts[3], "confirmed").await;

    let list =
        async |query: &str| setup.api.get(&setup.acme, &path(&customer, query)).await.expect(200);
    let confirmed = list("/alerts?status=confirmed").await;
    assert_eq!((&confirmed["count"], &confirmed["has_more"]), (&json!(1), &json!(false)));

    let (mut listed, mut query) = (Vec::<Value>::new(), "/alerts?status=open&limit=7".to_owned());
    loop {
        let page = list(&query).await;
        listed.extend(page["items"].as_array().unwrap().iter().map(|a| a["alert_id"].clone()));
        let Some(cursor) = page["cursor"].as_str() else { break };
        query = format!("/alerts?status=open&limit=7&cursor={cursor}");
    }
    assert_eq!(listed.len(), 29);
    assert!(listed.windows(2).all(|pair| pair[0].as_str() > pair[1].as_str()));

    let answer = setup.api.get(&setup.acme, &path(&customer, "/alerts?status=silly")).await;
    assert_eq!(answer.faults(), ["?status"]);
}

#[tokio::test]
async fn more_matches_than_fit_in_a_transaction_all_raise_alerts() {
    let entries: Vec<(String, String)> =
        (0..230).map(|i| (i.to_string(), "Mirka Dovello".to_owned())).collect();
    let entries: Vec<(&str, &str)> =
        entries.iter().map(|(i, n)| (i.as_str(), n.as_str())).collect();
    let setup = Setup::start(&[("0", "Someone Else")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;

    setup.update_list(&entries).await;
    assert_eq!(setup.get(&customer).await["monitoring"]["open_alerts"], 230);

    setup.update_list(&[("0", "Someone Else")]).await;
    assert_eq!(setup.get(&customer).await["monitoring"]["open_alerts"], 0);

    let other = setup.create_customer("Mirka Dovello").await;
    setup.update_list(&entries).await;
    let started = setup.monitor(&other, &json!({})).await.expect(201);
    assert_eq!((&started["new_matches"], &started["open_alerts"]), (&json!(230), &json!(230)));
    assert_eq!(setup.get(&other).await["monitoring"]["open_alerts"], 230);
}
