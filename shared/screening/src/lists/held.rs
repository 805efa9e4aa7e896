//! Collects entries whose rows need not be adjacent. The rows are joined by id, and the entries are
//! handed over in the order of their first rows.

use std::collections::{HashMap, HashSet};

use super::report::Tally;
use super::text::join;
use crate::entity::{Entity, EntityKind};

/// An entry whose rows are still being read.
pub(super) struct HeldEntry {
    pub(super) entity: Entity,
    line: u64,
    remarks: Vec<String>,
    seen_remarks: HashSet<String>,
}

impl HeldEntry {
    /// Adds a remark, unless an earlier row of the entry had the same one. Rows repeat the remarks
    /// of their entry.
    pub(super) fn add_remark(&mut self, remark: Option<String>) {
        if let Some(remark) = remark.filter(|remark| !self.seen_remarks.contains(remark)) {
            self.seen_remarks.insert(remark.clone());
            self.remarks.push(remark);
        }
    }
}

/// The entries of a file, in the order of their first rows.
#[derive(Default)]
pub(super) struct HeldEntries {
    entries: Vec<HeldEntry>,
    /// Index into `entries`, by entry id.
    places: HashMap<String, usize>,
}

impl HeldEntries {
    /// Returns the entry with this id, to which the row on `line` belongs. The first row creates
    /// the entry and determines its kind. Each later row is counted as a record.
    #[expect(clippy::expect_used, reason = "every place in `places` is an index into `entries`")]
    pub(super) fn entry(
        &mut self,
        id: &str,
        kind: EntityKind,
        line: u64,
        tally: &mut Tally<'_>,
    ) -> &mut HeldEntry {
        let next = self.entries.len();
        let place = *self.places.entry(id.to_owned()).or_insert(next);
        if place == next {
            let entity = Entity::new(id.to_owned(), kind);
            let (remarks, seen_remarks) = (Vec::new(), HashSet::new());
            self.entries.push(HeldEntry { entity, line, remarks, seen_remarks });
        } else {
            tally.count_record();
        }
        self.entries.get_mut(place).expect("the entry exists because its place was stored")
    }

    /// Adds all entries to the tally, in the order of their first rows.
    pub(super) fn hand_over(self, file: &str, tally: &mut Tally<'_>) {
        for mut entry in self.entries {
            tally.start_record(file, entry.line);
            entry.entity.remarks = join(entry.remarks);
            tally.add(entry.entity);
        }
    }
}
