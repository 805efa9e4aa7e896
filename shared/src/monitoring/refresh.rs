//! Gets the configured lists in place: fetched, built, kept, and made current in one step. A list
//! that can't be had, does not read or shrank too much stays as it was, and says so; the others
//! go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::lists::{ListVersion, Revision, object_name};
use super::source::{Fetcher, Source, place};
use crate::app::App;
use crate::error::Error;
use crate::model::time::Timestamp;
use crate::telemetry;
use screening::import;
use screening::lists::{Counts, Input};
use screening::score::MODEL_VERSION;

/// How long before its end a function stops to fetch, to make current what it has.
const MARGIN: Duration = Duration::from_secs(30);
/// Fewer than so many names, dates or countries of a list come and go.
const MANY: u64 = 100;

/// What became of one list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Refreshed {
    /// There is a new version.
    Updated { list: String, version: String, entities: u64, skipped: u64, date: Option<String> },
    /// It says what it said before.
    Unchanged { list: String, version: String },
    /// The version there was stays.
    Refused { list: String, why: String },
    /// It is configured no longer.
    Removed { list: String },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The revision that is current now.
    pub revision: u64,
    pub lists: Vec<Refreshed>,
}

/// A list that was fetched, and what it is going to be.
struct Fetched {
    list: String,
    version: ListVersion,
    is_new: bool,
    skipped: u64,
}

/// Refreshes every configured list. `Err` when any of them was refused, after all were tried, so
/// that whoever runs this sees it fail.
pub async fn refresh(app: &App, deadline: Instant) -> Result<Report, Error> {
    let sources = &app.settings.watchlist_sources;
    if sources.is_empty() {
        return Err(Error::internal("no source of a watchlist is configured: WATCHLIST_SOURCES"));
    }
    let time = app.settings.fetch_timeout;
    let fetcher = Fetcher::new(time).map_err(|why| Error::internal(format!("HTTP: {why}")))?;
    let known = app.table.revision().await?;
    let now = app.clock.now();
    let (mut fetched, mut lists) = (Vec::new(), Vec::new());
    for source in sources {
        let list = source.list.as_str().to_owned();
        let last = known.lists.get(&list);
        let is_own = |last: &&ListVersion| last.object == object_name(&list, &last.version);
        let done = fetch(app, &fetcher, source, last, last.filter(is_own), now);
        // What was fetched by then becomes current all the same.
        let done =
            tokio::time::timeout_at(deadline.checked_sub(MARGIN).unwrap_or(deadline).into(), done)
                .await;
        match done.unwrap_or_else(|_| Err("the function's time is over".to_owned())) {
            Ok(done) => fetched.push(done),
            Err(mut why) => {
                telemetry::alarm(
                    "WatchlistRefused",
                    "watchlist refused",
                    &list,
                    &json!({ "why": why }),
                );
                // A release with another format or matching model must not wait for a publisher.
                if let Some(last) = last.filter(|last| !is_own(last)) {
                    match rebuild(app, &list, last).await {
                        Ok(done) => fetched.push(done),
                        Err(error) => why = format!("{why}; {}", reason(&error)),
                    }
                }
                lists.push(Refreshed::Refused { list, why });
            }
        }
    }
    let revision = make_current(app, sources, &fetched, &mut lists).await?;
    for list in &lists {
        if let Refreshed::Updated { list, version, entities, skipped, .. } = list {
            tracing::info!(
                target: "kyc", list, version, entities, skipped, revision, "watchlist updated"
            );
        }
    }
    for (list, version) in &app.table.revision().await?.lists {
        let age = app.clock.now().millis().saturating_sub(version.checked_at.millis());
        telemetry::hours("WatchlistAgeHours", "watchlist age", list, age);
    }
    Ok(Report { revision, lists })
}

async fn fetch(
    app: &App,
    fetcher: &Fetcher,
    source: &Source,
    last: Option<&ListVersion>,
    before: Option<&ListVersion>,
    now: Timestamp,
) -> Result<Fetched, String> {
    let list = source.list.as_str();
    let mut files = Vec::new();
    let mut hash = Sha256::new();
    for url in &source.from {
        let bytes = fetcher.fetch(url).await?;
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
        files.push((place(url), bytes));
    }
    let hash = hex::encode(hash.finalize());
    let unchanged = |before: &ListVersion| Fetched {
        list: list.to_owned(),
        version: ListVersion { checked_at: now, ..before.clone() },
        is_new: false,
        skipped: 0,
    };
    let lists = &app.table.watching.lists;
    // A table that was restored, or copied to another region, knows lists that its bucket has not.
    let is_kept = async |before: &ListVersion| lists.read(&before.object).await.is_ok();
    if let Some(before) = before.filter(|before| before.source == hash)
        && is_kept(before).await
    {
        return Ok(unchanged(before));
    }
    let inputs = files.iter().map(|(name, bytes)| Input { name, read: Box::new(bytes.as_slice()) });
    let imported = import(list, None, inputs.collect(), |_| ()).map_err(|why| why.to_string())?;
    let report = imported.report;
    if let Some(before) = before.filter(|before| before.version == imported.version) {
        if !is_kept(before).await {
            let kept = lists.keep(&before.object, imported.index).await;
            kept.map_err(|error| reason(&error))?;
            tracing::warn!(target: "kyc", list, version = before.version, "lost index made anew");
        }
        return Ok(unchanged(before));
    }
    let entities = report.counts.entities;
    let most = app.settings.max_shrink_percent;
    let parts = parts(&report.counts);
    let remains = u64::from(100_u32.saturating_sub(most));
    if let Some(last) = last {
        // Of a list that comes as several files half of one may be missing.
        let had = last.parts.iter().filter(|(_, had)| **had >= MANY).map(|(part, had)| {
            let has = parts.get(part).copied().unwrap_or(0);
            (part.as_str(), has, *had)
        });
        let mut all = std::iter::once(("entries", entities, last.entities)).chain(had);
        if let Some((part, has, had)) = all.find(|(_, has, had)| has * 100 < had * remains) {
            return Err(format!("it has {has} {part} and had {had}: more than {most} % are gone"));
        }
    }
    let object = object_name(list, &imported.version);
    let kept = lists.keep(&object, imported.index).await;
    kept.map_err(|error| reason(&error))?;
    let version = ListVersion {
        version: imported.version,
        object,
        entities,
        parts,
        date: imported.date,
        built_at: now,
        checked_at: now,
        source: hash,
    };
    let skipped = report.skipped_total;
    Ok(Fetched { list: list.to_owned(), version, is_new: true, skipped })
}

fn reason(error: &Error) -> String {
    error.cause().unwrap_or(&error.message).to_owned()
}

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

/// The version there is, for this program's format and matching model.
async fn rebuild(app: &App, list: &str, last: &ListVersion) -> Result<Fetched, Error> {
    let lists = &app.table.watching.lists;
    let object = object_name(list, &last.version);
    lists.keep(&object, lists.rebuilt(&last.object).await?).await?;
    let version = ListVersion { object, ..last.clone() };
    Ok(Fetched { list: list.to_owned(), version, is_new: true, skipped: 0 })
}

/// Moves all that is new in one step. Of two refreshes at once the later one wins, list by list.
async fn make_current(
    app: &App,
    sources: &[Source],
    fetched: &[Fetched],
    told: &mut Vec<Refreshed>,
) -> Result<u64, Error> {
    loop {
        let before = app.table.revision().await?;
        let configured = |name: &str| sources.iter().any(|source| source.list.as_str() == name);
        let mut lists = before.lists.clone();
        lists.retain(|name, _| configured(name));
        let mut refreshed: Vec<Refreshed> = before
            .lists
            .keys()
            .filter(|name| !configured(name))
            .map(|name| Refreshed::Removed { list: name.clone() })
            .collect();
        for Fetched { list, version, is_new, skipped } in fetched {
            let (list, version) = (list.clone(), version.clone());
            refreshed.push(match is_new {
                true => Refreshed::Updated {
                    list: list.clone(),
                    version: version.version.clone(),
                    entities: version.entities,
                    skipped: *skipped,
                    date: version.date.clone(),
                },
                false => {
                    Refreshed::Unchanged { list: list.clone(), version: version.version.clone() }
                }
            });
            match lists.get_mut(&list).filter(|_| !is_new) {
                // Another refresh may have brought a newer version since this one read the old.
                Some(current) => current.checked_at = version.checked_at,
                None => {
                    lists.insert(list, version);
                }
            }
        }
        let versions = |lists: &BTreeMap<String, ListVersion>| -> Vec<(String, String)> {
            lists.iter().map(|(name, list)| (name.clone(), list.object.clone())).collect()
        };
        let is_same = versions(&lists) == versions(&before.lists) && before.model == MODEL_VERSION;
        let done = match (is_same, fetched.is_empty()) {
            (true, true) => true,
            (true, false) => {
                let checked = fetched.iter().map(|f| (f.list.clone(), f.version.checked_at));
                app.table.keep_checked(before.revision, &checked.collect()).await?
            }
            (false, _) => {
                let since = app.clock.now();
                let revision = before.revision + 1;
                let next = Revision { revision, since, model: MODEL_VERSION, lists };
                app.table.make_current(before.revision, &next).await?
            }
        };
        if done {
            told.extend(refreshed);
            return Ok(if is_same { before.revision } else { before.revision + 1 });
        }
    }
}
