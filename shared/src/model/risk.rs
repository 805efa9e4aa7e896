//! How a risk profile gives its reasons. Profiles outlive the model that made them and are
//! answered as they were written: a field that was added since reads as empty, a code or category
//! that is gone since reads as it stands.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::customer::RiskLevel;
use super::id::CustomerId;
use super::time::Timestamp;

/// What a profile was calculated for.
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
pub enum Trigger {
    Requested,
    Session,
    Organization,
    Monitoring,
    CustomerChanged,
}

/// How risky a customer is, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RiskProfile {
    pub customer_id: CustomerId,
    /// 0 to 100; `null` when the level is `not_set`.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub score: Option<u8>,
    #[serde(default = "not_set")]
    pub level: RiskLevel,
    /// The level before; `null` when there is no profile.
    pub previous_level: Option<RiskLevel>,
    #[serde(default)]
    pub factors: Vec<Factor>,
    #[serde(default)]
    pub hard_rules: Vec<HardRule>,
    pub model_version: Option<String>,
    pub trigger: Option<Trigger>,
    pub calculated_at: Option<Timestamp>,
    /// When somebody should look at the customer again, by its level.
    pub next_review_at: Option<Timestamp>,
}

impl RiskProfile {
    /// Of a customer whose risk was never calculated.
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

/// What a factor is about: `geography`, `entity`, `ownership`, `sessions` or `screening`. A text
/// and not an enumeration, so that a category of another model version is kept, not replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "geography"))]
pub struct Category(Cow<'static, str>);

impl Category {
    pub const GEOGRAPHY: Category = Category(Cow::Borrowed("geography"));
    pub const ENTITY: Category = Category(Cow::Borrowed("entity"));
    pub const OWNERSHIP: Category = Category(Cow::Borrowed("ownership"));
    pub const SESSIONS: Category = Category(Cow::Borrowed("sessions"));
    pub const SCREENING: Category = Category(Cow::Borrowed("screening"));

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One thing the model looked at, also when it gave no points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Factor {
    pub code: String,
    pub category: Category,
    /// What was found; `null` when it is unknown or does not apply to this customer.
    pub value: Value,
    /// The most points this factor can give.
    #[cfg_attr(feature = "openapi", schema(maximum = 100))]
    pub weight: u8,
    /// At most `weight`. The points of all factors add up to the score.
    #[cfg_attr(feature = "openapi", schema(maximum = 100))]
    pub points: u8,
    /// One sentence, without personal data.
    pub reason: String,
    /// The newest or worst 25; `value` tells how many there are.
    pub evidence: Vec<Evidence>,
}

/// What a factor or a rule rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evidence {
    /// `customer`, `party`, `session`, `alert`, `organization`, `country_list` or `industry_list`.
    #[serde(rename = "type")]
    pub kind: String,
    /// An organization is `customer_id@version`, a country list `list@date`.
    pub id: String,
}

/// A rule that raises the level whatever the score is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HardRule {
    #[serde(default)]
    pub code: String,
    /// The level is at least this.
    #[serde(default = "not_set")]
    pub level: RiskLevel,
    /// One sentence, without personal data.
    #[serde(default)]
    pub reason: String,
    /// The newest or worst 25.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

fn not_set() -> RiskLevel {
    RiskLevel::NotSet
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_factor_of_another_model_version_is_read_and_answered_as_written() {
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
    fn evidence_names_its_type() {
        let evidence = Evidence { kind: "session".to_owned(), id: "s1".to_owned() };
        assert_eq!(
            serde_json::to_value(evidence).unwrap(),
            json!({ "type": "session", "id": "s1" })
        );
    }
}
