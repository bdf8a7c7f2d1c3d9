//! `m=` (RFC 8866 §5.14).

use crate::LineFault;

/// `m=<media> <port>[/<number of ports>] <proto> <fmt> …`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaLine<'a> {
    /// The media type: `audio`, `video`, `image`, `message`, or one that we don't know.
    pub media: &'a str,
    /// The transport port; 0 in a rejected or disabled stream (RFC 3264 §6, §8.2).
    pub port: u16,
    /// The number of ports, at least 1; `None` when not stated.
    pub port_count: Option<u16>,
    /// The transport protocol, as in `RTP/AVP`.
    pub proto: &'a str,
    /// The formats as written, separated by spaces; empty only in a rejected stream.
    pub formats: &'a str,
}

impl<'a> MediaLine<'a> {
    /// Reads the value of an `m=` line.
    ///
    /// # Errors
    /// Which part cannot be read.
    pub fn parse(value: &'a [u8]) -> Result<Self, LineFault> {
        let value = std::str::from_utf8(value).map_err(|_| LineFault::Media)?;
        let (media, rest) = word(value).ok_or(LineFault::Media)?;
        let (port, rest) = word(rest).ok_or(LineFault::Media)?;
        let (proto, formats) = word(rest).ok_or(LineFault::Media)?;
        let (port, count) = cut(port, b'/');
        let port_count = match count {
            Some(count) => Some(number(count).filter(|count| *count > 0).ok_or(LineFault::Port)?),
            None => None,
        };
        let port = number(port).ok_or(LineFault::Port)?;
        let formats = trim(formats);
        if formats.is_empty() && port != 0 {
            return Err(LineFault::Media);
        }
        Ok(Self { media, port, port_count, proto, formats })
    }

    /// The formats in order of preference: payload types for RTP.
    #[must_use = "iterators do nothing unless used"]
    pub fn formats(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.formats.split(' ').filter(|format| !format.is_empty())
    }
}

fn word(text: &str) -> Option<(&str, &str)> {
    let start = text.bytes().position(|byte| byte != b' ')?;
    let (word, rest) = cut(text.get(start..)?, b' ');
    Some((word, rest.unwrap_or_default()))
}

/// As `str::trim_matches` of spaces.
fn trim(mut text: &str) -> &str {
    while let Some(rest) = text.strip_prefix(' ') {
        text = rest;
    }
    while let Some(rest) = text.strip_suffix(' ') {
        text = rest;
    }
    text
}

/// As `str::split_once`, of an ASCII character: words are too short for that to pay.
pub(super) fn cut(text: &str, at: u8) -> (&str, Option<&str>) {
    let end = text.bytes().position(|byte| byte == at).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end + 1..))
}

/// Digits only: `u16::from_str` would take a plus sign.
fn number(digits: &str) -> Option<u16> {
    let add = |number: u16, digit: u8| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    Some(digits).filter(|digits| !digits.is_empty())?.bytes().try_fold(0, add)
}
