//! Why bytes are no message.

/// The bytes are not a SIP message that could be answered or matched; they are dropped (and a stream closed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {at}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Byte offset from the start of the input.
    pub at: usize,
}

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseErrorKind {
    /// Nothing but line ends.
    #[error("no message")]
    Empty,
    /// The message exceeds [`crate::Limits::message`].
    #[error("the message is too long")]
    MessageTooLong,
    /// The start line exceeds [`crate::Limits::start_line`].
    #[error("the start line is too long")]
    StartLineTooLong,
    /// A header field exceeds [`crate::Limits::header_length`].
    #[error("a header field is too long")]
    HeaderTooLong,
    /// More header fields than [`crate::Limits::header_count`].
    #[error("too many header fields")]
    TooManyHeaders,
    /// The body exceeds [`crate::Limits::body`].
    #[error("the body is too long")]
    BodyTooLong,
    /// The first line is neither `Method SP Request-URI SP SIP-Version` nor a status line (RFC 3261 §7.1, §7.2).
    #[error("no start line")]
    StartLine,
    /// A response of a version other than SIP/2.0.
    #[error("unsupported version")]
    Version,
    /// A response whose status code is not 100 to 699.
    #[error("malformed status code")]
    StatusCode,
    /// The bytes end inside a header field.
    #[error("the message ends early")]
    Truncated,
}

impl ParseErrorKind {
    pub(crate) fn at(self, at: usize) -> ParseError {
        ParseError { kind: self, at }
    }
}
