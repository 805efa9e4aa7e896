//! Compares a customer's monitoring summary with its monitor and alerts, and the monitor with its
//! alerts.

use std::collections::BTreeSet;

use shared::model::alert::{Alert, AlertStatus};
use shared::model::customer::{MonitoringStatus, MonitoringSummary};
use shared::model::id::AlertId;
use shared::model::monitor::Monitor;
use shared::model::screened::Screened;

use crate::item::Item;
use crate::records::Records;
use crate::report::{Rule, Violations};

pub(crate) fn check(records: &Records<'_>, violations: &mut Violations) {
    for (alert, item) in &records.alerts {
        check_alert(records, alert, item, violations);
    }
    let alerts = records.alerts.iter().map(|(alert, _)| alert);
    let open = alerts.filter(|alert| alert.status == AlertStatus::Open).count();
    let counter = records.customer.monitoring.open_alerts;
    violations.require(counter as usize == open, Rule::OpenAlerts, records.item, || {
        format!("open_alerts is {counter}, but {open} alerts are open")
    });
    check_summary(records, violations);
    if let Some((monitor, watched, item)) = &records.monitor {
        check_monitor(records, monitor, watched, item, violations);
    }
}

fn check_alert(records: &Records<'_>, alert: &Alert, item: &Item, violations: &mut Violations) {
    let subject = alert.subject.party_id.as_deref().unwrap_or("self");
    let customer_id = records.customer.customer_id;
    // An erasure removes the subject, which is needed to compute the id.
    let has_right_id = item.sk == format!("ALERT#{}", alert.alert_id)
        && (records.is_erased()
            || alert.alert_id == AlertId::of(&customer_id, subject, &alert.list, &alert.entity_id));
    violations.require(has_right_id, Rule::Alert, item, || {
        "alert_id does not agree with the match".to_owned()
    });
    let is_open = matches!(alert.status, AlertStatus::Open);
    violations.require(is_open == alert.resolved_at.is_none(), Rule::Alert, item, || {
        "resolved_at does not agree with the status".to_owned()
    });
    let was_monitored = records.monitor.is_some() || records.is_erased();
    violations
        .require(was_monitored, Rule::Alert, item, || "the customer has no monitor".to_owned());
}

fn check_summary(records: &Records<'_>, violations: &mut Violations) {
    let summary = &records.customer.monitoring;
    let monitored_until = records.customer.monitored_until;
    let Some((monitor, _, _)) = &records.monitor else {
        // An erasure keeps the number of open alerts, which `check` compares.
        let open_alerts = if records.is_erased() { summary.open_alerts } else { 0 };
        let unmonitored = MonitoringSummary { open_alerts, ..MonitoringSummary::default() };
        let is_right = *summary == unmonitored && monitored_until.is_none();
        violations.require(is_right, Rule::MonitoringSummary, records.item, || {
            "there is a monitoring summary without a monitor".to_owned()
        });
        return;
    };
    // A reader sees expired monitoring as off. A later write of the customer stores it as off,
    // while the monitor keeps its status until the next pass.
    let has_expired = monitored_until.is_some_and(|until| until <= records.now);
    let is_off_by_expiry = has_expired && summary.status == MonitoringStatus::Off;
    let expected_end = match monitor.status {
        MonitoringStatus::Off => None,
        MonitoringStatus::Active | MonitoringStatus::Paused => monitor.settings.expires_at,
    };
    let frequency = monitor.settings.check_frequency;
    for (holds, field) in [
        (summary.status == monitor.status || is_off_by_expiry, "status"),
        (monitored_until == expected_end, "end"),
        (summary.lists.iter().eq(monitor.list_versions.keys()), "lists"),
        (summary.check_frequency == Some(frequency), "check_frequency"),
        (summary.last_checked_at == Some(monitor.last_checked_at), "last_checked_at"),
    ] {
        violations.require(holds, Rule::MonitoringSummary, records.item, || {
            format!("{field} is not that of the monitor")
        });
    }
}

/// Compares the matches that a monitor knows with the alerts, and checks the number of its
/// subjects.
///
/// After a complete check, each match has an alert, and each alert that is not cleared has a match.
/// While a check is incomplete (`list_revision` 0), there may also be alerts that the monitor does
/// not know yet.
fn check_monitor(
    records: &Records<'_>,
    monitor: &Monitor,
    watched: &Screened,
    item: &Item,
    violations: &mut Violations,
) {
    let customer_id = records.customer.customer_id;
    let matches: BTreeSet<(AlertId, u64)> = watched
        .known
        .iter()
        .map(|k| (AlertId::of(&customer_id, &k.subject, &k.list, &k.entity), k.fingerprint))
        .collect();
    let alerts: BTreeSet<(AlertId, u64)> = records
        .alerts
        .iter()
        .map(|(alert, _)| alert)
        .filter(|alert| alert.status != AlertStatus::Cleared)
        .map(|alert| (alert.alert_id, alert.fingerprint()))
        .collect();
    let is_complete = monitor.list_revision != 0;
    let holds = if is_complete { matches == alerts } else { matches.is_subset(&alerts) };
    violations.require(holds, Rule::Monitor, item, || {
        format!("knows {} matches, but {} alerts exist", matches.len(), alerts.len())
    });
    let has_all_subjects = watched.subjects.len() == monitor.subjects as usize;
    violations.require(has_all_subjects, Rule::Monitor, item, || {
        "subjects is not the number of its subjects".to_owned()
    });
}
