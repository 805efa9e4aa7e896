//! Percentages that callers declare, exact to 4 decimals.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Number;

use super::value::Issue;

/// A percentage from 0 to 100 with at most 4 decimals, stored in units of 0.0001 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percentage(u32);

/// Units in 1 %.
const UNITS: f64 = 10_000.0;
/// Units in 100 %.
const ALL: u32 = 1_000_000;

impl Percentage {
    /// Reads a percentage from a JSON body.
    ///
    /// # Errors
    /// Returns the rule if the number is not from 0 to 100 or has more than 4 decimals.
    pub fn parse(number: &Number) -> Result<Percentage, Issue> {
        let issue = "must be a number from 0 to 100 with at most 4 decimals";
        number.as_f64().and_then(Percentage::of).ok_or_else(|| issue.to_owned())
    }

    fn of(value: f64) -> Option<Percentage> {
        // A double represents most decimal fractions only approximately, so the product may differ
        // slightly from a whole number.
        let units = (value * UNITS).round();
        let is_whole = (value * UNITS - units).abs() < 1e-6;
        let fits = (0.0..=100.0).contains(&value) && is_whole;
        fits.then_some(Percentage(units as u32))
    }

    /// Returns the percentage in units of 0.0001 %. Sums of these units are exact.
    pub fn units(self) -> u32 {
        self.0
    }

    /// Returns the percentage as a fraction from 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / f64::from(ALL)
    }

    /// Returns the percentage as a number from 0 to 100.
    pub fn value(self) -> f64 {
        f64::from(self.0) / UNITS
    }
}

impl Serialize for Percentage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Percentage, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Percentage::of(value).ok_or_else(|| de::Error::custom("not a percentage"))
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Percentage {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        let number = ObjectBuilder::new().schema_type(Type::Number);
        let description = "Percentage from 0 to 100 with at most 4 decimals.";
        number.minimum(Some(0)).maximum(Some(100)).description(Some(description)).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Percentage {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_decimals_are_accepted_and_more_are_refused() {
        for (value, units) in [(0.0, 0), (100.0, ALL), (33.3333, 333_333), (0.0001, 1)] {
            assert_eq!(Percentage::of(value), Some(Percentage(units)));
        }
        for bad in [-0.0001, 100.0001, 33.33333, 0.00001, f64::NAN, f64::INFINITY] {
            assert_eq!(Percentage::of(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_serialized_percentage_reads_back(units in 0..=ALL) {
            let json = serde_json::to_string(&Percentage(units)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Percentage>(&json).unwrap(), Percentage(units));
        }
    }
}
