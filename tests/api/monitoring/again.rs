//! Tests passes that cannot be resumed, and checks that failed or were interrupted.

use api_tests::faults::{End, Mortal, NoTransactions};
use api_tests::{Value, json};
use aws_sdk_dynamodb::types::AttributeValue;

use super::{Setup, pairs, path};

/// Changes a numeric field of the unfinished pass in the table.
async fn change_unfinished_pass(setup: &Setup, pass: &str, field: &str, value: &str) {
    let text = AttributeValue::S;
    let table = &setup.api.table;
    let update = setup.api.dynamodb.update_item().table_name(table);
    let update = update
        .key("pk", text(format!("PASS#{pass}#{}", unfinished_shard(setup).await)))
        .key("sk", text("CURRENT".to_owned()))
        .update_expression(format!("SET #run.{field} = :value"))
        .condition_expression("attribute_type(#run, :map)")
        .expression_attribute_names("#run", "run")
        .expression_attribute_values(":map", text("M".to_owned()))
        .expression_attribute_values(":value", AttributeValue::N(value.to_owned()));
    update.send().await.unwrap();
}

/// Returns the shard that has an unfinished pass.
async fn unfinished_shard(setup: &Setup) -> u64 {
    for shard in 0..2 {
        let get = setup.api.dynamodb.get_item().table_name(&setup.api.table);
        let get = get.key("pk", AttributeValue::S(format!("PASS#on_update#{shard}")));
        let output = get.key("sk", AttributeValue::S("CURRENT".to_owned())).send().await.unwrap();
        if output.item.is_some_and(|item| item.get("run").is_some_and(AttributeValue::is_m)) {
            return shard;
        }
    }
    panic!("there is no unfinished pass");
}

/// A worker of one release starts the pass. The release that resumes the pass has another matching
/// model, or can no longer open the lists of the pass.
#[tokio::test]
async fn a_pass_that_cannot_be_resumed_is_restarted() {
    for (field, value, pass) in
        [("model", "1", "resume"), ("revision", "99", "resume"), ("revision", "99", "on_update")]
    {
        let setup = Setup::start(&[("1", "Someone Else")]).await;
        let customer = setup.monitored_customer("Mirka Dovello").await;
        setup.run_pass("on_update").await;
        setup.write_list(&[("1", "Someone Else"), ("2", "Mirka Dovello")]);
        setup.refresh().await;
        setup.advance_clock(61);

        let mortal = Mortal::new(End::After(4));
        let dying = setup.server_with_fault(mortal.clone()).await;
        mortal.arm();
        let payload = json!({ "pass": "on_update" });
        tokio::select! {
            () = mortal.ended() => {}
            _ = dying.run("rescreen", &payload) => panic!("the worker finished its pass"),
        }

        change_unfinished_pass(&setup, "on_update", field, value).await;
        setup.advance_clock(91);
        setup.run_pass(pass).await;
        setup.run_pass("on_update").await;

        assert_eq!(
            setup.alert_statuses(&customer).await,
            pairs(&[("2", "open")]),
            "{field} {pass}"
        );
    }
}

/// A fault that affects one customer does not stop the pass. The customer does not count as
/// checked, and `resume` retries the check until it succeeds.
#[tokio::test]
async fn a_failed_check_of_a_customer_is_retried() {
    let setup = Setup::start(&[("1", "Someone Else")]).await;
    let (listed, other) = (
        setup.monitored_customer("Mirka Dovello").await,
        setup.monitored_customer("Tarun Quist").await,
    );
    setup.run_pass("on_update").await;
    assert_ne!(setup.get_monitor(&listed).await["last_pass"], Value::Null);

    setup.write_list(&[("1", "Someone Else"), ("2", "Mirka Dovello")]);
    setup.refresh().await;
    setup.advance_clock(61);

    let faulty = setup.server_with_fault(NoTransactions(400, "AccessDeniedException")).await;
    let result = faulty.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    let shards = result["shards"].as_array().unwrap();
    let failed: u64 = shards.iter().filter_map(|s| s["run"]["skipped"]["failed"].as_u64()).sum();
    assert_eq!(failed, 1);
    assert_eq!(setup.get_monitor(&listed).await["last_pass"], Value::Null);
    assert_ne!(setup.get_monitor(&other).await["last_pass"], Value::Null);

    // The check fails again, so it stays pending.
    let resumed = faulty.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(
        (&resumed["checked_again"], setup.alert_statuses(&listed).await),
        (&json!(0), vec![])
    );

    let resumed = setup.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(resumed["checked_again"], 1);
    assert_eq!(setup.alert_statuses(&listed).await, pairs(&[("2", "open")]));
    let resumed = setup.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(resumed["checked_again"], 0);

    setup.run_pass("reconcile").await;
    assert_ne!(setup.get_monitor(&listed).await["last_pass"], Value::Null);
}

/// The check raises more alerts than fit in one transaction. The process dies after different
/// calls, at least once between two transactions.
#[tokio::test]
async fn an_interrupted_check_is_completed() {
    let entries: Vec<String> = (0..100).map(|id| id.to_string()).collect();
    let entries: Vec<(&str, &str)> = entries.iter().map(|id| (&**id, "Mirka Dovello")).collect();
    let setup = Setup::start(&entries).await;

    let mut interrupted = 0;
    for call in 2..14 {
        let customer = setup.create_customer("Mirka Dovello").await;

        let mortal = Mortal::new(End::After(call));
        let dying = setup.server_with_fault(mortal.clone()).await;
        mortal.arm();
        let (path, settings) = (path(&customer, "/monitor"), json!({}));
        tokio::select! {
            () = mortal.ended() => {}
            answer = dying.post(&setup.acme, &path, &settings) => {
                answer.expect(201);
            }
        }

        let before = setup.alert_statuses(&customer).await.len();
        interrupted += u32::from(before == 80);

        setup.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
        let after = setup.alert_statuses(&customer).await.len();
        assert_eq!(after, if before == 0 { 0 } else { 100 }, "call {call}");
    }
    assert!(interrupted > 0);
}

/// One malformed recheck request must not keep the other customers of its shard from being checked.
#[tokio::test]
async fn a_malformed_request_does_not_hold_up_the_other_customers_of_its_shard() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    let id = customer["customer_id"].as_str().unwrap();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for position in ["no position", &format!("acme#{id}")] {
        setup
            .api
            .dynamodb
            .put_item()
            .table_name(&setup.api.table)
            .item("pk", text("AGAIN#0"))
            .item("sk", text(position))
            .item("type", text("again"))
            .item("at", text("2026-01-01T00:00:00.000Z"))
            .send()
            .await
            .unwrap();
    }

    let result = setup.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();

    assert_eq!(result["checked_again"], 1, "{result}");
}
