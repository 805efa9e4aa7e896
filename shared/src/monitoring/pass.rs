//! Passes over everybody who is monitored, shard by shard. A pass only looks for news; what it
//! finds is checked again and written like any other change of the customer, so that whatever else
//! happens to the customer meanwhile, nothing is lost and nothing is done twice.
//!
//! Progress is one item a shard. Whoever works on it holds its lease and moves it on step by step;
//! who was overtaken notices at the next step and stops. A pass that was killed goes on from the
//! last step, and what is done again changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::check::{Hit, Known, hits};
use super::lists::{Loaded, Revision};
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Code, Error};
use crate::model::monitor::Frequency;
use crate::model::time::Timestamp;
use crate::store::{Again, Monitored, Rechecked, keys_of};
use crate::telemetry;
use screening::Screener;
use screening::delta::Delta;
use screening::index::Index;
use screening::score::MODEL_VERSION;

/// `on_update`: against what changed since the last pass, whenever lists have changed. `daily`
/// and `weekly`: against whole lists. `reconcile`: against whole lists, over the monitors that
/// otherwise only see changes; whatever it finds the others have missed, and that is an alarm.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PassKind {
    OnUpdate,
    Daily,
    Weekly,
    Reconcile,
}

impl PassKind {
    /// The passes that see the monitors of this frequency.
    pub(crate) fn over(frequency: Frequency) -> &'static [PassKind] {
        match frequency {
            Frequency::OnUpdate => &[PassKind::OnUpdate, PassKind::Reconcile],
            Frequency::Daily => &[PassKind::Daily],
            Frequency::Weekly => &[PassKind::Weekly],
        }
    }

    fn frequency(self) -> Frequency {
        match self {
            PassKind::OnUpdate | PassKind::Reconcile => Frequency::OnUpdate,
            PassKind::Daily => Frequency::Daily,
            PassKind::Weekly => Frequency::Weekly,
        }
    }
}

/// Longer than any function may run that still writes with older lists, and than an index lags:
/// a pass over a revision sees every monitor that was written with another.
pub const GRACE: Duration = Duration::from_secs(60);
/// Renewed with every step; who is silent for longer is dead.
const LEASE: Duration = Duration::from_secs(90);
/// How often progress is kept, at the least.
const STEP: Duration = Duration::from_secs(15);
/// How long before its end a function begins no more work.
const MARGIN: Duration = Duration::from_secs(20);
/// How many customers with news are checked at a time.
const AT_ONCE: usize = 8;
const NOT_CHECKED: &str = "a monitored customer was not checked";
/// How many customers are screened between two looks at the clock.
const CHUNK: usize = 200;

/// What is kept of the passes over one shard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// One more with every write.
    pub step: u64,
    pub lease_owner: Option<String>,
    pub lease_until: Option<Timestamp>,
    /// The pass that is not finished.
    pub run: Option<Run>,
    pub finished: Option<Finished>,
}

/// The last pass that was finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    pub pass_id: String,
    pub pass: PassKind,
    pub revision: u64,
    pub model: u32,
    pub list_versions: BTreeMap<String, String>,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

/// One pass over one shard; when it is finished, the evidence of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub pass_id: String,
    pub pass: PassKind,
    pub shard: u32,
    /// The revision of the lists that is screened against.
    pub revision: u64,
    /// Where given, only against what changed since this one.
    pub base: Option<u64>,
    pub model: u32,
    pub list_versions: BTreeMap<String, String>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// The last customer that is done.
    pub cursor: Option<String>,
    /// How long it was worked on, in milliseconds.
    pub worked_ms: u64,
    pub monitors: u64,
    pub subjects: u64,
    /// Pairs of a subject and an entry.
    pub matches: u64,
    /// Customers that had news.
    pub news: u64,
    pub raised: u64,
    pub cleared: u64,
    /// Of a reconciliation: customers of whom earlier passes had missed something.
    pub missed: u64,
    /// Monitors that were not screened, by reason: `checked_since` with these lists or newer
    /// ones, `expired`, `failed`.
    pub skipped: BTreeMap<String, u64>,
}

/// What a scheduler asks for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub pass: Asked,
    /// All of them unless given.
    pub shards: Option<Vec<u32>>,
}

/// A pass to begin, or `resume`: go on with whatever is not finished.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Asked {
    OnUpdate,
    Daily,
    Weekly,
    Reconcile,
    Resume,
}

/// What became of one shard.
#[derive(Clone, Debug, Serialize)]
pub struct Worked {
    pub pass: PassKind,
    pub shard: u32,
    /// `finished`, `stopped` before the function's time is over, `overtaken` by another worker,
    /// `busy` with one, `nothing_new`, `waiting` until every function knows the lists, `failed`.
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When the pass began that is not finished yet, whoever works on it.
    #[serde(skip)]
    unfinished_since: Option<Timestamp>,
}

impl Worked {
    fn failed(pass: PassKind, shard: u32, error: &Error) -> Worked {
        let why = Some(cause(error));
        Worked { pass, shard, outcome: "failed", run: None, why, unfinished_since: None }
    }
}

/// Works on every shard that nobody else works on, one after another, until all are done or
/// the time is over.
pub async fn rescreen(app: &App, request: &Request, deadline: Instant) -> Result<Value, Error> {
    let passes: &[PassKind] = match request.pass {
        Asked::OnUpdate => &[PassKind::OnUpdate],
        Asked::Daily => &[PassKind::Daily],
        Asked::Weekly => &[PassKind::Weekly],
        Asked::Reconcile => &[PassKind::Reconcile],
        Asked::Resume => {
            &[PassKind::OnUpdate, PassKind::Daily, PassKind::Weekly, PassKind::Reconcile]
        }
    };
    let shards = match &request.shards {
        Some(shards) => shards.clone(),
        None => (0..app.table.shards().await?).collect(),
    };
    let mut worker = Worker {
        app,
        owner: app.ids.next(app.clock.now()).to_string(),
        begins: request.pass != Asked::Resume,
        deadline,
        targets: BTreeMap::new(),
    };
    let mut all = Vec::new();
    for pass in passes {
        for shard in &shards {
            let worked = worker.shard(*pass, *shard).await;
            log(&worked);
            all.push(worked);
        }
    }
    let mut checked_again = 0;
    if request.pass == Asked::Resume {
        for shard in &shards {
            match worker.check_again(*shard).await {
                Ok(count) => checked_again += count,
                Err(error) => all.push(Worked::failed(PassKind::OnUpdate, *shard, &error)),
            }
        }
        let oldest = all.iter().filter_map(|worked| worked.unfinished_since).min();
        let now = app.clock.now().millis();
        let age = oldest.map_or(0, |oldest| now.saturating_sub(oldest.millis()));
        telemetry::hours("UnfinishedPassHours", "unfinished passes", "", age);
    }
    let failed: Vec<&Worked> = all.iter().filter(|worked| worked.outcome == "failed").collect();
    if let Some(first) = failed.first() {
        let why = first.why.clone().unwrap_or_default();
        let count = failed.len();
        return Err(Error::internal(format!("{count} shards failed, the first with: {why}")));
    }
    Ok(json!({ "shards": all, "checked_again": checked_again }))
}

fn log(worked: &Worked) {
    let Worked { pass, shard, outcome, run, why, .. } = worked;
    let pass = pass.into_str();
    match run {
        Some(run) => {
            let Run { pass_id, revision, base, monitors, subjects, matches, .. } = run;
            let Run { news, raised, cleared, missed, worked_ms, .. } = run;
            let skipped: u64 = run.skipped.values().sum();
            tracing::info!(
                target: "kyc", pass, shard, outcome, pass_id, revision, base, monitors, subjects,
                matches, news, raised, cleared, missed, skipped, worked_ms, why, "pass"
            );
        }
        None if why.is_some() => tracing::error!(target: "kyc", pass, shard, outcome, why, "pass"),
        None => tracing::info!(target: "kyc", pass, shard, outcome, "pass"),
    }
}

struct Worker<'a> {
    app: &'a App,
    owner: String,
    /// Whether passes are begun, or only gone on with.
    begins: bool,
    deadline: Instant,
    /// By target and base revision.
    targets: BTreeMap<(u64, Option<u64>), Arc<Target>>,
}

/// What a pass screens against.
struct Target {
    lists: Arc<Loaded>,
    /// Of a delta pass.
    changes: Option<Changes>,
}

struct Changes {
    /// The entries that are new or match differently, an index a list.
    indexes: Vec<Index>,
    /// List and entry of all that changed or left.
    touched: BTreeSet<(String, String)>,
}

/// An outcome without work, and since when a pass is unfinished that another worker has.
type Nothing = (&'static str, Option<Timestamp>);

/// The end of the work on a shard.
enum End {
    Finished,
    Stopped,
    Overtaken,
}

impl Worker<'_> {
    async fn shard(&mut self, pass: PassKind, shard: u32) -> Worked {
        let told = |outcome, run: Option<Run>, unfinished_since| Worked {
            pass,
            shard,
            outcome,
            run,
            why: None,
            unfinished_since,
        };
        if self.is_late() {
            return told("stopped", None, None);
        }
        let mut progress = match self.take(pass, shard).await {
            Ok(Ok(progress)) => progress,
            Ok(Err((outcome, since))) => return told(outcome, None, since),
            Err(error) => return Worked::failed(pass, shard, &error),
        };
        let ended = self.work(pass, shard, &mut progress).await;
        let since = progress.run.as_ref().map(|run| run.started_at);
        match ended {
            Ok(End::Finished) => told("finished", progress.run, None),
            Ok(End::Stopped) => told("stopped", progress.run, since),
            Ok(End::Overtaken) => told("overtaken", progress.run, since),
            Err(error) => {
                Worked { why: Some(cause(&error)), ..told("failed", progress.run, since) }
            }
        }
    }

    fn is_late(&self) -> bool {
        Instant::now() + MARGIN > self.deadline
    }

    /// Takes the lease of a shard that has something to do, or says why there is nothing, and since
    /// when a pass is unfinished that somebody else works on.
    async fn take(&self, pass: PassKind, shard: u32) -> Result<Result<Progress, Nothing>, Error> {
        let table = &self.app.table;
        let before = table.progress(pass, shard).await?;
        let now = self.app.clock.now();
        let mut progress = before.clone().unwrap_or_default();
        // What another release has begun with another model is begun anew.
        let outdated = progress.run.take_if(|run| run.model != MODEL_VERSION).is_some();
        if progress.lease_until.is_some_and(|until| until > now) {
            return Ok(Err(("busy", progress.run.map(|run| run.started_at))));
        }
        if progress.run.is_none() {
            if !self.begins && !outdated {
                return Ok(Err(("nothing_new", None)));
            }
            let revision = table.revision().await?;
            let finished = progress.finished.as_ref();
            let is_same = |last: &&Finished| {
                last.revision == revision.revision && last.model == MODEL_VERSION
            };
            if revision.lists.is_empty()
                || (pass == PassKind::OnUpdate && finished.is_some_and(|last| is_same(&last)))
            {
                return Ok(Err(("nothing_new", None)));
            }
            let age = now.millis().saturating_sub(revision.since.millis());
            let grace = i64::try_from(GRACE.as_millis()).unwrap_or(i64::MAX);
            if age <= grace {
                // It is soon enough when the next schedule comes; a whole day would not be.
                if pass == PassKind::OnUpdate {
                    return Ok(Err(("waiting", None)));
                }
                let rest = Duration::from_millis((grace - age).unsigned_abs() + 1);
                tokio::time::sleep(rest).await;
            }
            let comparable = |last: &&Finished| last.model == MODEL_VERSION;
            let base = finished.filter(|_| pass == PassKind::OnUpdate).filter(comparable);
            let base = base.map(|last| last.revision);
            progress.run = Some(self.begin(pass, shard, &revision, base));
        }
        match self.keep(pass, shard, before.map(|before| before.step), &mut progress).await? {
            true => Ok(Ok(progress)),
            false => Ok(Err(("busy", progress.run.map(|run| run.started_at)))),
        }
    }

    fn begin(&self, pass: PassKind, shard: u32, revision: &Revision, base: Option<u64>) -> Run {
        let started_at = self.app.clock.now();
        Run {
            pass_id: self.app.ids.next(started_at).to_string(),
            pass,
            shard,
            revision: revision.revision,
            base,
            model: MODEL_VERSION,
            list_versions: revision.versions(),
            started_at,
            finished_at: None,
            cursor: None,
            worked_ms: 0,
            monitors: 0,
            subjects: 0,
            matches: 0,
            news: 0,
            raised: 0,
            cleared: 0,
            missed: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// Keeps a step, with the lease renewed; `false` if another worker was here.
    async fn keep(
        &self,
        pass: PassKind,
        shard: u32,
        before: Option<u64>,
        progress: &mut Progress,
    ) -> Result<bool, Error> {
        let is_over = progress.run.is_none();
        let lease = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp::from_millis(self.app.clock.now().millis() + lease);
        progress.lease_owner = (!is_over).then(|| self.owner.clone());
        progress.lease_until = (!is_over).then_some(until);
        progress.step = before.unwrap_or(0) + 1;
        self.app.table.keep_progress(pass, shard, before, progress).await
    }

    async fn work(
        &mut self,
        pass: PassKind,
        shard: u32,
        progress: &mut Progress,
    ) -> Result<End, Error> {
        let Some(mut run) = progress.run.clone() else { return Ok(End::Finished) };
        let started = Instant::now();
        let worked_before = run.worked_ms;
        let target = match self.target(&run).await {
            // Lists that nobody can open any more must not hold up those that came after them.
            Err(error) if error.code == Code::StoreUnavailable => {
                let revision = self.app.table.revision().await?;
                if revision.revision == run.revision {
                    return Err(error);
                }
                run = self.begin(pass, shard, &revision, None);
                self.target(&run).await?
            }
            target => target?,
        };
        let mut kept_at = Instant::now();
        loop {
            let behind = run.cursor.clone();
            let table = &self.app.table;
            let page = table.monitored(pass.frequency(), shard, behind.as_deref(), None).await?;
            let end = page.end;
            let mut rows = page.rows.into_iter().peekable();
            while rows.peek().is_some() {
                let chunk: Vec<_> = rows.by_ref().take(CHUNK).collect();
                self.chunk(&mut run, &target, chunk).await?;
                run.worked_ms =
                    worked_before + u64::try_from(started.elapsed().as_millis()).unwrap_or(0);
                progress.run = Some(run.clone());
                let is_late = self.is_late();
                if is_late || kept_at.elapsed() > STEP {
                    if is_late {
                        // Who comes next need not wait for the lease.
                        return self.leave(pass, shard, progress).await;
                    }
                    if !self.keep(pass, shard, Some(progress.step), progress).await? {
                        return Ok(End::Overtaken);
                    }
                    kept_at = Instant::now();
                }
            }
            if end.is_none() {
                break;
            }
            run.cursor = end;
            progress.run = Some(run.clone());
            if self.is_late() {
                return self.leave(pass, shard, progress).await;
            }
            if !self.keep(pass, shard, Some(progress.step), progress).await? {
                return Ok(End::Overtaken);
            }
            kept_at = Instant::now();
        }
        let finished_at = self.app.clock.now();
        run.finished_at = Some(finished_at);
        progress.run = Some(run.clone());
        // First the evidence, then that it counts.
        self.app.table.keep_finished(pass, shard, progress).await?;
        let mut over = Progress {
            run: None,
            finished: Some(Finished {
                pass_id: run.pass_id.clone(),
                pass,
                revision: run.revision,
                model: run.model,
                list_versions: run.list_versions.clone(),
                started_at: run.started_at,
                finished_at,
            }),
            ..progress.clone()
        };
        match self.keep(pass, shard, Some(progress.step), &mut over).await? {
            true => Ok(End::Finished),
            false => Ok(End::Overtaken),
        }
    }

    /// Keeps the progress and gives the lease back.
    async fn leave(
        &self,
        pass: PassKind,
        shard: u32,
        progress: &mut Progress,
    ) -> Result<End, Error> {
        let before = progress.step;
        progress.step += 1;
        progress.lease_until = None;
        match self.app.table.keep_progress(pass, shard, Some(before), progress).await? {
            true => Ok(End::Stopped),
            false => Ok(End::Overtaken),
        }
    }

    /// What this run screens against. Without the lists it began from it becomes a full pass.
    async fn target(&mut self, run: &Run) -> Result<Arc<Target>, Error> {
        let key = (run.revision, run.base);
        if let Some(target) = self.targets.get(&key) {
            return Ok(target.clone());
        }
        let table = &self.app.table;
        let lost = format!("revision {} of the lists is lost", run.revision);
        let unknown = || Error::lists_unavailable(lost);
        let revision = table.revision_of(run.revision).await?.ok_or_else(unknown)?;
        let lists = table.watching.lists.load(revision).await?;
        let changes = match run.base {
            Some(base) => self.changes(base, &lists).await?,
            None => None,
        };
        let target = Arc::new(Target { lists, changes });
        self.targets.insert(key, target.clone());
        Ok(target)
    }

    async fn changes(&self, base: u64, lists: &Loaded) -> Result<Option<Changes>, Error> {
        let Some(base) = self.app.table.revision_of(base).await? else { return Ok(None) };
        let mut changes = Changes { indexes: Vec::new(), touched: BTreeSet::new() };
        let names: BTreeSet<&String> =
            base.lists.keys().chain(lists.revision.lists.keys()).collect();
        for name in names {
            let (old, new) = (base.lists.get(name), lists.revision.lists.get(name));
            if old.map(|list| &list.object) == new.map(|list| &list.object) {
                continue;
            }
            // The one it is compared with may be gone by now, or be of another format.
            let old = match old {
                Some(old) => match self.app.table.watching.lists.read(&old.object).await {
                    Ok(index) => index,
                    Err(_) => return Ok(None),
                },
                None => empty(name)?,
            };
            let none;
            let new = match lists.index(name) {
                Some(index) => index.as_ref(),
                None => {
                    none = empty(name)?;
                    &none
                }
            };
            let delta = Delta::between(&old, new);
            let touched = delta.changed.iter().chain(&delta.removed);
            changes.touched.extend(touched.map(|entity| (name.clone(), entity.clone())));
            let index = delta.index(new).map_err(|why| Error::internal(why.to_string()))?;
            changes.indexes.push(opened(index)?);
        }
        Ok(Some(changes))
    }

    /// Screens a few monitors and checks the customers that have news.
    async fn chunk(
        &self,
        run: &mut Run,
        target: &Target,
        rows: Vec<Result<Monitored, Error>>,
    ) -> Result<(), Error> {
        let now = self.app.clock.now();
        let mut cursor = None;
        let mut with_news = Vec::new();
        {
            let whole = target.lists.indexes.iter().map(AsRef::<Index>::as_ref);
            let mut whole = Screener::new(whole);
            let changes = target.changes.as_ref();
            let indexes = changes.map(|changes| changes.indexes.iter()).into_iter().flatten();
            let mut changed = Screener::new(indexes);
            for row in rows {
                let row = match row {
                    Ok(row) => row,
                    Err(error) => {
                        // It comes in no order that a cursor could hold.
                        self.failed(run, None, &error);
                        continue;
                    }
                };
                run.monitors += 1;
                cursor = Some(row.position.clone());
                match self.looks(run, target, &row, &mut whole, &mut changed, now) {
                    Looks::Same => {}
                    Looks::News => with_news.push(row),
                    Looks::Skipped(reason) => {
                        *run.skipped.entry(reason.to_owned()).or_default() += 1;
                        if reason == "expired" {
                            with_news.push(row);
                        }
                    }
                }
            }
        }
        self.check_all(run, &with_news).await?;
        if cursor.is_some() {
            run.cursor = cursor;
        }
        Ok(())
    }

    /// What screening one monitor in memory says.
    fn looks(
        &self,
        run: &mut Run,
        target: &Target,
        row: &Monitored,
        whole: &mut Screener<'_>,
        changed: &mut Screener<'_>,
        now: Timestamp,
    ) -> Looks {
        if row.settings.has_expired(now) {
            return Looks::Skipped("expired");
        }
        if row.list_revision == 0 {
            return Looks::News;
        }
        if row.list_revision > run.revision {
            return Looks::Skipped("checked_since");
        }
        let delta = target.changes.as_ref().zip(run.base);
        if delta.is_some() && row.list_revision == run.revision {
            return Looks::Skipped("checked_since");
        }
        // What it was checked with lies between the two: the difference says nothing about it.
        let delta = delta.filter(|(_, base)| row.list_revision <= *base);
        let subjects = &row.watched.subjects;
        run.subjects += subjects.len() as u64;
        let known = &row.watched.known;
        let is_news = match delta {
            None => {
                let found = hits(subjects, &row.settings, whole);
                run.matches += found.len() as u64;
                let mut found: Vec<Known> = found.iter().map(Hit::known).collect();
                found.sort();
                found != *known
            }
            Some((changes, _)) => {
                let found = hits(subjects, &row.settings, changed);
                run.matches += found.len() as u64;
                let found: Vec<Known> = found.iter().map(Hit::known).collect();
                let is_touched = |known: &&Known| {
                    changes.touched.contains(&(known.list.clone(), known.entity.clone()))
                };
                let gone = known.iter().filter(is_touched).any(|known| !found.contains(known));
                gone || found.iter().any(|found| !known.contains(found))
            }
        };
        if is_news { Looks::News } else { Looks::Same }
    }

    async fn check_one<'r>(
        &self,
        pass_id: &str,
        row: &'r Monitored,
    ) -> (&'r Monitored, Result<Rechecked, Error>) {
        let caller = Caller::of_service(row.tenant.clone(), "rescreen", pass_id);
        (row, self.app.table.tenant(&caller).recheck(&row.customer_id).await)
    }

    async fn check_all(&self, run: &mut Run, rows: &[Monitored]) -> Result<(), Error> {
        let mut checks = Vec::new();
        for row in rows {
            checks.push(self.check_one(&run.pass_id, row).boxed());
        }
        let done: Vec<_> = stream::iter(checks).buffer_unordered(AT_ONCE).collect().await;
        let mut missed = 0;
        for (row, checked) in done {
            match checked {
                Ok(Rechecked { raised, cleared, written }) => {
                    run.news += u64::from(written);
                    run.raised += u64::from(raised);
                    run.cleared += u64::from(cleared);
                    missed += u64::from(raised + cleared > 0);
                }
                // The table can't be reached: nobody behind this one would fare better.
                Err(error) if error.code == Code::StoreUnavailable => return Err(error),
                Err(error) => {
                    // Before the cursor moves on: `resume` tries it again until it works.
                    self.app.table.ask_again(run.shard, &row.position).await?;
                    self.failed(run, Some(row), &error);
                }
            }
        }
        if run.pass == PassKind::Reconcile && missed > 0 && self.was_covered(run).await? {
            run.missed += missed;
            let told = json!({ "pass_id": run.pass_id, "shard": run.shard, "customers": missed });
            telemetry::alarm("MatchesMissed", "a pass had missed matches", "", &told);
        }
        Ok(())
    }

    /// The customers of a shard whose last check failed or is not complete, one after another. They
    /// are in no hurry by now, and one that takes long must not take the table.
    async fn check_again(&self, shard: u32) -> Result<u64, Error> {
        let mut done = 0;
        for Again { customer, at } in self.app.table.asked_again(shard).await? {
            if self.is_late() {
                break;
            }
            let Some((tenant, customer_id)) = keys_of(&customer) else { continue };
            let run_id = self.app.ids.next(self.app.clock.now()).to_string();
            let caller = Caller::of_service(tenant.clone(), "rescreen", &run_id);
            match self.app.table.tenant(&caller).recheck(&customer_id).await {
                Ok(_) => {
                    self.app.table.checked_again(shard, &customer, &at).await?;
                    done += 1;
                }
                Err(error) if error.code == Code::StoreUnavailable => return Err(error),
                Err(error) => {
                    let (tenant, customer_id) = (tenant.to_string(), customer_id.to_string());
                    let told = json!({
                        "shard": shard, "tenant": tenant, "customer_id": customer_id,
                        "why": cause(&error),
                    });
                    telemetry::alarm("MonitorFailed", NOT_CHECKED, "", &told);
                }
            }
        }
        Ok(done)
    }

    /// Whether passes over changes claim to have seen all that a reconciliation looks at.
    async fn was_covered(&self, run: &Run) -> Result<bool, Error> {
        let table = &self.app.table;
        let progress = table.progress(PassKind::OnUpdate, run.shard).await?;
        let covered = progress.and_then(|progress| progress.finished);
        let covered = covered.is_some_and(|last| last.revision >= run.revision);
        Ok(covered && table.revision().await?.revision == run.revision)
    }

    /// A customer that can't be checked holds up nobody else.
    fn failed(&self, run: &mut Run, row: Option<&Monitored>, error: &Error) {
        *run.skipped.entry("failed".to_owned()).or_default() += 1;
        let customer = row.map(|row| row.customer_id.to_string());
        let tenant = row.map(|row| row.tenant.to_string());
        let told = json!({
            "pass_id": run.pass_id, "shard": run.shard, "tenant": tenant, "customer_id": customer,
            "why": cause(error),
        });
        telemetry::alarm("MonitorFailed", NOT_CHECKED, "", &told);
    }
}

enum Looks {
    Same,
    News,
    Skipped(&'static str),
}

fn cause(error: &Error) -> String {
    error.cause().unwrap_or(&error.message).to_owned()
}

fn empty(list: &str) -> Result<Index, Error> {
    let source = screening::index::Source { list, version: "none", date: None };
    let index = screening::index::build(source, []);
    opened(index.map_err(|why| Error::internal(why.to_string()))?)
}

fn opened(index: Vec<u8>) -> Result<Index, Error> {
    Index::open(index).map_err(|why| Error::internal(format!("an index of changes: {why}")))
}
