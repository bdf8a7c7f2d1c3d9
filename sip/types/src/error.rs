//! What can be wrong with a header field.

use crate::HeaderName;

/// A text does not follow the grammar of its header field or element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub struct SyntaxError {
    /// Byte offset in the text that was parsed.
    pub at: usize,
    /// What the grammar asks for at that place.
    pub expected: &'static str,
}

impl SyntaxError {
    /// `expected` was not found at byte `at`.
    #[must_use]
    pub fn new(at: usize, expected: &'static str) -> Self {
        Self { at, expected }
    }

    pub(crate) fn within(self, name: HeaderName) -> HeaderError {
        HeaderError::Syntax { name, at: self.at, expected: self.expected }
    }
}

/// Typed access to a header field failed. A request with such a field is answered 400, a response discarded
/// (RFC 3261 §16.3, §21.4.1), if the field matters to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The field is needed and absent.
    #[error("no {0} header field")]
    Missing(HeaderName),
    /// More than one field of a name that may appear once (RFC 3261 §7.3.1).
    #[error("more than one {0} header field")]
    Duplicate(HeaderName),
    /// The value does not follow its grammar or exceeds its range.
    #[error("{name}: expected {expected} at byte {at}")]
    Syntax {
        /// The field.
        name: HeaderName,
        /// Byte offset in the value (in the list element, if the value is a list), after unfolding.
        at: usize,
        /// What the grammar asks for at that place.
        expected: &'static str,
    },
    /// The value is not UTF-8 (RFC 3261 §7.1).
    #[error("{0} is not UTF-8")]
    NotUtf8(HeaderName),
}

impl HeaderError {
    /// The field that is at fault.
    #[must_use]
    pub fn name(&self) -> HeaderName {
        match *self {
            Self::Missing(name) | Self::Duplicate(name) | Self::NotUtf8(name) | Self::Syntax { name, .. } => {
                name
            }
        }
    }
}
