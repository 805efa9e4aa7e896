use api_tests::{Value, json};

use super::{Watched, pairs, sum};

fn outcomes(shards: &[Value]) -> Vec<&str> {
    shards.iter().map(|shard| shard["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_listed_customer_raises_an_alert_once_and_a_delisted_one_is_cleared() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let (mirka, tarun) = (w.monitored("Mirka Dovello").await, w.monitored("Tarun Oblasti").await);
    let none = w.monitored("Anna Harmless").await;
    // The first pass of a shard is against whole lists.
    let first = w.pass("on_update").await;
    assert_eq!((sum(&first, "monitors"), sum(&first, "news")), (3, 0));
    assert!(first.iter().all(|shard| shard["run"]["base"].is_null()));

    let second = w.update(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]).await;
    assert_eq!((sum(&second, "monitors"), sum(&second, "news"), sum(&second, "raised")), (3, 1, 1));
    assert!(second.iter().all(|shard| shard["run"]["base"] == 1), "{second:?}");
    assert_eq!(w.found(&tarun).await, pairs(&[("2", "open")]));
    let state = w.state(&tarun).await;
    assert_eq!(state["last_pass"]["frequency"], json!(null), "its own check is the later one");

    // Nobody without news was written, and yet everybody can show when he was checked.
    assert_eq!(w.get(&none).await["version"], 2);
    let state = w.state(&none).await;
    let last = &state["last_pass"];
    assert_eq!(
        (&last["frequency"], &last["finished_at"]),
        (&json!("on_update"), &state["last_checked_at"])
    );
    assert_eq!(last["list_versions"]["ours"].as_str().unwrap().len(), 16);

    // Again changes nothing, whichever way.
    let versions = async || (w.get(&mirka).await, w.get(&tarun).await, w.get(&none).await);
    let before = versions().await;
    assert_eq!(outcomes(&w.pass("on_update").await), ["nothing_new", "nothing_new"]);
    assert_eq!(sum(&w.pass("reconcile").await, "news"), 0);
    assert_eq!(versions().await, before);

    let third = w.update(&[("2", "Tarun Oblasti")]).await;
    assert_eq!((sum(&third, "raised"), sum(&third, "cleared")), (0, 1));
    assert_eq!(w.found(&mirka).await, pairs(&[("1", "cleared")]));
    assert_eq!(w.alerts(&mirka).await[0]["cleared_because"], "entry_removed");
}

#[tokio::test]
async fn a_pass_waits_until_every_function_knows_the_lists() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    w.pass_time(59);
    let early = w.api.run("rescreen", &json!({ "pass": "on_update" })).await.unwrap();
    assert_eq!(early["shards"][0]["outcome"], "waiting");
    w.pass_time(2);
    let late = w.api.run("rescreen", &json!({ "pass": "on_update", "shards": [1] })).await.unwrap();
    assert_eq!(late["shards"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&late["shards"][0]["outcome"], &late["shards"][0]["shard"]),
        (&json!("finished"), &json!(1))
    );
    for payload in [json!({}), json!({ "pass": "hourly" }), json!({ "pass": "daily", "x": 1 })] {
        w.api.run("rescreen", &payload).await.unwrap_err();
    }
}

#[tokio::test]
async fn an_entry_that_changes_back_between_two_passes_is_not_missed() {
    let both = [("1", "Mirka Dovello"), ("2", "Nobody Else")];
    let w = Watched::start(&both).await;
    w.pass("on_update").await;
    // While the entry is away a monitor starts; the next pass compares two lists that have it.
    w.list(&[("2", "Nobody Else")]);
    w.refresh().await;
    let customer = w.monitored("Mirka Dovello").await;
    assert_eq!(w.found(&customer).await, []);
    let shards = w.update(&both).await;
    assert_eq!(sum(&shards, "raised"), 1);
    assert_eq!(w.found(&customer).await, pairs(&[("1", "open")]));
}

#[tokio::test]
async fn daily_and_weekly_monitors_wait_for_their_pass() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.customer("Tarun Oblasti").await;
    w.monitor(&customer, &json!({ "check_frequency": "weekly" })).await.expect(201);
    w.update(&[("2", "Tarun Oblasti")]).await;
    assert_eq!(sum(&w.pass("daily").await, "monitors"), 0);
    assert_eq!(w.found(&customer).await, []);
    let weekly = w.pass("weekly").await;
    assert_eq!((sum(&weekly, "monitors"), sum(&weekly, "raised")), (1, 1));
    assert_eq!(w.found(&customer).await, pairs(&[("2", "open")]));
    // A full pass runs whether lists have changed or not.
    assert_eq!(outcomes(&w.pass("weekly").await), ["finished", "finished"]);
    let state = w.state(&customer).await;
    assert_eq!(state["last_pass"]["frequency"], "weekly");
    assert!(state["next_check_due"].as_str() > state["last_checked_at"].as_str());
}

#[tokio::test]
async fn two_workers_never_share_a_shard() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let mut customers = Vec::new();
    for i in 0..40 {
        customers.push(w.monitored(&format!("Tarun Oblasti {i}")).await);
    }
    w.pass("on_update").await;
    w.list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]);
    w.refresh().await;
    w.pass_grace().await;
    let other = w.another().await;
    let payload = json!({ "pass": "on_update" });
    let (one, two) = tokio::join!(w.api.run("rescreen", &payload), other.run("rescreen", &payload));
    let all: Vec<Value> = [one.unwrap(), two.unwrap()]
        .iter()
        .flat_map(|done| done["shards"].as_array().unwrap().clone())
        .collect();
    assert_eq!(outcomes(&all).iter().filter(|outcome| **outcome == "finished").count(), 2);
    assert_eq!((sum(&all, "monitors"), sum(&all, "raised")), (40, 40));
    for customer in &customers {
        assert_eq!(w.found(customer).await, pairs(&[("2", "open")]));
        assert_eq!(w.get(customer).await["version"], 3);
    }
}
