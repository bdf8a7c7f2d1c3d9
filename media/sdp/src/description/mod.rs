//! The store of lines.

mod parse;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::{Limits, Media, MediaLine, Origin, ParseError, Section};

/// Where a line's bytes are: in the received text, or in the text added since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
    shape: Shape,
    added: bool,
}

/// What is known of a line without looking into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// The letter before the equals sign, 0 where there is none.
    kind: u8,
    /// The length of its line end: 0, 1 or 2 bytes.
    end: u8,
}

impl Shape {
    fn of(line: &[u8]) -> Self {
        let kind = match line {
            [kind, b'=', ..] => *kind,
            _ => 0,
        };
        let end = match line {
            [.., b'\r', b'\n'] => 2,
            [.., b'\n'] => 1,
            _ => 0,
        };
        Self { kind, end }
    }
}

/// A session description: lines in order, each with its own line end.
#[derive(Debug, Clone)]
pub struct Description {
    received: Bytes,
    added: Vec<u8>,
    lines: Vec<Span>,
}

/// One line as a view: its letter, its value, its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    bytes: &'a [u8],
    shape: Shape,
    number: usize,
}

impl<'a> Line<'a> {
    /// The letter before the equals sign; 0 for the blank line that a description may end with.
    #[must_use]
    pub fn kind(self) -> u8 {
        self.shape.kind
    }

    /// The bytes after the equals sign, without the line end.
    #[must_use]
    pub fn value(self) -> &'a [u8] {
        let start = if self.shape.kind == 0 { self.bytes.len() } else { 2 };
        let end = self.bytes.len() - usize::from(self.shape.end);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// [`Self::value`] when it is UTF-8.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.value()).ok()
    }

    /// The line as it came, with its line end.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Its place, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.number
    }
}

impl Description {
    /// Reads a description. Each line must have the shape of a line, the first must be `v=0`, one `o=` and all `m=`
    /// lines must be readable (RFC 8866 §5); order, line ends, missing lines and everything else is taken as it comes.
    ///
    /// # Errors
    /// What is wrong and on which line.
    pub fn parse(text: Bytes, limits: &Limits) -> Result<Self, ParseError> {
        parse::size(&text, limits)?;
        let lines =
            parse::split(&text, limits.lines).ok_or(ParseError::TooManyLines { limit: limits.lines })?;
        let description = Self { received: text, added: Vec::new(), lines };
        parse::check(&description, limits)?;
        Ok(description)
    }

    /// Reads a text again that [`Self::parse`] has taken, or that was made of such: its lines are not checked a second
    /// time. What cannot be read of any other text is left out of its views.
    #[must_use]
    pub fn reread(text: Bytes) -> Self {
        let lines = parse::split(&text, usize::MAX).unwrap_or_default();
        Self { received: text, added: Vec::new(), lines }
    }

    /// The lines in order.
    #[must_use = "iterators do nothing unless used"]
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = Line<'_>> + ExactSizeIterator + Clone {
        self.lines.iter().enumerate().map(|(number, span)| self.view(number, *span))
    }

    /// The line at `index`, from 0.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<Line<'_>> {
        Some(self.view(index, *self.lines.get(index)?))
    }

    fn view(&self, number: usize, span: Span) -> Line<'_> {
        Line { bytes: self.resolve(span), shape: span.shape, number }
    }

    fn resolve(&self, span: Span) -> &[u8] {
        let text: &[u8] = if span.added { &self.added } else { &self.received };
        let start = span.start as usize;
        text.get(start..start + span.len as usize).unwrap_or_default()
    }

    /// The session section: all lines before the first `m=` line.
    #[must_use]
    pub fn session(&self) -> Section<'_> {
        Section::new(self, 0, self.media_line_from(0).unwrap_or_else(|| self.filled()))
    }

    /// The number of lines without the empty ones that a description may end with, which belong to no section.
    fn filled(&self) -> usize {
        let is_filled = |span: &Span| span.len > u32::from(span.shape.end);
        self.lines.iter().rposition(is_filled).map_or(0, |last| last + 1)
    }

    /// The first `m=` line at or after that index.
    fn media_line_from(&self, index: usize) -> Option<usize> {
        let found = self.lines.get(index..)?.iter().position(|span| span.shape.kind == b'm')?;
        Some(index + found)
    }

    /// The number of media sections, of a text that [`Self::parse`] has taken or that was made of such.
    #[must_use]
    pub fn media_count(&self) -> usize {
        self.lines.iter().filter(|span| span.shape.kind == b'm').count()
    }

    /// The media sections in order, each from its `m=` line to the next.
    #[must_use = "iterators do nothing unless used"]
    pub fn media(&self) -> impl Iterator<Item = Media<'_>> + Clone {
        let session = self.session();
        let mut next = self.media_line_from(session.end());
        std::iter::from_fn(move || {
            let start = next?;
            next = self.media_line_from(start + 1);
            Some((start, next.unwrap_or_else(|| self.filled())))
        })
        .filter_map(move |(start, end)| {
            let line = MediaLine::parse(self.line(start)?.value()).ok()?;
            Some(Media::new(line, Section::new(self, start, end), session))
        })
    }

    /// The origin line (RFC 8866 §5.2).
    #[must_use]
    pub fn origin(&self) -> Option<Origin<'_>> {
        self.session().lines().find(|line| line.kind() == b'o').and_then(|line| Origin::parse(line.value()))
    }

    /// The line end that added lines get: that of the first line, CRLF when it has none.
    #[must_use]
    pub fn line_end(&self) -> &'static str {
        match self.line(0).map(Line::bytes) {
            Some([.., b'\r', b'\n']) => "\r\n",
            Some([.., b'\n']) => "\n",
            _ => "\r\n",
        }
    }

    /// Puts `kind=value` in the place of the line at `index`. Answers false, and changes nothing, when there is no
    /// such line or the value holds a CR, LF or NUL.
    pub fn replace(&mut self, index: usize, kind: u8, value: &[u8]) -> bool {
        if index >= self.lines.len() {
            return false;
        }
        let Some(added) = self.add(kind, value) else { return false };
        if let Some(span) = self.lines.get_mut(index) {
            *span = added;
        }
        true
    }

    /// Inserts `kind=value` before the line at `index` (at the end when `index` is the number of lines), and never behind the empty
    /// lines that a description may end with. Answers false, and changes nothing, for a place further out or a value that holds a CR,
    /// LF or NUL.
    pub fn insert(&mut self, index: usize, kind: u8, value: &[u8]) -> bool {
        if index > self.lines.len() {
            return false;
        }
        let Some(added) = self.add(kind, value) else { return false };
        let index = index.min(self.filled());
        if index == self.lines.len() {
            self.end_last_line();
        }
        self.lines.insert(index, added);
        true
    }

    /// Removes the line at `index`; false when there is none.
    pub fn remove(&mut self, index: usize) -> bool {
        let present = index < self.lines.len();
        if present {
            self.lines.remove(index);
        }
        present
    }

    /// Keeps only the lines that `keep` answers true for.
    pub fn retain(&mut self, mut keep: impl FnMut(Line<'_>) -> bool) {
        let lines = std::mem::take(&mut self.lines);
        let kept = lines.iter().enumerate().filter(|(number, span)| keep(self.view(*number, **span)));
        self.lines = kept.map(|(_, span)| *span).collect();
    }

    /// A text whose last line came without a line end gets one before another line follows.
    fn end_last_line(&mut self) {
        let Some(last) = self.lines.last().copied() else { return };
        let bytes = self.resolve(last).to_vec();
        if bytes.ends_with(b"\n") {
            return;
        }
        if let Some(ended) = self.append(&[&bytes, self.line_end().as_bytes()]) {
            self.lines.pop();
            self.lines.push(ended);
        }
    }

    fn add(&mut self, kind: u8, value: &[u8]) -> Option<Span> {
        if !kind.is_ascii_lowercase() || memchr::memchr3(b'\r', b'\n', 0, value).is_some() {
            return None;
        }
        self.append(&[&[kind, b'='], value, self.line_end().as_bytes()])
    }

    fn append(&mut self, parts: &[&[u8]]) -> Option<Span> {
        let start = u32::try_from(self.added.len()).ok()?;
        let len = u32::try_from(parts.iter().map(|part| part.len()).sum::<usize>()).ok()?;
        start.checked_add(len)?;
        for part in parts {
            self.added.extend_from_slice(part);
        }
        let shape = Shape::of(self.added.get(start as usize..).unwrap_or_default());
        Some(Span { start, len, shape, added: true })
    }

    /// Writes all lines.
    pub fn write(&self, out: &mut Vec<u8>) {
        for line in self.lines() {
            out.extend_from_slice(line.bytes());
        }
    }

    /// The text as bytes; no copy when nothing was changed.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        if self.added.is_empty()
            && self.lines.iter().map(|span| span.len as usize).sum::<usize>() == self.received.len()
        {
            return self.received.clone();
        }
        let mut out = Vec::with_capacity(self.received.len() + self.added.len());
        self.write(&mut out);
        out.into()
    }
}
