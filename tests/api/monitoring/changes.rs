//! What happens to the customer happens to its monitor.

use api_tests::json;

use super::{Watched, pairs, path, sum};

#[tokio::test]
async fn a_customer_that_changes_its_name_is_checked_at_once() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.monitored("Anna Harmless").await;
    assert_eq!(w.found(&customer).await, []);
    let renamed =
        w.api.patch(&w.acme, &path(&customer, ""), &json!({ "name": "Mirka Dovello" })).await;
    let renamed = renamed.expect(200);
    assert_eq!(renamed["monitoring"]["open_alerts"], 1);
    // The rule of an open alert stands in the risk at once.
    assert_ne!(renamed["risk"]["level"], "not_set");
    assert_eq!(w.found(&customer).await, pairs(&[("1", "open")]));
    let back =
        w.api.patch(&w.acme, &path(&customer, ""), &json!({ "name": "Anna Harmless" })).await;
    assert_eq!(back.expect(200)["monitoring"]["open_alerts"], 0);
    assert_eq!(w.found(&customer).await, pairs(&[("1", "cleared")]));
    // What is not compared checks nothing.
    let before = w.state(&customer).await["last_checked_at"].clone();
    w.pass_time(5);
    let tagged = w.api.patch(&w.acme, &path(&customer, ""), &json!({ "tags": ["vip"] })).await;
    tagged.expect(200);
    assert_eq!(w.state(&customer).await["last_checked_at"], before);
}

#[tokio::test]
async fn a_new_name_is_what_passes_look_for() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.monitored("Anna Harmless").await;
    w.pass("on_update").await;
    let body = json!({ "name": "Tarun Oblasti" });
    w.api.patch(&w.acme, &path(&customer, ""), &body).await.expect(200);
    w.update(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]).await;
    assert_eq!(w.found(&customer).await, pairs(&[("2", "open")]));
}

#[tokio::test]
async fn a_blocked_customer_is_paused_and_an_inactive_one_is_off() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.monitored("Tarun Oblasti").await;
    let status = async |status: &str| {
        let body = json!({ "status": status });
        w.api.patch(&w.acme, &path(&customer, ""), &body).await.expect(200)
    };
    assert_eq!(status("blocked").await["monitoring"]["status"], "paused");
    assert_eq!(w.state(&customer).await["status"], "paused");
    w.monitor(&customer, &json!({})).await.refused(409, "CUSTOMER_BLOCKED");
    let shards = w.update(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]).await;
    assert_eq!(sum(&shards, "monitors"), 0);
    assert_eq!(w.found(&customer).await, []);
    // Back again it is checked against what came meanwhile.
    assert_eq!(status("active").await["monitoring"]["status"], "active");
    assert_eq!(w.found(&customer).await, pairs(&[("2", "open")]));

    let gone = w.api.delete(&w.acme, &path(&customer, "")).await.expect(200);
    assert_eq!(gone["monitoring"]["status"], "off");
    assert_eq!(w.state(&customer).await["status"], "off");
    w.monitor(&customer, &json!({})).await.refused(409, "CUSTOMER_INACTIVE");
    let shards = w.update(&[("1", "Mirka Dovello")]).await;
    assert_eq!(sum(&shards, "monitors"), 0);
    assert_eq!(w.found(&customer).await, pairs(&[("2", "open")]));
    // Reactivated it stays off until somebody starts it.
    assert_eq!(status("active").await["monitoring"]["status"], "off");
    assert_eq!(w.monitor(&customer, &json!({})).await.expect(201)["open_alerts"], 0);
    assert_eq!(w.found(&customer).await, pairs(&[("2", "cleared")]));
}

#[tokio::test]
async fn a_stopped_monitor_stays_stopped_and_keeps_its_alerts() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.monitored("Mirka Dovello").await;
    for _ in 0..2 {
        let stopped = w.api.delete(&w.acme, &path(&customer, "/monitor")).await.expect(200);
        assert_eq!((&stopped["status"], &stopped["open_alerts"]), (&json!("off"), &json!(1)));
    }
    assert_eq!(w.get(&customer).await["version"], 3);
    let shards = w.update(&[("2", "Mirka Dovello")]).await;
    assert_eq!(sum(&shards, "monitors"), 0);
    assert_eq!(w.found(&customer).await, pairs(&[("1", "open")]));
    let again = w.monitor(&customer, &json!({})).await.expect(201);
    assert_eq!((&again["matches"], &again["open_alerts"]), (&json!(1), &json!(1)));
    assert_eq!(w.found(&customer).await, pairs(&[("1", "cleared"), ("2", "open")]));
}

#[tokio::test]
async fn a_monitor_ends_when_it_expires() {
    let w = Watched::start(&[("1", "Mirka Dovello")]).await;
    let customer = w.customer("Tarun Oblasti").await;
    let until = shared::model::time::Timestamp::from_millis(1_795_000_100_000).to_string();
    w.monitor(&customer, &json!({ "expires_at": until })).await.expect(201);
    w.pass_time(99);
    assert_eq!(w.state(&customer).await["status"], "active");
    w.pass_time(1);
    // At once, before anybody wrote anything.
    assert_eq!(w.state(&customer).await["status"], "off");
    assert_eq!(w.get(&customer).await["monitoring"]["status"], "off");
    let monitored = async |flag: &str| {
        let list = w.api.get(&w.acme, &format!("/customers?monitored={flag}")).await.expect(200);
        list["count"].clone()
    };
    let shards = w.update(&[("2", "Tarun Oblasti")]).await;
    assert_eq!(
        shards.iter().filter_map(|s| s["run"]["skipped"]["expired"].as_u64()).sum::<u64>(),
        1
    );
    assert_eq!((monitored("true").await, monitored("false").await), (json!(0), json!(1)));
    assert_eq!(w.found(&customer).await, []);
    // It was written down, so the next pass does not meet it again.
    assert_eq!(sum(&w.update(&[("3", "Tarun Oblasti")]).await, "monitors"), 0);
}
