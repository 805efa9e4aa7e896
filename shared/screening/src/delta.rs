//! Finds the differences between two versions of a list, and the entries to screen again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::entity::Entity;
use super::index::{BuildError, EntityHashes, Index, Source, build};

/// Ids of the entities that differ between two versions of a list. Each field is sorted in
/// ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delta {
    /// Entities that only the new version has.
    pub added: Vec<String>,
    /// Entities with a change that can affect a score or its explanation.
    pub changed: Vec<String>,
    /// Entities with a change that affects only a human reader, such as a change of the remarks.
    pub redescribed: Vec<String>,
    /// Entities that only the old version has.
    pub removed: Vec<String>,
}

impl Delta {
    /// Compares two versions of a list by the ids and hashes of their entities, and returns the
    /// differences.
    pub fn between(old: &Index, new: &Index) -> Delta {
        let (old_hashes, new_hashes) = (hashes_by_id(old), hashes_by_id(new));
        let mut delta = Delta::default();
        for (id, new) in &new_hashes {
            let ids = match old_hashes.get(id) {
                None => &mut delta.added,
                Some(old) if old.scored != new.scored => &mut delta.changed,
                Some(old) if old.all != new.all => &mut delta.redescribed,
                Some(_) => continue,
            };
            ids.push((*id).to_owned());
        }
        let removed = old_hashes.keys().filter(|id| !new_hashes.contains_key(*id));
        delta.removed = removed.map(|id| (*id).to_owned()).collect();
        delta
    }

    /// Returns the added and the changed entities as they are in the new version. Every customer
    /// must be screened against these entities again. An index of only these entities returns the
    /// same matches and scores for them as an index of the whole list.
    pub fn entities<'a>(&'a self, new: &'a Index) -> impl Iterator<Item = Entity> + 'a {
        new.entities().filter(move |entity| self.must_screen(&entity.id))
    }

    /// Builds an index of [`Delta::entities`] with the name, version and date of the new list.
    ///
    /// # Errors
    /// Returns a [`BuildError`] if `new` does not hold every entity that was added or changed, or
    /// if the entities cannot be built into an index.
    pub fn index(&self, new: &Index) -> Result<Vec<u8>, BuildError> {
        let expected = self.added.len() + self.changed.len();
        let mut actual = 0;
        let meta = new.meta();
        let source =
            Source { list: &meta.list, version: &meta.version, date: meta.date.as_deref() };
        let index = build(source, self.entities(new).inspect(|_| actual += 1))?;
        if actual == expected {
            Ok(index)
        } else {
            Err(BuildError::IncompleteDelta { expected, actual })
        }
    }

    fn must_screen(&self, id: &String) -> bool {
        self.added.binary_search(id).is_ok() || self.changed.binary_search(id).is_ok()
    }
}

fn hashes_by_id(index: &Index) -> BTreeMap<&str, EntityHashes> {
    let view = index.view();
    let id_and_hashes = |number| Some((view.id(number)?, view.hashes(number)?));
    (0..index.meta().entities).filter_map(id_and_hashes).collect()
}
