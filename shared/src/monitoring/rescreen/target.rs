//! The target of a pass: the whole lists and, if the pass compares them with an earlier revision,
//! the entries that have changed since.

use std::collections::BTreeSet;
use std::sync::Arc;

use screening::delta::Delta;
use screening::index::{Index, Source, build};

use crate::error::Error;
use crate::model::rescreen::Run;
use crate::monitoring::Monitoring;
use crate::monitoring::watchlists::Loaded;

/// The lists that a pass screens against.
pub(super) struct Target {
    /// The whole lists.
    pub(super) lists: Arc<Loaded>,
    /// The changed entries, if the pass compares with an earlier revision.
    pub(super) changes: Option<Changes>,
}

/// The entries that changed since an earlier revision.
pub(super) struct Changes {
    /// One index per changed list. It contains the entries that are new or match differently.
    pub(super) indexes: Vec<Index>,
    /// List and id of each entry that matches differently or was removed.
    pub(super) touched: BTreeSet<(String, String)>,
}

impl Target {
    /// Loads the target of a pass. If the revision to compare with, or one of its indexes, cannot
    /// be read any more, `changes` is `None` and the pass screens whole lists.
    pub(super) async fn load(monitoring: &Monitoring, run: &Run) -> Result<Target, Error> {
        let unknown =
            || Error::lists_unavailable(format!("revision {} of the lists is lost", run.revision));
        let revision = monitoring.table.revision_of(run.revision).await?.ok_or_else(unknown)?;
        let lists = monitoring.watchlists.load(revision).await?;
        let changes = match run.base {
            Some(base) => Changes::load(monitoring, base, &lists).await?,
            None => None,
        };
        Ok(Target { lists, changes })
    }
}

impl Changes {
    async fn load(
        monitoring: &Monitoring,
        base: u64,
        lists: &Loaded,
    ) -> Result<Option<Changes>, Error> {
        let Some(base) = monitoring.table.revision_of(base).await? else { return Ok(None) };
        let mut changes = Changes { indexes: Vec::new(), touched: BTreeSet::new() };
        let names: BTreeSet<&String> =
            base.lists.keys().chain(lists.revision.lists.keys()).collect();
        for name in names {
            let (old, new) = (base.lists.get(name), lists.revision.lists.get(name));
            if old.map(|list| &list.object) == new.map(|list| &list.object) {
                continue;
            }
            let old = match old {
                // The old index may have been deleted, or may have another file format.
                Some(old) => match monitoring.watchlists.read(&old.object).await {
                    Ok(index) => index,
                    Err(_) => return Ok(None),
                },
                None => empty(name)?,
            };
            match lists.index(name) {
                Some(new) => changes.add(name, &old, new)?,
                None => changes.add(name, &old, &empty(name)?)?,
            }
        }
        Ok(Some(changes))
    }

    pub(super) fn add(&mut self, list: &str, old: &Index, new: &Index) -> Result<(), Error> {
        let delta = Delta::between(old, new);
        let touched = delta.changed.iter().chain(&delta.removed);
        self.touched.extend(touched.map(|entity| (list.to_owned(), entity.clone())));
        let index = delta.index(new).map_err(|error| Error::internal(error.to_string()))?;
        self.indexes.push(open(index)?);
        Ok(())
    }
}

fn empty(list: &str) -> Result<Index, Error> {
    let source = Source { list, version: "none", date: None };
    open(build(source, []).map_err(|error| Error::internal(error.to_string()))?)
}

fn open(index: Vec<u8>) -> Result<Index, Error> {
    Index::open(index).map_err(|error| Error::internal(format!("an index of changes: {error}")))
}
