//! Call-ID (RFC 3261 §20.8).

use std::fmt;

use super::TypedHeader;
use crate::{ByteString, HeaderName, SharedText, SyntaxError, chars};

/// A call's identifier, compared byte by byte; `word [ "@" word ]`, and an `@` more is let through.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(ByteString);

impl CallId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, sharing its memory.
    #[must_use]
    pub fn as_bytestring(&self) -> &ByteString {
        &self.0
    }
}

impl TypedHeader for CallId {
    const NAME: HeaderName = HeaderName::CallId;

    fn parse(text: &ByteString) -> Result<Self, SyntaxError> {
        Self::parse_part(text.into())
    }

    fn parse_part(text: SharedText<'_>) -> Result<Self, SyntaxError> {
        let words = chars::long_run(text.as_bytes(), chars::WORD);
        if words < text.len() || text.is_empty() {
            return Err(SyntaxError::new(words, "a call identifier"));
        }
        Ok(Self(text.share()))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CallId, TypedHeader};

    #[test]
    fn rfc3261_20_8_call_ids_are_compared_with_case() {
        let id = |text: &str| CallId::parse(&text.into()).unwrap();
        assert_ne!(id("a@B"), id("a@b"));
        assert_eq!(id("word%ZK-!.*_+'@word`~)(><:\\/\"][?}{").as_str().len(), 34);
    }

    #[test]
    fn a_call_id_is_of_words() {
        for text in ["", "a b", "a,b", "a;b", "a@b=c", "\u{e9}", "a\r\nb"] {
            assert!(CallId::parse(&text.into()).is_err(), "{text}");
        }
    }
}
