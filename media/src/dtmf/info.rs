//! Keys in the body of INFO: `application/dtmf-relay` and `application/dtmf`, which no RFC describes and everybody sends.

use super::Digit;

/// How long a key is pressed where nothing says so, in milliseconds.
pub const DEFAULT_MILLIS: u32 = 160;
/// The shortest that a key is said, whatever was said of it: less is not heard everywhere (ITU-T Q.24 §2.4).
pub const LEAST_MILLIS: u32 = 40;
/// The longest that a key is said which a request asks for.
pub const MOST_MILLIS: u32 = 10_000;

/// The media type of a key with its duration.
pub const RELAY: &str = "application/dtmf-relay";
/// The media type of a key alone.
pub const ALONE: &str = "application/dtmf";

/// The key in a body, and for how many milliseconds it was pressed; `None` where it has none, or is of another media type. Parameters
/// of the media type are not looked at.
#[must_use]
pub fn read(media_type: &str, body: &[u8]) -> Option<(Digit, u32)> {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let body = std::str::from_utf8(body).ok()?;
    if media_type.eq_ignore_ascii_case(ALONE) {
        return Some((key(body.lines().next()?)?, DEFAULT_MILLIS));
    }
    if !media_type.eq_ignore_ascii_case(RELAY) {
        return None;
    }
    let value = |name: &str| {
        body.lines().find_map(|line| {
            let (found, value) = line.split_once('=')?;
            found.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    };
    let millis = value("Duration").and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_MILLIS);
    Some((key(value("Signal")?)?, millis.clamp(LEAST_MILLIS, MOST_MILLIS)))
}

/// A body of [`RELAY`].
#[must_use]
pub fn write(digit: Digit, millis: u32) -> String {
    match digit {
        Digit::FLASH => format!("Signal=16\r\nDuration={millis}\r\n"),
        digit => format!("Signal={}\r\nDuration={millis}\r\n", digit.name()),
    }
}

/// A key by its name, or by its event code where that has two digits.
fn key(text: &str) -> Option<Digit> {
    let text = text.trim();
    if ["flash", "hf"].iter().any(|name| text.eq_ignore_ascii_case(name)) {
        return Some(Digit::FLASH);
    }
    let mut names = text.chars();
    match (names.next(), names.next()) {
        (Some(name), None) => Digit::of_name(name),
        (Some(_), Some(_)) => Digit::of_code(text.parse().ok()?),
        (None, _) => None,
    }
}
