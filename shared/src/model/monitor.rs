//! Monitoring of a customer: who is screened, against what, and how often.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer::MonitoringStatus;
use super::fields::Fields;
use super::frequency::{Frequency, PassKind};
use super::id::CustomerId;
use super::time::Timestamp;
use super::value::{Issue, ListName, one_of};
use screening::score::DEFAULT_MIN_SCORE;

/// Who is screened: the customer, or a party of its organization.
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
pub enum SubjectKind {
    Customer,
    Party,
}

/// How many lists a monitor can name.
const MAX_LISTS: usize = 100;

/// The body of `POST /customers/{id}/monitor`: what is not given takes its default, also where
/// the monitor was on already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    /// The lists to screen against. Every list that is loaded, also those to come, unless given.
    #[cfg_attr(feature = "openapi", schema(schema_with = chosen_lists))]
    pub lists: Option<Vec<ListName>>,
    /// `on_update` unless given.
    pub check_frequency: Frequency,
    /// Whether owners, directors, representatives and senior managers are screened too; `true`
    /// unless given.
    pub include_related: bool,
    /// The score from which a match counts, 0.5 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.5, maximum = 1))]
    pub min_score: f64,
    /// When monitoring ends by itself; in the future.
    pub expires_at: Option<Timestamp>,
}

#[cfg(feature = "openapi")]
fn chosen_lists() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use super::schema::{nullable, text};
    let name = text().pattern(Some("^[a-z0-9._-]{1,64}$")).build();
    let lists = utoipa::openapi::schema::ArrayBuilder::new().items(name).min_items(Some(1));
    let lists = lists.max_items(Some(MAX_LISTS)).unique_items(true);
    let says =
        "The lists to screen against. Every list that is loaded, also those to come, unless given.";
    nullable(lists.description(Some(says)).build())
}

impl Settings {
    /// Reads the fields and records every fault. `None` only when there was one.
    pub fn read(fields: &mut Fields<'_>, now: Timestamp) -> Option<Settings> {
        let lists = fields.gives("lists").then(|| {
            let lists = fields.texts("lists", MAX_LISTS, ListName::parse);
            if lists.iter().enumerate().any(|(i, list)| lists.iter().take(i).any(|l| l == list)) {
                fields.fault("lists", "must have no repeats");
            }
            lists
        });
        let check_frequency =
            fields.text_or("check_frequency", Frequency::OnUpdate, one_of::<Frequency>);
        let include_related = fields.flag_or("include_related", true);
        let min_score = match fields.gives("min_score") {
            true => fields.number("min_score", score),
            false => Some(default_min_score()),
        };
        let expires_at = fields.text("expires_at", instant);
        if expires_at.is_some_and(|at| at <= now) {
            fields.fault("expires_at", "must be in the future");
        }
        Some(Settings {
            lists,
            check_frequency: check_frequency?,
            include_related,
            min_score: min_score?,
            expires_at,
        })
    }

    pub fn selects(&self, list: &str) -> bool {
        self.lists.as_ref().is_none_or(|lists| lists.iter().any(|name| name.as_str() == list))
    }

    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

fn default_min_score() -> f64 {
    rounded(DEFAULT_MIN_SCORE)
}

/// A score as it is written: to four decimals.
pub fn rounded(score: f32) -> f64 {
    (f64::from(score) * 10_000.0).round() / 10_000.0
}

fn score(number: &serde_json::Number) -> Result<f64, Issue> {
    let score = number.as_f64().filter(|score| (0.5..=1.0).contains(score));
    score.ok_or_else(|| "must be from 0.5 to 1".to_owned())
}

fn instant(text: &str) -> Result<Timestamp, Issue> {
    let issue = "must be an RFC 3339 time like 2026-11-22T10:30:00Z";
    Timestamp::parse(text).ok_or_else(|| issue.to_owned())
}

/// A monitor, as it is kept. Without one a customer is not monitored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    pub customer_id: CustomerId,
    pub status: MonitoringStatus,
    #[serde(flatten)]
    pub settings: Settings,
    pub subjects: u32,
    pub started_at: Timestamp,
    pub last_checked_at: Timestamp,
    /// The revision of the lists that all subjects were last screened against as a whole; 0 while
    /// such a screening is not complete.
    pub list_revision: u64,
    pub list_versions: BTreeMap<String, String>,
    /// Which part of the monitored customers it belongs to.
    pub shard: u32,
}

impl Monitor {
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.status == MonitoringStatus::Active && !self.settings.has_expired(now)
    }
}

/// The last pass over a monitor's shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastPass {
    pub pass_id: String,
    /// `on_update`, `daily`, `weekly`, or `reconcile`: the weekly pass against whole lists over
    /// the monitors that are otherwise checked when a list changes.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub frequency: PassKind,
    pub list_versions: BTreeMap<String, String>,
    pub finished_at: Timestamp,
}

/// A monitor as it is answered.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonitorState {
    pub customer_id: CustomerId,
    pub status: MonitoringStatus,
    /// The lists screened against, by name.
    pub lists: Vec<String>,
    pub check_frequency: Frequency,
    pub include_related: bool,
    pub min_score: f64,
    pub expires_at: Option<Timestamp>,
    /// How many are screened: the customer and, with `include_related`, the related parties.
    pub subjects: u32,
    pub started_at: Timestamp,
    /// The later of its own check and the last pass.
    pub last_checked_at: Timestamp,
    pub last_pass: Option<LastPass>,
    /// `null` with `on_update`, which waits for a list to change, and while it is not active.
    pub next_check_due: Option<Timestamp>,
    pub open_alerts: u32,
}

impl MonitorState {
    pub fn of(
        monitor: &Monitor,
        last_pass: Option<LastPass>,
        open_alerts: u32,
        now: Timestamp,
    ) -> MonitorState {
        let settings = &monitor.settings;
        let is_active = monitor.is_active(now);
        let status = match settings.has_expired(now) {
            true => MonitoringStatus::Off,
            false => monitor.status,
        };
        let own = monitor.last_checked_at;
        let last_checked_at = last_pass.as_ref().map_or(own, |pass| own.max(pass.finished_at));
        let lists = match &settings.lists {
            Some(lists) => lists.iter().map(|list| list.as_str().to_owned()).collect(),
            None => monitor.list_versions.keys().cloned().collect(),
        };
        let days = match settings.check_frequency {
            Frequency::OnUpdate => None,
            Frequency::Daily => Some(1),
            Frequency::Weekly => Some(7),
        };
        let due = |days: i64| Timestamp::from_millis(last_checked_at.millis() + days * 86_400_000);
        MonitorState {
            customer_id: monitor.customer_id,
            status,
            lists,
            check_frequency: settings.check_frequency,
            include_related: settings.include_related,
            min_score: settings.min_score,
            expires_at: settings.expires_at,
            subjects: monitor.subjects,
            started_at: monitor.started_at,
            last_checked_at,
            last_pass,
            next_check_due: days.filter(|_| is_active).map(due),
            open_alerts,
        }
    }
}

/// What a check found on one list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListResult {
    pub list: String,
    pub version: String,
    /// When the list was published, as far as it says so: `YYYY-MM-DD`.
    pub date: Option<String>,
    pub matches: u32,
    /// When its source was last read, whether it had changed or not.
    pub refreshed_at: Timestamp,
    /// Whether that is too long ago to trust the list.
    pub stale: bool,
}

/// A monitor that was started or changed, and its first check.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Started {
    #[serde(flatten)]
    pub state: MonitorState,
    pub subjects_checked: u32,
    /// Entries that match, of all lists and subjects, those called false positives among them.
    pub matches: u32,
    /// Those of them that raised an alert now.
    pub new_matches: u32,
    pub results_by_list: Vec<ListResult>,
}
