//! A range of a text of at most 65 534 bytes.

use std::num::NonZeroU16;

/// Byte range; four bytes also as an `Option`, so that typed values stay small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u16,
    /// One more than the end.
    past: NonZeroU16,
}

/// The longest text that typed values can hold.
pub(crate) const MAX_TEXT: usize = u16::MAX as usize - 1;

impl Default for Span {
    fn default() -> Self {
        Self { start: 0, past: NonZeroU16::MIN }
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
        Self {
            start: start as u16,
            past: NonZeroU16::new((end as u16).wrapping_add(1)).unwrap_or(NonZeroU16::MIN),
        }
    }

    #[inline]
    pub(crate) fn start(self) -> usize {
        usize::from(self.start)
    }

    #[inline]
    pub(crate) fn end(self) -> usize {
        usize::from(self.past.get() - 1)
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
