use super::plan_replacement;
use crate::fixtures::{
    LISTED, customer, hour, lists, monitored, organization, screenings, structure,
};
use crate::model::alert::AlertStatus;
use crate::model::risk::Trigger;
use crate::monitoring::{Affected, FollowUp};
use crate::risk_profiles::Sources;

#[test]
fn the_first_organization_has_version_one_and_a_profile() {
    let before = customer("Nora Quist");
    let next = before.next_version(hour(2));
    let names = structure(&["Ivo Brandel"]);
    let plan =
        plan_replacement(before, next, names, Sources::default(), None, &mut screenings()).unwrap();
    assert_eq!(plan.organization.version, 1);
    assert!(plan.change.organization.unwrap().before.is_none());
    assert_eq!(plan.change.profile.unwrap().trigger, Some(Trigger::Organization));
}

#[test]
fn a_replaced_organization_is_kept_and_the_event_has_numbers_only() {
    let before = customer("Nora Quist");
    let next = before.next_version(hour(2));
    let sources =
        Sources { organization: Some(organization(&["Ivo Brandel"])), ..Sources::default() };
    let names = structure(&["Ivo Brandel", "Jana Novak"]);
    let plan = plan_replacement(before, next, names, sources, None, &mut screenings()).unwrap();
    assert_eq!(plan.organization.version, 2);
    let changes = plan.change.event_changes().unwrap();
    assert_eq!(changes["organization"]["parties"]["from"], 1);
    assert_eq!(changes["organization"]["parties"]["to"], 2);
    assert!(!serde_json::to_string(&changes).unwrap().contains("Novak"));
}

#[test]
fn a_new_director_of_a_monitored_customer_is_screened_at_once() {
    let lists = lists(1, &[("1", LISTED)]);
    let state = monitored("Nora Quist", &lists, AlertStatus::Open);
    let next = state.customer.next_version(hour(2));
    let affected = Affected::of(&state.customer, &next, true, state.monitor, state.screened, lists);
    let names = structure(&[LISTED]);
    let plan = plan_replacement(
        state.customer,
        next,
        names,
        state.sources,
        affected.as_ref(),
        &mut screenings(),
    )
    .unwrap();
    assert_eq!(plan.change.alerts.len(), 1);
    assert_eq!(plan.change.alerts[0].alert.subject.party_id.as_deref(), Some("p0"));
    assert_eq!(plan.change.after.monitoring.open_alerts, 1);
    assert_eq!(plan.follow_up, FollowUp::RecheckIfListsChanged);
}
