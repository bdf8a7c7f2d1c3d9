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
    let last = text.len().checked_sub(1).filter(|last| text.get(*last) != Some(&b'\n'));
    for end in LineFeeds::of(text).chain(last).map(|last| last + 1) {
        let (Ok(at), Ok(len)) = (u32::try_from(start), u32::try_from(end - start)) else { break };
        if lines.len() >= most {
            return None;
        }
        let shape = Shape::of(text.get(start..end).unwrap_or_default());
        lines.push(Span { start: at, len, shape, added: false });
        start = end;
    }
    Some(lines)
}

/// Bytes of a word.
const WORD: usize = 8;

/// Where the line feeds of a text are. A description is cut several times in a call, and its lines are too short for a search to begin
/// anew with each of them: a word of eight bytes tells of all that are in it.
struct LineFeeds<'a> {
    words: std::slice::Chunks<'a, u8>,
    /// The highest bit of each byte of the present word that is one.
    hits: u64,
    /// Where the word after that begins.
    next: usize,
}

impl<'a> LineFeeds<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self { words: text.chunks(WORD), hits: 0, next: 0 }
    }

    fn hits(word: &[u8]) -> u64 {
        const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
        let padded = <[u8; WORD]>::try_from(word).unwrap_or_else(|_| {
            let mut padded = [0; WORD];
            padded.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
            padded
        });
        let zero_at_hits = u64::from_le_bytes(padded) ^ u64::from_ne_bytes([b'\n'; 8]);
        !(((zero_at_hits & LOW) + LOW) | zero_at_hits | LOW)
    }
}

impl Iterator for LineFeeds<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.hits == 0 {
            self.hits = Self::hits(self.words.next()?);
            self.next += WORD;
        }
        let place = self.hits.trailing_zeros() as usize / 8;
        self.hits &= self.hits - 1;
        Some(self.next - WORD + place)
    }
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
