//! Cutting a text into lines, and what each line must be.

use super::{Description, Line, Shape, Span};
use crate::{Limits, LineFault, MediaLine, Origin, ParseError};

/// What the lines so far have shown.
#[derive(Default)]
struct Seen {
    origin: bool,
    media: usize,
    blank: Option<usize>,
}

pub(super) fn size(text: &[u8], limits: &Limits) -> Result<(), ParseError> {
    if text.len() > limits.bytes || u32::try_from(text.len()).is_err() {
        return Err(ParseError::TooLong { bytes: text.len(), limit: limits.bytes });
    }
    Ok(())
}

/// The lines of a text; `None` if they are more than `most`.
pub(super) fn split(text: &[u8], most: usize) -> Option<Vec<Span>> {
    let mut lines = Vec::with_capacity((text.len() / 16).min(most));
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let (Ok(at), Ok(bytes)) = (u32::try_from(start), u32::try_from(len)) else { break };
        if lines.len() >= most {
            return None;
        }
        let shape = Shape::of(rest.get(..len).unwrap_or_default());
        lines.push(Span { start: at, len: bytes, shape, added: false });
        start += len;
    }
    Some(lines)
}

/// Whether each line of a description as it came is what [`Description::parse`] says.
pub(super) fn check(description: &Description, limits: &Limits) -> Result<(), ParseError> {
    let whole_ends = description.lines.iter().filter(|span| span.shape.end == 2).count();
    let strays = controls(&description.received) != whole_ends;
    let mut seen = Seen::default();
    for line in description.lines() {
        check_line(line, strays, limits, &mut seen)?;
    }
    if description.lines.is_empty() {
        return Err(ParseError::Empty);
    }
    if !seen.origin {
        return Err(ParseError::NoOrigin);
    }
    Ok(())
}

/// How many CR and NUL there are. Counted over the whole text, which takes many bytes in one step, where looking for
/// them in each line does not.
fn controls(text: &[u8]) -> usize {
    // As many as a byte can count.
    let in_chunk =
        |chunk: &[u8]| chunk.iter().fold(0u8, |count, byte| count + u8::from(matches!(byte, b'\r' | 0)));
    text.chunks(usize::from(u8::MAX)).map(|chunk| usize::from(in_chunk(chunk))).sum()
}

/// `strays`: somewhere in the text is a CR that ends no line, or a NUL.
fn check_line(line: Line<'_>, strays: bool, limits: &Limits, seen: &mut Seen) -> Result<(), ParseError> {
    let number = line.index() + 1;
    let fault = |fault| Err(ParseError::Line { line: number, fault });
    let is_empty = line.bytes().len() == usize::from(line.shape.end);
    if let Some(blank) = seen.blank {
        if !is_empty {
            return Err(ParseError::Line { line: blank, fault: LineFault::Blank });
        }
        return Ok(());
    }
    let value = line.value();
    if number == 1 {
        return if (line.kind(), value) == (b'v', b"0") { Ok(()) } else { fault(LineFault::Version) };
    }
    if line.kind() == 0 && is_empty {
        seen.blank = Some(number);
        return Ok(());
    }
    if !matches!(line.bytes(), [_, b'=', ..]) {
        return fault(LineFault::Shape);
    }
    if strays && memchr::memchr2(b'\r', 0, value).is_some() {
        return fault(LineFault::ControlByte);
    }
    match line.kind() {
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
