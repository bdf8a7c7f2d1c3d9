//! One pass from bytes to a message.

use bytes::{Buf, Bytes};

use super::{
    Common, Framing, Headers, Message, ParseError, ParseErrorKind as Kind, Request, Response,
    headers::{Head, Slot},
    scan::{self, Length, Lines, Step},
    start_line::{self, StartLine, TextSpan},
};
use crate::{HeaderName, Limits, Method};

impl Message {
    /// Reads one datagram, or one message that [`crate::frame()`] found in a stream. Line ends before the start
    /// line are passed over (RFC 3261 §7.5), bytes after the stated body are dropped (§18.3), and a body shorter
    /// than stated shows in [`Message::framing`]. A line that is no header field is left out and shows in
    /// [`Headers::malformed`]. The empty line may be missing if the bytes end with a whole header field; that shows in
    /// the framing too.
    ///
    /// # Errors
    /// There is no start line, a limit is exceeded, or the bytes end inside a header field.
    /// [`Request::salvage`] reads what a request needs to be refused for that.
    pub fn parse(raw: Bytes, limits: &Limits) -> Result<Self, ParseError> {
        let lead = lead(&raw).ok_or(Kind::Empty.at(0))?;
        if raw.len() - lead > limits.message || u32::try_from(raw.len()).is_err() {
            return Err(Kind::MessageTooLong.at(lead));
        }
        let raw = if lead > 0 { raw.slice(lead..) } else { raw };
        parse(raw, limits).map_err(|e| e.kind.at(lead + e.at))
    }
}

impl Request {
    /// Of bytes that [`Message::parse`] refused, the start line and the header fields that are within the limits, for
    /// a response to be made of (RFC 3261 §8.2.6). It has no body. `None` if they are no request.
    #[must_use]
    pub fn salvage(raw: &Bytes, limits: &Limits) -> Option<Self> {
        let raw = raw.slice(lead(raw)?..);
        u32::try_from(raw.len()).ok()?;
        let mut lines = Lines::new(&raw, 0);
        let (_, line_end) = lines.start_line()?;
        let start = start_line::read(raw.get(..line_end)?).ok()?;
        let fields = field_lines::<true>(lines, limits).ok()?;
        let headers = Headers::new(Head::of(&raw, fields.body), fields.slots, fields.malformed);
        match build(&start, headers, Bytes::new(), Framing::Exact).ok()? {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }
}

/// Where the first line that is not empty starts.
fn lead(raw: &[u8]) -> Option<usize> {
    raw.iter().position(|&b| b != b'\r' && b != b'\n')
}

/// What the lines after the start line say.
struct FieldLines {
    slots: Vec<Slot>,
    malformed: Option<usize>,
    length: Length,
    /// Where the body starts.
    body: usize,
    /// Bytes of the empty line that are missing.
    missing: usize,
}

fn parse(raw: Bytes, limits: &Limits) -> Result<Message, ParseError> {
    let mut lines = Lines::new(&raw, 0);
    let Some((_, line_end)) = lines.start_line() else {
        let kind = if raw.len() > limits.start_line { Kind::StartLineTooLong } else { Kind::Truncated };
        return Err(kind.at(raw.len()));
    };
    if line_end > limits.start_line {
        return Err(Kind::StartLineTooLong.at(limits.start_line));
    }
    let line = raw.get(..line_end).unwrap_or_default();
    let start = start_line::read(line).map_err(|(kind, at)| kind.at(at))?;
    let fields = field_lines::<false>(lines, limits)?;

    let available = raw.len() - fields.body;
    let (len, framing) = match fields.length {
        Length::Is(n) if n < available => (n, Framing::Excess(available - n)),
        Length::Is(n) if n == available && fields.missing == 0 => (n, Framing::Exact),
        Length::Is(n) => {
            (available, Framing::Short { missing: (n - available).saturating_add(fields.missing) })
        }
        Length::Absent if fields.missing == 0 => (available, Framing::Exact),
        Length::Absent => (available, Framing::Short { missing: fields.missing }),
        Length::Invalid => (available, Framing::Invalid),
    };
    // What is stated counts, whether or not it is there: on a stream it would have to be waited for.
    let stated = if let Length::Is(stated) = fields.length { stated.max(len) } else { len };
    if stated > limits.body {
        return Err(Kind::BodyTooLong.at(fields.body));
    }
    if fields.body.saturating_add(stated) > limits.message {
        return Err(Kind::MessageTooLong.at(fields.body));
    }
    let headers = Headers::new(Head::of(&raw, fields.body), fields.slots, fields.malformed);
    let body = if len == 0 { Bytes::new() } else { body_of(raw, fields.body, len) };
    build(&start, headers, body, framing)
}

/// The `len` bytes from `at` on.
fn body_of(mut raw: Bytes, at: usize, len: usize) -> Bytes {
    raw.advance(at);
    raw.truncate(len);
    raw
}

fn build(start: &StartLine, headers: Headers, body: Bytes, framing: Framing) -> Result<Message, ParseError> {
    match *start {
        StartLine::Request { method, uri, supported } => {
            let bytes = headers.raw().get(method.0..method.1).unwrap_or_default();
            let method = match Method::known(bytes) {
                Some(method) => method,
                None => {
                    headers.slice(method.0, method.1).map(Method::Extension).ok_or(Kind::StartLine.at(0))?
                }
            };
            let uri = TextSpan::new(uri.0, uri.1);
            let common = Common { headers, body, framing };
            Ok(Message::Request(Request { method, uri, version_supported: supported, common }))
        }
        StartLine::Status { status, reason } => {
            let reason = TextSpan::new(reason.0, reason.1);
            Ok(Message::Response(Response { status, reason, common: Common { headers, body, framing } }))
        }
    }
}

/// Typical messages have fewer header fields than this.
const EXPECTED_HEADERS: usize = 24;

/// Not part of its caller, whose values would take the registers from the loop. To `SALVAGE` means to leave out what
/// is over the limits or cut off.
#[inline(never)]
fn field_lines<const SALVAGE: bool>(mut lines: Lines<'_>, limits: &Limits) -> Result<FieldLines, ParseError> {
    let raw = lines.buf();
    let mut slots = Vec::with_capacity(EXPECTED_HEADERS.min(limits.header_count));
    let mut malformed = None;
    let mut length = Length::Absent;
    let (body, missing) = loop {
        match lines.next() {
            Step::Line { start, end, folded } => {
                if end - start > limits.header_length {
                    // Without each Via a response would go astray.
                    let via = scan::cut(raw, start, end).is_some_and(|p| p.header == HeaderName::Via);
                    if SALVAGE && !via {
                        continue;
                    }
                    return Err(Kind::HeaderTooLong.at(start));
                }
                let Some(parts) = scan::cut(raw, start, end) else {
                    malformed.get_or_insert(start);
                    continue;
                };
                if slots.len() >= limits.header_count {
                    if SALVAGE {
                        break (start, 0);
                    }
                    return Err(Kind::TooManyHeaders.at(start));
                }
                if parts.header == HeaderName::ContentLength {
                    length = length.and(raw.get(parts.value.0..parts.value.1).unwrap_or_default());
                }
                slots.push(Slot::new(parts.header, start, parts.name, parts.value, folded));
            }
            Step::Blank { body } => break (body, 0),
            Step::End { at } if SALVAGE || at == raw.len() => break (at, 2),
            Step::End { at } if raw.len() - at > limits.header_length => {
                return Err(Kind::HeaderTooLong.at(at));
            }
            Step::End { at } => return Err(Kind::Truncated.at(at)),
        }
    };
    Ok(FieldLines { slots, malformed, length, body, missing })
}
