//! A KYC session: one run of a customer through a verification flow, and what came of it.

use super::value::one_of;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::customer::Customer;
use super::fields::Fields;
use super::id::{CustomerId, SessionId};
use super::profile::{EntityType, MAX_METADATA};
use super::time::Timestamp;
use super::value::{
    ClientId, Issue, MetadataKey, MetadataValue, Name, TenantId, WorkflowId, whole,
};
use crate::error::{Error, Faults};

pub const MAX_VALIDATIONS: usize = 100;
pub const MAX_TTL_DAYS: u64 = 90;
pub const DEFAULT_TTL_DAYS: u64 = 7;

/// How far a caller's clock may be ahead of ours.
const CLOCK_SKEW_MILLIS: i64 = 5 * 60 * 1_000;
const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;

/// Where a session stands. An `active` one past its `expires_at` is `expired`.
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
pub enum SessionStatus {
    Active,
    Completed,
    Approved,
    Rejected,
    ManualReview,
    Expired,
}

/// What was decided; it goes with the status `approved`, `rejected` or `manual_review`.
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
pub enum FinalDecision {
    Approved,
    Rejected,
    Flagged,
}

/// What was checked.
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
pub enum ValidationKind {
    Watchlists,
    AdverseMedia,
    FaceMatch,
    Document,
    Liveness,
    Crypto,
}

/// What a check said.
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
pub enum ValidationResult {
    Passed,
    Failed,
    Review,
}

/// One check of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Validation {
    pub kind: ValidationKind,
    pub result: ValidationResult,
    /// 0 to 100, as the provider of the check gives it, kept to 6 decimals.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub score: Option<f64>,
    /// When it was done; the time of the request unless given.
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    pub session_id: SessionId,
    pub customer_id: CustomerId,
    /// The customer's, when the session was created.
    pub client_id: Option<ClientId>,
    pub tenant_id: TenantId,
    pub workflow_id: Option<WorkflowId>,
    pub status: SessionStatus,
    pub final_decision: Option<FinalDecision>,
    pub validations: Vec<Validation>,
    #[cfg_attr(feature = "openapi", schema(schema_with = super::profile::schema::metadata))]
    pub metadata: BTreeMap<MetadataKey, MetadataValue>,
    /// Until then the session can be completed.
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

/// The fields only the server sets, for a clear message when a caller gives one.
pub const READ_ONLY: &[&str] =
    &["session_id", "tenant_id", "expires_at", "created_at", "updated_at", "completed_at"];

/// The body of `POST /kyc/sessions`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSession {
    /// The customer, by its id here. Required unless `client_id` is given; when both are, they
    /// must be of one customer.
    pub customer_id: Option<CustomerId>,
    /// The customer, by the tenant's own id. An unknown one creates the customer.
    pub client_id: Option<ClientId>,
    pub workflow_id: Option<WorkflowId>,
    /// 1 to 90 days until the session expires, 7 unless given.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 90, default = 7))]
    pub ttl_days: u64,
    #[cfg_attr(feature = "openapi", schema(schema_with = super::profile::schema::metadata))]
    pub metadata: BTreeMap<MetadataKey, MetadataValue>,
    /// Of a customer that this request creates; its `client_id` unless given.
    pub name: Option<Name>,
    /// Of a customer that this request creates; `company` unless given.
    pub entity_type: EntityType,
}

impl NewSession {
    /// Reads the fields and records every fault. `None` only when there was one.
    pub fn read(fields: &mut Fields<'_>) -> Option<NewSession> {
        if !fields.gives("customer_id") && !fields.gives("client_id") {
            fields.fault("customer_id", "is required unless client_id is given");
        }
        let customer_id = fields.text("customer_id", |text| {
            CustomerId::parse(text).ok_or_else(|| "must be a customer's id".to_owned())
        });
        let client_id = fields.text("client_id", ClientId::parse);
        let workflow_id = fields.text("workflow_id", WorkflowId::parse);
        let ttl_days = fields.number("ttl_days", |number| whole(number, 1..=MAX_TTL_DAYS));
        let metadata =
            fields.map("metadata", MAX_METADATA, MetadataKey::parse, MetadataValue::parse);
        let name = fields.text("name", Name::parse);
        let entity_type =
            fields.text_or("entity_type", EntityType::Company, one_of::<EntityType>)?;
        let ttl_days = ttl_days.unwrap_or(DEFAULT_TTL_DAYS);
        Some(NewSession {
            customer_id,
            client_id,
            workflow_id,
            ttl_days,
            metadata,
            name,
            entity_type,
        })
    }
}

/// The body of `PATCH /kyc/sessions/{session_id}`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionPatch {
    pub status: Option<SessionStatus>,
    /// Follows from the status unless given.
    pub final_decision: Option<FinalDecision>,
    /// Added to those the session has; 100 of them at the most. One that the session has already,
    /// `at` included, is not added again, so that a request can be repeated.
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::new_validations))]
    pub validations: Vec<Validation>,
}

impl SessionPatch {
    pub fn read(fields: &mut Fields<'_>, now: Timestamp) -> SessionPatch {
        let status = fields.text("status", one_of::<SessionStatus>);
        let final_decision = fields.text("final_decision", one_of::<FinalDecision>);
        let validations = fields
            .objects("validations", MAX_VALIDATIONS, |_, fields| Validation::read(fields, now));
        SessionPatch { status, final_decision, validations }
    }
}

impl Validation {
    fn read(fields: &mut Fields<'_>, now: Timestamp) -> Option<Validation> {
        let kind = fields.required("kind", one_of::<ValidationKind>);
        let result = fields.required("result", one_of::<ValidationResult>);
        let score = fields.number("score", score);
        let at = fields.text_or("at", now, |text| {
            Timestamp::parse(text)
                .ok_or_else(|| "must be an RFC 3339 time like 2026-11-22T10:30:00Z".to_owned())
        })?;
        if at.millis() > now.millis() + CLOCK_SKEW_MILLIS {
            fields.fault("at", "must not be in the future");
        }
        Some(Validation { kind: kind?, result: result?, score, at })
    }
}

/// To 6 decimals: what is smaller than a table's number can be is nothing.
fn score(number: &Number) -> Result<f64, Issue> {
    let score = number.as_f64().filter(|score| (0.0..=100.0).contains(score));
    let score = score.map(|score| (score * 1e6).round() / 1e6);
    score.ok_or_else(|| "must be a number from 0 to 100".to_owned())
}

impl Session {
    pub fn new(session_id: SessionId, customer: &Customer, request: &NewSession) -> Session {
        let created_at = session_id.created_at();
        let ttl = i64::try_from(request.ttl_days).unwrap_or(i64::MAX).saturating_mul(DAY_MILLIS);
        Session {
            session_id,
            customer_id: customer.customer_id,
            client_id: customer.profile.client_id.clone(),
            tenant_id: customer.tenant_id.clone(),
            workflow_id: request.workflow_id.clone(),
            status: SessionStatus::Active,
            final_decision: None,
            validations: Vec::new(),
            metadata: request.metadata.clone(),
            expires_at: Timestamp::from_millis(created_at.millis().saturating_add(ttl)),
            created_at,
            updated_at: created_at,
            completed_at: None,
        }
    }

    /// As it stands at this time: nothing is written when a session expires.
    pub fn settled(mut self, now: Timestamp) -> Session {
        if self.status == SessionStatus::Active && self.expires_at <= now {
            self.status = SessionStatus::Expired;
        }
        self
    }

    /// The session after the patch; an equal one when it changes nothing.
    pub fn patched(&self, patch: &SessionPatch, now: Timestamp) -> Result<Session, Error> {
        let to = patch.status.unwrap_or(self.status);
        self.status.check_move(to)?;
        let mut faults = Faults::default();
        if let Some(decision) = patch.final_decision.filter(|given| to.decision() != Some(*given)) {
            let (status, to) = (decision.status().into_str(), to.into_str());
            faults.add("/final_decision", format!("goes with the status {status}, not with {to}"));
        }
        let mut validations = self.validations.clone();
        for validation in &patch.validations {
            if !validations.contains(validation) {
                validations.push(validation.clone());
            }
        }
        if validations.len() > MAX_VALIDATIONS {
            let most = format!("would be more than {MAX_VALIDATIONS} with those there are");
            faults.add("/validations", most);
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let added = validations.len() > self.validations.len();
        if added && self.status.is_final() {
            return Err(Error::session_is_final(self.status.into_str()));
        }
        if to == self.status && !added {
            return Ok(self.clone());
        }
        let completed = to == SessionStatus::Completed && self.completed_at.is_none();
        Ok(Session {
            status: to,
            final_decision: to.decision(),
            validations,
            updated_at: now.max(Timestamp::from_millis(self.updated_at.millis() + 1)),
            completed_at: if completed { Some(now) } else { self.completed_at },
            ..self.clone()
        })
    }
}

impl SessionStatus {
    /// Nothing changes any more.
    fn is_final(self) -> bool {
        matches!(self, SessionStatus::Approved | SessionStatus::Rejected | SessionStatus::Expired)
    }

    /// Something was decided about what the customer gave.
    pub fn is_outcome(self) -> bool {
        self.decision().is_some()
    }

    fn decision(self) -> Option<FinalDecision> {
        match self {
            SessionStatus::Approved => Some(FinalDecision::Approved),
            SessionStatus::Rejected => Some(FinalDecision::Rejected),
            SessionStatus::ManualReview => Some(FinalDecision::Flagged),
            SessionStatus::Active | SessionStatus::Completed | SessionStatus::Expired => None,
        }
    }

    fn check_move(self, to: SessionStatus) -> Result<(), Error> {
        use SessionStatus::{Active, Approved, Completed, ManualReview, Rejected};
        let hint = match (self, to) {
            (Active, Completed)
            | (Completed, Approved | Rejected | ManualReview)
            | (ManualReview, Approved | Rejected) => return Ok(()),
            (from, to) if from == to => return Ok(()),
            (Active, Approved | Rejected | ManualReview) => ": complete it first",
            _ => "",
        };
        Err(Error::invalid_transition("session", self.into_str(), to.into_str(), hint))
    }
}

impl FinalDecision {
    fn status(self) -> SessionStatus {
        match self {
            FinalDecision::Approved => SessionStatus::Approved,
            FinalDecision::Rejected => SessionStatus::Rejected,
            FinalDecision::Flagged => SessionStatus::ManualReview,
        }
    }
}

/// The schema that a type does not tell.
#[cfg(feature = "openapi")]
pub mod schema {
    use utoipa::PartialSchema;
    use utoipa::openapi::schema::ArrayBuilder;
    use utoipa::openapi::{RefOr, Schema};

    use super::{MAX_VALIDATIONS, Validation};
    use crate::model::schema::{closed, nullable};

    pub fn new_validations() -> RefOr<Schema> {
        let mut validation = Validation::schema();
        if let RefOr::T(Schema::Object(object)) = &mut validation {
            object.required = ["kind", "result"].map(str::to_owned).into();
            if let Some(at) = object.properties.get_mut("at") {
                *at = nullable(at.clone());
            }
        }
        let all = ArrayBuilder::new().items(closed(validation)).max_items(Some(MAX_VALIDATIONS));
        all.description(Some("Added to those the session has.")).into()
    }
}
