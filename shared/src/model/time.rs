//! Types for times and dates, in the forms that the API reads and writes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// Time in UTC with milliseconds, in RFC 3339 format: `2026-11-22T10:30:00.000Z`. A time with
/// another offset is accepted and converted to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

impl Timestamp {
    /// Makes a timestamp from milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// Returns the milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Returns the date in UTC, or `None` if the year is outside the range of [`Date`].
    pub fn date(self) -> Option<Date> {
        OffsetDateTime::from_unix_timestamp(self.seconds()).ok().map(OffsetDateTime::date)
    }

    /// Parses an RFC 3339 time with any offset. Digits beyond milliseconds are cut off. Returns
    /// `None` for any other text.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let nanos = parse_nanos(text)?;
        i64::try_from(nanos.div_euclid(1_000_000)).ok().map(Timestamp)
    }
}

/// Parses an RFC 3339 time with any offset and precision, and returns nanoseconds since 1970.
/// Returns `None` for any other text.
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

/// Source of the current time, with a timer for durations. Tests use a fixed time instead of the
/// system's clock.
#[derive(Clone)]
pub struct Clock {
    read: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    timer: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// Makes a clock that reads the system's time.
    pub fn system() -> Clock {
        Clock::new(|| {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
        })
    }

    /// Makes a clock that calls `read` for the current time. Its timer is the system's monotonic
    /// clock.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
        let start = Instant::now();
        Clock { read: Arc::new(read), timer: Arc::new(move || start.elapsed()) }
    }

    /// Replaces the timer. `timer` must never return less than before.
    pub fn with_timer(self, timer: impl Fn() -> Duration + Send + Sync + 'static) -> Clock {
        Clock { timer: Arc::new(timer), ..self }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        (self.read)()
    }

    /// Returns the time since a fixed moment, for measuring how long work takes. Unlike
    /// [`Clock::now`], it never jumps when the time of the system is corrected.
    pub fn timer(&self) -> Duration {
        (self.timer)()
    }
}

/// Parses a calendar date in the form `YYYY-MM-DD`, from year 1. Returns `None` for any other text.
pub fn parse_date(text: &str) -> Option<Date> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    (text.len() == 10 && date.year() > 0).then_some(date)
}

/// Formats a date as `YYYY-MM-DD`.
pub fn format_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_formatted_in_utc_with_milliseconds() {
        let time = Timestamp::parse("2026-11-22T11:30:00.0019+01:00").unwrap();
        assert_eq!(time.to_string(), "2026-11-22T10:30:00.001Z");
    }

    #[test]
    fn dates_are_accepted_in_one_form_only() {
        for bad in
            ["2026-2-03", "2026-02-30", "20260203", "+2026-02-03", "-001-02-03", "0000-01-01"]
        {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_time_reads_back(millis in 0..4_102_444_800_000i64) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn a_formatted_date_reads_back(day in 1..3_000_000i32) {
            let date = Date::from_julian_day(1_721_426 + day % 3_600_000).unwrap();
            prop_assert_eq!(parse_date(&format_date(date)), Some(date));
        }
    }
}
