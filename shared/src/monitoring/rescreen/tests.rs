use std::sync::Arc;

use super::look::{Look, LookOutcome, Screeners, look};
use super::target::{Changes, Target};
use crate::fixtures::{LISTED, hour, lists, monitored, screenings};
use crate::model::alert::AlertStatus;
use crate::model::frequency::PassKind;
use crate::model::rescreen::{Run, SkipReason};
use crate::model::watchlist::Revision;
use crate::monitoring::watchlists::Loaded;
use crate::store::Monitored;

fn run(revision: u64, base: Option<u64>) -> Run {
    let revision = Revision { revision, ..Revision::none() };
    Run::new("pass".to_owned(), PassKind::OnUpdate, 0, &revision, base, 1, hour(2))
}

/// Returns a row whose monitor was checked against these lists.
fn row(lists: &Loaded) -> Monitored {
    let state = monitored(LISTED, lists, AlertStatus::Open);
    Monitored {
        tenant: state.customer.tenant_id.clone(),
        customer_id: state.customer.customer_id,
        settings: state.monitor.settings,
        list_revision: state.monitor.list_revision,
        screened: state.screened,
        position: "acme#1".to_owned(),
    }
}

fn whole(lists: Arc<Loaded>, row: &Monitored, run: &Run) -> Look {
    let target = Target { lists, changes: None };
    look(run, &target, row, &mut Screeners::of(&target), &mut screenings(), hour(3))
}

fn delta(old: &Loaded, new: Arc<Loaded>, row: &Monitored, run: &Run) -> Look {
    let mut changes = Changes { indexes: Vec::new(), touched: Default::default() };
    changes.add(crate::fixtures::LIST, &old.indexes[0], &new.indexes[0]).unwrap();
    let target = Target { lists: new, changes: Some(changes) };
    look(run, &target, row, &mut Screeners::of(&target), &mut screenings(), hour(3))
}

#[test]
fn known_matches_are_not_news_and_new_or_lost_ones_are() {
    let listed = lists(1, &[("1", LISTED)]);
    let other = lists(2, &[("2", "Tarun Oblasti")]);
    let both = lists(2, &[("1", LISTED), ("2", LISTED)]);
    let row = row(&listed);
    let same = whole(listed.clone(), &row, &run(2, None));
    assert_eq!(same, Look { outcome: LookOutcome::Same, subjects: 1, matches: 1 });
    assert_eq!(whole(other.clone(), &row, &run(2, None)).outcome, LookOutcome::News);
    assert_eq!(whole(both.clone(), &row, &run(2, None)).outcome, LookOutcome::News);

    // Screening only the entries that changed between the revisions gives the same outcomes.
    let run = run(2, Some(1));
    let unchanged = lists(2, &[("1", LISTED), ("3", "Ivo Brandel")]);
    assert_eq!(delta(&listed, unchanged, &row, &run).outcome, LookOutcome::Same);
    assert_eq!(delta(&listed, other, &row, &run).outcome, LookOutcome::News);
    assert_eq!(delta(&listed, both, &row, &run).outcome, LookOutcome::News);
}

#[test]
fn a_monitor_is_skipped_when_it_was_checked_since_or_has_expired() {
    let lists = lists(3, &[("1", LISTED)]);
    let skipped = |reason| LookOutcome::Skipped(reason);
    let newer = row(&lists);
    let look = whole(lists.clone(), &newer, &run(2, None));
    assert_eq!(look, Look { outcome: skipped(SkipReason::CheckedSince), subjects: 0, matches: 0 });

    let mut expired = row(&lists);
    expired.settings.expires_at = Some(hour(3));
    let look = whole(lists.clone(), &expired, &run(3, None));
    assert_eq!(look.outcome, skipped(SkipReason::Expired));

    let mut incomplete = row(&lists);
    incomplete.list_revision = 0;
    assert_eq!(whole(lists, &incomplete, &run(3, None)).outcome, LookOutcome::News);
}
