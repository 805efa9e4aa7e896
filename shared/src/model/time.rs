//! Instants and dates as the API writes them.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// An instant in milliseconds, written as RFC 3339 UTC: `2026-11-22T10:30:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    pub fn date(self) -> Option<Date> {
        OffsetDateTime::from_unix_timestamp(self.seconds()).ok().map(OffsetDateTime::date)
    }

    pub fn parse(text: &str) -> Option<Timestamp> {
        let nanos = parse_nanos(text)?;
        i64::try_from(nanos.div_euclid(1_000_000)).ok().map(Timestamp)
    }
}

/// An instant of any offset and precision, in nanoseconds since 1970.
pub fn parse_nanos(text: &str) -> Option<i128> {
    Some(OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos())
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000);
        let text = time.ok().and_then(|time| time.format(&layout).ok()).ok_or(fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        Timestamp::parse(&text).ok_or_else(|| de::Error::custom("not an RFC 3339 time"))
    }
}

/// Where the time comes from; a test can hold it still.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub fn system() -> Clock {
        Clock::new(|| {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
        })
    }

    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(read))
    }

    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// A calendar date, `YYYY-MM-DD`, from year 1 on.
pub fn parse_date(text: &str) -> Option<Date> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    (text.len() == 10 && date.year() > 0).then_some(date)
}

pub fn format_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        let time = Timestamp::parse("2026-11-22T11:30:00.0019+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-22T10:30:00.001Z");
    }

    #[test]
    fn dates_have_one_form() {
        for bad in
            ["2026-2-03", "2026-02-30", "20260203", "+2026-02-03", "-001-02-03", "0000-01-01"]
        {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_time_reads_back(millis in 0..4_102_444_800_000i64) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn a_date_reads_back(day in 1..3_000_000i32) {
            let date = Date::from_julian_day(1_721_426 + day % 3_600_000).unwrap();
            prop_assert_eq!(parse_date(&format_date(date)), Some(date));
        }
    }
}
