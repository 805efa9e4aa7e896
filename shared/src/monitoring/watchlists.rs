//! The current lists. The table names their versions, and an S3 bucket or a folder contains their
//! indexes.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, try_join_all};

use crate::error::Error;
use crate::model::watchlist::{ListVersion, Revision};
use screening::index::{FORMAT_VERSION, Index, Source, build};
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

    /// Returns the index of a list if it was read from the object that `version` names.
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
    loaded: Arc<Mutex<Option<Arc<Loaded>>>>,
}

impl Watchlists {
    /// Creates the storage without loaded lists. `objects` is `None` for a function without a
    /// bucket. Such a function fails only when it screens.
    pub fn of(objects: Option<Arc<dyn Objects>>) -> Watchlists {
        Watchlists { objects, loaded: Arc::default() }
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
    /// `ListsUnavailable` when the revision has no lists or a list cannot be read.
    pub async fn load(&self, revision: Revision) -> Result<Arc<Loaded>, Error> {
        if revision.lists.is_empty() {
            return Err(Error::lists_not_loaded());
        }
        let last = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(last) = &last
            && last.revision == revision
        {
            return Ok(last.clone());
        }
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
        let unusable = |error: String| Error::lists_unavailable(format!("{object}: {error}"));
        let source = Index::source_of(self.bytes(object).await?);
        let (meta, entities) = source.map_err(|error| unusable(error.to_string()))?;
        let source =
            Source { list: &meta.list, version: &meta.version, date: meta.date.as_deref() };
        build(source, entities).map_err(|error| unusable(error.to_string()))
    }

    /// Reads the bytes of an object.
    ///
    /// # Errors
    /// `ListsUnavailable` when the object cannot be read.
    pub async fn bytes(&self, object: &str) -> Result<Vec<u8>, Error> {
        let bytes = self.objects()?.get(object).await;
        bytes.map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }

    /// Stores an index.
    ///
    /// # Errors
    /// `ListsUnavailable` when the index cannot be stored.
    pub async fn put(&self, object: &str, index: Vec<u8>) -> Result<(), Error> {
        let stored = self.objects()?.put(object, index).await;
        stored.map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }
}
