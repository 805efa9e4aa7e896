//! Types for KYC sessions. A session is one run of a customer through a verification workflow, with
//! the validations and the outcome of that run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;
use strum::{AsRefStr, EnumString, VariantNames};

use super::fields::{Fields, Repeated};
use super::id::{CustomerId, SessionId};
use super::profile::{EntityType, MAX_METADATA};
use super::time::Timestamp;
use super::value::{
    ClientId, Issue, MetadataKey, MetadataValue, Name, TenantId, WorkflowId, one_of, whole,
};
use super::version;
use crate::error::{Error, Faults};

/// Maximum number of validations of a session.
pub const MAX_VALIDATIONS: usize = 100;
/// Maximum time until a session expires, in days.
pub const MAX_TTL_DAYS: u64 = 90;
/// Default time until a session expires, in days.
pub const DEFAULT_TTL_DAYS: u64 = 7;

/// Maximum time by which a caller's clock may be ahead of the service's clock: 5 minutes, in
/// milliseconds.
const CLOCK_SKEW_MILLIS: i64 = 5 * 60 * 1_000;
/// Number of milliseconds in a day.
const DAY_MILLIS: i64 = 24 * 3_600 * 1_000;

/// Status of a session.
///
/// - `active`: the customer has not completed the workflow.
/// - `completed`: the customer has completed the workflow, and there is no outcome yet.
/// - `approved`, `rejected`: the session has this outcome, which is final.
/// - `manual_review`: a person has to decide between `approved` and `rejected`.
/// - `expired`: the session was not completed before `expires_at`. This status is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SessionStatus {
    /// Created, and not completed yet.
    Active,
    /// Completed by the customer, without an outcome.
    Completed,
    /// Approved. This status is final.
    Approved,
    /// Rejected. This status is final.
    Rejected,
    /// A person has to decide.
    ManualReview,
    /// Not completed before `expires_at`. This status is final.
    Expired,
}

/// Decision of a session, which follows from the status: `approved`, `rejected`, or `flagged` for
/// `manual_review`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FinalDecision {
    /// Decision of the status `approved`.
    Approved,
    /// Decision of the status `rejected`.
    Rejected,
    /// Decision of the status `manual_review`.
    Flagged,
}

/// Subject of a validation.
///
/// - `watchlists`: sanctions lists and other watchlists.
/// - `adverse_media`: negative news.
/// - `face_match`: comparison of a face with the photo of a document.
/// - `document`: identity document.
/// - `liveness`: presence of a live person.
/// - `crypto`: crypto-assets, for example a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ValidationKind {
    /// Sanctions lists and other watchlists.
    Watchlists,
    /// Negative news.
    AdverseMedia,
    /// Comparison of a face with the photo of a document.
    FaceMatch,
    /// Identity document.
    Document,
    /// Presence of a live person.
    Liveness,
    /// Crypto-assets, for example a wallet.
    Crypto,
}

/// Result of a validation. `review` means that a person has to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ValidationResult {
    /// The check passed.
    Passed,
    /// The check failed.
    Failed,
    /// A person has to decide.
    Review,
}

/// One check within a session, such as a document check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Validation {
    /// Subject of the check.
    pub kind: ValidationKind,
    /// Result of the check.
    pub result: ValidationResult,
    /// Score that the provider of the check gave, 0 to 100, rounded to 6 decimals. The provider
    /// defines the meaning of the score.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub score: Option<f64>,
    /// Time of the check, at most 5 minutes in the future. The default is the time of the request.
    pub at: Timestamp,
}

/// A KYC session of a customer, as the API returns it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// Id of the session.
    pub session_id: SessionId,
    /// Id of the customer that the session belongs to.
    pub customer_id: CustomerId,
    /// The `client_id` that the customer had when the session was created, or `null` if the
    /// customer had none or was erased.
    pub client_id: Option<ClientId>,
    /// Id of the tenant that the session belongs to.
    pub tenant_id: TenantId,
    /// Id of the verification workflow.
    pub workflow_id: Option<WorkflowId>,
    /// Current status.
    pub status: SessionStatus,
    /// Decision, or `null` while the session has no outcome.
    pub final_decision: Option<FinalDecision>,
    /// Validations in the order in which they were added, at most 100.
    pub validations: Vec<Validation>,
    /// Data of the tenant: at most 50 keys of 1 to 40 characters, with values of at most 500
    /// characters.
    #[cfg_attr(feature = "openapi", schema(schema_with = super::profile::schema::metadata))]
    pub metadata: BTreeMap<MetadataKey, MetadataValue>,
    /// Version: 1 at first, and one more with every change and when the session expires. The `ETag`
    /// is the version in quotes.
    #[serde(default = "version::first")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub version: u64,
    /// Time at which the session expires, unless it was completed before.
    pub expires_at: Timestamp,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the latest change.
    pub updated_at: Timestamp,
    /// Time at which the session was completed, or `null` if it was not completed.
    pub completed_at: Option<Timestamp>,
}

/// Fields that only the server sets. They must not be given when a session is created.
pub const READ_ONLY: &[&str] = &[
    "session_id",
    "tenant_id",
    "version",
    "expires_at",
    "created_at",
    "updated_at",
    "completed_at",
];

/// Fields that a patch may repeat with their current values: the fields in [`READ_ONLY`], and the
/// fields that are set only at creation.
pub const FIXED: &[&str] = &[
    "session_id",
    "customer_id",
    "client_id",
    "tenant_id",
    "workflow_id",
    "metadata",
    "version",
    "expires_at",
    "created_at",
    "updated_at",
    "completed_at",
];

/// Body of `POST /kyc/sessions`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewSession {
    /// Id of the customer. Required unless `client_id` is given. If both are given, they must
    /// belong to the same customer.
    pub customer_id: Option<CustomerId>,
    /// The tenant's own id of the customer. If no customer has this id, the request creates the
    /// customer.
    pub client_id: Option<ClientId>,
    /// Id of the verification workflow.
    pub workflow_id: Option<WorkflowId>,
    /// Time until the session expires, in days: 1 to 90, 7 by default.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 90, default = 7))]
    pub ttl_days: u64,
    /// Data of the tenant: at most 50 keys of 1 to 40 characters, with values of at most 500
    /// characters.
    #[cfg_attr(feature = "openapi", schema(schema_with = super::profile::schema::metadata))]
    pub metadata: BTreeMap<MetadataKey, MetadataValue>,
    /// Name of the customer if this request creates it. The default is the `client_id`.
    pub name: Option<Name>,
    /// Entity type of the customer if this request creates it. The default is `company`.
    pub entity_type: EntityType,
}

impl NewSession {
    /// Reads the fields and records every fault. Returns `None` only if it recorded one.
    pub fn read(fields: &mut Fields<'_>) -> Option<NewSession> {
        if !fields.gives("customer_id") && !fields.gives("client_id") {
            fields.fault("customer_id", "is required unless client_id is given");
        }
        let customer_id = fields.text("customer_id", |text| {
            CustomerId::parse(text)
                .ok_or_else(|| "must be a customer id as returned by the API".to_owned())
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

/// Body of `PATCH /kyc/sessions/{session_id}`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionPatch {
    /// New status. If it is not given, the status stays.
    pub status: Option<SessionStatus>,
    /// Decision. It must match the status after the patch. If it is not given, it follows from the
    /// status.
    pub final_decision: Option<FinalDecision>,
    /// Validations to add. A validation that equals an existing one, including `at`, is not added
    /// again, so that a request can be repeated.
    #[cfg_attr(feature = "openapi", schema(schema_with = schema::new_validations))]
    pub validations: Vec<Validation>,
    /// Fields that the caller has read and sends back.
    #[cfg_attr(feature = "openapi", schema(ignore))]
    repeated: Repeated,
}

impl SessionPatch {
    /// Reads the fields and records every fault. If a fault was recorded, the result is incomplete.
    /// A caller that `may_read` may repeat the fields that cannot change.
    pub fn read(mut fields: Fields<'_>, may_read: bool, now: Timestamp) -> SessionPatch {
        let status = fields.text("status", one_of::<SessionStatus>);
        let final_decision = fields.text("final_decision", one_of::<FinalDecision>);
        let validations = fields
            .objects("validations", MAX_VALIDATIONS, |_, fields| Validation::read(fields, now));
        let repeated = fields.repeated(FIXED, may_read);
        SessionPatch { status, final_decision, validations, repeated }
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

/// Reads a score from 0 to 100 and rounds it to 6 decimals. Without rounding, a number close to 0
/// could be too small for DynamoDB.
fn score(number: &Number) -> Result<f64, Issue> {
    let score = number.as_f64().filter(|score| (0.0..=100.0).contains(score));
    score
        .map(|score| (score * 1e6).round() / 1e6)
        .ok_or_else(|| "must be a number from 0 to 100".to_owned())
}

/// The fields of a customer that a new session copies.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// The `client_id` of the customer, if it has one.
    pub client_id: Option<ClientId>,
    /// Id of the tenant that the customer belongs to.
    pub tenant_id: TenantId,
}

impl Session {
    /// Creates the active session that a request asks for. The time of creation is the time in
    /// `session_id`.
    pub fn new(session_id: SessionId, owner: Owner, request: &NewSession) -> Session {
        let created_at = session_id.created_at();
        let ttl = i64::try_from(request.ttl_days).unwrap_or(i64::MAX).saturating_mul(DAY_MILLIS);
        Session {
            session_id,
            customer_id: owner.customer_id,
            client_id: owner.client_id,
            tenant_id: owner.tenant_id,
            workflow_id: request.workflow_id.clone(),
            status: SessionStatus::Active,
            final_decision: None,
            validations: Vec::new(),
            metadata: request.metadata.clone(),
            version: 1,
            expires_at: Timestamp::from_millis(created_at.millis().saturating_add(ttl)),
            created_at,
            updated_at: created_at,
            completed_at: None,
        }
    }

    /// Returns the session with the status that it has at `now`. The stored status does not change
    /// when a session expires. The expiry counts as a version, so that a reader notices it.
    pub fn settled(mut self, now: Timestamp) -> Session {
        if self.status == SessionStatus::Active && self.expires_at <= now {
            self.status = SessionStatus::Expired;
            self.version += 1;
        }
        self
    }

    /// Returns the session after the patch. The result equals the session, including its version,
    /// if the patch contains no new status and no new validation.
    ///
    /// # Errors
    /// `InvalidTransition` if the session cannot change to the status, or has a final status and
    /// gets new validations. `ValidationError` if a repeated field does not have its current value,
    /// if the decision does not match the status, or if the session would have more than 100
    /// validations.
    pub fn patched(&self, patch: &SessionPatch, now: Timestamp) -> Result<Session, Error> {
        let mut faults = Faults::default();
        patch.repeated.check(self, &mut faults)?;
        let to = patch.status.unwrap_or(self.status);
        if faults.is_empty() {
            self.status.check_move(to)?;
        }
        if let Some(decision) = patch.final_decision.filter(|given| to.decision() != Some(*given)) {
            let required = decision.status();
            let (required, status) = (required.as_ref(), to.as_ref());
            let issue = format!("must match the status: it requires {required}, not {status}");
            faults.add("/final_decision", issue);
        }
        let mut validations = self.validations.clone();
        for validation in &patch.validations {
            if !validations.contains(validation) {
                validations.push(validation.clone());
            }
        }
        if validations.len() > MAX_VALIDATIONS {
            let issue =
                format!("must not bring the session to more than {MAX_VALIDATIONS} validations");
            faults.add("/validations", issue);
        }
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let has_new_validations = validations.len() > self.validations.len();
        if has_new_validations && self.status.is_final() {
            return Err(Error::session_is_final(self.status.as_ref()));
        }
        if to == self.status && !has_new_validations {
            return Ok(self.clone());
        }
        let is_completed_now = to == SessionStatus::Completed && self.completed_at.is_none();
        Ok(Session {
            status: to,
            final_decision: to.decision(),
            validations,
            version: self.version + 1,
            updated_at: now.max(Timestamp::from_millis(self.updated_at.millis() + 1)),
            completed_at: if is_completed_now { Some(now) } else { self.completed_at },
            ..self.clone()
        })
    }
}

impl SessionStatus {
    /// Returns whether the status is final: approved, rejected or expired. Such a session cannot
    /// change.
    fn is_final(self) -> bool {
        matches!(self, SessionStatus::Approved | SessionStatus::Rejected | SessionStatus::Expired)
    }

    /// Returns whether the status is an outcome: approved, rejected or in manual review.
    pub fn is_outcome(self) -> bool {
        self.decision().is_some()
    }

    /// Returns the decision that belongs to the status, or `None` if the status is not an outcome.
    fn decision(self) -> Option<FinalDecision> {
        match self {
            SessionStatus::Approved => Some(FinalDecision::Approved),
            SessionStatus::Rejected => Some(FinalDecision::Rejected),
            SessionStatus::ManualReview => Some(FinalDecision::Flagged),
            SessionStatus::Active | SessionStatus::Completed | SessionStatus::Expired => None,
        }
    }

    /// Checks that the status can change to `to`. An unchanged status is allowed.
    fn check_move(self, to: SessionStatus) -> Result<(), Error> {
        use SessionStatus::{Active, Approved, Completed, ManualReview, Rejected};
        let hint = match (self, to) {
            (Active, Completed)
            | (Completed, Approved | Rejected | ManualReview)
            | (ManualReview, Approved | Rejected) => return Ok(()),
            (from, to) if from == to => return Ok(()),
            (Active, Approved | Rejected | ManualReview) => "; set it to completed first",
            _ => "",
        };
        Err(Error::invalid_transition("session", self.as_ref(), to.as_ref(), hint))
    }
}

impl FinalDecision {
    /// Returns the status that the decision belongs to.
    fn status(self) -> SessionStatus {
        match self {
            FinalDecision::Approved => SessionStatus::Approved,
            FinalDecision::Rejected => SessionStatus::Rejected,
            FinalDecision::Flagged => SessionStatus::ManualReview,
        }
    }
}

/// OpenAPI schema that cannot be derived from a type.
#[cfg(feature = "openapi")]
pub mod schema {
    use utoipa::PartialSchema;
    use utoipa::openapi::schema::ArrayBuilder;
    use utoipa::openapi::{RefOr, Schema};

    use super::{MAX_VALIDATIONS, Validation};
    use crate::model::schema::{closed, nullable};

    /// Returns the schema of `validations` in a patch.
    pub fn new_validations() -> RefOr<Schema> {
        let mut validation = Validation::schema();
        if let RefOr::T(Schema::Object(object)) = &mut validation {
            object.required = ["kind", "result"].map(str::to_owned).into();
            if let Some(at) = object.properties.get_mut("at") {
                *at = nullable(at.clone());
            }
        }
        let description = "Validations to add to those of the session, which can have at most 100. \
                           A validation that equals an existing one, including `at`, is not added \
                           again.";
        let all = ArrayBuilder::new().items(closed(validation)).max_items(Some(MAX_VALIDATIONS));
        all.description(Some(description)).into()
    }
}
