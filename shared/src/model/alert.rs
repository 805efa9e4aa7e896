//! Alerts: matches of a monitored customer with an entry of a list, and what a person decided.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::id::{AlertId, CustomerId};
use super::monitor::SubjectKind;
use super::time::Timestamp;
use super::value::{Note, one_of};
use crate::error::Error;
use screening::entity::{EntityKind, NameKind};

/// What became of a match.
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
pub enum AlertStatus {
    Open,
    Confirmed,
    FalsePositive,
    Cleared,
}

/// Why an alert was cleared: the entry left its list, the list is no longer loaded or no longer
/// watched, the party left the organization or is no longer screened, or entry and subject
/// changed so that they do not match any more.
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
pub enum ClearedBecause {
    EntryRemoved,
    ListRemoved,
    ListNotSelected,
    SubjectRemoved,
    NoLongerMatches,
}

/// Who matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertSubject {
    pub kind: SubjectKind,
    /// `null` for the customer itself.
    pub party_id: Option<String>,
    pub name: String,
}

/// A match, found once per subject and entry of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Made of the customer, the subject, the list and the entry, so that a match is one alert
    /// however often it is found.
    pub alert_id: AlertId,
    pub customer_id: CustomerId,
    pub subject: AlertSubject,
    pub list: String,
    /// As the list numbers it.
    pub entity_id: String,
    /// The name of the entry that fits best, as the list writes it.
    pub entity_name: String,
    pub entity_name_kind: NameKind,
    pub entity_type: EntityKind,
    /// From 0 to 1.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1))]
    pub score: f64,
    /// How the score came about: which words were taken for one another and why, what was left
    /// over, and what was compared besides the names.
    pub features: Value,
    /// The version of the list it was last found in.
    pub list_version: String,
    pub status: AlertStatus,
    pub first_seen_at: Timestamp,
    /// When it was last found new, or different from before. A check that finds it unchanged
    /// writes nothing: the monitor's `last_checked_at` tells of it.
    pub last_seen_at: Timestamp,
    /// Who decided: the token's subject, or `system` where it was cleared.
    pub resolved_by: Option<String>,
    pub resolved_at: Option<Timestamp>,
    pub note: Option<Note>,
    pub cleared_because: Option<ClearedBecause>,
    /// What was different when it was last found again, like `entity.names` or `subject.country`;
    /// `returned` where the same pair had been cleared in between.
    #[serde(default)]
    pub changes: Vec<String>,
}

/// An alert as the table stores it: with what only the service reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredAlert {
    /// The alert as callers see it.
    #[serde(flatten)]
    pub alert: Alert,
    /// Hash of each compared field, to tell which of them changed.
    #[serde(default)]
    pub compared: BTreeMap<ComparedField, String>,
    /// The decision that was in force when the alert was cleared.
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
/// Variants are in the order of their names: [`fingerprint`] reads them in this order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::IntoStaticStr,
)]
#[strum(const_into_str)]
pub enum ComparedField {
    #[serde(rename = "entity.countries")]
    #[strum(serialize = "entity.countries")]
    EntityCountries,
    #[serde(rename = "entity.dates")]
    #[strum(serialize = "entity.dates")]
    EntityDates,
    #[serde(rename = "entity.gender")]
    #[strum(serialize = "entity.gender")]
    EntityGender,
    #[serde(rename = "entity.identifiers")]
    #[strum(serialize = "entity.identifiers")]
    EntityIdentifiers,
    #[serde(rename = "entity.kind")]
    #[strum(serialize = "entity.kind")]
    EntityKind,
    #[serde(rename = "entity.names")]
    #[strum(serialize = "entity.names")]
    EntityNames,
    #[serde(rename = "subject.country")]
    #[strum(serialize = "subject.country")]
    SubjectCountry,
    #[serde(rename = "subject.date")]
    #[strum(serialize = "subject.date")]
    SubjectDate,
    #[serde(rename = "subject.kind")]
    #[strum(serialize = "subject.kind")]
    SubjectKind,
    #[serde(rename = "subject.name")]
    #[strum(serialize = "subject.name")]
    SubjectName,
    #[serde(rename = "subject.tax_id")]
    #[strum(serialize = "subject.tax_id")]
    SubjectTaxId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastDecision {
    pub status: AlertStatus,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<Timestamp>,
}

impl StoredAlert {
    /// One hash of all compared fields. While it stays the same, so does every decision.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(&self.compared)
    }

    /// The alert after a decision. It stays equal when the decision changes nothing.
    ///
    /// # Errors
    /// `InvalidTransition` when the alert is cleared.
    pub fn decided(
        &self,
        decision: &Decision,
        actor: &str,
        now: Timestamp,
    ) -> Result<StoredAlert, Error> {
        if self.status == AlertStatus::Cleared {
            let hint = ": what it was about has gone";
            let to = decision.status.into_str();
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
        Ok(decided)
    }
}

/// One hash of all compared fields: the first 8 bytes of SHA-256 over names and values.
#[expect(clippy::expect_used, reason = "the length of a digest is fixed")]
pub fn fingerprint(compared: &BTreeMap<ComparedField, String>) -> u64 {
    let mut hash = Sha256::new();
    for (field, value) in compared {
        hash.update(field.into_str());
        hash.update([0]);
        hash.update(value);
        hash.update([0]);
    }
    let digest = hash.finalize();
    let first = digest.first_chunk().expect("SHA-256 has 8 bytes because it has 32");
    u64::from_le_bytes(*first)
}

/// The body of `PATCH /customers/{id}/alerts/{alert_id}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// `confirmed`, `false_positive`, or `open` to reopen.
    #[cfg_attr(feature = "openapi", schema(schema_with = decided))]
    pub status: AlertStatus,
    pub note: Option<Note>,
}

/// What a person can say: `cleared` is what a list says.
#[cfg(feature = "openapi")]
fn decided() -> impl Into<utoipa::openapi::RefOr<utoipa::openapi::Schema>> {
    let text = super::schema::text().enum_values(Some(["open", "confirmed", "false_positive"]));
    text.description(Some("`confirmed`, `false_positive`, or `open` to reopen."))
}

impl Decision {
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

/// The fields only the server sets.
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
    "first_seen_at",
    "last_seen_at",
    "resolved_by",
    "resolved_at",
    "cleared_because",
    "changes",
];
