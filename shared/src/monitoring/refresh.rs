//! Refreshes the configured lists: fetches them, builds and stores their indexes, and makes all new
//! versions current in one step. A list that cannot be fetched or read, or that shrank too much, keeps
//! its version and is reported as refused. The other lists are still refreshed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Monitoring;
use super::capacity::FunctionMemory;
use super::content::Content;
use super::source::{self, Fetcher, LocalServers, SOURCES, Source, Sources, place};
use super::watchlists::object_name;
use crate::error::Error;
use crate::model::time::Timestamp;
use crate::model::watchlist::{ListVersion, Revision};
use crate::telemetry;
use screening::index::{BuildError, OpenError, screening_memory};
use screening::lists::{Counts, Input};
use screening::score::MODEL_VERSION;
use screening::{ImportError, import_within};

/// Time reserved before the deadline of a function to make the fetched lists current. Fetching
/// stops when it begins.
const MARGIN: Duration = Duration::from_secs(30);
/// Name of the metric that counts lists that do not fit into the memory of the functions.
const TOO_LARGE: &str = "WatchlistTooLarge";
/// Smallest number of names, dates, countries or identifiers in the last version for which a loss
/// is checked. Smaller numbers vary too much.
const MIN_CHECKED: u64 = 100;

/// The result of a refresh for one list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Refreshed {
    /// The list has a new version.
    Updated { list: String, version: String, entities: u64, skipped: u64, date: Option<String> },
    /// The content has not changed.
    Unchanged { list: String, version: String },
    /// The list was refused and keeps its version.
    Refused {
        list: String,
        #[serde(rename = "why")]
        reason: String,
    },
    /// The list is not configured any more.
    Removed { list: String },
}

/// The result of a refresh.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Number of the revision that is current after the refresh.
    pub revision: u64,
    /// The result for each list.
    pub lists: Vec<Refreshed>,
}

/// A list that was fetched or rebuilt, with the version to make current.
struct Fetched {
    list: String,
    version: ListVersion,
    is_new: bool,
    skipped: u64,
}

/// Everything that a refresh needs.
pub struct Refresh<'a> {
    /// The table and the storage of indexes.
    pub monitoring: &'a Monitoring,
    /// The configured sources.
    pub sources: &'a Sources,
    /// Time limit for fetching one file.
    pub fetch_timeout: Duration,
    /// Whether lists may come from a server on this machine.
    pub local_servers: LocalServers,
    /// Largest share, in percent, that a list may lose of its entries, names, dates, countries or
    /// identifiers from one version to the next.
    pub max_shrink_percent: u32,
    /// Memory of the functions that open lists.
    pub function_memory: FunctionMemory,
}

/// The reason for refusing a list.
enum Refusal {
    /// The files cannot be used.
    Unusable(String),
    /// The functions do not have enough memory for the list.
    TooLarge(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Refusal {
        Refusal::Unusable(reason)
    }
}

/// Refreshes every configured list and reports the result for each.
///
/// # Errors
/// `InternalError` when no source is configured or the stored sources are not valid,
/// `ListsUnavailable` when the stored sources cannot be read, `StoreUnavailable`. A refused list is
/// not an error: the report contains it.
pub async fn refresh(refresh: &Refresh<'_>, deadline: Instant) -> Result<Report, Error> {
    let Refresh { monitoring, sources, fetch_timeout, local_servers, .. } = refresh;
    let stored;
    let sources = match sources {
        Sources::Given(sources) => sources,
        Sources::Stored => {
            stored = stored_sources(monitoring).await?;
            &stored
        }
    };
    if sources.is_empty() {
        return Err(Error::internal("no source of a watchlist is configured: WATCHLIST_SOURCES"));
    }
    let fetcher = Fetcher::new(*fetch_timeout, *local_servers);
    let current = monitoring.table.revision().await?;
    let now = monitoring.clock.now();
    let mut sizes = Sizes::new(monitoring, sources, &current);
    let (mut fetched, mut lists) = (Vec::new(), Vec::new());
    for source in sources {
        let list = source.list.as_str().to_owned();
        let last = current.lists.get(&list);
        // The last version, if its index has this program's file format and matching model.
        let own = last.filter(|last| last.object == object_name(&list, &last.version));
        let fetch = refresh.fetch(&fetcher, source, last, own, &mut sizes, now);
        // The fetch ends early enough that the lists fetched so far can still become current.
        let fetch =
            tokio::time::timeout_at(deadline.checked_sub(MARGIN).unwrap_or(deadline).into(), fetch);
        let mut reason = match fetch.await {
            Ok(Ok(list)) => {
                fetched.push(list);
                continue;
            }
            Ok(Err(refusal)) => refusal.alarm(&list),
            Err(_) => Refusal::Unusable("the function's time is over".to_owned()).alarm(&list),
        };
        // The list was refused. If another release built the current index for another matching
        // model, rebuild the index from its own entries instead of waiting for the publisher's
        // files.
        if let Some(last) = last
            && own.is_none()
        {
            match rebuild(monitoring, &list, last, &mut sizes, refresh.function_memory).await {
                Ok(list) => fetched.push(list),
                Err(Refusal::Unusable(other)) => reason = format!("{reason}; {other}"),
                Err(refusal) => reason = format!("{reason}; {}", refusal.alarm(&list)),
            }
        }
        lists.push(Refreshed::Refused { list, reason });
    }
    // Lists that are already current may no longer fit because a memory parameter was lowered.
    let total = sizes.total(None).await;
    if let Err(reason) = total.and_then(|total| refresh.function_memory.check(total)) {
        let details = json!({ "why": reason });
        telemetry::alarm(TOO_LARGE, "watchlists too large", "", &details);
    }
    let revision = make_current(monitoring, sources, &fetched, &mut lists).await?;
    for list in &lists {
        if let Refreshed::Updated { list, version, entities, skipped, .. } = list {
            tracing::info!(
                target: "kyc", list, version, entities, skipped, revision, "watchlist updated"
            );
        }
    }
    for (list, version) in &monitoring.table.revision().await?.lists {
        let age = monitoring.clock.now().millis().saturating_sub(version.checked_at.millis());
        telemetry::hours("WatchlistAgeHours", "watchlist age", list, age);
    }
    Ok(Report { revision, lists })
}

/// Reads the sources from the bucket of the lists.
async fn stored_sources(monitoring: &Monitoring) -> Result<Vec<Source>, Error> {
    let invalid = |reason: String| {
        Error::internal(format!("{SOURCES} in the bucket of the lists is not valid: {reason}"))
    };
    let bytes = monitoring.watchlists.bytes(SOURCES).await?;
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    source::read(&text).map_err(invalid)
}

impl Refusal {
    /// Logs the refusal of a list with its metric, and returns the reason.
    fn alarm(self, list: &str) -> String {
        let (metric, reason) = match self {
            Refusal::Unusable(reason) => ("WatchlistRefused", reason),
            Refusal::TooLarge(reason) => (TOO_LARGE, reason),
        };
        telemetry::alarm(metric, "watchlist refused", list, &json!({ "why": reason }));
        reason
    }
}

/// The memory in bytes that each configured list needs. To determine it, the current index of a
/// list is read when its size is first needed.
struct Sizes<'a> {
    monitoring: &'a Monitoring,
    /// Current version of each configured list, or `None` if it has none.
    versions: BTreeMap<String, Option<ListVersion>>,
    known: BTreeMap<String, u64>,
}

impl<'a> Sizes<'a> {
    fn new(monitoring: &'a Monitoring, sources: &[Source], current: &Revision) -> Sizes<'a> {
        let versions = sources.iter().map(|source| {
            let list = source.list.as_str().to_owned();
            let version = current.lists.get(&list).cloned();
            (list, version)
        });
        Sizes { monitoring, versions: versions.collect(), known: BTreeMap::new() }
    }

    /// Returns whether the current index of a list can be read.
    async fn is_readable(&mut self, list: &str) -> bool {
        let Some(Some(version)) = self.versions.get(list) else { return false };
        let Ok(size) = self.read(&version.object).await else { return false };
        self.known.insert(list.to_owned(), size);
        true
    }

    /// Reads an index and returns its size.
    async fn read(&self, object: &str) -> Result<u64, String> {
        let index = self.monitoring.watchlists.bytes(object).await;
        let index = index.map_err(|error| error.reason().to_owned())?;
        match screening_memory(&index) {
            Ok(size) => Ok(size),
            // An index of another release cannot be measured. Its length is close to its size.
            Err(OpenError::Format { .. } | OpenError::Model { .. }) => Ok(index.len() as u64),
            Err(error) => Err(format!("{object}: {error}")),
        }
    }

    /// Returns the size of a list, or 0 if it has no index yet. The error is the reason why the size
    /// is not known.
    async fn of(&mut self, list: &str) -> Result<u64, String> {
        if let Some(size) = self.known.get(list) {
            return Ok(*size);
        }
        let Some(Some(version)) = self.versions.get(list) else { return Ok(0) };
        let size = match version.memory {
            Some(size) => size,
            None => self.read(&version.object).await.map_err(|reason| {
                format!(
                    "the memory that the list {list} needs is not known, because its index cannot \
                     be read ({reason}): restore the index, or remove the list from the sources"
                )
            })?,
        };
        self.known.insert(list.to_owned(), size);
        Ok(size)
    }

    /// Returns the size of all lists except `without`.
    async fn total(&mut self, without: Option<&str>) -> Result<u64, String> {
        let lists: Vec<String> = self.versions.keys().cloned().collect();
        let mut total = 0;
        for list in lists.iter().filter(|list| without != Some(list.as_str())) {
            total += self.of(list).await?;
        }
        Ok(total)
    }

    /// Checks that all lists fit into the functions if `list` has this size, and if so, remembers
    /// the size. A list that does not become larger is accepted, even if the lists do not fit.
    async fn replace(
        &mut self,
        list: &str,
        size: u64,
        memory: FunctionMemory,
    ) -> Result<(), Refusal> {
        // The index is replaced, so it does not matter if its size is not known.
        let is_larger = !self.of(list).await.is_ok_and(|before| size <= before);
        if is_larger {
            let total = self.total(Some(list)).await? + size;
            memory.check(total).map_err(Refusal::TooLarge)?;
        }
        self.known.insert(list.to_owned(), size);
        Ok(())
    }
}

impl Refresh<'_> {
    /// Fetches a list, and builds and stores its index if the content is new. `last` is the current
    /// version. `own` is the same version, or `None` if its index has another file format or
    /// matching model. The error is the reason for refusing the list.
    async fn fetch(
        &self,
        fetcher: &Fetcher,
        source: &Source,
        last: Option<&ListVersion>,
        own: Option<&ListVersion>,
        sizes: &mut Sizes<'_>,
        now: Timestamp,
    ) -> Result<Fetched, Refusal> {
        let watchlists = &self.monitoring.watchlists;
        let list = source.list.as_str();
        let memory = self.function_memory;
        let (files, hash) = download(fetcher, source, memory.max_files()).await?;
        let unchanged = |version: &ListVersion| Fetched {
            list: list.to_owned(),
            version: ListVersion { checked_at: now, ..version.clone() },
            is_new: false,
            skipped: 0,
        };
        // A table that was restored or copied to another region may name indexes that the bucket does
        // not have.
        if let Some(own) = own.filter(|own| own.source == hash)
            && sizes.is_readable(list).await
        {
            return Ok(unchanged(own));
        }
        let (names, contents): (Vec<String>, Vec<Content>) = files.into_iter().unzip();
        let inputs = names.iter().zip(contents);
        let inputs = inputs.map(|(name, content)| Input { name, read: Box::new(content) });
        let imported = import_within(memory.max_index(), list, inputs.collect());
        let imported = imported.map_err(|error| match error {
            ImportError::Build(BuildError::OverLimit { .. }) => {
                Refusal::TooLarge(memory.index_too_large())
            }
            error => Refusal::Unusable(error.to_string()),
        })?;
        let size = screening_memory(&imported.index).map_err(|error| error.to_string())?;
        if let Some(own) = own.filter(|own| own.version == imported.version) {
            if !sizes.is_readable(list).await {
                let stored = watchlists.put(&own.object, imported.index).await;
                stored.map_err(|error| error.reason().to_owned())?;
                sizes.known.insert(list.to_owned(), size);
                tracing::warn!(target: "kyc", list, version = own.version, "lost index rebuilt");
            }
            return Ok(unchanged(own));
        }
        let report = imported.report;
        let entities = report.counts.entities;
        let parts = parts(&report.counts);
        if let Some(last) = last {
            check_shrinkage(last, entities, &parts, self.max_shrink_percent)?;
        }
        sizes.replace(list, size, memory).await?;
        let object = object_name(list, &imported.version);
        let stored = watchlists.put(&object, imported.index).await;
        stored.map_err(|error| error.reason().to_owned())?;
        let version = ListVersion {
            version: imported.version,
            object,
            entities,
            parts,
            memory: Some(size),
            date: imported.date,
            built_at: now,
            checked_at: now,
            source: hash,
        };
        let skipped = report.skipped_total;
        Ok(Fetched { list: list.to_owned(), version, is_new: true, skipped })
    }
}

/// Fetches the files of a list. Returns each file with its address, which error messages show, and
/// one SHA-256 of all files.
async fn download(
    fetcher: &Fetcher,
    source: &Source,
    mut max_bytes: u64,
) -> Result<(Vec<(String, Content)>, String), String> {
    let mut files = Vec::new();
    let mut hash = Sha256::new();
    for url in &source.from {
        let content = fetcher.fetch(url, max_bytes).await?;
        max_bytes -= content.length();
        hash.update(content.length().to_le_bytes());
        content.blocks().for_each(|block| hash.update(block));
        files.push((place(url), content));
    }
    Ok((files, hex::encode(hash.finalize())))
}

/// Checks that a list has not lost more than `max_shrink_percent` of its entries, names, dates,
/// countries or identifiers. A list that consists of several files may be incomplete even if it has
/// all its entries.
fn check_shrinkage(
    last: &ListVersion,
    entities: u64,
    parts: &BTreeMap<String, u64>,
    max_shrink_percent: u32,
) -> Result<(), String> {
    let remains = u64::from(100_u32.saturating_sub(max_shrink_percent));
    let before = last.parts.iter().filter(|(_, before)| **before >= MIN_CHECKED);
    let before = before
        .map(|(part, before)| (part.as_str(), parts.get(part).copied().unwrap_or(0), *before));
    let mut all = std::iter::once(("entries", entities, last.entities)).chain(before);
    match all.find(|(_, now, before)| now * 100 < before * remains) {
        None => Ok(()),
        Some((part, now, before)) => Err(format!(
            "the list has {now} {part} and had {before}: it lost more than {max_shrink_percent} %"
        )),
    }
}

/// Returns the numbers of names, dates, countries and identifiers, by these words.
fn parts(counts: &Counts) -> BTreeMap<String, u64> {
    let Counts { names, dates, countries, identifiers, .. } = counts;
    let parts = [
        ("names", names.values().sum()),
        ("dates", *dates),
        ("countries", countries.values().sum()),
        ("identifiers", identifiers.values().sum()),
    ];
    parts.map(|(part, count)| (part.to_owned(), count)).into()
}

/// Rebuilds and stores the index of the current version for this program's matching model. An index
/// with another file format cannot be rebuilt. A larger index is refused if it does not fit.
async fn rebuild(
    monitoring: &Monitoring,
    list: &str,
    last: &ListVersion,
    sizes: &mut Sizes<'_>,
    memory: FunctionMemory,
) -> Result<Fetched, Refusal> {
    let reason = |error: Error| error.reason().to_owned();
    let watchlists = &monitoring.watchlists;
    let object = object_name(list, &last.version);
    let index = watchlists.rebuild(&last.object).await.map_err(reason)?;
    let size = screening_memory(&index).map_err(|error| error.to_string())?;
    sizes.replace(list, size, memory).await?;
    watchlists.put(&object, index).await.map_err(reason)?;
    let version = ListVersion { object, memory: Some(size), ..last.clone() };
    Ok(Fetched { list: list.to_owned(), version, is_new: true, skipped: 0 })
}

/// Makes all new versions current in one step, adds the results to `results` and returns the number
/// of the current revision. When two refreshes overlap and both have a new version of a list, the
/// version that is written last stays current.
async fn make_current(
    monitoring: &Monitoring,
    sources: &[Source],
    fetched: &[Fetched],
    results: &mut Vec<Refreshed>,
) -> Result<u64, Error> {
    let table = &monitoring.table;
    loop {
        let before = table.revision().await?;
        let (lists, refreshed) = plan_lists(&before, sources, fetched);
        let objects = |lists: &BTreeMap<String, ListVersion>| -> Vec<(String, String)> {
            lists.iter().map(|(name, list)| (name.clone(), list.object.clone())).collect()
        };
        let is_same = objects(&lists) == objects(&before.lists) && before.model == MODEL_VERSION;
        let is_written = if !is_same {
            let since = monitoring.clock.now();
            let revision = before.revision + 1;
            let next = Revision { revision, since, model: MODEL_VERSION, lists };
            table.make_current(before.revision, &next).await?
        } else if !fetched.is_empty() {
            let checked = fetched.iter().map(|f| (f.list.clone(), f.version.checked_at));
            table.set_checked(before.revision, &checked.collect()).await?
        } else {
            true
        };
        if is_written {
            results.extend(refreshed);
            return Ok(if is_same { before.revision } else { before.revision + 1 });
        }
    }
}

/// Plans the lists of the next revision: removes lists that are no longer configured and adds the
/// fetched versions. Also returns the result for each removed or fetched list.
fn plan_lists(
    before: &Revision,
    sources: &[Source],
    fetched: &[Fetched],
) -> (BTreeMap<String, ListVersion>, Vec<Refreshed>) {
    let is_configured = |name: &str| sources.iter().any(|source| source.list.as_str() == name);
    let mut lists = before.lists.clone();
    lists.retain(|name, _| is_configured(name));
    let removed = before.lists.keys().filter(|name| !is_configured(name));
    let mut results: Vec<Refreshed> =
        removed.map(|name| Refreshed::Removed { list: name.clone() }).collect();
    for Fetched { list, version, is_new, skipped } in fetched {
        let list = list.clone();
        results.push(if *is_new {
            Refreshed::Updated {
                list: list.clone(),
                version: version.version.clone(),
                entities: version.entities,
                skipped: *skipped,
                date: version.date.clone(),
            }
        } else {
            Refreshed::Unchanged { list: list.clone(), version: version.version.clone() }
        });
        match lists.get_mut(&list).filter(|_| !is_new) {
            // Another refresh may have stored a newer version since this refresh read the list, so
            // only the time of the check changes.
            Some(current) => current.checked_at = version.checked_at,
            None => {
                lists.insert(list, version.clone());
            }
        }
    }
    (lists, results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{LIST, hour, lists};

    fn sources(names: &[&str]) -> Vec<Source> {
        let sources = names
            .iter()
            .map(|name| json!({ "list": name, "from": ["https://example.org/list.csv"] }));
        super::super::source::read(&json!(sources.collect::<Vec<_>>()).to_string()).unwrap()
    }

    /// Returns the test list with this version, as fetched at hour 5.
    fn fetched(revision: &Revision, version: &str, is_new: bool) -> Fetched {
        let current = revision.lists.get(LIST).unwrap().clone();
        let version = ListVersion { version: version.to_owned(), checked_at: hour(5), ..current };
        Fetched { list: LIST.to_owned(), version, is_new, skipped: 0 }
    }

    #[test]
    fn a_new_version_replaces_the_current_one() {
        let before = lists(1, &[]).revision.clone();
        let new = [fetched(&before, "v2", true)];
        let (lists, results) = plan_lists(&before, &sources(&[LIST]), &new);
        assert_eq!(lists[LIST].version, "v2");
        assert!(matches!(&results[..], [Refreshed::Updated { version, .. }] if version == "v2"));
    }

    #[test]
    fn an_unchanged_list_keeps_a_newer_version_and_gets_the_time_of_the_check() {
        let before = lists(1, &[]).revision.clone();
        let old = [fetched(&before, "v0", false)];
        let (lists, results) = plan_lists(&before, &sources(&[LIST]), &old);
        assert_eq!(lists[LIST].version, "v1");
        assert_eq!(lists[LIST].checked_at, hour(5));
        assert!(matches!(results[..], [Refreshed::Unchanged { .. }]));
    }

    #[test]
    fn a_list_that_is_not_configured_is_removed_and_one_that_was_refused_stays() {
        let before = lists(1, &[]).revision.clone();
        let (lists, results) = plan_lists(&before, &sources(&["other"]), &[]);
        assert!(lists.is_empty());
        assert!(matches!(results[..], [Refreshed::Removed { .. }]));
        let (lists, results) = plan_lists(&before, &sources(&[LIST]), &[]);
        assert_eq!(lists, before.lists);
        assert!(results.is_empty());
    }

    #[test]
    fn a_list_may_lose_only_so_many_entries_names_and_identifiers() {
        let mut last = lists(1, &[]).revision.lists[LIST].clone();
        last.entities = 1_000;
        last.parts = [("names".to_owned(), 1_000), ("dates".to_owned(), 99)].into();
        let check = |entities, names, dates| {
            let parts = [("names".to_owned(), names), ("dates".to_owned(), dates)].into();
            check_shrinkage(&last, entities, &parts, 20)
        };
        assert_eq!(check(800, 800, 0), Ok(()));
        assert!(check(799, 1_000, 99).unwrap_err().contains("799 entries and had 1000"));
        assert!(check(1_000, 799, 99).unwrap_err().contains("799 names and had 1000"));
    }
}
