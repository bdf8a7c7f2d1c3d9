//! A range of a text of at most 65 534 bytes.

use std::{fmt, num::NonZeroU32};

/// Byte range; four bytes also as an `Option`, so that typed values stay small.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(
    /// The start in the lower half, one more than the end in the upper: one number is written and moved faster than two.
    NonZeroU32,
);

/// The longest text that typed values can hold.
pub(crate) const MAX_TEXT: usize = u16::MAX as usize - 1;

impl Default for Span {
    fn default() -> Self {
        Self::new(0, 0)
    }
}

impl Span {
    /// Both ends are within [`MAX_TEXT`], which every parser checks first; larger values wrap and name other bytes.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within MAX_TEXT, and no more than wrong text if not"
    )]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let packed = (start as u32 & 0xffff) | ((end as u32).wrapping_add(1) << 16);
        Self(NonZeroU32::new(packed).unwrap_or(NonZeroU32::MIN))
    }

    #[inline]
    pub(crate) fn start(self) -> usize {
        self.0.get() as usize & 0xffff
    }

    #[inline]
    pub(crate) fn end(self) -> usize {
        (self.0.get() as usize >> 16).saturating_sub(1)
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.end().saturating_sub(self.start())
    }

    /// Whether it has no bytes.
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.start() >= self.end()
    }

    /// The range of `text`, or nothing if `text` is not the one that the span was made for.
    #[inline]
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start()..self.end()).unwrap_or_default()
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start(), self.end())
    }
}
