use serde_json::json;

use super::{MAX_EXPIRED, MAX_SESSIONS, Sources, plan_recalculation, relevant, repeats};
use crate::error::Code;
use crate::fixtures::{LISTED, customer, hour, lists, monitored, session};
use crate::model::alert::AlertStatus;
use crate::model::customer::RiskLevel;
use crate::model::event::EventKind;
use crate::model::risk::{RiskProfile, Trigger};
use crate::model::session::SessionStatus;

#[test]
fn a_recalculation_writes_a_profile_and_the_summary() {
    let planned = plan_recalculation(customer("Nora Quist"), &Sources::default(), None, hour(2));
    let change = planned.unwrap().unwrap();
    let profile = change.profile.unwrap();
    assert_eq!(change.kind, EventKind::RiskCalculated);
    assert_eq!(profile.trigger, Some(Trigger::Requested));
    assert_eq!(profile.previous_level, Some(RiskLevel::NotSet));
    assert_eq!((change.after.risk.level, change.after.risk.score), (profile.level, profile.score));
}

#[test]
fn a_confirmed_match_is_prohibited() {
    let lists = lists(1, &[("1", LISTED)]);
    let state = monitored(LISTED, &lists, AlertStatus::Confirmed);
    let change = plan_recalculation(state.customer, &state.sources, None, hour(2));
    assert_eq!(change.unwrap().unwrap().after.risk.level, RiskLevel::Prohibited);
}

#[test]
fn a_recalculation_with_the_same_result_writes_nothing() {
    let lists = lists(1, &[("1", LISTED)]);
    let state = monitored(LISTED, &lists, AlertStatus::Open);
    let plan = |sources: &Sources, newest: Option<&RiskProfile>, hours| {
        plan_recalculation(state.customer.clone(), sources, newest, hour(hours)).unwrap()
    };
    let first = plan(&state.sources, None, 2).unwrap().profile.unwrap();
    assert!(plan(&state.sources, Some(&first), 3).is_none());
    // The table reads a whole number that was stored as 40.0 as 40.
    let mut stored = first.clone();
    let text = serde_json::to_string(&stored.factors[0].value).unwrap();
    stored.factors[0].value = json!({ "percentage": [40.0, text] });
    let mut read = stored.clone();
    read.factors[0].value = json!({ "percentage": [40, text] });
    assert!(repeats(&stored, &read));
    read.factors[0].value = json!({ "percentage": [41, text] });
    assert!(!repeats(&stored, &read));

    for change in [
        |profile: &mut RiskProfile| profile.model_version = Some("2023-05-1".to_owned()),
        |profile: &mut RiskProfile| profile.score = None,
        |profile: &mut RiskProfile| profile.factors[0].points += 1,
        |profile: &mut RiskProfile| profile.hard_rules.clear(),
        |profile: &mut RiskProfile| profile.factors.truncate(1),
    ] {
        let mut other = first.clone();
        change(&mut other);
        assert!(plan(&state.sources, Some(&other), 3).is_some());
    }
    let without_alerts = Sources { alerts: Vec::new(), ..state.sources.clone() };
    assert!(plan(&without_alerts, Some(&first), 3).is_some());
}

#[test]
fn an_erased_customer_is_not_recalculated() {
    let erased = customer("Nora Quist").erased(None, hour(1)).unwrap();
    let refused = plan_recalculation(erased, &Sources::default(), None, hour(2));
    assert_eq!(refused.err().unwrap().code, Code::CustomerErased);
}

#[test]
fn only_sessions_with_a_result_count_and_a_few_that_expired() {
    let customer = customer("Nora Quist");
    let session = |status| session(&customer, status);
    let mut sessions = vec![session(SessionStatus::Active), session(SessionStatus::Completed)];
    sessions.extend((0..MAX_EXPIRED + 5).map(|_| session(SessionStatus::Expired)));
    sessions.extend((0..3).map(|_| session(SessionStatus::Approved)));
    let kept = relevant(sessions);
    let count = |status| kept.iter().filter(|session| session.status == status).count();
    assert_eq!(count(SessionStatus::Expired), MAX_EXPIRED);
    assert_eq!(count(SessionStatus::Approved), 3);
    assert_eq!(kept.len(), MAX_EXPIRED + 3);

    let many = (0..MAX_SESSIONS + 1).map(|_| session(SessionStatus::Rejected)).collect();
    assert_eq!(relevant(many).len(), MAX_SESSIONS);
}
