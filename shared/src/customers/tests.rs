use serde_json::json;

use super::{Erasure, plan_erasure, plan_update};
use crate::auth::{Permission, caller_with};
use crate::error::{Code, Error};
use crate::fixtures::{
    LISTED, MonitoredCustomer, customer, edited, hour, lists, monitored, screenings, session,
};
use crate::model::alert::AlertStatus;
use crate::model::customer::{MonitoringStatus, RiskLevel, Status, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::retention::RetentionYears;
use crate::model::risk::Trigger;
use crate::model::session::SessionStatus;
use crate::model::time::Timestamp;
use crate::model::value::Note;
use crate::monitoring::{Affected, FollowUp};
use crate::risk_profiles::Sources;
use crate::store::MonitorChange;

const UPDATED: EventKind = EventKind::CustomerUpdated;

fn affected(monitored: &MonitoredCustomer, after: &StoredCustomer) -> Option<Affected> {
    let MonitoredCustomer { customer, monitor, screened, .. } = monitored;
    let loaded = lists(1, &[("1", LISTED)]);
    Affected::of(customer, after, false, monitor.clone(), screened.clone(), loaded)
}

#[test]
fn a_change_of_an_unscored_field_calculates_no_profile() {
    let before = customer("Nora Quist");
    let after = edited(&before, "phone", json!("+4930123456"));
    let plan = plan_update(UPDATED, before, after, None, None, &mut screenings()).unwrap();
    assert!(plan.change.profile.is_none() && plan.change.monitor.is_none());
    assert_eq!(plan.follow_up, FollowUp::None);
    let changes = plan.change.event_changes().unwrap();
    assert_eq!(changes.keys().collect::<Vec<_>>(), ["phone"]);
}

#[test]
fn a_change_of_a_scored_field_calculates_a_profile_and_updates_the_summary() {
    let before = customer("Nora Quist");
    let after = edited(&before, "country", json!("KP"));
    let plan =
        plan_update(UPDATED, before, after, Some(Sources::default()), None, &mut screenings())
            .unwrap();
    let profile = plan.change.profile.unwrap();
    assert_eq!(profile.trigger, Some(Trigger::CustomerChanged));
    assert_eq!(plan.change.after.risk.level, profile.level);
    assert_eq!(profile.calculated_at, Some(plan.change.after.updated_at));
}

#[test]
fn a_deactivated_customer_is_not_monitored_any_more() {
    let before = monitored("Nora Quist", &lists(1, &[("1", LISTED)]), AlertStatus::Open);
    let after = before.customer.deactivated(hour(2));
    let affected = affected(&before, &after);
    let plan =
        plan_update(UPDATED, before.customer, after, None, affected.as_ref(), &mut screenings())
            .unwrap();
    let Some(MonitorChange::Put { monitor, is_new: false, .. }) = &plan.change.monitor else {
        panic!("the monitor must change")
    };
    assert_eq!(monitor.status, MonitoringStatus::Off);
    assert_eq!(plan.change.after.monitoring.status, MonitoringStatus::Off);
    assert_eq!(plan.follow_up, FollowUp::None);
}

#[test]
fn the_monitor_of_a_blocked_customer_is_paused() {
    let before = monitored("Nora Quist", &lists(1, &[("1", LISTED)]), AlertStatus::Open);
    let profile = before.customer.profile.clone();
    let after = before.customer.changed(profile, Status::Blocked, hour(2)).unwrap();
    let affected = affected(&before, &after);
    let plan =
        plan_update(UPDATED, before.customer, after, None, affected.as_ref(), &mut screenings())
            .unwrap();
    assert_eq!(plan.change.after.monitoring.status, MonitoringStatus::Paused);
}

#[test]
fn a_monitored_customer_that_gets_a_listed_name_gets_an_alert_and_a_profile() {
    let before = monitored("Nora Quist", &lists(1, &[("1", LISTED)]), AlertStatus::Open);
    let after = edited(&before.customer, "name", json!(LISTED));
    let affected = affected(&before, &after);
    let sources = Some(before.sources);
    let plan =
        plan_update(UPDATED, before.customer, after, sources, affected.as_ref(), &mut screenings())
            .unwrap();
    assert_eq!(plan.change.alerts.len(), 1);
    assert_eq!(plan.change.alerts[0].from, None);
    assert_eq!(plan.change.after.monitoring.open_alerts, 1);
    assert!(plan.change.profile.is_some());
    assert_eq!(plan.follow_up, FollowUp::RecheckIfListsChanged);
}

#[test]
fn a_change_that_screening_does_not_compare_leaves_the_monitor_alone() {
    let before = monitored("Nora Quist", &lists(1, &[("1", LISTED)]), AlertStatus::Open);
    let after = edited(&before.customer, "phone", json!("+4930123456"));
    assert!(affected(&before, &after).is_none());
}

fn accept(_: u64) -> Result<(), Error> {
    Ok(())
}

/// Returns a precondition that only this version meets.
fn expect(version: u64) -> impl Fn(u64) -> Result<(), Error> {
    move |current| {
        if current == version { Ok(()) } else { Err(Error::version_mismatch(Some(current))) }
    }
}

/// Returns a request to erase a customer after its retention.
fn plain(now: Timestamp) -> Erasure {
    let caller = caller_with(&[Permission::Erase]);
    Erasure { caller, now, retention: RetentionYears(5), override_reason: None }
}

/// Returns a request to erase a customer before its retention has ended.
fn overriding(now: Timestamp) -> Erasure {
    Erasure { override_reason: Some(Note::parse("Created by mistake").unwrap()), ..plain(now) }
}

#[test]
fn only_a_reason_erases_a_customer_whose_retention_has_not_ended() {
    let active = customer("Nora Quist");
    let inactive = active.deactivated(hour(1));
    for (customer, code) in
        [(&active, Code::CustomerNotInactive), (&inactive, Code::RetentionPeriod)]
    {
        let erasure = |erasure: &Erasure| plan_erasure(customer.clone(), accept, erasure);
        let refused = erasure(&plain(hour(2))).map(drop).unwrap_err();
        assert_eq!(refused.code, code);
        let change = erasure(&overriding(hour(2))).unwrap().unwrap();
        assert_eq!(change.after.erasure_override_reason, overriding(hour(2)).override_reason);
        let changes = change.event_changes().unwrap();
        assert_eq!(changes["erasure_override_reason"]["to"], "Created by mistake");
    }
    let later = hour(6 * 366 * 24);
    let change = plan_erasure(inactive, accept, &plain(later)).unwrap().unwrap();
    assert_eq!(change.after.erasure_override_reason, None);
    assert_eq!(change.after.deactivated_at, Some(hour(1)));
}

#[test]
fn a_tombstone_has_no_personal_data_and_neither_has_its_event() {
    let before = customer("Nora Quist");
    let change = plan_erasure(before, accept, &overriding(hour(2))).unwrap().unwrap();
    assert_eq!(change.after.status, Status::Inactive);
    assert!(change.after.profile.client_id.is_none() && change.after.erased_at.is_some());
    let changes = serde_json::to_string(&change.event_changes().unwrap()).unwrap();
    assert!(!changes.contains("Quist") && !changes.contains("crm-1"), "{changes}");
}

#[test]
fn a_retention_hold_and_a_failed_precondition_refuse_an_erasure() {
    let held = edited(&customer("Nora Quist"), "retain_until", json!("2026-01-01"));
    let refused = plan_erasure(held, accept, &overriding(hour(2))).map(drop).unwrap_err();
    assert_eq!(refused.code, Code::RetentionHold);
    let refused = plan_erasure(customer("Nora Quist"), expect(9), &overriding(hour(2)))
        .map(drop)
        .unwrap_err();
    assert_eq!(refused.code, Code::VersionMismatch);
}

#[test]
fn an_interrupted_erasure_resumes_with_the_version_it_began_with() {
    let before = customer("Nora Quist");
    let began_with = before.version;
    let tombstone = plan_erasure(before, accept, &overriding(hour(2))).unwrap().unwrap().after;
    assert!(
        plan_erasure(tombstone.clone(), expect(began_with), &plain(hour(3))).unwrap().is_none()
    );
    assert!(
        plan_erasure(tombstone.clone(), expect(tombstone.version), &plain(hour(3)))
            .unwrap()
            .is_none()
    );

    let mut scrubbed = tombstone;
    scrubbed.is_scrubbed = true;
    assert!(plan_erasure(scrubbed, expect(began_with), &plain(hour(3))).is_err());
}

#[test]
fn a_session_does_not_change_what_a_customer_owns_elsewhere() {
    let before = customer("Nora Quist");
    let session = session(&before, SessionStatus::Active);
    let after = before.with_session(None, &session, hour(1));
    assert_eq!(after.sessions.active, 1);
    assert_eq!(after.risk.level, RiskLevel::NotSet);
    assert_eq!(after.profile, before.profile);
}
