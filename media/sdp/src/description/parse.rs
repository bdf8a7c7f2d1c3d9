//! One pass over the text.

use super::{Span, trim_end};
use crate::{Limits, LineFault, MediaLine, Origin, ParseError};

/// What the lines so far have shown.
#[derive(Default)]
struct Seen {
    origin: bool,
    media: usize,
    blank: Option<usize>,
}

pub(super) fn lines(text: &[u8], limits: &Limits) -> Result<Vec<Span>, ParseError> {
    if text.len() > limits.bytes || u32::try_from(text.len()).is_err() {
        return Err(ParseError::TooLong { bytes: text.len(), limit: limits.bytes });
    }
    let mut lines = Vec::with_capacity((text.len() / 24).min(limits.lines));
    let mut seen = Seen::default();
    let mut start = 0;
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        if lines.len() >= limits.lines {
            return Err(ParseError::TooManyLines { limit: limits.lines });
        }
        check(trim_end(rest.get(..len).unwrap_or_default()), lines.len() + 1, limits, &mut seen)?;
        lines.push(span(start, len, text.len(), limits)?);
        start += len;
    }
    if lines.is_empty() {
        return Err(ParseError::Empty);
    }
    if !seen.origin {
        return Err(ParseError::NoOrigin);
    }
    Ok(lines)
}

/// The lines of a text that was read before.
pub(super) fn split(text: &[u8]) -> Vec<Span> {
    let mut lines = Vec::with_capacity(text.len() / 16);
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (Ok(at), Ok(bytes)) = (u32::try_from(start), u32::try_from(len)) else { break };
        lines.push(Span { start: at, len: bytes, added: false });
        start += len;
    }
    lines
}

fn span(start: usize, len: usize, bytes: usize, limits: &Limits) -> Result<Span, ParseError> {
    let too_long = ParseError::TooLong { bytes, limit: limits.bytes };
    match (u32::try_from(start), u32::try_from(len)) {
        (Ok(start), Ok(len)) => Ok(Span { start, len, added: false }),
        _ => Err(too_long),
    }
}

fn check(line: &[u8], number: usize, limits: &Limits, seen: &mut Seen) -> Result<(), ParseError> {
    let fault = |fault| Err(ParseError::Line { line: number, fault });
    if let Some(blank) = seen.blank {
        if !line.is_empty() {
            return Err(ParseError::Line { line: blank, fault: LineFault::Blank });
        }
        return Ok(());
    }
    if number == 1 {
        return if line == b"v=0" { Ok(()) } else { fault(LineFault::Version) };
    }
    let [kind, b'=', value @ ..] = line else {
        if line.is_empty() {
            seen.blank = Some(number);
            return Ok(());
        }
        return fault(LineFault::Shape);
    };
    if memchr::memchr2(b'\r', 0, value).is_some() {
        return fault(LineFault::ControlByte);
    }
    match kind {
        b'm' => {
            seen.media += 1;
            if seen.media > limits.media {
                return Err(ParseError::TooManyMedia { line: number, limit: limits.media });
            }
            MediaLine::parse(value).map(|_| ()).or_else(fault)
        }
        b'o' if seen.origin || seen.media > 0 => fault(LineFault::SecondOrigin),
        b'o' => {
            seen.origin = true;
            Origin::parse(value).map(|_| ()).map_or_else(|| fault(LineFault::Origin), Ok)
        }
        kind if kind.is_ascii_lowercase() => Ok(()),
        _ => fault(LineFault::Shape),
    }
}
