//! Message boundaries on streams (RFC 3261 §18.3, RFC 5626 §3.5.1).

use crate::{
    HeaderName, Limits,
    message::{
        is_plausible_start_line,
        scan::{self, Length, Lines, Step},
    },
};

/// What the bytes received so far on a stream start with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The start of a message; call again with more bytes.
    NeedMore,
    /// Line ends between messages: take them off. `len` 4 is a ping, to be answered with CRLF; 2 is a pong, or half
    /// of a ping whose other half has not come yet; 1 is a lone LF.
    KeepAlive {
        /// Bytes to take off.
        len: usize,
    },
    /// A whole message, for [`crate::Message::parse`].
    Message {
        /// Bytes to take off.
        len: usize,
    },
    /// The stream cannot be followed any further; close it. Unless it is no SIP, [`crate::Request::salvage`] reads what
    /// a request needs to be refused: the head is whole, as far as `limits.message` allows.
    Error(FrameError),
}

/// Why a stream cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The first line is no start line of SIP.
    #[error("not SIP")]
    StartLine,
    /// No Content-Length, which streams need (RFC 3261 §20.14).
    #[error("no Content-Length")]
    NoContentLength,
    /// Content-Length is no number, or there are several that differ.
    #[error("malformed Content-Length")]
    InvalidContentLength,
    /// Start line, a header field, their number, the body or the whole exceeds its limit.
    #[error("the message is too long")]
    TooLong,
}

/// Finds the first message in `buf`. It starts over at each call, at a cost bounded by `limits.message`.
#[must_use]
pub fn frame(buf: &[u8], limits: &Limits) -> Frame {
    match buf {
        [] | [b'\r'] => return Frame::NeedMore,
        [b'\r', b'\n', b'\r', b'\n', ..] => return Frame::KeepAlive { len: 4 },
        [b'\r', b'\n', ..] => return Frame::KeepAlive { len: 2 },
        [b'\n', ..] => return Frame::KeepAlive { len: 1 },
        _ => {}
    }
    let mut lines = Lines::new(buf, 0);
    let Some((_, end)) = lines.start_line() else { return more(buf, limits) };
    if !is_plausible_start_line(buf.get(..end).unwrap_or_default()) {
        return Frame::Error(FrameError::StartLine);
    }
    head(buf, &mut lines, limits, end > limits.start_line).unwrap_or_else(Frame::Error)
}

/// What follows is waited for as long as there may be more of a message.
fn more(buf: &[u8], limits: &Limits) -> Frame {
    if buf.len() > limits.message { Frame::Error(FrameError::TooLong) } else { Frame::NeedMore }
}

/// A limit that is exceeded is said at the end of the head: what is there by then suffices to refuse the message.
fn head(buf: &[u8], lines: &mut Lines<'_>, limits: &Limits, mut over: bool) -> Result<Frame, FrameError> {
    let mut length = Length::Absent;
    let mut count = 0;
    loop {
        match lines.next() {
            Step::Line { start, end, .. } => {
                count += 1;
                over |= end - start > limits.header_length || count > limits.header_count;
                let Some(parts) = scan::cut(buf, start, end) else { continue };
                if parts.header == HeaderName::ContentLength {
                    length = length.and(buf.get(parts.value.0..parts.value.1).unwrap_or_default());
                }
            }
            Step::Blank { .. } if over => return Err(FrameError::TooLong),
            Step::Blank { body } => return whole(buf, body, length, limits),
            Step::End { .. } => return Ok(more(buf, limits)),
        }
    }
}

fn whole(buf: &[u8], body: usize, length: Length, limits: &Limits) -> Result<Frame, FrameError> {
    let length = match length {
        Length::Is(length) => length,
        Length::Absent => return Err(FrameError::NoContentLength),
        Length::Invalid => return Err(FrameError::InvalidContentLength),
    };
    let len = body.checked_add(length).ok_or(FrameError::TooLong)?;
    if length > limits.body || len > limits.message {
        return Err(FrameError::TooLong);
    }
    Ok(if buf.len() < len { Frame::NeedMore } else { Frame::Message { len } })
}

#[cfg(test)]
mod tests;
