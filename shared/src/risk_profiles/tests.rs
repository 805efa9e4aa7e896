use super::{MAX_EXPIRED, MAX_SESSIONS, Sources, plan_recalculation, relevant};
use crate::fixtures::{LISTED, customer, hour, lists, monitored, session};
use crate::model::alert::AlertStatus;
use crate::model::customer::RiskLevel;
use crate::model::event::EventKind;
use crate::model::risk::Trigger;
use crate::model::session::SessionStatus;

#[test]
fn a_recalculation_writes_a_profile_and_the_summary() {
    let change = plan_recalculation(customer("Nora Quist"), &Sources::default(), hour(2));
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
    let change = plan_recalculation(state.customer, &state.sources, hour(2));
    assert_eq!(change.after.risk.level, RiskLevel::Prohibited);
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
