use uuid::Uuid;

use super::{is_scored, plan_creation, plan_update};
use crate::error::Code;
use crate::fixtures::{client_id, customer, hour, session, session_id, session_request};
use crate::model::customer::{MAX_OPEN_SESSIONS, Status};
use crate::model::event::EventKind;
use crate::model::id::SessionId;
use crate::model::session::{Session, SessionStatus};
use crate::risk_profiles::Sources;

#[test]
fn a_session_is_counted_on_its_customer() {
    let before = customer("Nora Quist");
    let plan = plan_creation(before, false, &session_request(), session_id(hour(1))).unwrap();
    let after = &plan.change.after;
    assert_eq!((after.sessions.total, after.sessions.active), (1, 1));
    assert_eq!(after.sessions.last_session_id, Some(plan.session.session_id));
    assert!(after.open_sessions.contains_key(&plan.session.session_id));
    assert_eq!(plan.change.kind, EventKind::SessionCreated);
    assert!(!plan.change.is_new && !plan.customer_created);
}

#[test]
fn the_first_session_of_a_client_creates_its_customer() {
    let new = customer("crm-1");
    let plan = plan_creation(new, true, &session_request(), session_id(hour(0))).unwrap();
    assert!(plan.change.is_new && plan.customer_created);
    assert_eq!(plan.change.before.version + 1, plan.change.after.version);
}

#[test]
fn inactive_blocked_and_erased_customers_get_no_session() {
    let active = customer("Nora Quist");
    let profile = active.profile.clone();
    let blocked = active.changed(profile, Status::Blocked, hour(1)).unwrap();
    let inactive = active.deactivated(hour(1));
    let erased = active.erased(None, hour(1)).unwrap();
    for (customer, code) in [
        (blocked, Code::CustomerBlocked),
        (inactive, Code::CustomerInactive),
        (erased, Code::CustomerErased),
    ] {
        let refused = plan_creation(customer, false, &session_request(), session_id(hour(2)));
        assert_eq!(refused.map(drop).unwrap_err().code, code);
    }
}

#[test]
fn another_client_id_and_too_many_active_sessions_are_reported_together() {
    let mut full = customer("Nora Quist");
    for number in 0..MAX_OPEN_SESSIONS as u128 {
        full.open_sessions.insert(SessionId::new(Uuid::from_u128(number)), hour(9_000));
    }
    let mut request = session_request();
    request.customer_id = Some(full.customer_id);
    request.client_id = Some(client_id("crm-2"));
    let refused = plan_creation(full, false, &request, session_id(hour(2))).map(drop).unwrap_err();
    let fields: Vec<&str> = refused.details.iter().map(|detail| detail.field.as_str()).collect();
    assert_eq!(fields, ["/client_id", "/customer_id"]);
}

#[test]
fn an_outcome_is_scored_and_counted_and_progress_is_not_scored() {
    let customer = customer("Nora Quist");
    let active = session(&customer, SessionStatus::Active);
    let customer = customer.with_session(None, &active, hour(1));
    let completed = Session { status: SessionStatus::Completed, ..active.clone() };
    let approved = Session { status: SessionStatus::Approved, ..active.clone() };
    assert!(!is_scored(&active, &completed) && is_scored(&active, &approved));

    let progress = plan_update(customer.clone(), active.clone(), completed, None, hour(2));
    assert!(progress.profile.is_none());
    assert_eq!(progress.after.sessions.active, 0);

    let sources = Some(Sources::default());
    let outcome = plan_update(customer, active, approved, sources, hour(2));
    assert_eq!(outcome.after.sessions.approved, 1);
    assert_eq!(outcome.profile.map(|profile| profile.level), Some(outcome.after.risk.level));
}
