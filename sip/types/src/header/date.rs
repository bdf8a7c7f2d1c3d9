//! Date (RFC 3261 §20.17).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, SyntaxError, text::trim};

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment, to the second: seconds since 1970-01-01 00:00 UTC, up to the end of the year 9999. On the wire RFC 1123 and always GMT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u64);

impl Date {
    /// The last second that four digits of a year can write.
    const LAST: u64 = 253_402_300_799;

    /// That many seconds after 1970-01-01 00:00 UTC; later than the year 9999 becomes its last second.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        Self(seconds.min(Self::LAST))
    }

    /// Seconds since 1970-01-01 00:00 UTC.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }
}

/// Days from 1970-01-01 to that day of the proleptic Gregorian calendar (from year 1970 on).
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = if month <= 2 { month + 9 } else { month - 3 };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

impl TypedHeader for Date {
    const NAME: HeaderName = HeaderName::Date;

    /// Years before 1970 are refused; the day of the week is checked to be one, not to be the right one.
    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        let start = text.len() - text.trim_start_matches([' ', '\t']).len();
        let text = trim(text);
        let fail = |at: usize, expected| SyntaxError::new(start + at, expected);
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let number = |from: usize, to: usize, max: u64, expected| {
            let digits = part(from, to);
            let all = digits.len() == to - from && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|n: &u64| all && *n <= max).ok_or(fail(from, expected))
        };
        let literal = |from: usize, expected: &'static str| {
            if part(from, from + expected.len()) == expected { Ok(()) } else { Err(fail(from, expected)) }
        };
        if !DAYS.iter().any(|d| d.eq_ignore_ascii_case(part(0, 3))) {
            return Err(fail(0, "a day of the week"));
        }
        literal(3, ", ")?;
        let day = number(5, 7, 31, "a day of the month")?;
        literal(7, " ")?;
        let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(part(8, 11)));
        let month = month.map(|m| m + 1).ok_or(fail(8, "a month"))?;
        literal(11, " ")?;
        let year = number(12, 16, 9999, "a year")?;
        literal(16, " ")?;
        let hour = number(17, 19, 23, "an hour")?;
        literal(19, ":")?;
        let minute = number(20, 22, 59, "a minute")?;
        literal(22, ":")?;
        let second = number(23, 25, 60, "a second")?;
        literal(25, " GMT")?;
        if text.len() != 29 {
            return Err(fail(29, "the end"));
        }
        let longest = match month {
            2 => 28 + u64::from(leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if day == 0 || day > longest {
            return Err(fail(5, "a day of the month"));
        }
        if year < 1970 {
            return Err(fail(12, "a year from 1970"));
        }
        let month = u64::try_from(month).unwrap_or_default();
        let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        Ok(Self::from_unix(seconds))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil_from_days(days);
        let pick = |names: &'static [&'static str], at: u64| {
            usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
        };
        // Put together as bytes, which is much cheaper than six padded numbers are: every 200 of a registrar has a date.
        let mut text = *b"Day, 00 Mon 0000 00:00:00 GMT";
        let mut put = |at: usize, part: &[u8]| {
            text.iter_mut().skip(at).zip(part).for_each(|(to, from)| *to = *from);
        };
        put(0, pick(&DAYS, (days + 4) % 7).as_bytes());
        put(8, pick(&MONTHS, month - 1).as_bytes());
        let numbers = [year / 100, year % 100, day, second / 3600, second / 60 % 60, second % 60];
        for (at, number) in [12, 14, 5, 17, 20, 23].into_iter().zip(numbers) {
            put(at, &[number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or_default()));
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::{Date, TypedHeader};

    #[test]
    fn rfc3261_20_17_the_example_is_read_and_written() {
        let date = Date::parse(&"Sat, 13 Nov 2010 23:29:00 GMT".into()).unwrap();
        assert_eq!(date.unix(), 1_289_690_940);
        assert_eq!(date.to_string(), "Sat, 13 Nov 2010 23:29:00 GMT");
    }

    #[test]
    fn dates_read_back_over_centuries() {
        for day in (0..2_932_896u64).step_by(97) {
            let date = Date::from_unix(day * 86_400 + day % 86_400);
            assert_eq!(Date::parse(&date.to_string().into()), Ok(date));
        }
        assert_eq!(Date::from_unix(0).to_string(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(Date::from_unix(951_782_400).to_string(), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(Date::from_unix(u64::MAX).to_string(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn rfc4475_3_1_2_12_only_gmt_and_only_real_days() {
        for text in [
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Fri, 01 Jan 2010 16:00:00 UTC",
            "Fri, 01 Jan 2010 16:00:00 GMT+1",
            "Fri, 1 Jan 2010 16:00:00 GMT",
            "Fri, 30 Feb 2010 16:00:00 GMT",
            "Mon, 29 Feb 2100 16:00:00 GMT",
            "Fri, 00 Jan 2010 16:00:00 GMT",
            "Fri, 01 Foo 2010 16:00:00 GMT",
            "Fri, 01 Jan 2010 24:00:00 GMT",
            "Fri, 01 Jan +201 16:00:00 GMT",
            "Fri, 01 Jan 1969 16:00:00 GMT",
            "",
            "Fr\u{20ac}",
        ] {
            assert!(Date::parse(&text.into()).is_err(), "{text}");
        }
    }
}
