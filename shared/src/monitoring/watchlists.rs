//! The current lists. The table names their versions, and an S3 bucket or a folder contains their
//! indexes.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, try_join_all};

use super::capacity::check_own;
use crate::error::Error;
use crate::model::watchlist::{ListVersion, Revision};
use screening::index::{FORMAT_VERSION, Index};
use screening::score::MODEL_VERSION;

/// Returns the name of an index in the bucket. The name includes the file format and the matching
/// model, so that two releases that run side by side do not overwrite each other's indexes.
pub fn object_name(list: &str, version: &str) -> String {
    format!("lists/{list}/{version}-f{FORMAT_VERSION}-m{MODEL_VERSION}.index")
}

/// The lists of a revision, with their indexes opened.
pub struct Loaded {
    pub revision: Revision,
    /// One index per list, in the order of the revision's lists.
    pub indexes: Vec<Arc<Index>>,
}

impl Loaded {
    /// Returns the index of a list. Returns `None` when the revision does not contain the list.
    pub fn index(&self, list: &str) -> Option<&Arc<Index>> {
        self.indexes.iter().find(|index| index.meta().list == list)
    }

    /// Returns only those of these lists that `other` contains in the same version.
    fn without_changed(&self, other: &Revision) -> Loaded {
        let mut revision = self.revision.clone();
        revision.lists.retain(|name, list| {
            other.lists.get(name).is_some_and(|other| other.object == list.object)
        });
        let is_unchanged = |index: &&Arc<Index>| revision.lists.contains_key(&index.meta().list);
        let indexes = self.indexes.iter().filter(is_unchanged).cloned().collect();
        Loaded { revision, indexes }
    }

    /// Returns the index of a list if these lists contain it in the same version.
    fn unchanged(&self, list: &str, version: &ListVersion) -> Option<&Arc<Index>> {
        let own = self.revision.lists.get(list)?;
        (own.object == version.object).then(|| self.index(list)).flatten()
    }
}

/// Storage of indexes. An object is stored whole or not at all.
pub trait Objects: Debug + Send + Sync {
    fn get<'a>(&'a self, object: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>>;

    fn put<'a>(&'a self, object: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), String>>;
}

/// The storage of indexes, and the lists that were loaded last.
#[derive(Clone)]
pub struct Watchlists {
    objects: Option<Arc<dyn Objects>>,
    /// Memory in MB of the function that loads the lists, if it is known.
    memory: Option<u32>,
    loaded: Arc<Mutex<Option<Arc<Loaded>>>>,
}

impl Watchlists {
    /// Creates the storage without loaded lists. `objects` is `None` for a function without a
    /// bucket. Such a function gets an error only if it loads lists.
    pub fn of(objects: Option<Arc<dyn Objects>>) -> Watchlists {
        Watchlists { objects, memory: None, loaded: Arc::default() }
    }

    /// Returns the same storage for a function with this memory in MB.
    pub fn within(self, memory: Option<u32>) -> Watchlists {
        Watchlists { memory, ..self }
    }

    /// Returns the same storage with no list loaded.
    pub fn reopened(&self) -> Watchlists {
        Watchlists::of(self.objects.clone())
    }

    /// Returns the same storage inside a wrapper, with no list loaded.
    pub fn behind(&self, wrap: impl FnOnce(Arc<dyn Objects>) -> Arc<dyn Objects>) -> Watchlists {
        Watchlists::of(self.objects.clone().map(wrap))
    }

    fn objects(&self) -> Result<&dyn Objects, Error> {
        self.objects.as_deref().ok_or_else(|| Error::internal("WATCHLIST_BUCKET is not set"))
    }

    /// Loads the lists of a revision. A list that has not changed since the last call is not read
    /// again.
    ///
    /// # Errors
    /// `ListsUnavailable` when the revision has no lists, when the lists do not fit into the memory of
    /// this function or when a list cannot be read, `InternalError` without a bucket.
    pub async fn load(&self, revision: Revision) -> Result<Arc<Loaded>, Error> {
        if revision.lists.is_empty() {
            return Err(Error::lists_not_loaded());
        }
        if let Some(memory) = self.memory {
            // A list that an older release stored counts when the next refresh has updated it.
            let needed: u64 = revision.lists.values().filter_map(|list| list.memory).sum();
            check_own(needed, memory).map_err(Error::lists_unavailable)?;
        }
        let last = {
            let mut newest = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = newest.as_ref().filter(|last| last.revision == revision) {
                return Ok(last.clone());
            }
            // Forget the lists that have changed before the new ones are read, because the memory of a
            // function may not hold both.
            *newest = newest.take().map(|last| Arc::new(last.without_changed(&revision)));
            newest.clone()
        };
        let indexes = revision.lists.iter().map(async |(name, list)| {
            match last.as_ref().and_then(|last| last.unchanged(name, list)) {
                Some(index) => Ok(index.clone()),
                None => self.read_or_rebuild(name, list).await.map(Arc::new),
            }
        });
        let loaded = Arc::new(Loaded { indexes: try_join_all(indexes).await?, revision });
        let mut newest = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // If another call has loaded a newer revision in the meantime, the newer revision stays.
        if newest.as_ref().is_none_or(|last| last.revision.revision <= loaded.revision.revision) {
            *newest = Some(loaded.clone());
        }
        Ok(loaded)
    }

    /// Reads the index for this program's file format and matching model. If that fails and another
    /// release made the current index, rebuilds the index in memory from the current one, because
    /// both releases screen during a rollout. An index with another file format cannot be rebuilt.
    async fn read_or_rebuild(&self, name: &str, list: &ListVersion) -> Result<Index, Error> {
        let own = object_name(name, &list.version);
        match self.read(&own).await {
            Err(_) if own != list.object => {
                let index = Index::open(self.rebuild(&list.object).await?);
                index.map_err(|error| Error::lists_unavailable(format!("{own}: {error}")))
            }
            index => index,
        }
    }

    /// Reads and opens an index.
    ///
    /// # Errors
    /// `ListsUnavailable` when the index cannot be read, is malformed, or has another file format
    /// or matching model.
    pub async fn read(&self, object: &str) -> Result<Index, Error> {
        let index = Index::open(self.bytes(object).await?);
        index.map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }

    /// Rebuilds an index for this program's matching model from an index for any model. Both have
    /// the same file format. Returns the bytes of the new index without storing them.
    pub(super) async fn rebuild(&self, object: &str) -> Result<Vec<u8>, Error> {
        let rebuilt = Index::rebuild(self.bytes(object).await?);
        rebuilt.map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }

    /// Reads the bytes of an object.
    ///
    /// # Errors
    /// `ListsUnavailable` when the object cannot be read, `InternalError` without a bucket.
    pub async fn bytes(&self, object: &str) -> Result<Vec<u8>, Error> {
        let bytes = self.objects()?.get(object).await;
        bytes.map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }

    /// Stores an index.
    ///
    /// # Errors
    /// `ListsUnavailable` when the index cannot be stored, `InternalError` without a bucket.
    pub async fn put(&self, object: &str, index: Vec<u8>) -> Result<(), Error> {
        let stored = self.objects()?.put(object, index).await;
        stored.map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use screening::entity::{Entity, EntityKind, ListedName, NameKind};
    use screening::index::{Source, build};

    use super::*;
    use crate::fixtures::hour;

    /// Storage in which every object is an index with one entry. Each read checks that the indexes
    /// in `replaced` are no longer in memory.
    #[derive(Debug, Default)]
    struct Bucket {
        replaced: Mutex<Vec<Weak<Index>>>,
        reads: Mutex<Vec<String>>,
    }

    impl Objects for Bucket {
        fn get<'a>(&'a self, object: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
            Box::pin(async move {
                let replaced = self.replaced.lock().unwrap();
                assert!(replaced.iter().all(|index| index.upgrade().is_none()), "{object}");
                self.reads.lock().unwrap().push(object.to_owned());
                let list = object.split('/').nth(1).unwrap();
                let entity = Entity {
                    names: vec![ListedName::whole("Mirka".to_owned(), NameKind::Primary)],
                    ..Entity::new("1".to_owned(), EntityKind::Person)
                };
                let source = Source { list, version: "1", date: None };
                build(source, [entity]).map_err(|error| error.to_string())
            })
        }

        fn put<'a>(&'a self, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<(), String>> {
            unreachable!("loading does not write")
        }
    }

    fn revision(revision: u64, versions: &[(&str, &str)]) -> Revision {
        let lists = versions.iter().map(|(list, version)| {
            let version = ListVersion {
                version: (*version).to_owned(),
                object: object_name(list, version),
                entities: 1,
                parts: Default::default(),
                memory: None,
                date: None,
                built_at: hour(0),
                checked_at: hour(0),
                source: String::new(),
            };
            ((*list).to_owned(), version)
        });
        Revision { revision, lists: lists.collect(), ..Revision::none() }
    }

    #[tokio::test]
    async fn a_changed_list_leaves_memory_before_its_new_version_is_read() {
        let bucket = Arc::new(Bucket::default());
        let watchlists = Watchlists::of(Some(bucket.clone()));
        let reads = || std::mem::take(&mut *bucket.reads.lock().unwrap());
        let first = watchlists.load(revision(1, &[("a", "1"), ("b", "1")])).await.unwrap();
        assert_eq!(reads().len(), 2);
        let [a, b] = ["a", "b"].map(|list| Arc::downgrade(first.index(list).unwrap()));
        bucket.replaced.lock().unwrap().push(a.clone());
        drop(first);
        let second = revision(2, &[("a", "2"), ("b", "1")]);
        let loaded = watchlists.load(second.clone()).await.unwrap();
        assert_eq!(reads(), [object_name("a", "2")]);
        assert!(a.upgrade().is_none() && b.upgrade().is_some());
        assert_eq!(loaded.indexes.len(), 2);
        watchlists.load(second).await.unwrap();
        assert!(reads().is_empty());
    }
}
