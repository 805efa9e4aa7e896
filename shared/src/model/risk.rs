//! Types for risk profiles and the reasons for them.
//!
//! A stored profile can be older than the current version of the risk model, and is returned as it
//! was stored. Fields that were added later are empty. Codes and categories that were removed later
//! stay.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{AsRefStr, EnumString, VariantNames};

use super::customer::RiskLevel;
use super::id::CustomerId;
use super::time::Timestamp;

/// The event that caused the calculation of a risk profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(AsRefStr, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Trigger {
    /// A caller requested the calculation.
    Requested,
    /// A session received an outcome or a validation.
    Session,
    /// The organization was replaced.
    Organization,
    /// The open or confirmed alerts changed.
    Monitoring,
    /// A scored field of the customer changed.
    CustomerChanged,
}

/// The risk of a customer at one point in time, with the reasons for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskProfile {
    /// Id of the customer.
    pub customer_id: CustomerId,
    /// Score from 0 (lowest risk) to 100, or `null` if the level is `not_set`.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub score: Option<u8>,
    /// Level that results from the score and the hard rules.
    #[serde(default = "not_set")]
    pub level: RiskLevel,
    /// Level of the customer before this calculation, or `null` if no profile has been calculated.
    pub previous_level: Option<RiskLevel>,
    /// All factors of the model, including those with 0 points.
    #[serde(default)]
    pub factors: Vec<Factor>,
    /// The hard rules that apply, sorted by level, highest first.
    #[serde(default)]
    pub hard_rules: Vec<HardRule>,
    /// Version of the risk model, or `null` if no profile has been calculated.
    pub model_version: Option<String>,
    /// Event that caused the calculation, or `null` if no profile has been calculated.
    pub trigger: Option<Trigger>,
    /// Time of the calculation, or `null` if no profile has been calculated.
    pub calculated_at: Option<Timestamp>,
    /// Time at which a person should review the customer, or `null` if the level is `not_set`. The
    /// interval until the review depends on the level.
    pub next_review_at: Option<Timestamp>,
}

impl RiskProfile {
    /// Returns the profile of a customer whose risk has not been calculated.
    pub fn not_set(customer_id: CustomerId) -> RiskProfile {
        RiskProfile {
            customer_id,
            score: None,
            level: RiskLevel::NotSet,
            previous_level: None,
            factors: Vec::new(),
            hard_rules: Vec::new(),
            model_version: None,
            trigger: None,
            calculated_at: None,
            next_review_at: None,
        }
    }
}

/// Subject of a factor: `geography`, `entity`, `ownership`, `sessions` or `screening`. A stored
/// profile can contain a category of another model version, so other values are possible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "geography"))]
pub struct Category(Cow<'static, str>);

impl Category {
    /// Countries of the customer and of related parties.
    pub const GEOGRAPHY: Category = Category(Cow::Borrowed("geography"));
    /// Properties of the customer itself, such as its industry.
    pub const ENTITY: Category = Category(Cow::Borrowed("entity"));
    /// The ownership structure.
    pub const OWNERSHIP: Category = Category(Cow::Borrowed("ownership"));
    /// The outcomes of KYC sessions.
    pub const SESSIONS: Category = Category(Cow::Borrowed("sessions"));
    /// Matches with watchlists and adverse media.
    pub const SCREENING: Category = Category(Cow::Borrowed("screening"));

    /// Returns the name of the category.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A factor of the risk model and the points that it gave, which can be 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Factor {
    /// Code of the factor.
    pub code: String,
    /// Subject of the factor.
    pub category: Category,
    /// Measured value, or `null` if it is unknown or does not apply to this customer.
    pub value: Value,
    /// Maximum number of points of the factor, 0 to 100.
    #[cfg_attr(feature = "openapi", schema(maximum = 100))]
    pub weight: u8,
    /// Number of points that the factor gave, 0 to `weight`. The score is the sum over all factors.
    #[cfg_attr(feature = "openapi", schema(maximum = 100))]
    pub points: u8,
    /// Reason in one sentence, without personal data.
    pub reason: String,
    /// Records that the factor is based on: at most 25, the newest or worst ones. `value` contains
    /// the total number of records.
    pub evidence: Vec<Evidence>,
}

/// A record that a factor or a hard rule is based on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// Type of the record: `customer`, `party`, `session`, `alert`, `organization`, `country_list`
    /// or `industry_list`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the record. The id of an organization is `customer_id@version`, and the id of a
    /// country list is `list@date`.
    pub id: String,
}

/// A rule that raises the level to a minimum, regardless of the score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HardRule {
    /// Code of the rule.
    #[serde(default)]
    pub code: String,
    /// Level that the customer has at least while the rule applies.
    #[serde(default = "not_set")]
    pub level: RiskLevel,
    /// Reason in one sentence, without personal data.
    #[serde(default)]
    pub reason: String,
    /// Records that the rule is based on: at most 25, the newest or worst ones.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// Returns the level of a stored profile or hard rule that contains no level.
fn not_set() -> RiskLevel {
    RiskLevel::NotSet
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_factor_of_another_model_version_is_read_and_returned_unchanged() {
        let old =
            json!({ "code": "shoe_size", "category": "astrology", "points": 3, "hue": "blue" });
        let factor: Factor = serde_json::from_value(old).unwrap();
        assert_eq!((factor.category.as_str(), factor.points, factor.weight), ("astrology", 3, 0));
        assert_eq!((&factor.value, factor.evidence.len()), (&Value::Null, 0));
        assert_eq!(serde_json::to_value(&factor).unwrap()["category"], "astrology");
        let rule: HardRule =
            serde_json::from_value(json!({ "code": "gone", "level": "high" })).unwrap();
        assert_eq!((rule.level, rule.evidence.len()), (RiskLevel::High, 0));
        assert!(serde_json::from_value::<HardRule>(json!({})).is_ok());
    }

    #[test]
    fn evidence_is_serialized_with_its_type() {
        let evidence = Evidence { kind: "session".to_owned(), id: "s1".to_owned() };
        assert_eq!(
            serde_json::to_value(evidence).unwrap(),
            json!({ "type": "session", "id": "s1" })
        );
    }
}
