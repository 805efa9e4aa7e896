//! What changed between two versions of a list, and what of it must be screened again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::entity::Entity;
use super::index::{Index, Source, Unbuildable, build};

/// Ids of entities, each list ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delta {
    pub added: Vec<String>,
    /// In something that can change a score.
    pub changed: Vec<String>,
    /// In something that only a reader sees.
    pub redescribed: Vec<String>,
    pub removed: Vec<String>,
}

impl Delta {
    pub fn between(old: &Index, new: &Index) -> Delta {
        let (before, after) = (hashes(old), hashes(new));
        let mut delta = Delta::default();
        for (id, (matched, all)) in &after {
            let list = match before.get(id) {
                None => &mut delta.added,
                Some((was, _)) if was != matched => &mut delta.changed,
                Some((_, was)) if was != all => &mut delta.redescribed,
                Some(_) => continue,
            };
            list.push((*id).to_owned());
        }
        let removed = before.keys().filter(|id| !after.contains_key(*id));
        delta.removed = removed.map(|id| (*id).to_owned()).collect();
        delta
    }

    /// The entities of the new version against which everybody is screened again: those that
    /// are new or match differently. For every one of them an index of these alone gives the
    /// same matches and scores as the whole list.
    pub fn entities<'a>(&'a self, new: &'a Index) -> impl Iterator<Item = Entity> + 'a {
        let wanted = |id: &String| {
            self.added.binary_search(id).is_ok() || self.changed.binary_search(id).is_ok()
        };
        new.entities().filter(move |entity| wanted(&entity.id))
    }

    /// An index of [`Delta::entities`], under the name and version of the new list.
    pub fn index(&self, new: &Index) -> Result<Vec<u8>, Unbuildable> {
        let meta = new.meta();
        let source =
            Source { list: &meta.list, version: &meta.version, date: meta.date.as_deref() };
        build(source, self.entities(new))
    }
}

/// Of every entity the hash of what is matched, and that of everything.
fn hashes(index: &Index) -> BTreeMap<&str, (u64, u64)> {
    let view = index.view();
    let one = |number| Some((view.id(number)?, view.hashes(number)?));
    (0..index.meta().entities).filter_map(one).collect()
}
