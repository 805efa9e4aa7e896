//! Tests how changes of a customer affect its monitor.

use api_tests::{Value, json};

use super::{Setup, pairs, path, sum};

#[tokio::test]
async fn a_renamed_customer_is_screened_at_once() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Anna Harmless").await;
    assert_eq!(setup.alert_statuses(&customer).await, []);
    let patch = async |body: Value| {
        setup.api.patch(&setup.acme, &path(&customer, ""), &body).await.expect(200)
    };

    let listed = patch(json!({ "name": "Mirka Dovello" })).await;
    assert_eq!(listed["monitoring"]["open_alerts"], 1);
    // The open alert affects the risk at once.
    assert_ne!(listed["risk"]["level"], "not_set");
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "open")]));

    let unlisted = patch(json!({ "name": "Anna Harmless" })).await;
    assert_eq!(unlisted["monitoring"]["open_alerts"], 0);
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "cleared")]));

    // Changing a field that screening does not compare does not start a check.
    let before = setup.get_monitor(&customer).await["last_checked_at"].clone();
    setup.advance_clock(5);
    patch(json!({ "tags": ["vip"] })).await;
    assert_eq!(setup.get_monitor(&customer).await["last_checked_at"], before);
}

#[tokio::test]
async fn passes_use_the_new_name_of_a_customer() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Anna Harmless").await;
    setup.run_pass("on_update").await;
    let body = json!({ "name": "Tarun Oblasti" });
    setup.api.patch(&setup.acme, &path(&customer, ""), &body).await.expect(200);

    setup.update_list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]).await;

    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("2", "open")]));
}

#[tokio::test]
async fn the_monitor_of_a_blocked_customer_is_paused_and_of_an_inactive_one_off() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Tarun Oblasti").await;
    let set_status = async |status: &str| {
        let body = json!({ "status": status });
        setup.api.patch(&setup.acme, &path(&customer, ""), &body).await.expect(200)
    };
    assert_eq!(set_status("blocked").await["monitoring"]["status"], "paused");
    assert_eq!(setup.get_monitor(&customer).await["status"], "paused");
    setup.monitor(&customer, &json!({})).await.refused(409, "CUSTOMER_BLOCKED");
    let shards = setup.update_list(&[("1", "Mirka Dovello"), ("2", "Tarun Oblasti")]).await;
    assert_eq!(sum(&shards, "monitors"), 0);
    assert_eq!(setup.alert_statuses(&customer).await, []);
    // After unblocking, the customer is checked against the list changes that it missed.
    assert_eq!(set_status("active").await["monitoring"]["status"], "active");
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("2", "open")]));

    let inactive = setup.api.delete(&setup.acme, &path(&customer, "")).await.expect(200);
    assert_eq!(inactive["monitoring"]["status"], "off");
    assert_eq!(setup.get_monitor(&customer).await["status"], "off");
    setup.monitor(&customer, &json!({})).await.refused(409, "CUSTOMER_INACTIVE");
    let shards = setup.update_list(&[("1", "Mirka Dovello")]).await;
    assert_eq!(sum(&shards, "monitors"), 0);
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("2", "open")]));
    // After reactivation, the monitor stays off until it is started again.
    assert_eq!(set_status("active").await["monitoring"]["status"], "off");
    assert_eq!(setup.monitor(&customer, &json!({})).await.expect(201)["open_alerts"], 0);
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("2", "cleared")]));
}

#[tokio::test]
async fn a_stopped_monitor_stays_off_and_keeps_its_alerts() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.monitored_customer("Mirka Dovello").await;
    for _ in 0..2 {
        let stopped = setup.api.delete(&setup.acme, &path(&customer, "/monitor")).await.expect(200);
        assert_eq!((&stopped["status"], &stopped["open_alerts"]), (&json!("off"), &json!(1)));
    }
    assert_eq!(setup.get(&customer).await["version"], 3);

    let shards = setup.update_list(&[("2", "Mirka Dovello")]).await;
    assert_eq!(sum(&shards, "monitors"), 0);
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "open")]));

    let restarted = setup.monitor(&customer, &json!({})).await.expect(201);
    assert_eq!((&restarted["matches"], &restarted["open_alerts"]), (&json!(1), &json!(1)));
    assert_eq!(setup.alert_statuses(&customer).await, pairs(&[("1", "cleared"), ("2", "open")]));
}

#[tokio::test]
async fn a_monitor_stops_when_it_expires() {
    let setup = Setup::start(&[("1", "Mirka Dovello")]).await;
    let customer = setup.create_customer("Tarun Oblasti").await;
    let expires_at = shared::model::time::Timestamp::from_millis(1_795_000_100_000).to_string();
    setup.monitor(&customer, &json!({ "expires_at": expires_at })).await.expect(201);

    setup.advance_clock(99);
    assert_eq!(setup.get_monitor(&customer).await["status"], "active");
    setup.advance_clock(1);
    // The status changes at the time of expiry, before any write.
    assert_eq!(setup.get_monitor(&customer).await["status"], "off");
    assert_eq!(setup.get(&customer).await["monitoring"]["status"], "off");

    let monitored = async |flag: &str| {
        let list =
            setup.api.get(&setup.acme, &format!("/customers?monitored={flag}")).await.expect(200);
        list["count"].clone()
    };

    let shards = setup.update_list(&[("2", "Tarun Oblasti")]).await;
    assert_eq!(
        shards.iter().filter_map(|s| s["run"]["skipped"]["expired"].as_u64()).sum::<u64>(),
        1
    );
    assert_eq!((monitored("true").await, monitored("false").await), (json!(0), json!(1)));
    assert_eq!(setup.alert_statuses(&customer).await, []);
    // The pass recorded the expiry, so the next pass does not read the monitor.
    assert_eq!(sum(&setup.update_list(&[("3", "Tarun Oblasti")]).await, "monitors"), 0);
}
