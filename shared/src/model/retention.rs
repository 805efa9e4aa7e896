//! Retention: how long a customer must be kept before it can be erased.

use serde::Serialize;
use time::{Date, Month};

use super::customer::{Customer, Status};
use super::time::Timestamp;
use super::value::CalendarDate;

/// Length of the retention period in years. The period begins with the deactivation of a customer
/// and ends with the same day, that many years later. With 0 years, there is no period.
///
/// A period that would end with February 29 ends with February 28 in a year without that day, as
/// Regulation (EEC, Euratom) No 1182/71, article 3(2)(c), defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RetentionYears(pub u32);

/// Reason why a customer must be retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionReason<'c> {
    /// Its `retain_until`, which is this day, has not passed.
    Hold(&'c CalendarDate),
    /// Its retention period has not begun, because its status, given here, is not `inactive`.
    NotInactive(Status),
    /// Its retention period has not ended. Contains the last day of the period.
    Period(Date),
}

impl RetentionYears {
    /// Returns the reason why a customer must be retained at `now`. Returns `None` if its retention
    /// has ended. If several reasons apply, returns a hold.
    pub fn reason(self, customer: &Customer, now: Timestamp) -> Option<RetentionReason<'_>> {
        // Times outside the range of `Date` do not occur. If they did, the customer would be kept.
        let today = now.date().unwrap_or(Date::MIN);
        if let Some(until) = &customer.profile.retain_until
            && until.date().is_none_or(|until| until >= today)
        {
            return Some(RetentionReason::Hold(until));
        }
        let Some(deactivated_at) =
            customer.deactivated_at.filter(|_| customer.status == Status::Inactive)
        else {
            return Some(RetentionReason::NotInactive(customer.status));
        };
        let last_day = self.last_day(deactivated_at.date().unwrap_or(Date::MAX))?;
        (last_day >= today).then_some(RetentionReason::Period(last_day))
    }

    /// Returns the earliest day of deactivation for which the period has not ended on `today`.
    /// Returns `None` if there is no period.
    pub fn first_retained(self, today: Date) -> Option<Date> {
        self.shift(today, -self.years(), (Month::March, 1))
    }

    /// Returns the last day of the period that begins on the day `first`. Returns `None` if there is
    /// no period.
    fn last_day(self, first: Date) -> Option<Date> {
        self.shift(first, self.years(), (Month::February, 28))
    }

    fn years(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }

    /// Returns the same day in another year. `otherwise` replaces February 29 in a year without
    /// that day.
    fn shift(self, date: Date, years: i32, (month, day): (Month, u8)) -> Option<Date> {
        if self.0 == 0 {
            return None;
        }
        let year = date.year().saturating_add(years).clamp(Date::MIN.year(), Date::MAX.year());
        date.replace_year(year).or_else(|_| Date::from_calendar_date(year, month, day)).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::{customer, edited, hour};
    use crate::model::time::parse_date;

    fn date(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn noon(day: &str) -> Timestamp {
        Timestamp::parse(&format!("{day}T12:00:00Z")).unwrap()
    }

    #[test]
    fn a_period_ends_with_the_same_day_or_with_the_last_of_february() {
        for (years, first, last) in [
            (5, "2021-11-29", "2026-11-29"),
            (5, "2020-02-29", "2025-02-28"),
            (4, "2020-02-29", "2024-02-29"),
            (1, "2025-12-31", "2026-12-31"),
            (100, "2000-03-01", "2100-03-01"),
        ] {
            assert_eq!(RetentionYears(years).last_day(date(first)), Some(date(last)), "{first}");
        }
    }

    #[test]
    fn a_customer_is_retained_until_its_period_has_ended() {
        let inactive = customer("Nora Quist").deactivated(noon("2026-11-22"));
        let reason = |years, day| RetentionYears(years).reason(&inactive, noon(day));
        let period = Some(RetentionReason::Period(date("2031-11-22")));
        assert_eq!(reason(5, "2026-11-22"), period);
        assert_eq!(reason(5, "2031-11-22"), period);
        assert_eq!(reason(5, "2031-11-23"), None);
        assert_eq!(reason(0, "2026-11-22"), None);
    }

    #[test]
    fn a_reactivated_customer_begins_a_new_period_when_it_is_deactivated_again() {
        let years = RetentionYears(5);
        let first = customer("Nora Quist").deactivated(noon("2021-01-01"));
        let profile = first.profile.clone();
        let active = first.changed(profile, Status::Active, noon("2025-01-01")).unwrap();
        let reason = years.reason(&active, noon("2026-06-01"));
        assert_eq!(reason, Some(RetentionReason::NotInactive(Status::Active)));
        let second = active.deactivated(noon("2026-05-31"));
        let reason = years.reason(&second, noon("2026-06-01"));
        assert_eq!(reason, Some(RetentionReason::Period(date("2031-05-31"))));
    }

    #[test]
    fn a_hold_comes_first_and_ends_after_its_last_day() {
        let held = edited(&customer("Nora Quist"), "retain_until", serde_json::json!("2026-01-31"));
        let none = RetentionYears(0);
        let hold = held.profile.retain_until.as_ref().map(RetentionReason::Hold);
        assert_eq!(none.reason(&held, hour(0)), hold);
        let inactive = held.deactivated(hour(1));
        assert_eq!(none.reason(&inactive, noon("2026-01-31")), hold);
        assert_eq!(none.reason(&inactive, noon("2026-02-01")), None);
    }

    proptest! {
        #[test]
        fn the_first_retained_day_divides_the_days_whose_periods_have_ended_from_the_others(
            today in 2_400_000..2_500_000i32, before in 0..40_000i32, years in 1..=100u32,
        ) {
            let years = RetentionYears(years);
            let today = Date::from_julian_day(today).unwrap();
            let first = Date::from_julian_day(today.to_julian_day() - before).unwrap();
            let has_ended = years.last_day(first).unwrap() < today;
            prop_assert_eq!(has_ended, first < years.first_retained(today).unwrap());
        }

        #[test]
        fn leap_days_divide_too(year in 1_900..2_100i32, years in 1..=100u32, day in 28..=29u8, before in -2..=2i64) {
            let years_kept = RetentionYears(years);
            let Ok(today) = Date::from_calendar_date(year, Month::February, day) else { return Ok(()) };
            let start = year - i32::try_from(years).unwrap();
            let first = Date::from_calendar_date(start, Month::February, 28).unwrap();
            let first = first.saturating_add(time::Duration::days(before));
            let has_ended = years_kept.last_day(first).unwrap() < today;
            prop_assert_eq!(has_ended, first < years_kept.first_retained(today).unwrap());
        }
    }
}
