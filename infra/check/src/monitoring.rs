//! A customer says what its monitor and its alerts say, and the monitor knows its alerts.

use std::collections::BTreeSet;

use shared::model::alert::{Alert, AlertStatus};
use shared::model::customer::{MonitoringStatus, MonitoringSummary};
use shared::model::id::AlertId;
use shared::model::monitor::Monitor;
use shared::monitoring::check::Watched;

use crate::Found;
use crate::customer::Whole;
use crate::item::Item;

pub(super) fn check(whole: &Whole<'_>, found: &mut Found) {
    for (alert, item) in &whole.alerts {
        let subject = alert.subject.party_id.as_deref().unwrap_or("self");
        let id = whole.customer.customer_id;
        // Of one that was erased it is not kept whom it was about.
        let is_right = item.sk == format!("ALERT#{}", alert.alert_id)
            && (whole.is_erased()
                || alert.alert_id == AlertId::of(&id, subject, &alert.list, &alert.entity_id));
        found.check(is_right, "alert", item, || "its id is another's".to_owned());
        let is_decided = matches!(alert.status, AlertStatus::Open) == alert.resolved_at.is_none();
        found.check(is_decided, "alert", item, || {
            "its decision does not go with its status".to_owned()
        });
        let was_monitored = whole.monitor.is_some() || whole.is_erased();
        found.check(was_monitored, "alert", item, || "nobody was monitored".to_owned());
    }
    let open = whole.alerts.iter().filter(|(alert, _)| alert.status == AlertStatus::Open).count();
    let said = whole.customer.monitoring.open_alerts;
    found.check(said as usize == open, "open alerts", whole.item, || {
        format!("open_alerts is {said}, and {open} are open")
    });
    summary(whole, found);
    if let Some((monitor, watched, item)) = &whole.monitor {
        knows_its_alerts(whole, monitor, watched, item, found);
    }
}

fn summary(whole: &Whole<'_>, found: &mut Found) {
    let said = &whole.customer.monitoring;
    let ends = whole.customer.monitored_until;
    let Some((monitor, _, _)) = &whole.monitor else {
        // Counted above, and kept when all else of it is erased.
        let open_alerts = if whole.is_erased() { said.open_alerts } else { 0 };
        let nothing = MonitoringSummary { open_alerts, ..MonitoringSummary::default() };
        let is_right = *said == nothing && ends.is_none();
        found.check(is_right, "monitoring summary", whole.item, || {
            "tells of a monitor that is not there".to_owned()
        });
        return;
    };
    // Who expired is off for whoever reads it, and maybe for who has written it since. The monitor
    // itself is turned off by the next pass.
    let has_expired = ends.is_some_and(|until| until <= whole.now);
    let off_by_itself = has_expired && said.status == MonitoringStatus::Off;
    let until = match monitor.status {
        MonitoringStatus::Off => None,
        MonitoringStatus::Active | MonitoringStatus::Paused => monitor.settings.expires_at,
    };
    let lists: Vec<&String> = monitor.list_versions.keys().collect();
    for (holds, what) in [
        (said.status == monitor.status || off_by_itself, "status"),
        (ends == until, "end"),
        (said.lists.iter().eq(lists), "lists"),
        (
            said.check_frequency.as_deref() == Some(monitor.settings.check_frequency.into_str()),
            "check_frequency",
        ),
        (said.last_checked_at == Some(monitor.last_checked_at), "last_checked_at"),
    ] {
        found.check(holds, "monitoring summary", whole.item, || {
            format!("its {what} is not that of the monitor")
        });
    }
}

/// A check that is complete has an alert of each pair it knows, and knows each that is not cleared.
fn knows_its_alerts(
    whole: &Whole<'_>,
    monitor: &Monitor,
    watched: &Watched,
    item: &Item,
    found: &mut Found,
) {
    let id = whole.customer.customer_id;
    let known: BTreeSet<(AlertId, u64)> = watched
        .known
        .iter()
        .map(|k| (AlertId::of(&id, &k.subject, &k.list, &k.entity), k.fingerprint))
        .collect();
    let is_there = |(alert, _): &&(Alert, &Item)| alert.status != AlertStatus::Cleared;
    let alerts: BTreeSet<(AlertId, u64)> = whole
        .alerts
        .iter()
        .filter(is_there)
        .map(|(alert, _)| (alert.alert_id, alert.fingerprint()))
        .collect();
    let holds = match monitor.list_revision {
        0 => known.is_subset(&alerts),
        _ => known == alerts,
    };
    found.check(holds, "monitor", item, || {
        format!("knows {} matches, and has {} alerts", known.len(), alerts.len())
    });
    found.check(watched.subjects.len() == monitor.subjects as usize, "monitor", item, || {
        "its subjects are not as many as it says".to_owned()
    });
}
