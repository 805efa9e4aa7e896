//! Calculates the times at which a schedule runs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Failure;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;
const WEEK: u64 = 7 * DAY;
/// Names of the days of the week, from the day of 1970-01-01.
const WEEKDAYS: [&str; 7] = ["THU", "FRI", "SAT", "SUN", "MON", "TUE", "WED"];

/// The times of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Runs at this interval, counted from the start of the server.
    Every(Duration),
    /// Runs once a day, or once a week.
    At {
        /// Days after Thursday, from 0 to 6, because 1970-01-01 was a Thursday. `None` is every day.
        weekday: Option<u64>,
        /// Minutes after midnight UTC.
        minute: u64,
    },
}

impl Timing {
    /// Parses an expression of EventBridge Scheduler: a rate such as `rate(5 minutes)`, a daily time
    /// such as `cron(30 2 * * ? *)`, or a weekly time such as `cron(30 2 ? * SUN *)`.
    ///
    /// # Errors
    /// Fails for every other expression, such as a cron expression with a day of the month.
    pub(crate) fn parse(expression: &str) -> Result<Timing, Failure> {
        Timing::rate(expression)
            .or_else(|| Timing::cron(expression))
            .ok_or_else(|| format!("the schedule {expression} is not supported"))
    }

    fn rate(expression: &str) -> Option<Timing> {
        let interval = expression.strip_prefix("rate(")?.strip_suffix(')')?;
        humantime::parse_duration(interval).ok().map(Timing::Every)
    }

    fn cron(expression: &str) -> Option<Timing> {
        let fields = expression.strip_prefix("cron(")?.strip_suffix(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [minute, hour, day, "*", weekday, "*"] = fields.as_slice() else { return None };
        let minute: u64 = minute.parse().ok().filter(|minute| *minute < 60)?;
        let hour: u64 = hour.parse().ok().filter(|hour| *hour < 24)?;
        let weekday = match (*day, *weekday) {
            ("*", "?") | ("?", "*") => None,
            ("?", name) => Some(WEEKDAYS.iter().position(|day| *day == name)? as u64),
            _ => return None,
        };
        Some(Timing::At { weekday, minute: hour * 60 + minute })
    }

    /// Returns the time from `now` until the next run.
    pub(crate) fn until_next(self, now: SystemTime) -> Duration {
        let (offset, period) = match self {
            Timing::Every(interval) => return interval,
            Timing::At { weekday: None, minute } => (minute * MINUTE, DAY),
            Timing::At { weekday: Some(day), minute } => (day * DAY + minute * MINUTE, WEEK),
        };
        let period = Duration::from_secs(period);
        let elapsed = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let elapsed = elapsed.saturating_sub(u128::from(offset) * 1_000_000_000);
        // The remainder is less than a week, so its nanoseconds fit into 64 bits.
        let since_last = u64::try_from(elapsed % period.as_nanos()).unwrap_or_default();
        period - Duration::from_nanos(since_last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn next(expression: &str, seconds: u64) -> u64 {
        let timing = Timing::parse(expression).unwrap();
        seconds + timing.until_next(at(seconds)).as_secs()
    }

    #[test]
    fn a_daily_time_is_the_next_one_in_utc() {
        // 2026-11-29 is a Sunday. It starts at this number of seconds after 1970.
        let midnight = 1_795_910_400;
        let half_past_two = midnight + (2 * 60 + 30) * 60;
        assert_eq!(next("cron(30 2 * * ? *)", midnight), half_past_two);
        assert_eq!(next("cron(30 2 ? * * *)", half_past_two - 1), half_past_two);
        assert_eq!(next("cron(30 2 * * ? *)", half_past_two), half_past_two + DAY);
        assert_eq!(next("cron(30 2 ? * SUN *)", midnight), half_past_two);
        assert_eq!(next("cron(30 2 ? * SAT *)", midnight), half_past_two + 6 * DAY);
        assert_eq!(next("cron(30 2 ? * SUN *)", half_past_two), half_past_two + WEEK);
    }

    #[test]
    fn a_rate_is_an_interval() {
        assert_eq!(Timing::parse("rate(5 minutes)"), Ok(Timing::Every(Duration::from_secs(300))));
        assert_eq!(next("rate(1 hour)", 17), 3_617);
    }

    #[test]
    fn other_expressions_are_not_supported() {
        for expression in [
            "5 minutes",
            "rate(soon)",
            "cron(30 2 1 * ? *)",
            "cron(60 2 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0/5 * * * ? *)",
            "cron(30 2 ? * SUNDAY *)",
            "cron(30 2 * * ?)",
            "at(2026-11-29T00:00:00)",
        ] {
            assert!(Timing::parse(expression).is_err(), "{expression}");
        }
    }
}
