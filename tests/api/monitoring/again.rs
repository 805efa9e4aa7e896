//! What was begun and cannot go on, and who could not be checked.

use api_tests::faults::{End, Mortal, NoTransactions};
use api_tests::{Value, json};
use aws_sdk_dynamodb::types::AttributeValue;

use super::{Watched, pairs, path};

/// Writes into a pass that was begun.
async fn change_run(w: &Watched, pass: &str, field: &str, value: &str) {
    let text = AttributeValue::S;
    let table = &w.api.table;
    let update = w.api.dynamodb.update_item().table_name(table);
    let update = update
        .key("pk", text(format!("PASS#{pass}#{}", shard(w).await)))
        .key("sk", text("CURRENT".to_owned()))
        .update_expression(format!("SET #run.{field} = :value"))
        .condition_expression("attribute_type(#run, :map)")
        .expression_attribute_names("#run", "run")
        .expression_attribute_values(":map", text("M".to_owned()))
        .expression_attribute_values(":value", AttributeValue::N(value.to_owned()));
    update.send().await.unwrap();
}

/// The shard whose pass was begun and is not finished.
async fn shard(w: &Watched) -> u64 {
    for shard in 0..2 {
        let get = w.api.dynamodb.get_item().table_name(&w.api.table);
        let get = get.key("pk", AttributeValue::S(format!("PASS#on_update#{shard}")));
        let got = get.key("sk", AttributeValue::S("CURRENT".to_owned())).send().await.unwrap();
        if got.item.is_some_and(|item| item.get("run").is_some_and(AttributeValue::is_m)) {
            return shard;
        }
    }
    panic!("no pass was begun");
}

/// A worker of one release begins, and another release goes on: with another matching model, or
/// where the lists of then can't be opened any more.
#[tokio::test]
async fn a_pass_that_cannot_go_on_is_begun_anew() {
    for (field, value, pass) in
        [("model", "1", "resume"), ("revision", "99", "resume"), ("revision", "99", "on_update")]
    {
        let w = Watched::start(&[("1", "Nobody Else")]).await;
        let customer = w.monitored("Mirka Dovello").await;
        w.pass("on_update").await;
        w.list(&[("1", "Nobody Else"), ("2", "Mirka Dovello")]);
        w.refresh().await;
        w.pass_time(61);
        let mortal = Mortal::new(End::After(4));
        let dying = w.under(mortal.clone()).await;
        mortal.arm();
        let payload = json!({ "pass": "on_update" });
        tokio::select! {
            () = mortal.ended() => {}
            _ = dying.run("rescreen", &payload) => panic!("it lived"),
        }
        change_run(&w, "on_update", field, value).await;
        w.pass_time(91);
        w.pass(pass).await;
        w.pass("on_update").await;
        assert_eq!(w.found(&customer).await, pairs(&[("2", "open")]), "{field} {pass}");
    }
}

/// A fault that holds up one customer, and no pass: it is not called checked, and `resume` tries
/// again until it is.
#[tokio::test]
async fn a_customer_that_could_not_be_checked_is_checked_again() {
    let w = Watched::start(&[("1", "Nobody Else")]).await;
    let (listed, other) = (w.monitored("Mirka Dovello").await, w.monitored("Tarun Quist").await);
    w.pass("on_update").await;
    assert_ne!(w.state(&listed).await["last_pass"], Value::Null);
    w.list(&[("1", "Nobody Else"), ("2", "Mirka Dovello")]);
    w.refresh().await;
    w.pass_time(61);
    let faulty = w.under(NoTransactions(400, "AccessDeniedException")).await;
    let done = faulty.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    let done = done["shards"].as_array().unwrap();
    let failed: u64 = done.iter().filter_map(|s| s["run"]["skipped"]["failed"].as_u64()).sum();
    assert_eq!(failed, 1);
    assert_eq!(w.state(&listed).await["last_pass"], Value::Null);
    assert_ne!(w.state(&other).await["last_pass"], Value::Null);
    // It goes on failing, and nothing is forgotten.
    let tried = faulty.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!((&tried["checked_again"], w.found(&listed).await), (&json!(0), vec![]));
    let tried = w.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(tried["checked_again"], 1);
    assert_eq!(w.found(&listed).await, pairs(&[("2", "open")]));
    let tried = w.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
    assert_eq!(tried["checked_again"], 0);
    w.pass("reconcile").await;
    assert_ne!(w.state(&listed).await["last_pass"], Value::Null);
}

/// More alerts than one transaction holds, and nobody lives to write the second one.
#[tokio::test]
async fn a_check_that_was_interrupted_is_finished() {
    let entries: Vec<String> = (0..100).map(|id| id.to_string()).collect();
    let entries: Vec<(&str, &str)> = entries.iter().map(|id| (&**id, "Mirka Dovello")).collect();
    let w = Watched::start(&entries).await;
    let mut interrupted = 0;
    for call in 2..14 {
        let customer = w.customer("Mirka Dovello").await;
        let mortal = Mortal::new(End::After(call));
        let dying = w.under(mortal.clone()).await;
        mortal.arm();
        let (path, settings) = (path(&customer, "/monitor"), json!({}));
        tokio::select! {
            () = mortal.ended() => {}
            answer = dying.post(&w.acme, &path, &settings) => {
                answer.expect(201);
            }
        }
        let before = w.found(&customer).await.len();
        interrupted += u32::from(before == 80);
        w.api.run("rescreen", &json!({ "pass": "resume" })).await.unwrap();
        let after = w.found(&customer).await.len();
        assert_eq!(after, if before == 0 { 0 } else { 100 }, "call {call}");
    }
    assert!(interrupted > 0);
}
