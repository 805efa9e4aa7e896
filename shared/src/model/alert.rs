//! Types for alerts: matches of a monitored customer or a related party with a list entry, and the
//! decisions about these matches.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use strum::{AsRefStr, EnumString, VariantNames};

use super::fields::Fields;
use super::id::{AlertId, CustomerId};
use super::monitor::SubjectKind;
use super::time::Timestamp;
use super::value::{Note, one_of};
use super::version;
use crate::error::Error;
use screening::entity::{EntityKind, NameKind};

/// Status of an alert.
///
/// - `open`: not decided yet.
/// - `confirmed`: the subject is the listed entity.
/// - `false_positive`: the subject is not the listed entity.
/// - `cleared`: the match no longer exists. `cleared_because` contains the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AlertStatus {
    /// Not decided yet.
    Open,
    /// The subject is the listed entity.
    Confirmed,
    /// The subject is not the listed entity.
    FalsePositive,
    /// The match no longer exists.
    Cleared,
}

/// Reason why an alert was cleared.
///
/// - `entry_removed`: the entry was removed from its list.
/// - `list_removed`: the list is no longer configured.
/// - `list_not_selected`: the monitor no longer selects the list.
/// - `subject_removed`: the party left the organization or is no longer screened.
/// - `no_longer_matches`: the entry or the subject changed, and the two no longer match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ClearedBecause {
    /// The entry was removed from its list.
    EntryRemoved,
    /// The list is no longer configured.
    ListRemoved,
    /// The monitor no longer selects the list.
    ListNotSelected,
    /// The party left the organization or is no longer screened.
    SubjectRemoved,
    /// The entry or the subject changed, and the two no longer match.
    NoLongerMatches,
}

/// The customer or related party that an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertSubject {
    /// Whether the subject is the customer or a party.
    pub kind: SubjectKind,
    /// Id of the party, or `null` for the customer.
    pub party_id: Option<String>,
    /// Name of the subject when the alert was last updated.
    pub name: String,
}

/// A match of a subject with a list entry. Each pair of subject and entry has one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Id of the alert, derived from the customer, the subject, the list and the list entry. If a
    /// cleared match returns, its alert has the same id.
    pub alert_id: AlertId,
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// The customer or party that matches the entry.
    pub subject: AlertSubject,
    /// Name of the list.
    pub list: String,
    /// Id of the entry in the list.
    pub entity_id: String,
    /// Name of the entry that matches the subject best, as the list contains it.
    pub entity_name: String,
    /// Kind of the name in `entity_name`.
    pub entity_name_kind: NameKind,
    /// Kind of the listed entity.
    pub entity_type: EntityKind,
    /// Score of the match, 0 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    pub score: f64,
    /// Explanation of the score: the pairs of matching words, the words without a pair, and the
    /// comparison of dates, countries and identifiers.
    pub features: Value,
    /// Version of the list at the last check that updated the alert.
    pub list_version: String,
    /// Current status.
    pub status: AlertStatus,
    /// Version: 1 at first, and one more with every change by a person or by a check. The `ETag` is
    /// the version in quotes.
    #[serde(default = "version::first")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub version: u64,
    /// Time of the first check that found the match.
    pub first_seen_at: Timestamp,
    /// Time of the last check that found the match new or changed. A check that finds the match
    /// unchanged does not update the alert; the monitor's `last_checked_at` contains the time of
    /// such a check.
    pub last_seen_at: Timestamp,
    /// Actor of the decision: the `sub` of the access token or, if there is no `sub`, its
    /// `client_id` or `username`. The actor is `system` if a check cleared the alert, and `null` if
    /// the alert is open.
    pub resolved_by: Option<String>,
    /// Time when the alert was decided or cleared, or `null` if the alert is open.
    pub resolved_at: Option<Timestamp>,
    /// Note of the person who decided, or `null` if there is no note.
    pub note: Option<Note>,
    /// Reason why the alert was cleared, or `null` if the status is not `cleared`.
    pub cleared_because: Option<ClearedBecause>,
    /// Compared fields that differed when a check last found the match again, such as
    /// `entity.names` or `subject.country`. `returned` means that the match had been cleared and
    /// that no field differs.
    #[serde(default)]
    pub changes: Vec<String>,
}

/// An alert as the table stores it, with additional fields that only the service reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredAlert {
    /// The fields that the API returns.
    #[serde(flatten)]
    pub alert: Alert,
    /// Hash of each compared field. A later check finds the changed fields by comparing hashes.
    #[serde(default)]
    pub compared: BTreeMap<ComparedField, String>,
    /// Status and decision of the alert before it was last cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_before: Option<PastDecision>,
}

impl Deref for StoredAlert {
    type Target = Alert;

    fn deref(&self) -> &Alert {
        &self.alert
    }
}

impl DerefMut for StoredAlert {
    fn deref_mut(&mut self) -> &mut Alert {
        &mut self.alert
    }
}

/// A field of a subject or an entry that screening compares.
///
/// The variants are sorted by name, because [`fingerprint`] hashes them in this order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::AsRefStr,
)]

pub enum ComparedField {
    /// Countries of the entry.
    #[serde(rename = "entity.countries")]
    #[strum(serialize = "entity.countries")]
    EntityCountries,
    /// Dates of birth, founding or building of the entry.
    #[serde(rename = "entity.dates")]
    #[strum(serialize = "entity.dates")]
    EntityDates,
    /// Gender of the entry.
    #[serde(rename = "entity.gender")]
    #[strum(serialize = "entity.gender")]
    EntityGender,
    /// Identifiers of the entry.
    #[serde(rename = "entity.identifiers")]
    #[strum(serialize = "entity.identifiers")]
    EntityIdentifiers,
    /// Kind of the entry, such as person or organization.
    #[serde(rename = "entity.kind")]
    #[strum(serialize = "entity.kind")]
    EntityKind,
    /// Names of the entry.
    #[serde(rename = "entity.names")]
    #[strum(serialize = "entity.names")]
    EntityNames,
    /// Country of the subject.
    #[serde(rename = "subject.country")]
    #[strum(serialize = "subject.country")]
    SubjectCountry,
    /// Date of birth or incorporation of the subject.
    #[serde(rename = "subject.date")]
    #[strum(serialize = "subject.date")]
    SubjectDate,
    /// Kind of the subject: person or organization.
    #[serde(rename = "subject.kind")]
    #[strum(serialize = "subject.kind")]
    SubjectKind,
    /// Name of the subject.
    #[serde(rename = "subject.name")]
    #[strum(serialize = "subject.name")]
    SubjectName,
    /// Tax number of the subject.
    #[serde(rename = "subject.tax_id")]
    #[strum(serialize = "subject.tax_id")]
    SubjectTaxId,
}

/// Status and decision of an alert before it was cleared. The decision is restored if the same
/// match returns with equal compared fields, unless the entry had been removed from its list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastDecision {
    /// Status before the alert was cleared.
    pub status: AlertStatus,
    /// Actor of the decision, or `None` if the alert was open.
    pub resolved_by: Option<String>,
    /// Time of the decision, or `None` if the alert was open.
    pub resolved_at: Option<Timestamp>,
}

impl StoredAlert {
    /// Returns one hash of all compared fields. A pass regards a known match as changed if this
    /// hash differs from the stored one.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(&self.compared)
    }

    /// Returns the alert after a decision. The result equals the alert if the decision changes
    /// neither the status nor the note.
    ///
    /// # Errors
    /// `InvalidTransition` if the alert is cleared.
    pub fn decided(
        &self,
        decision: &Decision,
        actor: &str,
        now: Timestamp,
    ) -> Result<StoredAlert, Error> {
        if self.status == AlertStatus::Cleared {
            let hint = ", because its match no longer exists";
            let to = decision.status.as_ref();
            return Err(Error::invalid_transition("cleared alert", "cleared", to, hint));
        }
        let note = decision.note.clone().or_else(|| self.note.clone());
        let mut decided = self.clone();
        if self.status == decision.status && self.note == note {
            return Ok(decided);
        }
        let is_open = decision.status == AlertStatus::Open;
        decided.status = decision.status;
        decided.note = note;
        decided.resolved_by = (!is_open).then(|| actor.to_owned());
        decided.resolved_at = (!is_open).then_some(now);
        decided.version += 1;
        Ok(decided)
    }
}

/// Returns one hash of all compared fields: the first 8 bytes of SHA-256 over the names and values,
/// as a little-endian number.
#[expect(clippy::expect_used, reason = "the length of a digest is fixed")]
pub fn fingerprint(compared: &BTreeMap<ComparedField, String>) -> u64 {
    let mut hash = Sha256::new();
    for (field, value) in compared {
        hash.update(field.as_ref());
        hash.update([0]);
        hash.update(value);
        hash.update([0]);
    }
    let digest = hash.finalize();
    let first = digest.first_chunk().expect("SHA-256 has 8 bytes because it has 32");
    u64::from_le_bytes(*first)
}

/// Body of `PATCH /customers/{id}/alerts/{alert_id}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// `confirmed`, `false_positive`, or `open` to withdraw a decision.
    #[cfg_attr(feature = "openapi", schema(schema_with = decided))]
    pub status: AlertStatus,
    /// Note about the decision. If no note is given, the existing note stays.
    pub note: Option<Note>,
}

/// Returns the schema of the status in a decision. It leaves out `cleared`, because only a check
/// clears an alert.
#[cfg(feature = "openapi")]
fn decided() -> impl Into<utoipa::openapi::RefOr<utoipa::openapi::Schema>> {
    let text = super::schema::text().enum_values(Some(["open", "confirmed", "false_positive"]));
    text.description(Some("`confirmed`, `false_positive`, or `open` to withdraw a decision."))
}

impl Decision {
    /// Reads the fields and records every fault. Returns `None` only if it recorded one.
    pub fn read(fields: &mut Fields<'_>) -> Option<Decision> {
        let status = fields.required("status", |text| match one_of::<AlertStatus>(text) {
            Ok(AlertStatus::Cleared) | Err(_) => {
                Err("must be one of open, confirmed, false_positive".to_owned())
            }
            Ok(status) => Ok(status),
        });
        let note = fields.text("note", Note::parse);
        Some(Decision { status: status?, note })
    }
}

/// Fields that only the server sets. A decision may repeat them with their current values. Any
/// other value is a fault.
pub const READ_ONLY: &[&str] = &[
    "alert_id",
    "customer_id",
    "subject",
    "list",
    "entity_id",
    "entity_name",
    "entity_name_kind",
    "entity_type",
    "score",
    "features",
    "list_version",
    "version",
    "first_seen_at",
    "last_seen_at",
    "resolved_by",
    "resolved_at",
    "cleared_because",
    "changes",
];
