//! Screens one monitor in memory to determine whether its customer has news: whether the matches
//! differ from the known matches.

use screening::Screener;

use super::target::Target;
use crate::model::rescreen::{Run, SkipReason};
use crate::model::screened::KnownMatch;
use crate::model::time::Timestamp;
use crate::monitoring::Screenings;
use crate::monitoring::check::{Hit, hits};
use crate::monitoring::screenings::Stopped;
use crate::store::Monitored;

/// The result of screening one monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) outcome: LookOutcome,
    /// Number of subjects screened.
    pub(super) subjects: u64,
    /// Number of matches.
    pub(super) matches: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookOutcome {
    /// The matches are the same as the known matches.
    Same,
    /// The customer must be checked.
    News,
    /// The monitor was not screened.
    Skipped(SkipReason),
    /// The screening reached its time limit.
    OutOfTime,
}

impl Look {
    fn without_screening(outcome: LookOutcome) -> Look {
        Look { outcome, subjects: 0, matches: 0 }
    }
}

/// The two screeners of a pass: one for whole lists and one for the changed entries.
pub(super) struct Screeners<'t> {
    whole: Screener<'t>,
    changed: Screener<'t>,
}

impl<'t> Screeners<'t> {
    pub(super) fn of(target: &'t Target) -> Screeners<'t> {
        let changes = target.changes.iter().flat_map(|changes| changes.indexes.iter());
        Screeners {
            whole: Screener::new(target.lists.indexes.iter().map(AsRef::as_ref)),
            changed: Screener::new(changes),
        }
    }
}

/// Screens one monitor against the target of a pass, or skips it. A pass that looks for changes
/// screens only the changed entries, unless the monitor needs whole lists.
pub(super) fn look(
    run: &Run,
    target: &Target,
    row: &Monitored,
    screeners: &mut Screeners<'_>,
    screenings: &mut Screenings,
    now: Timestamp,
) -> Look {
    if row.settings.has_expired(now) {
        return Look::without_screening(LookOutcome::Skipped(SkipReason::Expired));
    }
    if row.list_revision == 0 {
        return Look::without_screening(LookOutcome::News);
    }
    let changes = target.changes.as_ref().zip(run.base);
    let is_current = changes.is_some() && row.list_revision == run.revision;
    if row.list_revision > run.revision || is_current {
        return Look::without_screening(LookOutcome::Skipped(SkipReason::CheckedSince));
    }
    // A monitor that was checked with a revision between `run.base` and `run.revision` needs whole
    // lists. The difference between these two does not show what has changed since that check.
    let changes = changes.filter(|(_, base)| row.list_revision <= *base);
    let (subjects, known) = (&row.screened.subjects, &row.screened.known);
    let screener = if changes.is_some() { &mut screeners.changed } else { &mut screeners.whole };
    let hits = match hits(subjects, &row.settings, screener, screenings) {
        Ok(hits) => hits,
        // The known matches never exceed the limit, so this is news. The check of the customer
        // reports the error.
        Err(Stopped::TooManyMatches) => return Look::without_screening(LookOutcome::News),
        Err(Stopped::OutOfTime) => return Look::without_screening(LookOutcome::OutOfTime),
    };
    let mut matches: Vec<KnownMatch> = hits.iter().map(Hit::known).collect();
    matches.sort();
    let is_news = match changes {
        None => matches != *known,
        Some((changes, _)) => {
            let is_touched = |known: &&KnownMatch| {
                changes.touched.contains(&(known.list.clone(), known.entity.clone()))
            };
            let is_lost = |known: &KnownMatch| matches.binary_search(known).is_err();
            known.iter().filter(is_touched).any(is_lost)
                || matches.iter().any(|found| !known.contains(found))
        }
    };
    let outcome = if is_news { LookOutcome::News } else { LookOutcome::Same };
    Look { outcome, subjects: subjects.len() as u64, matches: hits.len() as u64 }
}
