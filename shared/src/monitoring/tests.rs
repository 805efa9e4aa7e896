use std::time::Duration;

use super::alerts::plan_decision;
use super::recheck::plan_recheck;
use super::start::{StartState, check_start, plan_start};
use super::state::last_pass;
use super::stop::plan_stop;
use super::watchlists::Loaded;
use super::{FollowUp, StartPlan};
use crate::error::{Code, Error};
use crate::fixtures::{
    LISTED, MonitoredCustomer, customer, hour, lists, monitored, screenings, settings,
};
use crate::model::alert::{AlertStatus, ClearedBecause, Decision};
use crate::model::customer::{MonitoringStatus, RiskLevel, StoredCustomer};
use crate::model::event::EventKind;
use crate::model::frequency::PassKind;
use crate::model::monitor::{Monitor, Settings};
use crate::model::rescreen::Finished;
use crate::model::value::ListName;
use crate::risk_profiles::Sources;
use crate::store::MonitorChange;

fn start(
    customer: StoredCustomer,
    monitor: Option<Monitor>,
    lists: &Loaded,
    settings: &Settings,
) -> Result<StartPlan, Error> {
    let state = StartState {
        customer,
        monitor,
        sources: Sources::default(),
        lists,
        shards: 4,
        max_list_age: Duration::from_secs(48 * 3_600),
    };
    plan_start(state, settings, hour(2), &mut screenings())
}

#[test]
fn a_start_screens_at_once_and_raises_the_risk() {
    let lists = lists(1, &[("1", LISTED), ("2", "Tarun Oblasti")]);
    let plan = start(customer(LISTED), None, &lists, &settings()).unwrap();
    assert!(plan.is_new);
    assert_eq!(plan.change.kind, EventKind::MonitorStarted);
    assert_eq!((plan.started.matches, plan.started.new_matches), (1, 1));
    assert_eq!(plan.change.alerts.len(), 1);
    assert!(plan.change.profile.is_some());
    assert!(matches!(plan.change.monitor, Some(MonitorChange::Put { is_new: true, .. })));
    assert_eq!(plan.follow_up, FollowUp::RecheckIfListsChanged);
}

#[test]
fn a_start_of_an_active_monitor_changes_it_and_keeps_its_start() {
    let lists = lists(1, &[("1", LISTED)]);
    let state = monitored("Nora Quist", &lists, AlertStatus::Open);
    let plan = start(state.customer, Some(state.monitor), &lists, &settings()).unwrap();
    assert!(!plan.is_new);
    assert_eq!(plan.change.kind, EventKind::MonitorChanged);
    assert_eq!(plan.started.state.started_at, hour(1));
    assert!(plan.change.profile.is_none());
}

#[test]
fn a_list_that_was_not_read_for_too_long_is_stale() {
    let lists = lists(1, &[("1", LISTED)]);
    let is_stale = |max_age_hours: u64| {
        let state = StartState {
            customer: customer("Nora Quist"),
            monitor: None,
            sources: Sources::default(),
            lists: &lists,
            shards: 4,
            max_list_age: Duration::from_secs(max_age_hours * 3_600),
        };
        plan_start(state, &settings(), hour(2), &mut screenings()).unwrap().started.results_by_list
            [0]
        .stale
    };
    assert!(is_stale(1) && !is_stale(3));
}

#[test]
fn every_unknown_list_is_named_and_an_inactive_customer_is_refused() {
    let lists = lists(1, &[("1", LISTED)]);
    let names = ["one", "sanctions", "two"].map(|name| ListName::parse(name).unwrap());
    let chosen = Settings { lists: Some(names.to_vec()), ..settings() };
    let refused = check_start(&customer("Nora Quist"), &chosen, &lists).unwrap_err();
    let fields: Vec<&str> = refused.details.iter().map(|detail| detail.field.as_str()).collect();
    assert_eq!(fields, ["/lists/0", "/lists/2"]);

    let inactive = customer("Nora Quist").deactivated(hour(1));
    let refused = check_start(&inactive, &settings(), &lists).unwrap_err();
    assert_eq!(refused.code, Code::CustomerInactive);
}

#[test]
fn more_matches_than_the_limit_are_refused_and_more_than_a_transaction_need_a_recheck() {
    let entries: Vec<(String, &str)> =
        (0..2_001).map(|number| (number.to_string(), LISTED)).collect();
    let entries: Vec<(&str, &str)> =
        entries.iter().map(|(id, name)| (id.as_str(), *name)).collect();
    let too_many = start(customer(LISTED), None, &lists(1, &entries), &settings());
    let refused = too_many.map(drop).unwrap_err();
    assert_eq!(refused.details[0].field, "/min_score");
    assert!(refused.details[0].issue.contains("more than 2000 matches"));

    let plan = start(customer(LISTED), None, &lists(1, &entries[..81]), &settings()).unwrap();
    assert_eq!(plan.change.alerts.len(), 80);
    assert_eq!(plan.started.new_matches, 81);
    assert_eq!(plan.follow_up, FollowUp::Recheck);
    let Some(MonitorChange::Put { monitor, .. }) = plan.change.monitor else {
        panic!("the monitor must be written")
    };
    assert_eq!(monitor.list_revision, 0);
}

#[test]
fn a_stop_leaves_the_alerts_alone() {
    let lists = lists(1, &[("1", LISTED)]);
    let state = monitored(LISTED, &lists, AlertStatus::Open);
    let change = plan_stop(state.customer, &state.monitor, &state.screened, hour(2));
    assert_eq!(change.kind, EventKind::MonitorStopped);
    assert!(change.alerts.is_empty() && change.profile.is_none());
    assert_eq!(change.after.monitoring.status, MonitoringStatus::Off);
    assert_eq!(change.after.monitoring.open_alerts, 1);
}

/// Plans a recheck of the monitored customer against these lists.
fn recheck(state: MonitoredCustomer, lists: &Loaded) -> Option<super::recheck::RecheckPlan> {
    let MonitoredCustomer { customer, monitor, screened, sources } = state;
    plan_recheck(customer, monitor, &screened, sources, lists, hour(2), &mut screenings()).unwrap()
}

#[test]
fn a_recheck_without_news_writes_nothing() {
    let lists = lists(1, &[("1", LISTED)]);
    assert!(recheck(monitored(LISTED, &lists, AlertStatus::Open), &lists).is_none());
}

#[test]
fn a_recheck_raises_an_alert_for_a_new_entry() {
    let state = monitored(LISTED, &lists(1, &[]), AlertStatus::Open);
    let plan = recheck(state, &lists(2, &[("1", LISTED)])).unwrap();
    assert!(plan.is_complete);
    assert_eq!(plan.change.kind, EventKind::MonitorChecked);
    assert_eq!(plan.change.alerts[0].from, None);
    assert_eq!(plan.change.alerts[0].alert.status, AlertStatus::Open);
    assert!(plan.change.profile.is_some());
}

#[test]
fn a_recheck_clears_the_alert_of_a_removed_entry() {
    let state = monitored(LISTED, &lists(1, &[("1", LISTED)]), AlertStatus::Open);
    let plan = recheck(state, &lists(2, &[("2", "Tarun Oblasti")])).unwrap();
    let alert = &plan.change.alerts[0].alert;
    assert_eq!(alert.status, AlertStatus::Cleared);
    assert_eq!(alert.cleared_because, Some(ClearedBecause::EntryRemoved));
    assert_eq!(plan.change.after.monitoring.open_alerts, 0);
}

#[test]
fn a_confirmed_alert_makes_the_customer_prohibited_at_once() {
    let lists = lists(1, &[("1", LISTED)]);
    let state = monitored(LISTED, &lists, AlertStatus::Open);
    let before = state.sources.alerts[0].clone();
    let decision = Decision { status: AlertStatus::Confirmed, note: None };
    let plan = plan_decision(state.customer, &before, state.sources, &decision, "ann", hour(2));
    let (change, decided) = plan.unwrap().unwrap();
    assert_eq!(decided.resolved_by.as_deref(), Some("ann"));
    assert_eq!(change.after.risk.level, RiskLevel::Prohibited);
    assert_eq!(change.after.monitoring.open_alerts, 0);
    let summary = change.event_changes().unwrap();
    assert!(!serde_json::to_string(&summary).unwrap().contains("Dovello"));
}

#[test]
fn the_same_decision_again_changes_nothing_and_a_cleared_alert_takes_none() {
    let lists = lists(1, &[("1", LISTED)]);
    let decide = |status, decision| {
        let state = monitored(LISTED, &lists, status);
        let before = state.sources.alerts[0].clone();
        let decision = Decision { status: decision, note: None };
        plan_decision(state.customer, &before, state.sources, &decision, "ann", hour(2))
    };
    let same = decide(AlertStatus::FalsePositive, AlertStatus::FalsePositive);
    assert!(same.unwrap().is_none());
    let refused = decide(AlertStatus::Cleared, AlertStatus::Confirmed).map(drop).unwrap_err();
    assert_eq!(refused.code, Code::InvalidTransition);
}

#[test]
fn only_a_pass_that_began_after_the_last_check_has_seen_the_monitor() {
    let lists = lists(1, &[("1", LISTED)]);
    let monitor = monitored(LISTED, &lists, AlertStatus::Open).monitor;
    let pass = |id: &str, from, to| Finished {
        pass_id: id.to_owned(),
        pass: PassKind::OnUpdate,
        revision: 1,
        model: 1,
        list_versions: Default::default(),
        started_at: hour(from),
        finished_at: hour(to),
    };
    let passes = vec![pass("before", 0, 9), pass("first", 2, 3), pass("last", 4, 5)];
    assert_eq!(last_pass(&monitor, passes).unwrap().pass_id, "last");
    assert!(last_pass(&monitor, vec![pass("before", 1, 9)]).is_none());
}
