//! Text that is part of a shared one.

use std::ops::Deref;

use crate::ByteString;

/// A part of a [`ByteString`]. What reads it can keep it, sharing its memory ([`SharedText::share`]); looking at it counts no
/// reference.
#[derive(Clone, Copy, Debug)]
pub struct SharedText<'a> {
    whole: &'a ByteString,
    /// Within `whole`.
    part: &'a str,
}

impl<'a> SharedText<'a> {
    /// The bytes from `start` to `end` of `whole`; `None` if these are no ends of characters there.
    #[inline]
    pub(crate) fn of(whole: &'a ByteString, start: usize, end: usize) -> Option<Self> {
        Some(Self { whole, part: whole.get(start..end)? })
    }

    /// `part` must be a part of this text, as slicing it gives.
    #[inline]
    pub(crate) fn within(&self, part: &'a str) -> Self {
        Self { whole: self.whole, part }
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.part
    }

    /// The text, owned; it shares the memory.
    #[inline]
    #[must_use]
    pub fn share(&self) -> ByteString {
        self.whole.slice_ref(self.part)
    }
}

impl<'a> From<&'a ByteString> for SharedText<'a> {
    fn from(whole: &'a ByteString) -> Self {
        Self { whole, part: whole }
    }
}

impl Deref for SharedText<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.part
    }
}
