//! The lists that are current: which versions they are stands in the table, and their indexes lie
//! in a bucket of S3, or a folder.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, try_join_all};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::model::time::Timestamp;
use screening::index::{FORMAT_VERSION, Index, Source, build};
use screening::score::MODEL_VERSION;

/// The lists that everybody is screened against from a moment on. One item of the table, so that
/// they become current in one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// From 1, one more whenever the version of any list changes.
    pub revision: u64,
    /// Since when it is current.
    pub since: Timestamp,
    /// Of the matching: scores of two models are not comparable.
    pub model: u32,
    /// By name.
    pub lists: BTreeMap<String, ListVersion>,
}

/// A version of one list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListVersion {
    pub version: String,
    /// Where its index lies in the bucket.
    pub object: String,
    pub entities: u64,
    /// How many names, dates, countries and identifiers they have.
    #[serde(default)]
    pub parts: BTreeMap<String, u64>,
    /// `YYYY-MM-DD`, as far as the list says so.
    pub date: Option<String>,
    pub built_at: Timestamp,
    /// When its source was last read, whether it had changed or not.
    pub checked_at: Timestamp,
    /// A hash of the files it was built from.
    pub source: String,
}

impl Revision {
    /// Before any list was loaded.
    pub fn none() -> Revision {
        Revision {
            revision: 0,
            since: Timestamp::from_millis(0),
            model: MODEL_VERSION,
            lists: BTreeMap::new(),
        }
    }

    /// By list, as results and evidence name them.
    pub fn versions(&self) -> BTreeMap<String, String> {
        self.lists.iter().map(|(name, list)| (name.clone(), list.version.clone())).collect()
    }
}

/// The name of an index in the bucket. A program of another file format or model has an
/// object of its own, so that two releases side by side do not take away each other's.
pub fn object_name(list: &str, version: &str) -> String {
    format!("lists/{list}/{version}-f{FORMAT_VERSION}-m{MODEL_VERSION}.index")
}

/// The current lists, opened.
pub struct Loaded {
    pub revision: Revision,
    /// In the order of the revision's lists.
    pub indexes: Vec<Arc<Index>>,
}

impl Loaded {
    pub fn index(&self, list: &str) -> Option<&Arc<Index>> {
        self.indexes.iter().find(|index| index.meta().list == list)
    }
}

/// Where indexes lie. An object is there as a whole, or not at all.
pub trait Objects: Debug + Send + Sync {
    fn get<'a>(&'a self, object: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>>;

    fn put<'a>(&'a self, object: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), String>>;
}

/// The indexes, and those that were read last.
#[derive(Clone)]
pub struct Lists {
    objects: Option<Arc<dyn Objects>>,
    loaded: Arc<Mutex<Option<Arc<Loaded>>>>,
}

impl Lists {
    /// `None` for a function that has no bucket, and needs none until it screens.
    pub fn of(objects: Option<Arc<dyn Objects>>) -> Lists {
        Lists { objects, loaded: Arc::default() }
    }

    /// The same indexes, of which nothing was read yet.
    pub fn reopened(&self) -> Lists {
        Lists::of(self.objects.clone())
    }

    /// The same indexes behind something, of which nothing was read yet.
    pub fn behind(&self, wrap: impl FnOnce(Arc<dyn Objects>) -> Arc<dyn Objects>) -> Lists {
        Lists::of(self.objects.clone().map(wrap))
    }

    fn objects(&self) -> Result<&dyn Objects, Error> {
        self.objects.as_deref().ok_or_else(|| Error::internal("WATCHLIST_BUCKET is not set"))
    }

    /// The indexes of a revision. A list that did not change since the last call is not read again.
    pub async fn load(&self, revision: Revision) -> Result<Arc<Loaded>, Error> {
        if revision.lists.is_empty() {
            return Err(Error::lists_unavailable("no watchlist was loaded yet"));
        }
        let known = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = &known
            && known.revision == revision
        {
            return Ok(known.clone());
        }
        let object_of = |loaded: &Loaded, name: &str| {
            loaded.revision.lists.get(name).map(|list| list.object.clone())
        };
        let indexes = revision.lists.iter().map(async |(name, list)| {
            let same = known
                .as_ref()
                .filter(|known| object_of(known, name).as_deref() == Some(list.object.as_str()));
            match same.and_then(|known| known.index(name)) {
                Some(index) => Ok(index.clone()),
                None => self.read_or_rebuild(name, list).await.map(Arc::new),
            }
        });
        let loaded = Arc::new(Loaded { indexes: try_join_all(indexes).await?, revision });
        let mut kept = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two that load at once the newer stays.
        if kept.as_ref().is_none_or(|kept| kept.revision.revision <= loaded.revision.revision) {
            *kept = Some(loaded.clone());
        }
        Ok(loaded)
    }

    /// For this program's format and matching model, whatever program made the list current: while
    /// one release takes over from another, both screen.
    async fn read_or_rebuild(&self, name: &str, list: &ListVersion) -> Result<Index, Error> {
        let own = object_name(name, &list.version);
        match self.read(&own).await {
            Err(_) if own != list.object => {
                let rebuilt = Index::open(self.rebuilt(&list.object).await?);
                rebuilt.map_err(|why| Error::lists_unavailable(format!("{own}: {why}")))
            }
            read => read,
        }
    }

    /// An index of the store.
    pub async fn read(&self, object: &str) -> Result<Index, Error> {
        let opened = Index::open(self.bytes(object).await?);
        opened.map_err(|refused| Error::lists_unavailable(format!("{object}: {refused}")))
    }

    /// The same list as an index for this program's matching model, made of one for any model.
    pub(super) async fn rebuilt(&self, object: &str) -> Result<Vec<u8>, Error> {
        let unusable = |why: String| Error::lists_unavailable(format!("{object}: {why}"));
        let source = Index::source_of(self.bytes(object).await?);
        let (meta, entities) = source.map_err(|refused| unusable(refused.to_string()))?;
        let source =
            Source { list: &meta.list, version: &meta.version, date: meta.date.as_deref() };
        build(source, entities).map_err(|why| unusable(why.to_string()))
    }

    /// An object as it is.
    pub async fn bytes(&self, object: &str) -> Result<Vec<u8>, Error> {
        let bytes = self.objects()?.get(object).await;
        bytes.map_err(|why| Error::lists_unavailable(format!("{object}: {why}")))
    }

    pub async fn keep(&self, object: &str, index: Vec<u8>) -> Result<(), Error> {
        let kept = self.objects()?.put(object, index).await;
        kept.map_err(|why| Error::lists_unavailable(format!("{object}: {why}")))
    }
}
