//! Tests the scheduled passes over all monitored customers.

use api_tests::{Value, json};

use super::{Setup, pairs, sum};

fn outcomes(shards: &[Value]) -> Vec<&str> {
    shards.iter().map(|shard| shard["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_listed_name_raises_one_alert_and_a_delisted_one_clears_it() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let (mirka, tarun) = (
        setup.monitored_customer("Mirka Dovello").await,
        setup.monitored_customer("Tarun Oblasti").await,
    );
    let unlisted = setup.monitored_customer("Anna Harmless").await;

    // The first pass of a shard screens against the whole lists.
    let first = setup.run_pass("on_update").await;
    assert_eq!((sum(&first, "monitors"), sum(&first, "news")), (3, 0));
    assert!(first.iter().all(|shard| shard["run"]["base"].is_null()));

    let second = setup.update_list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]).await;
    assert_eq!((sum(&second, "monitors"), sum(&second, "news"), sum(&second, "raised")), (3, 1, 1));
    assert!(second.iter().all(|shard| shard["run"]["base"] == 1), "{second:?}");
    assert_eq!(setup.alert_statuses(&tarun).await, pairs(&[("2", "open")]));
    let state = setup.get_monitor(&tarun).await;
    assert_eq!(
        state["last_pass"]["frequency"],
        json!(null),
        "the check of the customer itself is the latest one"
    );

    // The pass does not write customers without news, but the API returns the end of the pass as
    // the time of their last check.
    assert_eq!(setup.get(&unlisted).await["version"], 2);
    let state = setup.get_monitor(&unlisted).await;
    let last = &state["last_pass"];
    assert_eq!(
        (&last["frequency"], &last["finished_at"]),
        (&json!("on_update"), &state["last_checked_at"])
    );
    assert_eq!(last["list_versions"]["ours"].as_str().unwrap().len(), 16);

    // Repeating a pass of either kind does not change anything.
    let versions =
        async || (setup.get(&mirka).await, setup.get(&tarun).await, setup.get(&unlisted).await);
    let before = versions().await;
    assert_eq!(outcomes(&setup.run_pass("on_update").await), ["nothing_new", "nothing_new"]);
    assert_eq!(sum(&setup.run_pass("reconcile").await, "news"), 0);
    assert_eq!(versions().await, before);

    let third = setup.update_list(&[("2", "Tarun Oblasti")]).await;
    assert_eq!((sum(&third, "raised"), sum(&third, "cleared")), (0, 1));
    assert_eq!(setup.alert_statuses(&mirka).await, pairs(&[("1", "cleared")]));
    assert_eq!(setup.alerts(&mirka).await[0]["cleared_because"], "entry_removed");
}

#[tokio::test]
async fn a_pass_waits_until_all_functions_use_the_new_lists() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;

    setup.advance_clock(59);
    let early = setup.api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    assert_eq!(early["shards"][0]["outcome"], "waiting");

    setup.advance_clock(2);
    let late =
        setup.api.run("rescreen", &json!({ "pass": "on_update", "shards": [1] })).await.unwrap();
    assert_eq!(late["shards"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&late["shards"][0]["outcome"], &late["shards"][0]["shard"]),
        (&json!("finished"), &json!(1))
    );

    for payload in [json!({}), json!({ "pass": "hourly" }), json!({ "pass": "daily", "x": 1 })] {
        setup.api.run("rescreen", &payload).await.unwrap_err();
    }
}

#[tokio::test]
async fn an_entry_that_is_removed_and_restored_between_passes_is_not_missed() {
    let both = [("1", "Mirka Dovello"), ("2", "Someone Else")];
    let setup = Setup::start(&both).await;
    setup.run_pass("on_update").await;

    // A monitor starts while the entry is missing. The next pass compares two versions of the list,
    // and both contain the entry.
    setup.write_list(&[("2", "Someone Else")]);
    setup.refresh().await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    assert_eq!(setup.alert_statuses(&customer).await, []);

    let shards = setup.update_list(&both).await;
    assert_eq!(sum(&shards, "raised"), 1);
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "open")]));
}

#[tokio::test]
async fn a_weekly_monitor_is_checked_only_by_the_weekly_pass() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.create_customer("Tarun Oblasti").await;
    setup.monitor(&customer, &json!({ "check_frequency": "weekly" })).await.expect(201);

    setup.update_list(&[("2", "Tarun Oblasti")]).await;
    assert_eq!(sum(&setup.run_pass("daily").await, "monitors"), 0);
    assert_eq!(setup.alert_statuses(&customer).await, []);

    let weekly = setup.run_pass("weekly").await;
    assert_eq!((sum(&weekly, "monitors"), sum(&weekly, "raised")), (1, 1));
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("2", "open")]));

    // A weekly pass runs even if the lists have not changed.
    assert_eq!(outcomes(&setup.run_pass("weekly").await), ["finished", "finished"]);

    let state = setup.get_monitor(&customer).await;
    assert_eq!(state["last_pass"]["frequency"], "weekly");
    assert!(state["next_check_due"].as_str() > state["last_checked_at"].as_str());
}

#[tokio::test]
async fn two_workers_never_process_the_same_shard() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let mut customers = Vec::new();
    for i in 0..40 {
        customers.push(setup.monitored_customer(&format!("Tarun Oblasti {i}")).await);
    }
    setup.run_pass("on_update").await;
    setup.write_list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]);
    setup.refresh().await;
    setup.advance_past_grace().await;

    let other_server = setup.another_server().await;
    let payload = json!({ "pass": "on_update" });
    let (first, second) =
        tokio::join!(setup.api.run("rescreen", &payload), other_server.run("rescreen", &payload));
    let shards: Vec<Value> = [first.unwrap(), second.unwrap()]
        .iter()
        .flat_map(|result| result["shards"].as_array().unwrap().clone())
        .collect();

    assert_eq!(outcomes(&shards).iter().filter(|outcome| **outcome == "finished").count(), 2);
    assert_eq!((sum(&shards, "monitors"), sum(&shards, "raised")), (40, 40));
    for customer in &customers {
        assert_eq!(setup.alert_statuses(customer).await, pairs(&[("2", "open")]));
        assert_eq!(setup.get(customer).await["version"], 3);
    }
}
