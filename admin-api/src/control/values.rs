//! Identifiers and quantities, each with the one form it has in JSON and in URIs.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use utoipa::ToSchema;

/// Why a text is not the value that it should be. Display names the rule that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Not a [`CallId`].
    #[error("a call id has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '_'")]
    CallId,
    /// Not a [`Cursor`].
    #[error("a cursor is the next_cursor of an earlier page, unchanged")]
    Cursor,
    /// Not a [`ReasonText`].
    #[error("a reason has 1 to 128 bytes and no control characters")]
    ReasonText,
}

/// Our own name of a call, which contains the shard that is its home. It is not the Call-ID of any leg: each
/// leg has its own, `sip_call_id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$", examples("c-1-9f27"))]
pub struct CallId(Box<str>);

impl CallId {
    /// Longest call id, in bytes.
    pub const MAX_LENGTH: usize = 64;

    /// The text of the id; it needs no escaping in a path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CallId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidValue::CallId)
        }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in the list of calls: the last call of a page. Clients pass it on unread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The shard of the last call seen.
    pub shard: u16,
    /// The sequence number, within that shard, of the last call seen.
    pub sequence: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}{:016x}", self.shard, self.sequence)
    }
}

impl FromStr for Cursor {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let (Some((shard, sequence)), 20, true) =
            (text.split_at_checked(4), text.len(), text.bytes().all(hex))
        else {
            return Err(InvalidValue::Cursor);
        };
        Ok(Self {
            shard: u16::from_str_radix(shard, 16).map_err(|_| InvalidValue::Cursor)?,
            sequence: u64::from_str_radix(sequence, 16).map_err(|_| InvalidValue::Cursor)?,
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a person gave as the reason to end a call: 1 to 128 bytes, no control characters, so that it fits
/// the `text` parameter of a Reason header field (RFC 3326 §2) once quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonText(Box<str>);

impl ReasonText {
    /// Longest reason, in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// The text, unquoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReasonText {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && !text.chars().any(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidValue::ReasonText)
        }
    }
}

/// An instant of the wall clock; in JSON an RFC 3339 text in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-03-01T12:00:00.250Z"))]
pub struct Timestamp(OffsetDateTime);

const RFC3339_MILLIS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

impl From<SystemTime> for Timestamp {
    /// A clock that stands outside the years -9999 to 9999 is taken for the epoch.
    fn from(instant: SystemTime) -> Self {
        let epoch = OffsetDateTime::UNIX_EPOCH;
        let shifted = match instant.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => after.try_into().ok().and_then(|span| epoch.checked_add(span)),
            Err(before) => before.duration().try_into().ok().and_then(|span| epoch.checked_sub(span)),
        };
        Self(shifted.unwrap_or(epoch))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.0.to_offset(UtcOffset::UTC);
        let Ok(year) = u16::try_from(at.year()) else {
            let text = at.format(RFC3339_MILLIS).map_err(|_| fmt::Error)?;
            return f.write_str(&text);
        };
        // Every record of a call has three of these, which the description of a format makes dear.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let (hour, minute, second, millis) = at.to_hms_milli();
        let parts = [
            (0..4, year),
            (5..7, u8::from(at.month()).into()),
            (8..10, at.day().into()),
            (11..13, hour.into()),
            (14..16, minute.into()),
            (17..19, second.into()),
            (20..23, millis),
        ];
        for (place, number) in parts {
            put_digits(text.get_mut(place).unwrap_or_default(), number);
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Fills `place` with the last digits of a number.
fn put_digits(place: &mut [u8], mut number: u16) {
    for digit in place.iter_mut().rev() {
        let [low, ..] = (number % 10).to_le_bytes();
        *digit = b'0' + low;
        number /= 10;
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A span of time; in JSON a number of seconds, fractions included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = f64, minimum = 0, examples(12.5))]
pub struct Seconds(pub Duration);

impl From<Duration> for Seconds {
    fn from(span: Duration) -> Self {
        Self(span)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_timestamp_is_rfc_3339_in_utc_with_milliseconds() {
        let at = |millis| Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(millis)).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(1_709_210_096_007), "2024-02-29T12:34:56.007Z");
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Timestamp::from(before).to_string(), "1969-12-31T23:59:59.000Z");
    }

    #[test]
    fn a_clock_beyond_the_year_9999_is_the_epoch() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
        assert_eq!(Timestamp::from(far).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_call_id_takes_64_characters_and_no_more() {
        assert!("x".repeat(64).parse::<CallId>().is_ok());
        for bad in [String::new(), "x".repeat(65), "a/b".into(), "a b".into(), "ä".into()] {
            assert_eq!(bad.parse::<CallId>(), Err(InvalidValue::CallId), "{bad:?}");
        }
    }

    #[test]
    fn a_reason_takes_128_bytes_and_no_control_characters() {
        assert!("é".repeat(64).parse::<ReasonText>().is_ok());
        for bad in [String::new(), "x".repeat(129), "a\r\nb".into(), "\u{85}".into()] {
            assert_eq!(bad.parse::<ReasonText>(), Err(InvalidValue::ReasonText), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_from_its_text(shard: u16, sequence: u64) {
            let cursor = Cursor { shard, sequence };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }

        #[test]
        fn a_text_that_is_a_cursor_is_its_only_spelling(text in ".{0,24}|[0-9a-fA-F+]{20}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
