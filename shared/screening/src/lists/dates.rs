//! Dates as lists write them: with a precision, about, or between.

use time::{Date, Month};

use crate::entity::ListedDate;

/// Ships and companies on lists are old, people are not, and nothing is from the future; but a
/// calendar that counts otherwise is not a date at all.
const YEARS: std::ops::RangeInclusive<i16> = 1500..=2200;

/// A date, or as much of one as is known.
pub fn known(year: i16, month: Option<u8>, day: Option<u8>) -> Option<ListedDate> {
    let month = month.filter(|month| *month != 0);
    let day = day.filter(|day| *day != 0 && month.is_some());
    let whole = Month::try_from(month.unwrap_or(1)).ok()?;
    Date::from_calendar_date(i32::from(year), whole, day.unwrap_or(1)).ok()?;
    YEARS.contains(&year).then_some(ListedDate { year, month, day, until_year: None, circa: false })
}

/// What is between two dates: exact to the year unless they agree on more.
pub fn between(from: ListedDate, to: ListedDate) -> Option<ListedDate> {
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

/// `07 Oct 1954`, `Oct 1954`, `1954`, `1954-10-07`, `07/10/1954` (day first), `00/00/1954`,
/// `circa 1950`, `1941 to 1943`, `between 1941 and 1943`, `1941-1943`.
pub fn parse(text: &str) -> Option<ListedDate> {
    let text = text.trim().trim_end_matches('.').to_ascii_lowercase();
    for about in ["circa", "approximately", "approx.", "approx", "about", "c."] {
        if let Some(rest) = text.strip_prefix(about) {
            return Some(ListedDate { circa: true, ..parse_plain(rest.trim())? });
        }
    }
    parse_plain(&text)
}

fn parse_plain(text: &str) -> Option<ListedDate> {
    let text = text.strip_prefix("between ").unwrap_or(text);
    for range in [" to ", " and ", " - ", " – "] {
        if let Some((from, to)) = text.split_once(range) {
            return between(single(from)?, single(to)?);
        }
    }
    if let Some((from, to)) = text.split_once(['-', '–'])
        && let (Some(from), Some(to)) = (year(from), year(to))
    {
        return between(known(from, None, None)?, known(to, None, None)?);
    }
    single(text)
}

fn single(text: &str) -> Option<ListedDate> {
    // An instant: its day is the date.
    let text = text.split_once('t').map_or(text, |(date, time)| {
        if date.ends_with(|c: char| c.is_ascii_digit()) && time.contains(':') { date } else { text }
    });
    let text = text.trim().trim_end_matches("00:00:00").trim();
    let words = text.contains(' ');
    let separators = ['/', '-', '.'].into_iter().filter(|separator| *separator != '.' || !words);
    let parts: Vec<&str> = match separators.into_iter().find(|separator| text.contains(*separator))
    {
        // `--/--/1954`: the dashes are unknown parts.
        Some(separator) => text.split(separator).map(str::trim).collect(),
        None => text.split([' ', ',']).filter(|part| !part.is_empty()).collect(),
    };
    match parts.as_slice() {
        [only] => known(year(only)?, None, None),
        [first, second] => match year(first) {
            Some(year) => known(year, month(second)?, None),
            None => known(year(second)?, month(first)?, None),
        },
        [first, second, third] => match year(first) {
            Some(year) => known(year, month(second)?, day(third)?),
            None if named_month(first).is_some() => {
                known(year(third)?, month(first)?, day(second)?)
            }
            None => known(year(third)?, month(second)?, day(first)?),
        },
        _ => None,
    }
}

fn year(text: &str) -> Option<i16> {
    let text = text.trim();
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// `Some(None)` for a part that is there to say that it is not known.
fn day(text: &str) -> Option<Option<u8>> {
    if text.chars().all(|c| matches!(c, '-' | '0' | 'd' | 'm' | 'x' | '?')) {
        return Some(None);
    }
    let text = text.trim_end_matches(['.', ',']);
    let text =
        ["st", "nd", "rd", "th"].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    let short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    short.then(|| text.parse().ok()).flatten().map(Some)
}

fn month(text: &str) -> Option<Option<u8>> {
    match named_month(text) {
        Some(month) => Some(Some(month)),
        None => day(text),
    }
}

fn named_month(text: &str) -> Option<u8> {
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
    let named = |month: &&str| text.len() >= 3 && month.starts_with(text);
    let place =
        MONTHS.iter().position(|month| named(month) || text == "sept" && *month == "september")?;
    u8::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Parts = (i16, Option<u8>, Option<u8>, Option<i16>, bool);

    fn read(text: &str) -> Option<Parts> {
        parse(text).map(|date| (date.year, date.month, date.day, date.until_year, date.circa))
    }

    #[test]
    fn dates_are_read_as_far_as_they_are_known() {
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
            assert_eq!(read(text), day, "{text}");
        }
        for text in ["Oct 1954", "1954-10", "00/10/1954", "dd/10/1954", "1954-10-00", "--/10/1954"]
        {
            assert_eq!(read(text), Some((1954, Some(10), None, None, false)), "{text}");
        }
        for text in ["1954", "00/00/1954", "dd/mm/1954", "1954.", "1954-00-00"] {
            assert_eq!(read(text), Some((1954, None, None, None, false)), "{text}");
        }
        for text in ["circa 1950", "Approximately 1950", "c. 1950"] {
            assert_eq!(read(text), Some((1950, None, None, None, true)), "{text}");
        }
        for text in
            ["1941 to 1943", "01 Jan 1941 to 31 Dec 1943", "1941-1943", "Between 1941 and 1943"]
        {
            assert_eq!(read(text), Some((1941, None, None, Some(1943), false)), "{text}");
        }
        assert_eq!(read("01 Sep 1960 to 30 Sep 1960"), Some((1960, Some(9), None, None, false)));
        assert_eq!(read("circa 1950-1955"), Some((1950, None, None, Some(1955), true)));
    }

    #[test]
    fn what_is_no_date_is_none() {
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
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>(), near in "[0-9a-z /.–-]{0,20}") {
            let _ = (parse(&text), parse(&near));
        }

        #[test]
        fn a_written_date_reads_back(year in 1900..2100i16, month in 1..=12u8, day in 1..=28u8) {
            let date = known(year, Some(month), Some(day));
            prop_assert!(date.is_some());
            prop_assert_eq!(parse(&format!("{year}-{month:02}-{day:02}")), date);
            prop_assert_eq!(parse(&format!("{day}/{month}/{year}")), date);
        }
    }
}
