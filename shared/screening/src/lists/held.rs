//! Entries whose rows need not stand together: gathered by id, handed over in the order of their
//! first rows.

use std::collections::{HashMap, HashSet};

use super::entry::empty;
use super::report::Tally;
use super::text::joined;
use crate::entity::{Entity, EntityKind};

/// An entry as far as it was read.
pub(super) struct Entry {
    pub(super) entity: Entity,
    line: u64,
    remarks: Vec<String>,
    known: HashSet<String>,
}

impl Entry {
    /// Rows repeat what they say of the whole entry; it is kept once.
    pub(super) fn remark(&mut self, remark: Option<String>) {
        if let Some(remark) = remark.filter(|remark| !self.known.contains(remark)) {
            self.known.insert(remark.clone());
            self.remarks.push(remark);
        }
    }
}

#[derive(Default)]
pub(super) struct Held {
    entries: Vec<Entry>,
    places: HashMap<String, usize>,
}

impl Held {
    /// The entry of this id, begun by its first row.
    pub(super) fn entry(
        &mut self,
        id: &str,
        kind: EntityKind,
        line: u64,
        tally: &mut Tally<'_>,
    ) -> Option<&mut Entry> {
        let next = self.entries.len();
        let place = *self.places.entry(id.to_owned()).or_insert(next);
        if place == next {
            let entity = empty(id.to_owned(), kind);
            self.entries.push(Entry { entity, line, remarks: Vec::new(), known: HashSet::new() });
        } else {
            tally.record();
        }
        self.entries.get_mut(place)
    }

    pub(super) fn hand_over(self, file: &str, tally: &mut Tally<'_>) {
        for mut entry in self.entries {
            tally.at(file, entry.line);
            entry.entity.remarks = joined(entry.remarks);
            tally.entity(entry.entity);
        }
    }
}
