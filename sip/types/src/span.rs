//! A range of a text of at most 65 535 bytes.

/// Byte range; four bytes, so that typed values stay small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u16,
    end: u16,
}

/// The longest text that typed values can hold.
pub(crate) const MAX_TEXT: usize = u16::MAX as usize;

impl Span {
    /// Both ends are within [`MAX_TEXT`], which every parser checks first; larger values saturate.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            start: u16::try_from(start).unwrap_or(u16::MAX),
            end: u16::try_from(end).unwrap_or(u16::MAX),
        }
    }

    pub(crate) fn start(self) -> usize {
        usize::from(self.start)
    }

    pub(crate) fn end_u16(self) -> u16 {
        self.end
    }

    pub(crate) fn end(self) -> usize {
        usize::from(self.end)
    }

    /// The range of `text`, or nothing if `text` is not the one that the span was made for.
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start()..self.end()).unwrap_or_default()
    }
}
