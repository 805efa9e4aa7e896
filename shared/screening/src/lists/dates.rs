//! Reads dates in the forms that lists use: with varying precision, approximate, or as a range.

use std::ops::RangeInclusive;

use time::{Date, Month};

use crate::entity::ListedDate;

/// Years that a date may have. The range covers old ships and companies. A year outside this range
/// comes from another calendar or from an error in the list.
const YEARS: RangeInclusive<i16> = 1500..=2200;

/// Returns a date from its parts. A month or day of 0 is treated as unknown, and so is a day
/// without a month.
///
/// Returns `None` if the date does not exist or if the year is not between 1500 and 2200.
pub fn from_parts(year: i16, month: Option<u8>, day: Option<u8>) -> Option<ListedDate> {
    let month = month.filter(|month| *month != 0);
    let day = day.filter(|day| *day != 0 && month.is_some());
    let calendar_month = Month::try_from(month.unwrap_or(1)).ok()?;
    Date::from_calendar_date(i32::from(year), calendar_month, day.unwrap_or(1)).ok()?;
    YEARS.contains(&year).then_some(ListedDate { year, month, day, until_year: None, circa: false })
}

/// Returns the range between two dates. If both dates are in the same year, the result is not a
/// range but that year, with the month and day that the dates share. Otherwise the result is a
/// range of years.
///
/// Returns `None` if `to` is in an earlier year than `from`.
pub fn range(from: ListedDate, to: ListedDate) -> Option<ListedDate> {
    if to.year < from.year {
        return None;
    }
    let circa = from.circa || to.circa;
    if from.year != to.year {
        let until_year = Some(to.year);
        return Some(ListedDate { month: None, day: None, until_year, circa, ..from });
    }
    let month = from.month.filter(|_| from.month == to.month);
    let day = from.day.filter(|_| month.is_some() && from.day == to.day);
    Some(ListedDate { month, day, circa, ..from })
}

/// Reads a date in one of the forms that lists use, such as `07 Oct 1954`, `Oct 1954`, `1954`,
/// `1954-10-07`, `07/10/1954` (day first), `00/00/1954`, `circa 1950`, `1941 to 1943`,
/// `between 1941 and 1943` or `1941-1943`. Case does not matter.
///
/// Returns `None` if the text has another form or is not a date between 1500 and 2200.
pub fn parse(text: &str) -> Option<ListedDate> {
    let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
    for prefix in ["circa", "approximately", "approx.", "approx", "about", "c."] {
        if let Some(rest) = text.strip_prefix(prefix) {
            return Some(ListedDate { circa: true, ..parse_exact(rest.trim())? });
        }
    }
    parse_exact(&text)
}

/// Reads a date or a range without a word such as `circa` before it.
fn parse_exact(text: &str) -> Option<ListedDate> {
    let text = text.strip_prefix("between ").unwrap_or(text);
    for separator in [" to ", " and ", " - ", " – "] {
        if let Some((from, to)) = text.split_once(separator) {
            return range(parse_single(from)?, parse_single(to)?);
        }
    }
    if let Some((from, to)) = text.split_once(['-', '–'])
        && let (Some(from), Some(to)) = (parse_year(from), parse_year(to))
    {
        return range(from_parts(from, None, None)?, from_parts(to, None, None)?);
    }
    parse_single(text)
}

/// Reads a date that is not a range.
fn parse_single(text: &str) -> Option<ListedDate> {
    let text = strip_time(text).trim().trim_end_matches("00:00:00").trim();
    // A dot separates parts in `07.10.1954` but ends an abbreviation in `7 oct. 1954`.
    let separators: &[char] = if text.contains(' ') { &['/', '-'] } else { &['/', '-', '.'] };
    let separator = separators.iter().find(|separator| text.contains(**separator));
    let parts: Vec<&str> = match separator {
        // Empty parts stay, because an empty part is an unknown part, as in `//1954`.
        Some(separator) => text.split(*separator).map(str::trim).collect(),
        None => text.split([' ', ',']).filter(|part| !part.is_empty()).collect(),
    };
    match parts.as_slice() {
        [only] => from_parts(parse_year(only)?, None, None),
        [first, second] => match parse_year(first) {
            Some(year) => from_parts(year, parse_month(second)?, None),
            None => from_parts(parse_year(second)?, parse_month(first)?, None),
        },
        [first, second, third] => match parse_year(first) {
            Some(year) => from_parts(year, parse_month(second)?, parse_day(third)?),
            None if month_by_name(first).is_some() => {
                from_parts(parse_year(third)?, parse_month(first)?, parse_day(second)?)
            }
            None => from_parts(parse_year(third)?, parse_month(second)?, parse_day(first)?),
        },
        _ => None,
    }
}

/// Removes the time of day from a text such as `1954-10-07t00:00:00z`.
fn strip_time(text: &str) -> &str {
    match text.split_once('t') {
        Some((date, time))
            if date.ends_with(|c: char| c.is_ascii_digit()) && time.contains(':') =>
        {
            date
        }
        _ => text,
    }
}

fn parse_year(text: &str) -> Option<i16> {
    let text = text.trim();
    let has_four_digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if has_four_digits { text.parse().ok() } else { None }
}

/// Reads a day, or a month as a number of one or two digits. Returns `Some(None)` for a placeholder
/// that marks the part as unknown, such as `00`, `dd`, `--` or an empty text, and `None` for any
/// other text.
fn parse_day(text: &str) -> Option<Option<u8>> {
    if text.chars().all(|c| matches!(c, '-' | '0' | 'd' | 'm' | 'x' | '?')) {
        return Some(None);
    }
    let text = text.trim_end_matches(['.', ',']);
    let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|end| text.strip_suffix(end));
    let number = ordinal.unwrap_or(text);
    let is_number =
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { number.parse().ok().map(Some) } else { None }
}

/// Reads a month as a name or number. Returns `Some(None)` for a placeholder, and `None` for any
/// other text.
fn parse_month(text: &str) -> Option<Option<u8>> {
    match month_by_name(text) {
        Some(month) => Some(Some(month)),
        None => parse_day(text),
    }
}

/// Returns the number of a month, from 1 to 12, by its English name or an abbreviation of at least
/// three letters.
fn month_by_name(text: &str) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let text = text.trim_end_matches('.');
    if text.len() < 3 {
        return None;
    }
    (1..).zip(MONTHS).find(|(_, month)| month.starts_with(text)).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Parts = (i16, Option<u8>, Option<u8>, Option<i16>, bool);

    fn parts(text: &str) -> Option<Parts> {
        parse(text).map(|date| (date.year, date.month, date.day, date.until_year, date.circa))
    }

    #[test]
    fn parse_keeps_the_precision_of_a_date() {
        let day = Some((1954, Some(10), Some(7), None, false));
        for text in [
            "07 Oct 1954",
            "7 October 1954.",
            "1954-10-07",
            "07/10/1954",
            "07.10.1954",
            "Oct 7, 1954",
            "7th October 1954",
            "07-Oct-1954",
            "7. October 1954",
            "1954-10-07T00:00:00Z",
            " 7 oct. 1954 ",
        ] {
            assert_eq!(parts(text), day, "{text}");
        }
        for text in ["Oct 1954", "1954-10", "00/10/1954", "dd/10/1954", "1954-10-00", "--/10/1954"]
        {
            assert_eq!(parts(text), Some((1954, Some(10), None, None, false)), "{text}");
        }
        for text in ["1954", "00/00/1954", "dd/mm/1954", "1954.", "1954-00-00"] {
            assert_eq!(parts(text), Some((1954, None, None, None, false)), "{text}");
        }
        for text in ["circa 1950", "Approximately 1950", "c. 1950"] {
            assert_eq!(parts(text), Some((1950, None, None, None, true)), "{text}");
        }
        for text in
            ["1941 to 1943", "01 Jan 1941 to 31 Dec 1943", "1941-1943", "Between 1941 and 1943"]
        {
            assert_eq!(parts(text), Some((1941, None, None, Some(1943), false)), "{text}");
        }
        assert_eq!(parts("01 Sep 1960 to 30 Sep 1960"), Some((1960, Some(9), None, None, false)));
        assert_eq!(parts("circa 1950-1955"), Some((1950, None, None, Some(1955), true)));
    }

    #[test]
    fn parse_rejects_text_that_is_not_a_date() {
        for text in [
            "",
            "unknown",
            "30 Feb 1954",
            "1954-13-01",
            "12345",
            "0000",
            "54",
            "1943 to 1941",
            "-",
            "1954 1955 1956 1957",
            "Octobre 1954",
            "9999-12-31",
            "1/2",
            "31/31/1950",
            "۱۹۵۴",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in any::<String>(), similar in "[0-9a-z /.–-]{0,20}") {
            let _ = (parse(&text), parse(&similar));
        }

        #[test]
        fn parse_reads_every_full_date(year in 1900..2100i16, month in 1..=12u8, day in 1..=28u8) {
            let date = from_parts(year, Some(month), Some(day));
            prop_assert!(date.is_some());
            prop_assert_eq!(parse(&format!("{year}-{month:02}-{day:02}")), date);
            prop_assert_eq!(parse(&format!("{day}/{month}/{year}")), date);
        }
    }
}
