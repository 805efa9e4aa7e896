//! Alerts: matches of a monitored customer with an entry of a list, and what a person decided.

use super::value::one_of;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::id::{AlertId, CustomerId};
use super::monitor::SubjectKind;
use super::time::Timestamp;
use super::value::Note;
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
    /// Of what was compared, field by field, a hash: to tell what changed.
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub compared: BTreeMap<String, String>,
    /// What it was when it was cleared.
    #[serde(default, skip_serializing)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub decision_before: Option<PastDecision>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastDecision {
    pub status: AlertStatus,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<Timestamp>,
}

impl Alert {
    /// Who and what was compared, in one hash: while it stays the same, so does every decision.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(&self.compared)
    }

    /// Without a change it stays equal.
    pub fn decided(
        &self,
        decision: &Decision,
        actor: &str,
        now: Timestamp,
    ) -> Result<Alert, Error> {
        if self.status == AlertStatus::Cleared {
            let hint = ": what it was about has gone";
            let to = decision.status.into_str();
            return Err(Error::invalid_transition("cleared alert", "cleared", to, hint));
        }
        let note = decision.note.clone().or_else(|| self.note.clone());
        if self.status == decision.status && self.note == note {
            return Ok(self.clone());
        }
        let is_open = decision.status == AlertStatus::Open;
        Ok(Alert {
            status: decision.status,
            note,
            resolved_by: (!is_open).then(|| actor.to_owned()),
            resolved_at: (!is_open).then_some(now),
            ..self.clone()
        })
    }
}

/// Of the fields that were compared.
pub fn fingerprint(compared: &BTreeMap<String, String>) -> u64 {
    let mut hash = Sha256::new();
    for (field, value) in compared {
        hash.update(field);
        hash.update([0]);
        hash.update(value);
        hash.update([0]);
    }
    hash.finalize().first_chunk().copied().map_or(0, u64::from_le_bytes)
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
    let text = crate::openapi::text().enum_values(Some(["open", "confirmed", "false_positive"]));
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
