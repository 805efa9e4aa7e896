//! The lists that are current: which versions they are stands in the table, and their indexes lie
//! in an object store, a bucket of S3 or a folder.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::model::time::Timestamp;
use crate::screening::index::{FORMAT_VERSION, Index, Source, build};
use crate::screening::score::MODEL_VERSION;

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
    /// Where its index lies in the object store.
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

/// The name of an index in the object store. A program of another file format or model has an
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

const CONNECT_TIME: &str = "2s";
/// For one index, of some ten megabytes.
const ATTEMPT_TIME: &str = "10s";
const RETRIES: usize = 3;
const RETRY_TIME: Duration = Duration::from_secs(10);

/// The object store, and what was read from it last.
#[derive(Clone)]
pub struct Lists {
    bucket: Option<String>,
    store: Arc<OnceLock<Arc<dyn ObjectStore>>>,
    loaded: Arc<Mutex<Option<Arc<Loaded>>>>,
}

impl Lists {
    pub fn new(store: Arc<dyn ObjectStore>) -> Lists {
        let store = OnceLock::from(store);
        Lists { bucket: None, store: Arc::new(store), loaded: Arc::default() }
    }

    /// In a bucket of S3, with the region and the credentials that Lambda gives a function. It is
    /// only opened when it is asked for something: most functions never do.
    pub fn of_bucket(bucket: Option<String>) -> Lists {
        Lists { bucket, store: Arc::default(), loaded: Arc::default() }
    }

    /// The same store, of which nothing was read yet.
    pub fn reopened(&self) -> Lists {
        Lists { loaded: Arc::default(), ..self.clone() }
    }

    /// The same store behind another one, of which nothing was read yet.
    pub fn behind(&self, wrap: impl FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>) -> Lists {
        match self.store.get() {
            Some(store) => Lists::new(wrap(store.clone())),
            None => self.reopened(),
        }
    }

    fn store(&self) -> Result<&dyn ObjectStore, Error> {
        if let Some(store) = self.store.get() {
            return Ok(store.as_ref());
        }
        let bucket = self.bucket.as_deref();
        let bucket = bucket.ok_or_else(|| Error::internal("WATCHLIST_BUCKET is not set"))?;
        // Below the functions' own time-outs, so that a bucket that is away is a 503.
        let retries = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY_TIME,
            ..RetryConfig::default()
        };
        let opened = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_retry(retries)
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_TIME)
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), ATTEMPT_TIME)
            .build();
        let opened = opened.map_err(|error| Error::internal(format!("{bucket}: {error}")))?;
        Ok(self.store.get_or_init(|| Arc::new(opened)).as_ref())
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

    /// An object of the store as it is.
    pub async fn bytes(
        &self,
        object: &str,
    ) -> Result<impl AsRef<[u8]> + Send + Sync + 'static, Error> {
        let got = self.store()?.get(&Path::from(object)).await;
        let bytes = match got {
            Ok(got) => got.bytes().await,
            Err(error) => Err(error),
        };
        bytes.map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }

    pub async fn keep(&self, object: &str, index: Vec<u8>) -> Result<(), Error> {
        let kept = self.store()?.put(&Path::from(object), PutPayload::from(index)).await;
        kept.map(drop).map_err(|error| Error::lists_unavailable(format!("{object}: {error}")))
    }
}
