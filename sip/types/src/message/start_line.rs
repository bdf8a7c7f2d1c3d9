//! Start lines (RFC 3261 §7.1, §7.2).

use super::ParseErrorKind;
use crate::{StatusCode, chars, search};

/// A range of the message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextSpan {
    start: u32,
    end: u32,
}

impl TextSpan {
    /// Messages are at most 4 GiB, which the parser checks; larger offsets saturate.
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start: u32::try_from(start).unwrap_or(u32::MAX), end: u32::try_from(end).unwrap_or(u32::MAX) }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn of(self, raw: &[u8]) -> &[u8] {
        raw.get(self.start()..self.end()).unwrap_or_default()
    }

    /// Up to the first byte that is not UTF-8.
    pub(super) fn lossy(self, raw: &[u8]) -> &str {
        let bytes = self.of(raw);
        match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                bytes.get(..error.valid_up_to()).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
            }
        }
    }
}

/// A start line, offsets counted from its first byte.
pub(super) enum StartLine {
    /// Method (a token), Request-URI (not empty, maybe with spaces inside), whether the version is 2.0.
    Request { method: (usize, usize), uri: (usize, usize), supported: bool },
    /// Code and reason phrase.
    Status { status: StatusCode, reason: (usize, usize) },
}

/// Reads a start line. Several spaces between the elements and spaces at the end are let through (RFC 4475 §3.1.2.9,
/// §3.1.2.10), and so is a status line without the space before an empty reason.
pub(super) fn read(line: &[u8]) -> Result<StartLine, (ParseErrorKind, usize)> {
    let bad = |at: usize| (ParseErrorKind::StartLine, at);
    let first = search::find(line, b' ').unwrap_or(line.len());
    let word = line.get(..first).unwrap_or_default();
    if let Some(version) = version(word) {
        return if version == *b"2.0" { status(line, first) } else { Err((ParseErrorKind::Version, 0)) };
    }
    if !chars::is_token(word) {
        return Err(bad(0));
    }
    let trimmed = line.trim_ascii_end();
    let last = memchr::memrchr(b' ', trimmed).ok_or(bad(first))?;
    let version = trimmed.get(last + 1..).and_then(version).ok_or(bad(last + 1))?;
    let middle = trimmed.get(first..last).unwrap_or_default();
    let start = first + middle.len() - middle.trim_ascii_start().len();
    let end = start + middle.trim_ascii().len();
    if start == end {
        return Err(bad(start));
    }
    Ok(StartLine::Request { method: (0, first), uri: (start, end), supported: version == *b"2.0" })
}

/// The digits and dot of a `SIP-Version`.
fn version(word: &[u8]) -> Option<&[u8]> {
    let (name, version) = word.split_at_checked(4)?;
    if !name.eq_ignore_ascii_case(b"SIP/") {
        return None;
    }
    let dot = version.iter().position(|&b| b == b'.')?;
    let digits = |d: Option<&[u8]>| d.is_some_and(|d| !d.is_empty() && d.iter().all(u8::is_ascii_digit));
    (digits(version.get(..dot)) && digits(version.get(dot + 1..))).then_some(version)
}

fn status(line: &[u8], space: usize) -> Result<StartLine, (ParseErrorKind, usize)> {
    let rest = line.get(space..).unwrap_or_default();
    let at = line.len() - rest.trim_ascii_start().len();
    let bad = (ParseErrorKind::StatusCode, at);
    let mut code = 0u16;
    for digit in line.get(at..at + 3).ok_or(bad)? {
        code = code * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0').ok_or(bad)?);
    }
    let status = StatusCode::new(code).ok_or(bad)?;
    let reason = match line.get(at + 3) {
        None => (line.len(), line.len()),
        Some(b' ') => (at + 4, line.len()),
        Some(_) => return Err(bad),
    };
    Ok(StartLine::Status { status, reason })
}

/// Whether a first line is one of SIP, so that a stream can be followed even if the message is then refused.
pub(crate) fn is_plausible(line: &[u8]) -> bool {
    !matches!(read(line), Err((ParseErrorKind::StartLine, _)))
}
