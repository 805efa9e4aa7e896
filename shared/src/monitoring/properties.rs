//! Tests the properties of screening with random sequences of lists, subjects and decisions: the
//! alerts that are not cleared are exactly the matches, and a second screening has no effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::check::{Screening, hits, screen_all};
use super::watchlists::Loaded;
use crate::fixtures::screenings;
use crate::model::alert::{AlertStatus, Decision, StoredAlert};
use crate::model::frequency::Frequency;
use crate::model::id::{AlertId, CustomerId};
use crate::model::monitor::Settings;
use crate::model::screened::Subject;
use crate::model::time::Timestamp;
use crate::model::watchlist::Revision;
use screening::Screener;
use screening::entity::{Entity, EntityKind, ListedName, NameKind};
use screening::index::{Index, Source, build};

const NAMES: [&str; 6] = [
    "Mirka Dovello",
    "Mirca Dovelo",
    "Mirka Ilinovna Dovello",
    "Tarun Oblasti",
    "Nora Quist",
    "Ivo Brandel",
];

/// One step of a sequence. `entries` maps the id of each list entry to the position of its name in
/// [`NAMES`]. `subjects` contains the positions of the subjects' names.
#[derive(Clone, Debug)]
struct Step {
    entries: BTreeMap<u8, usize>,
    subjects: Vec<usize>,
    strict: bool,
    /// The alert to decide about after the screening, and the decision.
    decided: Option<(prop::sample::Index, AlertStatus)>,
}

fn step() -> impl Strategy<Value = Step> {
    let entries = prop::collection::btree_map(0..6_u8, 0..NAMES.len(), 0..5);
    let subjects = prop::collection::vec(0..NAMES.len(), 1..4);
    let status = prop::sample::select(vec![
        AlertStatus::Open,
        AlertStatus::Confirmed,
        AlertStatus::FalsePositive,
    ]);
    let decided = prop::option::of((any::<prop::sample::Index>(), status));
    (entries, subjects, any::<bool>(), decided).prop_map(|(entries, subjects, strict, decided)| {
        Step { entries, subjects, strict, decided }
    })
}

impl Step {
    fn lists(&self) -> Loaded {
        let entities = self.entries.iter().map(|(id, name)| Entity {
            names: vec![ListedName::whole(NAMES[*name].to_owned(), NameKind::Primary)],
            ..Entity::new(id.to_string(), EntityKind::Person)
        });
        let source = Source { list: "l", version: "v", date: None };
        let index = Index::open(build(source, entities).unwrap()).unwrap();
        Loaded { revision: Revision::none(), indexes: vec![Arc::new(index)] }
    }

    fn subjects(&self) -> Vec<Subject> {
        let of = |(place, name): (usize, &usize)| Subject {
            party_id: (place > 0).then(|| format!("p{place}")),
            name: NAMES[*name].to_owned(),
            kind: EntityKind::Person,
            date: None,
            country: None,
            tax_id: None,
        };
        self.subjects.iter().enumerate().map(of).collect()
    }

    fn settings(&self) -> Settings {
        Settings {
            lists: None,
            check_frequency: Frequency::OnUpdate,
            include_related: true,
            min_score: if self.strict { 1.0 } else { 0.78 },
            expires_at: None,
        }
    }

    fn check(&self, alerts: &BTreeMap<AlertId, StoredAlert>, now: Timestamp) -> Screening {
        let alerts: Vec<StoredAlert> = alerts.values().cloned().collect();
        let (subjects, settings) = (self.subjects(), self.settings());
        screen_all(&customer(), subjects, &settings, &alerts, &self.lists(), now, &mut screenings())
            .unwrap()
    }

    /// Returns the alert id of each match.
    fn pairs(&self) -> BTreeSet<AlertId> {
        let (lists, subjects, settings) = (self.lists(), self.subjects(), self.settings());
        let mut screener = Screener::new([lists.indexes[0].as_ref()]);
        let hits = hits(&subjects, &settings, &mut screener, &mut screenings()).unwrap();
        let id =
            |subject: &Subject, entry: &str| AlertId::of(&customer(), subject.key(), "l", entry);
        hits.iter().map(|hit| id(hit.subject, &hit.found.entry.id)).collect()
    }
}

fn customer() -> CustomerId {
    CustomerId::new(Uuid::nil())
}

proptest! {
    #[test]
    fn alerts_that_are_not_cleared_are_the_matches(steps in prop::collection::vec(step(), 1..7)) {
        let mut alerts: BTreeMap<AlertId, StoredAlert> = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            let now = Timestamp::from_millis(number as i64);
            let before = alerts.clone();
            let result = step.check(&alerts, now);
            prop_assert!(result.is_complete);
            for alert in result.changed {
                alerts.insert(alert.alert_id, alert);
            }
            let standing = alerts.values().filter(|alert| alert.status != AlertStatus::Cleared);
            let standing: BTreeSet<AlertId> = standing.map(|alert| alert.alert_id).collect();
            prop_assert_eq!(&standing, &step.pairs());
            prop_assert_eq!(result.screened.known.len(), standing.len());
            let raised = alerts.values().filter(|alert| {
                let was = before.get(&alert.alert_id).map(|alert| alert.status);
                alert.status == AlertStatus::Open && was != Some(AlertStatus::Open)
            });
            prop_assert_eq!(raised.count(), result.raised as usize);
            for (id, alert) in &alerts {
                let Some(was) = before.get(id) else { continue };
                // A false positive opens again when a compared field changes, and only then.
                let silent = was.status == AlertStatus::FalsePositive && standing.contains(id);
                let same = was.compared == alert.compared;
                prop_assert!(!silent || (alert.status == AlertStatus::FalsePositive) == same);
                prop_assert!(!silent || same || !alert.changes.is_empty());
                prop_assert_eq!(was.first_seen_at, alert.first_seen_at);
            }
            // A second screening has no effect.
            let again = step.check(&alerts, Timestamp::from_millis(1_000));
            prop_assert!(again.changed.is_empty() && again.raised == 0);
            prop_assert_eq!(again.screened, result.screened);

            if let Some((which, status)) = &step.decided
                && !standing.is_empty()
            {
                let id = *which.get(&standing.iter().copied().collect::<Vec<_>>());
                let decision = Decision { status: *status, note: None };
                let decided = alerts[&id].decided(&decision, "somebody", now).unwrap();
                alerts.insert(id, decided);
            }
        }
    }
}
