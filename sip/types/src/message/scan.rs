//! The lines of a message head, shared by parser, stream framing and multipart bodies so that all agree where it ends.

use crate::{
    HeaderName,
    chars::{self, is_wsp},
    search,
};

/// One step through a head.
pub(crate) enum Step {
    /// A line with its continuation lines; `end` is before the last line end.
    Line { start: usize, end: usize, folded: bool },
    /// The empty line; the body starts at `body`.
    Blank { body: usize },
    /// No line end any more; `at` is where the unfinished line starts.
    End { at: usize },
}

/// Splits at LF, with or without CR before it (a lone LF is let through, a lone CR is no line end).
pub(crate) struct Lines<'a> {
    buf: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(buf: &'a [u8], at: usize) -> Self {
        Self { buf, at }
    }

    /// What is split.
    pub(crate) fn buf(&self) -> &'a [u8] {
        self.buf
    }

    /// The start line: never folded, and an empty one is a line too.
    pub(crate) fn start_line(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        let (end, next) = self.physical(start)?;
        self.at = next;
        Some((start, end))
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Step {
        let start = self.at;
        let Some((mut end, mut next)) = self.physical(start) else { return Step::End { at: start } };
        if end == start {
            return Step::Blank { body: next };
        }
        let folded = self.continues(next);
        if folded {
            match self.continued(next) {
                Some(more) => (end, next) = more,
                None => return Step::End { at: start },
            }
        }
        self.at = next;
        Step::Line { start, end, folded }
    }

    /// Whether the line at `start` continues the one before (RFC 3261 §7.3.1).
    #[inline]
    fn continues(&self, start: usize) -> bool {
        self.buf.get(start).copied().is_some_and(is_wsp)
    }

    /// As [`Lines::physical`], of the last continuation line from `start` on.
    #[cold]
    fn continued(&self, start: usize) -> Option<(usize, usize)> {
        let mut last = self.physical(start)?;
        while self.continues(last.1) {
            last = self.physical(last.1)?;
        }
        Some(last)
    }

    /// End of the line from `start` without its line end, and the start of the next.
    #[inline(always)]
    fn physical(&self, start: usize) -> Option<(usize, usize)> {
        let newline = start + search::find(self.buf.get(start..)?, b'\n')?;
        let end =
            if newline > start && self.buf.get(newline - 1) == Some(&b'\r') { newline - 1 } else { newline };
        Some((end, newline + 1))
    }
}

/// A header line cut at its colon.
pub(crate) struct Parts {
    pub(crate) header: HeaderName,
    /// Length of the name.
    pub(crate) name: usize,
    /// Where the value starts and ends, white space and line ends trimmed.
    pub(crate) value: (usize, usize),
}

/// Cuts the line at `start..end`; `None` if it does not start with a token and a colon (RFC 3261 §7.3.1).
#[inline]
pub(crate) fn cut(buf: &[u8], start: usize, end: usize) -> Option<Parts> {
    let (header, name, colon) = match HeaderName::before_colon(buf.get(start..)?) {
        Some((header, len)) => (header, len, len),
        None => unusual_name(buf.get(start..end)?)?,
    };
    let colon = start + colon;
    let mut value = buf.get(colon + 1..end)?;
    while let [shorter @ .., b' ' | b'\t' | b'\r' | b'\n'] = value {
        value = shorter;
    }
    let end = colon + 1 + value.len();
    while let [b' ' | b'\t' | b'\r' | b'\n', shorter @ ..] = value {
        value = shorter;
    }
    Some(Parts { header, name, value: (end - value.len(), end) })
}

/// The name at the start of `line`, its length and the place of the colon: a long or unknown one, or space follows it.
#[cold]
fn unusual_name(line: &[u8]) -> Option<(HeaderName, usize, usize)> {
    let colon = search::find(line, b':')?;
    let mut name = line.get(..colon)?;
    while let [shorter @ .., b' ' | b'\t'] = name {
        name = shorter;
    }
    let header = HeaderName::from_bytes(name);
    (header != HeaderName::Unknown || chars::is_token(name)).then_some((header, name.len(), colon))
}

/// What the Content-Length fields say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Absent,
    Is(usize),
    /// Not a number, or two that differ (RFC 4475 §3.3.9).
    Invalid,
}

impl Length {
    /// Takes one more field into account.
    pub(crate) fn and(self, value: &[u8]) -> Self {
        let parsed = value.iter().try_fold(0usize, |n, b| {
            let digit = b.is_ascii_digit().then(|| usize::from(b - b'0'))?;
            n.checked_mul(10)?.checked_add(digit)
        });
        match (self, parsed.filter(|_| !value.is_empty())) {
            (Self::Absent, Some(n)) => Self::Is(n),
            (Self::Is(a), Some(b)) if a == b => self,
            (_, _) => Self::Invalid,
        }
    }
}
