//! Monitoring of a customer: the subjects that are screened, the lists, and the frequency.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

use super::customer::MonitoringStatus;
use super::fields::Fields;
use super::frequency::{Frequency, PassKind};
use super::id::CustomerId;
use super::time::Timestamp;
use super::value::{Issue, ListName, one_of};
use super::version;
use screening::score::DEFAULT_MIN_SCORE;

/// Kind of a screened subject: the customer itself or a party of its organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SubjectKind {
    /// The customer.
    Customer,
    /// A party of the organization.
    Party,
}

/// Maximum number of lists of a monitor.
const MAX_LISTS: usize = 100;

/// Body of `POST /customers/{id}/monitor`. A setting that is not given is set to its default, even
/// if the monitor is already active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    /// Names of the lists to screen against, at most 100. By default all lists are used, including
    /// lists that are configured later.
    #[cfg_attr(feature = "openapi", schema(schema_with = chosen_lists))]
    pub lists: Option<Vec<ListName>>,
    /// Frequency at which the customer is screened again, `on_update` by default.
    pub check_frequency: Frequency,
    /// Whether owners, directors, representatives and senior managers are also screened. `true` by
    /// default.
    pub include_related: bool,
    /// Minimum score of a match, from 0.5 to 1. The default is 0.78.
    #[cfg_attr(feature = "openapi", schema(minimum = 0.5, maximum = 1))]
    pub min_score: f64,
    /// Time at which monitoring ends. It must be in the future. By default, monitoring does not
    /// end.
    pub expires_at: Option<Timestamp>,
}

#[cfg(feature = "openapi")]
fn chosen_lists() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use super::schema::{nullable, text};
    let name = text().pattern(Some("^[a-z0-9._-]{1,64}$")).build();
    let lists = utoipa::openapi::schema::ArrayBuilder::new().items(name).min_items(Some(1));
    let lists = lists.max_items(Some(MAX_LISTS)).unique_items(true);
    let description = "Names of the lists to screen against, at most 100. By default all lists are \
                       used, including lists that are configured later.";
    nullable(lists.description(Some(description)).build())
}

impl Settings {
    /// Reads the fields and records every fault. Returns `None` only if it recorded one.
    pub fn read(fields: &mut Fields<'_>, now: Timestamp) -> Option<Settings> {
        let lists = fields.gives("lists").then(|| {
            let lists = fields.texts("lists", MAX_LISTS, ListName::parse);
            if lists.iter().enumerate().any(|(i, list)| lists.iter().take(i).any(|l| l == list)) {
                fields.fault("lists", "must not contain duplicates");
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

    /// Returns whether the customer is screened against `list`.
    pub fn selects(&self, list: &str) -> bool {
        self.lists.as_ref().is_none_or(|lists| lists.iter().any(|name| name.as_str() == list))
    }

    /// Returns whether `expires_at` is at or before `now`.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

fn default_min_score() -> f64 {
    rounded(DEFAULT_MIN_SCORE)
}

/// Rounds a score to the 4 decimals with which it is stored.
pub fn rounded(score: f32) -> f64 {
    (f64::from(score) * 10_000.0).round() / 10_000.0
}

fn score(number: &serde_json::Number) -> Result<f64, Issue> {
    let score = number.as_f64().filter(|score| (0.5..=1.0).contains(score));
    score.ok_or_else(|| "must be a number from 0.5 to 1".to_owned())
}

fn instant(text: &str) -> Result<Timestamp, Issue> {
    let issue = "must be an RFC 3339 time like 2026-11-22T10:30:00Z";
    Timestamp::parse(text).ok_or_else(|| issue.to_owned())
}

/// A monitor as the table stores it. A customer without a monitor has never been monitored, or was
/// erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    /// The monitored customer.
    pub customer_id: CustomerId,
    /// Stored status. It does not change at `expires_at`: an expired monitor can still be stored as
    /// active.
    pub status: MonitoringStatus,
    /// Version: 1 at first, and one more with every write of this item.
    #[serde(default = "version::first")]
    pub version: u64,
    /// Settings that the caller chose, including defaults.
    #[serde(flatten)]
    pub settings: Settings,
    /// Number of screened subjects.
    pub subjects: u32,
    /// Time at which monitoring was last started. Replacing the settings of an active monitor does
    /// not change it.
    pub started_at: Timestamp,
    /// Time of the last check that updated this item. A pass without a new result does not update
    /// it.
    pub last_checked_at: Timestamp,
    /// Revision of the lists in the last screening of all subjects, or 0 while not all changes of
    /// alerts from that screening are stored.
    pub list_revision: u64,
    /// Version of each selected list in the last check, by name.
    pub list_versions: BTreeMap<String, String>,
    /// Number of the shard that the monitor belongs to.
    pub shard: u32,
}

impl Monitor {
    /// Returns whether the monitor is active and has not expired at `now`.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.status == MonitoringStatus::Active && !self.settings.has_expired(now)
    }
}

/// The last rescreen pass that screened the customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastPass {
    /// Id of the pass.
    pub pass_id: String,
    /// Kind of the pass: `on_update`, `daily`, `weekly` or `reconcile`. Every week, a `reconcile`
    /// pass screens the monitors with the frequency `on_update` against whole lists.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub frequency: PassKind,
    /// Version of each list in the pass, by name.
    pub list_versions: BTreeMap<String, String>,
    /// Time at which the pass finished.
    pub finished_at: Timestamp,
}

/// Current state of a monitor, as the API returns it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonitorState {
    /// The monitored customer.
    pub customer_id: CustomerId,
    /// Current status.
    pub status: MonitoringStatus,
    /// Version: 1 at first. It increases when the settings or the status change, and when a check
    /// finds something new.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub version: u64,
    /// Names of the selected lists. If none were selected, the lists of the last check.
    pub lists: Vec<String>,
    /// Frequency at which the customer is screened again.
    pub check_frequency: Frequency,
    /// Whether related parties are also screened.
    pub include_related: bool,
    /// Minimum score of a match, 0.5 to 1.
    pub min_score: f64,
    /// Time at which monitoring ends, or `null`.
    pub expires_at: Option<Timestamp>,
    /// Number of screened subjects: the customer and, with `include_related`, the related parties.
    pub subjects: u32,
    /// Time at which monitoring was last started. Replacing the settings of an active monitor does
    /// not change it.
    pub started_at: Timestamp,
    /// Time of the last check of the customer. A check is made by a request or by a pass.
    pub last_checked_at: Timestamp,
    /// The last pass that started after the last individual check of the customer, or `null` if
    /// there is no such pass.
    pub last_pass: Option<LastPass>,
    /// Time at which the next check is due. It is `null` if the monitor is not active. It is also
    /// `null` for the frequency `on_update`, where the next check follows the next change of a
    /// list.
    pub next_check_due: Option<Timestamp>,
    /// Number of alerts with the status `open`.
    pub open_alerts: u32,
}

impl MonitorState {
    /// Returns the state of a stored monitor at `now`. Expired monitoring is `off`.
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
            version: monitor.version,
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

/// Result of a check against one list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListResult {
    /// Name of the list.
    pub list: String,
    /// Version of the list.
    pub version: String,
    /// Date of publication, `YYYY-MM-DD`, or `null` if the list does not contain one.
    pub date: Option<String>,
    /// Number of matches.
    pub matches: u32,
    /// Time at which the source of the list was last read.
    pub refreshed_at: Timestamp,
    /// Whether the time since `refreshed_at` exceeds the limit of the deployment, which is 48 hours
    /// by default.
    pub stale: bool,
}

/// A monitor that was started or changed, with the result of its first check.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Started {
    /// State of the monitor after the check.
    #[serde(flatten)]
    pub state: MonitorState,
    /// Number of subjects that were screened.
    pub subjects_checked: u32,
    /// Number of matches over all lists and subjects, including false positives.
    pub matches: u32,
    /// Number of matches that opened an alert in this check.
    pub new_matches: u32,
    /// Result for each list.
    pub results_by_list: Vec<ListResult>,
}
