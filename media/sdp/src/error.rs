//! Limits of a description, and what can be wrong with one.

/// What a description may cost; reached limits are errors, never truncation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest description in bytes. Default 64 KiB.
    pub bytes: usize,
    /// Most lines. Default 2,000: a browser that offers every codec writes some 300.
    pub lines: usize,
    /// Most media sections (`m=` lines). Default 32.
    pub media: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 65_536, lines: 2_000, media: 32 }
    }
}

/// Why bytes are not a session description. Line numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// There is not a single line.
    #[error("the session description is empty")]
    Empty,
    /// The whole is longer than [`Limits::bytes`].
    #[error("the session description has {bytes} bytes, more than {limit}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// More lines than [`Limits::lines`].
    #[error("the session description has more than {limit} lines")]
    TooManyLines {
        /// The limit.
        limit: usize,
    },
    /// More media sections than [`Limits::media`].
    #[error("line {line}: more than {limit} media sections")]
    TooManyMedia {
        /// The line of the first one too many.
        line: usize,
        /// The limit.
        limit: usize,
    },
    /// No `o=` line before the first `m=` line (RFC 8866 §5.2).
    #[error("the session description has no o= line")]
    NoOrigin,
    /// One line is at fault.
    #[error("line {line}: {fault}")]
    Line {
        /// Its number.
        line: usize,
        /// What is wrong with it.
        #[source]
        fault: LineFault,
    },
}

/// What can be wrong with one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// The first line is not `v=0` (RFC 8866 §5.1).
    #[error("the first line must be v=0")]
    Version,
    /// Not a letter, an equals sign and a value (RFC 8866 §5).
    #[error("expected a lower-case letter and an equals sign")]
    Shape,
    /// An empty line with more lines after it.
    #[error("empty line")]
    Blank,
    /// A NUL, or a CR that ends no line (RFC 8866 §9, byte-string).
    #[error("a NUL or a lone CR within the line")]
    ControlByte,
    /// An `o=` line after the first, or one within a media section.
    #[error("a second o= line")]
    SecondOrigin,
    /// An `o=` line that lacks one of its six fields.
    #[error("o= needs user name, session id, version, network type, address type and address")]
    Origin,
    /// An `m=` line without media type, port and protocol, or a used one without a format.
    #[error("m= needs media type, port, protocol and formats")]
    Media,
    /// A port of an `m=` line that is no number up to 65535, or a port count that is no number above 0.
    #[error("m= has a port or a port count that is no such number")]
    Port,
}
