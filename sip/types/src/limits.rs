//! Bounds on what a peer may send.

/// Sizes above which a message is refused instead of parsed. All are in bytes unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A whole message, start line to body. Default 65 535 (RFC 3261 §18.1.1: the largest UDP datagram).
    pub message: usize,
    /// The start line without its line end. Default 8 192.
    pub start_line: usize,
    /// Number of header fields (lines, not list elements). Default 256.
    pub header_count: usize,
    /// One header field, name to value, folding included. Default 16 384; typed access ends at 65 534.
    pub header_length: usize,
    /// The body. Default 65 535.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 65_535, start_line: 8_192, header_count: 256, header_length: 16_384, body: 65_535 }
    }
}
