//! The screening work of one check of a customer, within a time limit.
//!
//! Screening is CPU-bound, so a time-out of the async runtime cannot interrupt it. The time limit
//! is therefore checked before each subject that must be screened.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use screening::entity::EntityKind;
use screening::{Match, Screener};

use super::subject::{compared, screen};
use super::watchlists::Loaded;
use crate::model::alert::ComparedField;
use crate::model::screened::Subject;
use crate::model::time::Clock;

/// Time limit for the screening in a request, counted from the start of the work. A request has 26
/// seconds, and the rest is left for the table.
const REQUEST_TIME: Duration = Duration::from_secs(20);

/// An entry that matches a subject.
pub struct Found {
    /// The entry, with the score and its explanation.
    pub entry: Match,
    /// A hash of each field that screening compares.
    pub compared: std::collections::BTreeMap<ComparedField, String>,
}

/// The reason why the screening of a customer ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// There are more matches than a customer may have.
    TooManyMatches,
    /// The time limit was reached.
    OutOfTime,
}

/// Screens the subjects of one customer and keeps the results, so that equal subjects are screened
/// once. A check is repeated when it loses to a concurrent change or when one transaction cannot
/// hold all alerts. A repetition reuses the results.
pub struct Screenings {
    clock: Clock,
    /// Time that is left for screening.
    left: Duration,
    /// End of all work, as a value of the clock's timer.
    ends_at: Duration,
    /// Revision of the lists and bits of the minimum score that the results belong to.
    target: (u64, u32),
    results: HashMap<Facts, Vec<Arc<Found>>>,
}

/// The fields of a subject that screening compares. Subjects with equal facts have equal matches.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Facts {
    name: String,
    kind: EntityKind,
    date: Option<String>,
    country: Option<String>,
    tax_id: Option<String>,
}

impl Facts {
    fn of(subject: &Subject) -> Facts {
        let Subject { party_id: _, name, kind, date, country, tax_id } = subject.clone();
        Facts { name, kind, date, country, tax_id }
    }
}

impl Screenings {
    /// Starts the screenings of a request.
    pub fn of_request(clock: &Clock) -> Screenings {
        Screenings::within(clock, REQUEST_TIME, REQUEST_TIME)
    }

    /// Starts screenings that may take `work` in all, without the time spent on the table, and must
    /// end within `time` from now.
    pub fn within(clock: &Clock, work: Duration, time: Duration) -> Screenings {
        Screenings {
            clock: clock.clone(),
            left: work,
            ends_at: clock.timer().saturating_add(time),
            target: (0, 0),
            results: HashMap::new(),
        }
    }

    /// Discards the results unless they belong to these lists and this score.
    pub(super) fn begin(&mut self, lists: &Loaded, min_score: f32) {
        let target = (lists.revision.revision, min_score.to_bits());
        if self.target != target {
            self.results.clear();
            self.target = target;
        }
    }

    /// Screens all subjects and returns the matches that `selects` accepts, in the order of the
    /// subjects.
    ///
    /// # Errors
    /// `TooManyMatches` when there are more than `limit`, or `OutOfTime` at the time limit.
    pub(super) fn screen<'s>(
        &mut self,
        subjects: &'s [Subject],
        screener: &mut Screener<'_>,
        min_score: f32,
        limit: usize,
        selects: impl Fn(&Match) -> bool,
    ) -> Result<Vec<(&'s Subject, Arc<Found>)>, Stopped> {
        let started = self.clock.timer();
        let ends_at = started.saturating_add(self.left).min(self.ends_at);
        // The screener searches only once for consecutive subjects with the same name.
        let mut by_name: Vec<usize> = (0..subjects.len()).collect();
        by_name.sort_by_key(|at| subjects.get(*at).map(|subject| &subject.name));
        let mut matches: Vec<Vec<Arc<Found>>> = vec![Vec::new(); subjects.len()];
        let mut count = 0;
        let mut result = Ok(());
        for at in by_name {
            let (Some(subject), Some(matches)) = (subjects.get(at), matches.get_mut(at)) else {
                continue;
            };
            let facts = Facts::of(subject);
            if !self.results.contains_key(&facts) && self.clock.timer() >= ends_at {
                result = Err(Stopped::OutOfTime);
                break;
            }
            let found = self.results.entry(facts).or_insert_with(|| {
                let entries = screen(subject, screener, min_score).into_iter();
                let found = entries.map(|entry| {
                    Arc::new(Found { compared: compared(subject, &entry.entity), entry })
                });
                found.collect()
            });
            matches.extend(found.iter().filter(|found| selects(&found.entry)).cloned());
            count += matches.len();
            if count > limit {
                result = Err(Stopped::TooManyMatches);
                break;
            }
        }
        let spent = self.clock.timer().saturating_sub(started);
        self.left = self.left.saturating_sub(spent);
        result?;
        let of_subject = |(subject, matches): (&'s Subject, Vec<Arc<Found>>)| {
            matches.into_iter().map(move |found| (subject, found))
        };
        Ok(subjects.iter().zip(matches).flat_map(of_subject).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{LISTED, lists};

    const NAMES: [&str; 4] = [LISTED, "Mirca Dovelo", "Tarun Oblasti", "Nora Quist"];

    fn subject(number: usize, name: &str) -> Subject {
        Subject {
            party_id: Some(format!("p{number}")),
            name: name.to_owned(),
            kind: EntityKind::Person,
            date: None,
            country: None,
            tax_id: None,
        }
    }

    fn screened<'s>(
        screenings: &mut Screenings,
        subjects: &'s [Subject],
        lists: &Loaded,
        limit: usize,
    ) -> Result<Vec<(&'s Subject, Arc<Found>)>, Stopped> {
        let mut screener = Screener::new(lists.indexes.iter().map(AsRef::as_ref));
        screenings.begin(lists, 0.7);
        screenings.screen(subjects, &mut screener, 0.7, limit, |_| true)
    }

    /// Returns a clock whose timer advances by one second at each read, and the counter behind the
    /// timer, which equals the number of reads so far.
    fn ticking() -> (Clock, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let read = seconds.clone();
        let timer = move || Duration::from_secs(read.fetch_add(1, Ordering::SeqCst));
        (Clock::system().with_timer(timer), seconds)
    }

    #[test]
    fn the_time_limit_counts_different_subjects_only() {
        let lists = lists(1, &[("1", LISTED)]);
        let same: Vec<Subject> = (0..500).map(|number| subject(number, LISTED)).collect();
        let (clock, seconds) = ticking();
        let mut screenings = Screenings::of_request(&clock);
        assert_eq!(screened(&mut screenings, &same, &lists, 500).unwrap().len(), 500);
        // The timer is read at both ends of each screening and before each different subject.
        assert_eq!(seconds.load(Ordering::SeqCst), 4);
        // The results are used again.
        assert_eq!(screened(&mut screenings, &same, &lists, 500).unwrap().len(), 500);
        assert_eq!(seconds.load(Ordering::SeqCst), 6);

        let different: Vec<Subject> =
            (0..500).map(|number| subject(number, &format!("Nora Quist {number}"))).collect();
        let mut screenings = Screenings::of_request(&clock);
        let stopped = screened(&mut screenings, &different, &lists, 500).map(drop);
        assert_eq!(stopped.unwrap_err(), Stopped::OutOfTime);
        // A second attempt continues, but gets no more time.
        let stopped = screened(&mut screenings, &different, &lists, 500).map(drop);
        assert_eq!(stopped.unwrap_err(), Stopped::OutOfTime);
    }

    #[test]
    fn other_lists_are_screened_again() {
        let subjects = [subject(1, LISTED)];
        let mut screenings = crate::fixtures::screenings();
        let (old, new) = (lists(1, &[("1", LISTED)]), lists(2, &[]));
        assert_eq!(screened(&mut screenings, &subjects, &old, 9).unwrap().len(), 1);
        assert_eq!(screened(&mut screenings, &subjects, &new, 9).unwrap().len(), 0);
    }

    proptest! {
        #[test]
        fn matches_are_those_of_each_subject_alone(
            names in prop::collection::vec((0..NAMES.len(), any::<bool>()), 1..9),
            limit in 0..12_usize,
        ) {
            let lists = lists(1, &[("1", LISTED), ("2", "Tarun Oblasti"), ("3", LISTED)]);
            let subject_of = |(number, (name, dated)): (usize, &(usize, bool))| Subject {
                date: dated.then(|| "1971-03-09".to_owned()),
                ..subject(number, NAMES[*name])
            };
            let subjects: Vec<Subject> = names.iter().enumerate().map(subject_of).collect();
            let mut expected = Vec::new();
            for subject in &subjects {
                let mut screener = Screener::new(lists.indexes.iter().map(AsRef::as_ref));
                let matches = screen(subject, &mut screener, 0.7).into_iter();
                expected.extend(matches.map(|entry| (subject.party_id.clone(), entry)));
            }
            let together = screened(&mut crate::fixtures::screenings(), &subjects, &lists, limit);
            match together {
                Ok(matches) => {
                    let matches: Vec<_> = matches
                        .into_iter()
                        .map(|(subject, found)| (subject.party_id.clone(), found.entry.clone()))
                        .collect();
                    prop_assert_eq!(matches, expected);
                }
                Err(stopped) => {
                    prop_assert_eq!(stopped, Stopped::TooManyMatches);
                    prop_assert!(expected.len() > limit);
                }
            }
        }
    }
}
